import assert from 'node:assert/strict';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { test } from 'node:test';
import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, SECOND_MS, epochMs } from '@nines/base/units.ts';
import { timelineFrom } from '@nines/maths/slo/ledger.ts';
import { labelsOf } from '@nines/model/labels.ts';
import type { Transition } from '@nines/maths/slo/types.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { insertViolation, violationPages } from '../sla/store.ts';
import { toViolationView } from '../sla/view.ts';
import type { Violation } from '../sla/violations.ts';
import { type IntervalSource, intervalTable } from './intervals.ts';
import { resultTable } from './results.ts';
import { type RowFormat, type Table, inPieces, rowsText } from './rows.ts';
import { violationTable } from './violations.ts';

const T0 = epochMs(1_760_000_000_000);
const reading = { signal: new AbortController().signal, yieldNow: async () => {} };

async function textOf(table: Table, format: RowFormat): Promise<string> {
  let text = '';
  for await (const piece of rowsText(table, format, reading)) text += piece;
  return text;
}

/** A ledger whose services change their state again and again; its history is made as it is asked for. */
function flickering(everyMs: number): IntervalSource {
  return {
    monitoredSinceMs: async (service) => (service === 'never' ? null : T0),
    timeline: async (_service, fromMs, toMs) => {
      const history: Transition[] = [];
      for (let at = Math.max(T0, fromMs - ((fromMs - T0) % everyMs)); at < toMs; at += everyMs) {
        const isUp = ((at - T0) / everyMs) % 2 === 0;
        const evidence = isUp ? [] : [{ check: 'c', atMs: epochMs(at), detail: '=cmd|calc!A1' }];
        history.push({ atMs: epochMs(at), state: isUp ? 'up' : 'down', lowMs: epochMs(at - 5), highMs: epochMs(at), evidence });
      }
      return timelineFrom(history, { fromMs, toMs, knownUntilMs: toMs });
    },
  };
}

