import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { timelineFrom } from '@nines/maths/slo/ledger.ts';
import type { Transition } from '@nines/maths/slo/types.ts';
import fc from 'fast-check';
import { forEachDatabase, openSqliteForTest } from '../../../../test/harness/databases.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { filled, filledWithin } from '../rebuild.ts';
import { START_MS, timing, World } from '../testing/world.ts';
import { importBody, type ReadRow, type StoredSpan } from './contract.ts';
import { overlapping } from './evaluate.ts';
import { readProbeSuccess } from './probe-success.ts';
import { judgeRows, readCsvIntervals } from './rows.ts';
import { Imports } from './service.ts';
import { createImportStore } from './store.ts';
import { readUptimeKuma } from './uptime-kuma.ts';

const http = timing('shop-http');
const iso = (second: number): string => new Date(START_MS + second * 1000).toISOString();
/** `shop 2-5 down third_party_issue` */
const rows = (...words: string[]): object[] =>
  words.map((text) => {
    const [service = '', span = '', state, reason] = text.split(' ');
    const [from = 0, to = 0] = span.split('..').map(Number);
    return {
      service,
      from: iso(from),
      to: iso(to),
      ...(state === undefined ? {} : { state }),
      ...(reason === undefined ? {} : { reason }),
    };
  });
const intervals = (...words: string[]) => importBody.parse({ format: 'intervals', source: 'other', rows: rows(...words) });

async function importsOn(world: World): Promise<Imports> {
  const imports = new Imports({
    store: createImportStore(world.db.kysely),
    clock: world.clock,
    ids: countingIds(),
    refuses: (service) => (service === 'shop' ? undefined : `there is no service "${service}"`),
    enforce: async (service, spans, { fromMs }) => void (await world.ledger.putImported(service, spans, fromMs)),
  });
  await imports.load();
  return imports;
}
const refusalOf = (taken: Promise<unknown>): Promise<string> =>
  taken.then(
    () => assert.fail('was taken'),
    (thrown: Error & { details: { refused: { row: number; message: string }[] } }) =>
      thrown.details.refused.map(({ row, message }) => `${row} ${message}`).join('\n'),
  );

forEachDatabase((_name, open) => {
  test('what another monitor saw stands where ours saw nothing, is an outage with its reason, and outlives a restart', async (t) => {
    const { db, openAgain } = await open(t);
    const world = new World(db);
    await world.begin(http);
    await world.clock.advance(100_000);
    await world.play(http, 'UUxxUU');
    const imports = await importsOn(world);
    const beforeMs = world.clock.now();
    await world.play(http, 'U');
    const report = await imports.take(intervals('shop 10..50 up', 'shop 50..60 down third_party_issue', 'shop 60..103 up'), 'ann');
    assert.deepEqual([report.taken, report.known, report.import?.imported_by], [3, 0, 'ann']);
    const told = '0-10 not_yet_monitored, 10-50 up, 50-60 down, 60-102 up, 102-104 down, 104-107 up';
    assert.equal(await world.timeline(), told, 'the outage that our own check saw is not overruled');
    assert.equal(await world.downtimes(), '50-60 , 102-104 shop-http');
    const [, imported] = await world.ledger.downtimes({ service: 'shop' });
    assert.deepEqual(
      [imported?.reason, imported?.evidence[0]?.check, imported?.evidence[0]?.importId],
      ['third_party_issue', 'other', report.import?.id],
    );
    const [fromMs, toMs] = [epochMs(START_MS), epochMs(START_MS + 107_000)];
    const detected = await world.ledger.detections({ service: 'shop', fromMs, toMs });
    assert.equal(detected.length, 1, 'how soon we noticed is said of what our own check saw alone');
    assert.equal((await world.ledger.monitoredSinceMs('shop')) ?? 0, START_MS + 10_000);
    assert.equal(await world.timeline(0, 107, beforeMs), '0-100 not_yet_monitored, 100-102 up, 102-104 down, 104-106 up, 106-107 no_data');
    assert.deepEqual((await imports.take(intervals('shop 10..50 up', 'shop 50..60 down'), 'ann')).import, null, 'again: nothing new');
    const second = await new World(await openAgain(), { clock: world.clock, samples: world.samples }).begin(http);
    assert.equal(await second.timeline(0, 107), told);
    const again = await importsOn(second);
    await again.withdraw(report.import?.id ?? '', 'bob');
    assert.equal(await second.timeline(0, 107), '0-100 not_yet_monitored, 100-102 up, 102-104 down, 104-107 up');
    assert.equal(await second.downtimes(), '102-104 shop-http');
    assert.deepEqual(
      (await again.list()).map((one) => [one.imported_by, one.withdrawn_by, one.rows, one.services]),
      [['ann', 'bob', 3, ['shop']]],
    );
  });
});

