import assert from 'node:assert/strict';
import { test } from 'node:test';
import { METRIC_NAME, type Labels, labelsOf, labelsToRecord } from '@nines/model/labels.ts';
import { parseScope, visible } from '@nines/model/scope.ts';
import fc from 'fast-check';
import { createEngine } from './engine.ts';
import { MemoryQueryable } from './memory-queryable.ts';

const NOW_MS = 600_000;
const value = fc.constantFrom('', 'a', 'b', 'ab');
const series = fc.record({ name: fc.constantFrom('m', 'n'), team: value, env: value, pod: value });
const matchers = fc.array(
  fc
    .record({
      name: fc.constantFrom('team', 'env', METRIC_NAME),
      op: fc.constantFrom('=', '!=', '=~', '!~'),
      value: fc.constantFrom('', 'a', 'ab', 'm', 'a|b', '.+'),
    })
    .map((one) => `${one.name}${one.op}${JSON.stringify(one.value.replaceAll('|', one.op.includes('~') ? '|' : ''))}`),
  { maxLength: 3 },
);
const expr = fc.constantFrom(
  'm',
  'sum by (team) ({__name__=~".+"})',
  'count({__name__=~"m|n"})',
  'rate(m[5m])',
  'm or n',
  'm unless on(pod) n',
  'absent(m{team="b"})',
  'm * on(team, env, pod) group_left n',
  'max_over_time(m{team!="a"}[4m]) > bool 1',
  'topk(2, n)',
  'info(m)',
  'sum_over_time(sum(m)[5m:1m])',
);

const storeOf = (all: readonly Labels[]): MemoryQueryable => {
  const store = new MemoryQueryable();
  all.forEach((labels, at) =>
    store.add(
      labels,
      Array.from({ length: 10 }, (_, i) => [i * 60_000 + 30_000, (at + 1) * i] as const),
    ),
  );
  return store;
};

test('what a query gives under a scope is what it gives without one over the series inside', async () => {
  const engine = createEngine({ limits: { maxSamples: 100_000 } });
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(series, { maxLength: 8, selector: (one) => JSON.stringify(one) }),
      matchers,
      expr,
      async (all, written, query) => {
        const parsed = parseScope(written.join(', '));
        assert.ok(parsed.ok);
        const scope = parsed.value;
        const labels = all.map(({ name, ...rest }) =>
          labelsOf(Object.fromEntries(Object.entries({ ...rest, [METRIC_NAME]: name }).filter(([, text]) => text !== ''))),
        );
        const inside = labels.filter((one) => visible(scope, labelsToRecord(one)));
        const at = { atMs: NOW_MS };
        // The same samples in both: a series' values follow from its place among all.
        const whole = storeOf(labels);
        const part = new MemoryQueryable();
        for (const one of await whole.select([], { fromMs: 0, toMs: NOW_MS }))
          if (inside.some((other) => JSON.stringify(other) === JSON.stringify(one.labels))) part.addColumns(one);
        const scoped = await engine.instant(query, { queryable: whole, scope, ...at });
        const filtered = await engine.instant(query, { queryable: part, ...at });
        assert.deepEqual(valueOf(scoped), valueOf(filtered), query);
      },
    ),
    { numRuns: 300 },
  );
});

type Found = Awaited<ReturnType<ReturnType<typeof createEngine>['instant']>>;
const valueOf = (found: Found): unknown => (found.ok ? found.value.value : found.error.type);
