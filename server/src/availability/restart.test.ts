import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import { openStore } from '@nines/tsdb/store.ts';
import fc from 'fast-check';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import type { CheckResult, CheckTiming, Outcome } from '../checks/contract.ts';
import { samplesOf } from '../checks/series.ts';
import { createIngest } from '../collect/ingest.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { createBus } from '../platform/bus.ts';
import { migrate } from '../platform/db/migrate.ts';
import { openDb } from '../platform/db/open.ts';
import type { ReplayResults } from './contract.ts';
import { replayFrom } from './replay.ts';
import { Availability } from './service.ts';

const START_MS = 1_760_000_000_000;
const CHECKS = ['a', 'b'] as const;
const timing = (check: string): CheckTiming => ({
  check,
  service: 'shop',
  intervalMs: ms(1000),
  timeoutMs: ms(500),
  impact: 'down',
  confirm: { n: 1, of: 1 },
});
const quiet = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields: unknown) => assert.fail(`${message} ${JSON.stringify(fields)}`),
  child: () => quiet,
};
type Seen = 'up' | 'degraded' | 'down';
type Step = { readonly seen: readonly (Seen | 'nothing')[]; readonly then: 'go on' | 'kill' | 'stop' | 'lose the last' };

const outcomeOf = (seen: Seen): Outcome => (seen === 'up' ? { kind: 'up' } : { kind: seen, code: 'x', detail: seen });
const resultOf = (check: string, seen: Seen, atMs: EpochMs): CheckResult => ({
  check,
  service: 'shop',
  checkKind: 'tcp',
  target: 't',
  startedAtMs: atMs,
  durationMs: 10,
  outcome: outcomeOf(seen),
  phases: {},
  loopDelayMs: 0,
});

const step = fc.record<Step>({
  seen: fc.tuple(...CHECKS.map(() => fc.constantFrom<Seen | 'nothing'>('up', 'up', 'down', 'degraded', 'nothing'))),
  then: fc.constantFrom('go on', 'go on', 'go on', 'go on', 'kill', 'stop', 'lose the last'),
});

/** Plays the steps, one a second, killing and restarting the monitor on the way; returns the last monitor and all results that were made. */
async function play(steps: readonly Step[], path: string) {
  const db = await openDb({ kind: 'sqlite', path });
  await migrate(db, epochMs(START_MS));
  const clock = manualClock(START_MS);
  const results: { check: string; atMs: EpochMs; endMs: EpochMs; seen: Seen }[] = [];
  let ids = 0;
  const replay: ReplayResults = async (fromMs) =>
    Map.groupBy(
      results.filter((one) => one.atMs >= fromMs),
      (one) => one.check,
    );
  const begin = async (): Promise<Availability> => {
    const ledger = new Availability({
      db: db.kysely,
      clock,
      ids: { uuid: () => `id-${ids++}`, secret: () => '' },
      logger: quiet,
      bus: createBus((thrown) => assert.fail(String(thrown))),
      replay,
    });
    await ledger.start();
    await ledger.configure([{ service: 'shop', checks: CHECKS.map(timing) }]);
    return ledger;
  };
  let ledger = await begin();
  for (const { seen, then } of steps) {
    for (const [i, check] of CHECKS.entries()) {
      const one = seen[i];
      if (one === undefined || one === 'nothing') continue;
      const atMs = epochMs(clock.now() + i * 300);
      results.push({ check, atMs, endMs: epochMs(atMs + 10), seen: one });
      // A crash between the samples and the ledger: the sample is there, the ledger never heard of it.
      if (then !== 'lose the last') await ledger.record(resultOf(check, one, atMs));
    }
    if (then === 'stop') await ledger.stop();
    if (then === 'kill' || then === 'stop' || then === 'lose the last') ledger = await begin();
    await clock.advance(1_000);
    await ledger.step(clock.now());
  }
  return { ledger, results, endMs: clock.now(), close: () => db.close() };
}