test('a composite is told what its members were told, and takes nothing of its own', async (t) => {
  const world = new World((await openSqliteForTest(t)).db);
  await world.ledger.start();
  const composite = { members: [{ id: 'shop', weight: 1 }], atLeast: 1 };
  await world.ledger.configure([
    { service: 'shop', checks: [] },
    { service: 'top', checks: [], composite },
  ]);
  await world.clock.advance(100_000);
  const imports = await importsOn(world);
  await imports.take(intervals('shop 10..50 up', 'shop 50..60 down'), 'ann');
  assert.equal(await world.timelineOf('top', { toS: 60 }), '0-10 not_yet_monitored, 10-50 up, 50-60 down');
  assert.equal(await world.downtimes('top'), '50-60 ');
  assert.ok(world.ledger.isComposite('top'));
});

test('rows that cannot be are refused by row, and then nothing is taken', async (t) => {
  const world = new World((await openSqliteForTest(t)).db);
  await world.begin();
  await world.clock.advance(100_000);
  const imports = await importsOn(world);
  const bad = intervals(
    'shop 5..5 up',
    'ghost 1..2 up',
    'shop 10..20 up',
    'shop 15..25 down',
    'shop 90..101 up',
    'shop 30..31 green',
    'shop 40..41 down sunspots',
  );
  const told = await refusalOf(imports.take(bad, 'ann'));
  for (const want of [
    /^1 ends before it begins/m,
    /^2 there is no service "ghost"/m,
    /^4 overlaps row 3/m,
    /^5 ends in the future/m,
    /^6 "green" is no state; write up, degraded, down/m,
    /^7 "sunspots" is no reason; write one of planned_maintenance/m,
  ])
    assert.match(told, want);
  assert.equal(await world.timeline(0, 50), '0-50 not_yet_monitored');
  await imports.take(intervals('shop 10..20 up'), 'ann');
  assert.match(await refusalOf(imports.take(intervals('shop 15..30 down'), 'ann')), /^1 says down where other \(import .*\) said up/);
  assert.equal((await imports.take(intervals('shop 15..30 up'), 'ann')).taken, 1, 'only the rest of what agrees');
  assert.equal(await world.timeline(5, 35), '5-10 not_yet_monitored, 10-30 up, 30-35 no_data');
  assert.match(JSON.stringify(readCsvIntervals('service,from\n')), /no column \\"to\\"/);
  const csv = readCsvIntervals('service,from,to,detail\r\nshop,yesterday,1700000000,"x, y"\r\nshop,1700000000,1700000060,"x, y"\r\n');
  assert.match(csv.refused[0]?.message ?? '', /from: not an instant: "yesterday"/);
  assert.deepEqual([csv.refused[0]?.row, csv.rows[0]?.row, csv.rows[0]?.state, csv.rows[0]?.detail], [2, 3, 'down', 'x, y']);
});

const spansOf = (read: readonly ReadRow[], fromMs: number): string =>
  read.map((one) => `${one.service} ${(one.fromMs - fromMs) / 1000}-${(one.toMs - fromMs) / 1000} ${one.state}`).join(', ');