test('intervals that are read in pieces are those of the whole span, each once, and a formula in the evidence is text', async () => {
  const span = { fromMs: epochMs(T0 - HOUR_MS), toMs: epochMs(T0 + 90 * DAY_MS) };
  const table = intervalTable(flickering(10 * HOUR_MS), ['shop', 'never'], span);
  const lines = (await textOf(table, 'jsonl'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const shop = lines.filter(({ service }) => service === 'shop');
  assert.equal(shop.length, 1 + Math.ceil((90 * 24) / 10));
  assert.deepEqual([shop[0].state, shop[0].reason, shop[0].length_ms], ['unknown', 'not_yet_monitored', HOUR_MS]);
  shop.slice(1).forEach((one, i) => {
    assert.equal(one.from, shop[i]?.to);
    assert.equal(one.state, i % 2 === 0 ? 'up' : 'down');
  });
  assert.equal(
    lines.reduce((sum, one) => sum + one.length_ms, 0),
    2 * (span.toMs - span.fromMs),
  );
  assert.deepEqual(
    lines.filter(({ service }) => service === 'never').map(({ reason }) => reason),
    ['not_yet_monitored'],
  );
  const own = intervalTable(flickering(HOUR_MS), ['=shop'], { fromMs: T0, toMs: epochMs(T0 + 2 * HOUR_MS) });
  assert.match(await textOf(own, 'csv'), /^service,from,.*\r\n'=shop,2025.*\r\n'=shop,.*,down,,.*,c: =cmd\|calc!A1\r\n$/);
});

test('a long export holds pieces of it only', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const heldNow = (): number => {
    collect();
    return process.memoryUsage().heapUsed;
  };
  const span = { fromMs: T0, toMs: epochMs(T0 + 40_000 * SECOND_MS) };
  const table = intervalTable(flickering(SECOND_MS), ['a', 'b'], span);
  const [before, held]: [number, number[]] = [heldNow(), []];
  let [rows, characters] = [0, 0];
  for await (const piece of rowsText(table, 'jsonl', reading)) {
    rows += piece.split('\n').length - 1;
    characters += piece.length;
    if (held.length * 10_000 < rows) held.push(heldNow() - before);
  }
  assert.equal(rows, 80_000);
  assert.ok(characters > 10_000_000 && Math.max(...held) < 6_000_000, `${characters} characters, held ${held.join(', ')}`);
});

test('pieces follow the density: few reads over quiet years, small ones over busy days', async () => {
  const lengths: number[] = [];
  const read = async ({ fromMs, toMs }: { fromMs: EpochMs; toMs: EpochMs }) => {
    lengths.push(toMs - fromMs);
    return Array.from({ length: fromMs < T0 + 3 * 365 * DAY_MS ? 1 : Math.floor((toMs - fromMs) / MINUTE_MS) }, () => 0);
  };
  for await (const _ of inPieces({ fromMs: T0, toMs: epochMs(T0 + (3 * 365 + 100) * DAY_MS) }, read));
  assert.ok(lengths.length < 60, String(lengths.length));
  assert.equal(lengths.at(-2), 8 * DAY_MS);
});

test('results of checks come from their series: outcome and length of each attempt, by place', async () => {
  const series = (name: string, location: string, points: Readonly<Record<number, number>>) => ({
    labels: labelsOf({ __name__: name, job: 'nines', check: 'c', service: 's', kind: 'http', instance: 'u', location }),
    times: Float64Array.from(Object.keys(points), (second) => T0 + Number(second) * 1000),
    values: Float64Array.from(Object.values(points)),
  });
  const all = [
    series('probe_success', 'x', { 1: 1, 2: 0, 3: 1 }),
    series('probe_degraded', 'x', { 1: 0, 2: 0, 3: 1 }),
    series('probe_duration_seconds', 'x', { 1: 0.25, 3: 2 }),
    series('probe_success', 'y', { 2: 1 }),
  ];
  const asked: string[] = [];
  const queryable = {
    labelValues: async (_name: string, matchers: readonly { readonly name: string; readonly value: string }[]) => {
      asked.push(...matchers.map(({ name, value }) => `${name} ${value}`));
      return ['c'];
    },
    select: async () => all,
  };
  const filter = { checks: ['c', 'a.b'], services: [], span: { fromMs: T0, toMs: epochMs(T0 + 10_000) } };
  const text = await textOf(resultTable(queryable as never, filter, {}), 'csv');
  const at = (second: number): string => new Date(T0 + second * 1000).toISOString();
  assert.deepEqual(text.trimEnd().split('\r\n'), [
    'service,check,location,at,outcome,duration_seconds',
    `s,c,x,${at(1)},up,0.25`,
    `s,c,x,${at(2)},down,`,
    `s,c,x,${at(3)},degraded,2`,
    `s,c,y,${at(2)},up,`,
  ]);
  assert.ok(asked.includes('check c|a\\.b'), asked.join());
});

const violation = (i: number): Violation => ({
  id: `v-${String(i).padStart(6, '0')}`,
  sla: i % 2 === 0 ? 'even' : 'odd',
  service: 'shop',
  teamId: 'default',
  contractVersion: 1,
  subject: { kind: 'budget' },
  severity: 'minor',
  openedAtMs: T0 + Math.floor(i / 10) * 1000,
  closedAtMs: T0 + Math.floor(i / 10) * 1000 + 500,
  reason: '+1 is more',
  figures: { at_ms: T0, attained: 0.5, spent_ms: 2, total_ms: 1, rate: null, steps: [] },
  revision: 1,
});

/** More than a page. */
const COUNT = 2_500;

forEachDatabase((_name, open) => {
  test('violations come page by page, each once, in order', async (t) => {
    const { db } = await open(t);
    await insertViolation(db.kysely, violation(0));
    const first = await db.kysely.selectFrom('sla_violations').selectAll().executeTakeFirstOrThrow();
    const rows = Array.from({ length: COUNT - 1 }, (_, i) => violation(i + 1)).map(({ id, sla, openedAtMs, closedAtMs }) => ({
      ...first,
      id,
      sla,
      opened_at_ms: openedAtMs,
      closed_at_ms: closedAtMs,
    }));
    for (let i = 0; i < rows.length; i += 500)
      await db.kysely
        .insertInto('sla_violations')
        .values(rows.slice(i, i + 500))
        .execute();
    const source = async function* (filter: Parameters<typeof violationPages>[1]) {
      for await (const page of violationPages(db.kysely, filter)) yield page.map(toViolationView);
    };
    const idsOf = async (slas: readonly string[], fromSecond: number): Promise<readonly string[]> => {
      const span = { fromMs: epochMs(T0 + fromSecond * 1000), toMs: epochMs(T0 + HOUR_MS) };
      const text = await textOf(violationTable(source, slas, span), 'jsonl');
      return text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).id);
    };
    const ids = Array.from({ length: COUNT }, (_, i) => i);
    const wanted = [...ids.filter((i) => i % 2 === 0), ...ids.filter((i) => i % 2 === 1)].map((i) => violation(i).id);
    assert.deepEqual(await idsOf([], 0), wanted);
    assert.deepEqual(
      await idsOf(['odd'], 200),
      wanted.filter((id) => Number(id.slice(2)) >= 2_000 && Number(id.slice(2)) % 2 === 1),
    );
  });
});