/** The first check falls silent; before that is written down the second one fails, in an outage of its own. */
const FAILS_BEHIND_A_LAPSE: Step[] = [
  { seen: ['down', 'up'], then: 'go on' },
  { seen: ['nothing', 'up'], then: 'go on' },
  { seen: ['nothing', 'down'], then: 'go on' },
  { seen: ['up', 'up'], then: 'go on' },
];

test('however often the monitor is killed, ledger and downtimes are what the durable results say, to the millisecond', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), 'nines-restart-'));
      const { ledger, results, endMs, close } = await play(steps, join(folder, 'state.sqlite'));
      try {
        const timeline = await ledger.timeline('shop', epochMs(START_MS), endMs);
        const stateAt = (instant: number): string => {
          const voices = CHECKS.flatMap((check) => {
            const newest = results.findLast((one) => one.check === check && one.atMs <= instant);
            return newest === undefined ? [] : instant < newest.atMs + 1_500 ? newest.seen : 'unknown';
          });
          return ['down', 'unknown', 'degraded', 'up'].find((state) => voices.includes(state as never)) ?? 'unknown';
        };
        const edges = [START_MS, ...results.flatMap((one) => [one.atMs, one.atMs + 1_500])].filter((at) => at < endMs);
        for (const edge of edges) {
          for (const at of [edge - 1, edge, edge + 1].filter((one) => one >= START_MS && one < endMs)) {
            const interval = timeline.intervals.find((one) => one.fromMs <= at && at < one.toMs);
            assert.equal(interval?.state, stateAt(at), `at ${at - START_MS}`);
          }
        }
        const downs = timeline.intervals.filter((one) => one.state === 'down').map((one) => [one.fromMs, one.toMs]);
        const downtimes = (await ledger.downtimes({ service: 'shop' })).toReversed();
        assert.deepEqual(
          downtimes.map((one) => [one.fromAtMs, one.toAtMs ?? endMs]).filter(([from, to]) => (from ?? 0) < Math.min(to ?? 0, endMs)),
          downs,
        );
        for (const { fromAtMs, fromBoundsAtMs, toAtMs, toBoundsAtMs, checks } of downtimes) {
          assert.ok(fromBoundsAtMs[0] <= fromAtMs && fromAtMs <= fromBoundsAtMs[1]);
          assert.equal(toAtMs === null, toBoundsAtMs === null);
          if (toAtMs !== null && toBoundsAtMs !== null) assert.ok(toBoundsAtMs[0] <= toAtMs && toAtMs <= toBoundsAtMs[1]);
          const failed = results.filter((one) => one.seen === 'down' && one.atMs < (toAtMs ?? endMs) && one.atMs + 1_500 > fromAtMs);
          for (const check of checks)
            assert.ok(
              failed.some((one) => one.check === check),
              check,
            );
        }
      } finally {
        await close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 60, examples: [[FAILS_BEHIND_A_LAPSE]] },
  );
});

test('results are read back from the series of a real store as they were written', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-replay-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const store = await openStore({ dir: folder, retentionMs: 86_400_000, logger: quiet });
  t.after(() => store.close());
  const clock = manualClock(START_MS);
  const ingest = createIngest({ appender: store, clock, metrics: createSelfMetrics(), onCommitted() {} });
  const script: readonly Seen[] = ['up', 'degraded', 'down', 'up'];
  for (const [i, seen] of script.entries()) {
    for (const check of CHECKS) await ingest.appendSamples(samplesOf(resultOf(check, seen, epochMs(START_MS + i * 1000))));
  }
  const found = await replayFrom(store)(epochMs(START_MS + 1000), epochMs(START_MS + 5000));
  assert.deepEqual([...found.keys()].sort(), ['a', 'b']);
  assert.deepEqual(
    found.get('a')?.map((one) => [one.atMs - START_MS, one.endMs - one.atMs, one.seen]),
    [
      [1000, 10, 'degraded'],
      [2000, 10, 'down'],
      [3000, 10, 'up'],
    ],
  );
});