test('heartbeats of Uptime Kuma: pending belongs to the outage it became, gaps and maintenance stay unknown', () => {
  const zero = Date.UTC(2026, 10, 21, 2);
  const at = (second: number): string => new Date(zero + second * 1000).toISOString().replace('T', ' ').slice(0, 23);
  const beats: readonly (readonly [number, number, string])[] = [
    [0, 1, '200 - OK'],
    [60, 1, ''],
    [120, 2, 'timeout'],
    [140, 2, 'timeout'],
    [160, 0, 'timeout of 48000ms exceeded'],
    [220, 1, '200 - OK'],
    [280, 2, 'slow'],
    [300, 1, ''],
    [360, 3, ''],
    [420, 1, ''],
    [1_000, 1, ''],
  ];
  const table = `id,important,monitor_id,status,msg,time,ping\n${beats.map(([s, status, msg], i) => `${i},0,7,${status},"${msg}",${at(s)},12`).join('\n')}\n`;
  const want = 'shop 0-120 up, shop 120-220 down, shop 220-360 up, shop 420-510 up';
  const options = { services: { '7': 'shop' }, intervalMs: undefined };
  assert.equal(spansOf(readUptimeKuma(table, options).rows, zero), want);
  const list = {
    monitorList: { '7': { id: 7, name: 'shop' } },
    heartbeatList: { '7': beats.map(([s, status, msg]) => ({ monitorID: 7, status, msg, time: at(s) })) },
  };
  assert.equal(spansOf(readUptimeKuma(JSON.stringify(list), { services: {}, intervalMs: undefined }).rows, zero), want);
  assert.match(readUptimeKuma('{"a":1}', options).refused[0]?.message ?? '', /heartbeatList/);
  assert.match(readUptimeKuma('monitor_id,status,time\n7,9,2026-11-21 02:00:00\n', options).refused[0]?.message ?? '', /not a status/);
});

test('samples of probe_success: a series is a service by its label or as it was said', () => {
  const zero = START_MS / 1000;
  const result = (metric: object, samples: string) => ({ metric, values: Array.from(samples, (digit, i) => [zero + i * 15, digit]) });
  const answer = (...series: object[]): string => JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: series } });
  const read = readProbeSuccess(
    answer(
      result({ __name__: 'probe_success', instance: 'https://shop.example', job: 'blackbox' }, '110011'),
      result({ instance: 'x', service: 'db' }, '11'),
      result({ instance: 'nobody' }, '11'),
    ),
    { services: { 'https://shop.example': 'shop' }, intervalMs: undefined },
  );
  assert.equal(spansOf(read.rows, START_MS), 'shop 0-30 up, shop 30-60 down, shop 60-75 up, db 0-15 up');
  assert.match(read.refused[0]?.message ?? '', /which service is the series \{instance="nobody"\}/);
  assert.match(readProbeSuccess('[]', { services: {}, intervalMs: undefined }).refused[0]?.message ?? '', /not an answer of Prometheus/);
});

test('importing is idempotent and does not depend on the order of files', async (t) => {
  const seconds = fc.array(fc.constantFrom('up', 'down', '-'), { minLength: 20, maxLength: 20 });
  const order = fc.shuffledSubarray([0, 1, 2, 3, 4, 0, 2], { minLength: 7, maxLength: 7 });
  await fc.assert(
    fc.asyncProperty(seconds, order, async (states, turns) => {
      const world = new World((await openSqliteForTest(t)).db);
      await world.begin();
      await world.clock.advance(30_000);
      const imports = await importsOn(world);
      // Five overlapping files of eight seconds each.
      for (const turn of turns) {
        const words = states.flatMap((state, i) =>
          state === '-' || i < turn * 3 || i >= turn * 3 + 8 ? [] : `shop ${i}..${i + 1} ${state}`,
        );
        await imports.take(intervals(...words), 'ann');
      }
      const { intervals: told } = await world.ledger.timeline('shop', epochMs(START_MS), epochMs(START_MS + 20_000));
      const at = (second: number): string => {
        const one = told.find(({ fromMs, toMs }) => fromMs <= START_MS + second * 1000 && START_MS + second * 1000 < toMs);
        return one?.state === 'unknown' ? '-' : (one?.state ?? '?');
      };
      assert.deepEqual(
        states.map((_state, i) => at(i)),
        states,
      );
      const outages = (await world.ledger.downtimes({ service: 'shop' })).map((one): readonly [EpochMs, EpochMs | null] => [
        one.fromAtMs,
        one.toAtMs,
      ]);
      assert.deepEqual(
        outages.toReversed(),
        told.filter(({ state }) => state === 'down').map(({ fromMs, toMs }) => [fromMs, toMs]),
      );
    }),
    { numRuns: 12 },
  );
});

