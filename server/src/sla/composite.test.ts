import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { slaDeclaration } from './config.ts';
import { parseDefined } from './definitions/load.ts';
import { openSloText } from './definitions/openslo-export.ts';
import { parseDefinitions } from './definitions/read.ts';
import { SlaWorld, at } from './testing/world.ts';

type Budgeting = 'occurrences' | 'timeslices' | 'ratio_timeslices';
const part = (name: string, weight = 1) => ({ weight, indicator: { kind: 'ratio', bad: `${name}_bad`, total: `${name}_all` } });
const sla = (budgeting: Budgeting, weight = 1, over: object = {}) => ({
  id: 'both',
  service: 'shop',
  indicator: { kind: 'composite', budgeting, slice: '1s', parts: [part('a'), part('b', weight)], ...over },
  target: '90%',
  window: { rolling: '20s' },
  max_unknown: '100%',
});

/** Twenty seconds of ten events each; `bad` of a second fail. */
async function played(t: Parameters<typeof openSqliteForTest>[0], declared: object, bad: { readonly a: number; readonly b: number }) {
  const { db } = await openSqliteForTest(t);
  const world = await new SlaWorld(db).begin(declared);
  const counter = (perSecond: (second: number) => number) => {
    let sum = 0;
    return Array.from({ length: 40 }, (_, i) => ({ atMs: at(i - 5), value: (sum += perSecond(i - 5)) }));
  };
  for (const name of ['a', 'b'] as const) {
    world.counters.set(
      `${name}_all`,
      counter(() => 10),
    );
    world.counters.set(
      `${name}_bad`,
      counter((second) => (second === 10 ? bad[name] : 0)),
    );
  }
  await world.play('U'.repeat(20));
  return world.statement('both', { fromMs: at(0), toMs: at(15) });
}

test('events of all parts are counted together, bad ones times the weight of their part', async (t) => {
  const even = await played(t, sla('occurrences'), { a: 5, b: 2 });
  assert.deepEqual(even.budget.unit === 'events' && [even.budget.total, even.budget.spent], [30, 7]);
  const heavy = await played(t, sla('occurrences', 10), { a: 5, b: 2 });
  assert.deepEqual(
    [heavy.budget.unit === 'events' && heavy.budget.spent, heavy.status],
    [20, 'met'],
    'no more than there were in the slice',
  );
});

test('a slice that is bad in any part is bad', async (t) => {
  const found = await played(t, sla('timeslices'), { a: 0, b: 6 });
  assert.deepEqual([found.budget.unit, found.budget.spent_ms, found.buckets.down_ms], ['ms', 1_000, 1_000]);
});

test('shortfalls of the parts are added up: 95 % and 95 % are 90 %', async (t) => {
  const found = await played(t, sla('ratio_timeslices'), { a: 5, b: 5 });
  assert.deepEqual([found.budget.spent_ms, found.attained], [1_000, 14 / 15]);
  const weighed = await played(t, sla('ratio_timeslices', 0.5), { a: 5, b: 5 });
  assert.equal(weighed.attained, 14.25 / 15);
});

const OPENSLO = `
apiVersion: openslo/v1
kind: SLO
metadata: { name: journey, displayName: The whole journey }
spec:
  service: shop
  timeWindow: [{ duration: 4w, isRolling: true }]
  budgetingMethod: Occurrences
  objectives:
    - target: 0.99
      compositeWeight: 2
      indicator: { metadata: { name: search }, spec: { ratioMetric: { bad: { metricSource: { spec: { query: s_bad } } }, total: { metricSource: { spec: { query: s_all } } } } } }
    - target: 0.99
      indicator: { metadata: { name: pay }, spec: { ratioMetric: { good: { metricSource: { spec: { query: p_good } } }, total: { metricSource: { spec: { query: p_all } } } } } }
`;

test('a composite of OpenSLO is one SLA with its weights, and comes back as it went', () => {
  const read = parseDefinitions(OPENSLO, { file: 'slo.yml' });
  assert.deepEqual([read.problems, read.warnings], [[], []]);
  const specs = read.found.flatMap(({ slas }) => slas.map(parseDefined));
  const [spec] = specs;
  assert.ok(typeof spec === 'object' && specs.length === 1);
  assert.deepEqual(
    [spec.id, spec.indicator.kind, 'parts' in spec.indicator && spec.indicator.parts?.map(({ weight }) => weight)],
    ['journey', 'composite', [2, 1]],
  );
  const text = openSloText([spec]);
  assert.match(text, /compositeWeight: 2/);
  assert.deepEqual(
    parseDefinitions(text, { file: 'x.yml' }).found.flatMap(({ slas }) => slas.map(parseDefined)),
    [spec],
  );
  for (const budgeting of ['occurrences', 'timeslices', 'ratio_timeslices'] as const) {
    const own = slaDeclaration.parse(sla(budgeting, 3));
    assert.deepEqual(
      parseDefinitions(openSloText([own]), { file: 'x.yml' }).found.flatMap(({ slas }) => slas.map(parseDefined)),
      [own],
    );
  }
});

test('parts that cannot be reckoned together are refused by name and place', () => {
  const problems = (over: object): string => {
    const parsed = slaDeclaration.safeParse(sla('occurrences', 1, over));
    return parsed.success ? '' : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n');
  };
  assert.match(problems({ parts: [part('a')] }), /indicator\.parts: /);
  const threshold = { indicator: { kind: 'threshold', query: 'x', condition: '<', threshold: 1 } };
  assert.match(
    problems({ parts: [part('a'), threshold] }),
    /indicator\.parts\.1\.indicator: the SLA "both": a part without counters has no events/,
  );
  assert.equal(problems({ budgeting: 'timeslices', parts: [part('a'), threshold] }), '');
  assert.match(problems({ slice: '1h' }), /indicator\.slice: the SLA "both": a slice is longer than the window/);
});
