import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseScope } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { createInside } from '../inside.ts';
import { requireInside } from './sight.ts';

const scopeOf = (text: string): Scope => {
  const parsed = parseScope(text);
  return parsed.ok ? parsed.value : assert.fail(parsed.error);
};
const TEAMS: Readonly<Record<string, string>> = { shop: 'web', till: 'payments' };
const services = {
  list: () => [],
  get: (id: string) => (TEAMS[id] === undefined ? undefined : { id, name: id, labels: { team: TEAMS[id] }, checks: [] }),
} as never;
const inside = createInside({ services, alert: async () => undefined, teamOf: () => undefined, about: {} as never });
const judged = (scope: Scope, labels: Readonly<Record<string, string>>): void =>
  requireInside({ actor: { scope }, sees: (own) => inside.labels(scope, own) }, { id: 'slow', labels, selectors: [] }, []);

test('a rule of somebody with a scope is about a service of theirs, whatever other labels it carries', () => {
  const web = scopeOf('team="web"');
  judged(web, { team: 'web' });
  judged(web, { team: 'web', service: 'shop' });
  judged(web, { service: 'shop' });
  for (const service of ['till', 'nothing', '{{ $labels.service }}', '{{ "till" }}'])
    assert.throws(() => judged(web, { team: 'web', service }), { code: 'outside_scope', field: 'labels', message: /service/ }, service);
  const others = scopeOf('team!="payments"');
  judged(others, { team: 'web', service: 'shop' });
  for (const service of ['till', '{{ "till" }}'])
    assert.throws(() => judged(others, { team: 'web', service }), { code: 'outside_scope', field: 'labels' }, service);
});