test('imports keep their bounds in every format', async (t) => {
  const { db } = await openSqliteForTest(t);
  const imports = await importsOn(new World(db));
  const csv = (...lines: string[]) =>
    importBody.parse({ format: 'csv', source: 'other', text: ['service,from,to,detail', ...lines].join('\n') });
  const told = await refusalOf(imports.take(csv(`shop,${iso(-20)},${iso(-10)},${'x'.repeat(1_001)}`), 'ann'));
  assert.equal(told, '2 detail: at most 1000 characters');
  const line = `shop,${iso(-20)},${iso(-10)},`;
  await assert.rejects(imports.take(csv(...Array.from({ length: 100_001 }, () => line)), 'ann'), /at most 100000 stretches in one import/);
  const kuma = readUptimeKuma(
    JSON.stringify([0, 1].map((i) => ({ monitor_id: 'constructor', status: 1, time: `2026-01-01 00:0${i}:00`, msg: 'y'.repeat(5_000) }))),
    { services: {}, intervalMs: undefined },
  );
  assert.deepEqual(
    kuma.rows.map(({ service, detail }) => [service, detail.length]),
    [['constructor', 1_000]],
  );
});

test('one stretch over very many that were imported before fills all of their gaps', () => {
  const span = (i: number): StoredSpan => ({
    row: 1,
    service: 'shop',
    state: 'down',
    detail: '',
    reason: null,
    importId: 'i',
    source: 'other',
    fromMs: epochMs(START_MS + i * 2_000),
    toMs: epochMs(START_MS + i * 2_000 + 1_000),
  });
  const before = Array.from({ length: 200_000 }, (_, i) => span(i));
  const one: ReadRow = { ...span(0), toMs: span(200_000).toMs };
  const judged = judgeRows([one], { nowMs: epochMs(2 * START_MS), refuses: () => undefined, imported: () => before });
  assert.equal(judged.refused.length, 0);
  assert.ok(judged.fresh.length >= 200_000, String(judged.fresh.length));
});

test('what overlaps a stretch is found by halving as it is by looking at each', () => {
  const gap = fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 4 }));
  fc.assert(
    fc.property(
      fc.array(gap, { maxLength: 30 }),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 1, max: 40 }),
      (gaps, from, length) => {
        let at = 0;
        const spans = gaps.map(([pause, lasts], row): StoredSpan => {
          const fromMs = epochMs((at += pause));
          const toMs = epochMs((at += lasts));
          return { row, service: 'shop', fromMs, toMs, state: 'down', detail: '', reason: null, importId: 'i', source: 'other' };
        });
        const one = { fromMs: epochMs(from), toMs: epochMs(from + length) };
        assert.deepEqual(
          overlapping(spans, one),
          spans.filter((span) => span.fromMs < one.toMs && span.toMs > one.fromMs),
        );
      },
    ),
  );
});

test('a window of a history with imports reads as the same part of the whole, whatever it cuts', () => {
  const states = fc.constantFrom('up', 'down', 'unknown');
  const histories = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), states), { maxLength: 20 }).map((steps) => {
    let at = 0;
    return steps.map(([pause, state]): Transition => {
      const atMs = epochMs((at += pause));
      const unknownReason = state === 'unknown' ? { unknownReason: 'no_data' as const } : {};
      return { atMs, state: state as Transition['state'], ...unknownReason, lowMs: epochMs(atMs - 1), highMs: atMs, evidence: [] };
    });
  });
  fc.assert(
    fc.property(histories, histories, fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 30 }), (own, imported, from, length) => {
      const window = { fromMs: epochMs(from), toMs: epochMs(from + length) };
      const before = own.filter(({ atMs }) => atMs <= from).slice(-2);
      const within = own.filter(({ atMs }) => atMs > from && atMs < from + length);
      const firstMs = own[0]?.atMs ?? Number.POSITIVE_INFINITY;
      // What was imported of the time before our own first sight of it is asked for apart.
      fc.pre(imported.every(({ atMs }) => atMs >= firstMs) || own.length === 0);
      const known = { ...window, knownUntilMs: epochMs(1_000) };
      assert.deepEqual(
        timelineFrom(filledWithin([...before, ...within], imported, window), known).intervals,
        timelineFrom(filled(own, imported), known).intervals,
      );
    }),
  );
});
