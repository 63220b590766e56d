import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { routingConfig } from './config.ts';
import { explainRoutes } from './explain.ts';
import { createRoutes } from './route.ts';

const TREE = {
  receiver: 'ops',
  routes: [
    { matchers: ['team="db"'], receiver: 'db', continue: true, routes: [{ matchers: ['severity="page"'], receiver: 'pager' }] },
    { matchers: ['team="db"', 'env!="test"'], receiver: 'log' },
    { matchers: ['team=~"web|db"'], receiver: 'web', routes: [{ receiver: 'never' }] },
  ],
};

describe('where an alert would go', () => {
  const said = (labels: Record<string, string>): readonly string[] => {
    const { root } = createRoutes(routingConfig.parse({ tree: TREE }));
    assert.ok(root !== undefined);
    return explainRoutes(root, labels).map(({ route, outcome, reason }) => `${route} ${outcome}: ${reason}`);
  };

  it('is said route by route, with the first matcher that does not hold', () => {
    assert.deepEqual(said({ team: 'db', severity: 'page' }), [
      ' passed: everything matches; a route below takes it',
      '0 passed: team="db" holds; a route below takes it',
      '0/0 taken: severity="page" holds',
      '1 taken: env!="test", team="db" hold',
      '2 not_asked: an earlier route takes the alert and does not continue',
      '2/0 not_asked: an earlier route takes the alert and does not continue',
    ]);
    assert.deepEqual(said({ team: 'mail' }), [
      ' taken: everything matches; no route below does',
      '0 failed: team="db" does not hold: team is "mail"',
      '0/0 not_asked: the route above does not match',
      '1 failed: team="db" does not hold: team is "mail"',
      '2 failed: team=~"web|db" does not hold: team is "mail"',
      '2/0 not_asked: the route above does not match',
    ]);
    assert.match(said({})[1] ?? '', /there is no team$/);
  });

  it('names exactly the routes that routing takes, once each', () => {
    const matcher = fc
      .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('=', '!='), fc.constantFrom('1', '2'))
      .map(([n, op, v]) => `${n}${op}"${v}"`);
    const branch = (depth: number): fc.Arbitrary<object> =>
      fc.record({
        matchers: fc.array(matcher, { maxLength: 2 }),
        continue: fc.boolean(),
        routes: depth === 0 ? fc.constant([]) : fc.array(branch(depth - 1), { maxLength: 3 }),
      });
    const labels = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('1', '2'));
    const property = fc.property(fc.array(branch(2), { maxLength: 3 }), labels, (routes, its) => {
      const { root, matching } = createRoutes(routingConfig.parse({ tree: { receiver: 'r', routes } }));
      assert.ok(root !== undefined);
      const steps = explainRoutes(root, its);
      assert.equal(new Set(steps.map(({ route }) => route)).size, steps.length);
      assert.deepEqual(
        steps.filter(({ outcome }) => outcome === 'taken').map(({ route }) => route),
        matching(its).map(({ route }) => route),
      );
    });
    fc.assert(property, { numRuns: 300 });
  });
});
