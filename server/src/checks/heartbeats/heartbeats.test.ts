import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { type AnyCheck, faultsOf, said, specOf } from '../../../../test/harness/checks.ts';
import { type ManualClock, manualClock } from '../../../../test/harness/manual-clock.ts';
import type { CheckResult, CheckSpec } from '../contract.ts';
import { type Beat, expectationOf, longestGapMs, nextDue } from '../kinds/heartbeat/due.ts';
import { Heartbeats } from './service.ts';

const SECOND = 1_000;
const MINUTE = 60_000;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

type Heartbeat = Extract<AnyCheck, { kind: 'heartbeat' }>;
const job = (more: Partial<Heartbeat> = {}): CheckSpec =>
  specOf({ kind: 'heartbeat', id: 'job', period: '1h', grace: '5m', ...more } as AnyCheck);

type Scene = {
  readonly clock: ManualClock;
  readonly beats: Map<string, Beat>;
  readonly heard: CheckResult[];
  readonly heartbeats: Heartbeats;
};

/** Heartbeats that keep what they hear in `beats`; a second scene on the same `beats` is a restart. */
async function scene(spec: CheckSpec, { clock, beats }: { clock?: ManualClock; beats?: Map<string, Beat> } = {}): Promise<Scene> {
  const made = { clock: clock ?? manualClock(Date.UTC(2026, 0, 1)), beats: beats ?? new Map<string, Beat>(), heard: [] as CheckResult[] };
  const heartbeats = new Heartbeats({
    clock: made.clock,
    logger: quiet,
    store: { load: async () => made.beats, save: async (check, beat) => void made.beats.set(check, beat) },
    report: async (result) => void made.heard.push(result),
  });
  await heartbeats.load();
  await heartbeats.configure([spec]);
  return { ...made, heartbeats };
}
const told = (heard: readonly CheckResult[]): readonly string[] =>
  heard.map((result) => `${new Date(result.startedAtMs).toISOString().slice(5, 16)} ${said(result)}`);

test('signals in time are up; one that is missing is down from when it was due, again at each due, until the next comes', async () => {
  const { clock, heard, heartbeats } = await scene(job());
  await clock.advance(10 * MINUTE);
  await heartbeats.signal('job', { kind: 'success' }, '');
  await clock.advance(HOUR + 5 * MINUTE - 1);
  assert.deepEqual(told(heard), ['01-01T00:10 up'], 'the grace is not over');
  await clock.advance(1);
  await clock.advance(HOUR);
  await clock.advance(MINUTE);
  await heartbeats.signal('job', { kind: 'exit', code: 0 }, '');
  assert.deepEqual(told(heard), [
    '01-01T00:10 up',
    '01-01T01:10 down missing: no signal within 5m after it was due',
    '01-01T02:10 down missing: no signal within 5m after it was due',
    '01-01T02:16 up',
  ]);
  await clock.advance(HOUR + 4 * MINUTE);
  await heartbeats.signal('job', { kind: 'success' }, '');
  assert.deepEqual(told(heard).slice(4), ['01-01T03:20 up'], 'late within the grace');
});

test('a job that never signals is down after its first period', async () => {
  const { clock, heard } = await scene(job());
  await clock.advance(HOUR + 5 * MINUTE);
  assert.deepEqual(told(heard), ['01-01T01:00 down missing: no signal within 5m after it was due']);
});

test('a reported failure or exit code is down at once, with the end of the log', async () => {
  const { clock, heard, heartbeats } = await scene(job());
  await clock.advance(SECOND);
  await heartbeats.signal('job', { kind: 'fail' }, 'disk full\n'.repeat(1000));
  await clock.advance(SECOND);
  await heartbeats.signal('job', { kind: 'exit', code: 3 }, '');
  await clock.advance(SECOND);
  await heartbeats.signal('job', { kind: 'exit', code: 0 }, 'fine');
  assert.deepEqual(
    heard.map((result) => [said(result), result.excerpt?.length]),
    [
      ['down reported: the job reported a failure', 1024],
      ['down exit_code: the job ended with exit code 3', undefined],
      ['up', undefined],
    ],
  );
});

test('a run has the grace to end, is measured, and too long a run is degraded', async () => {
  const { clock, heard, heartbeats } = await scene(job({ degraded_after: '2m' }));
  await heartbeats.signal('job', { kind: 'start' }, '');
  await clock.advance(90 * SECOND);
  await heartbeats.signal('job', { kind: 'success' }, '');
  await heartbeats.signal('job', { kind: 'start' }, '');
  await clock.advance(3 * MINUTE);
  await heartbeats.signal('job', { kind: 'success' }, '');
  assert.deepEqual(heard.map(said), ['up', 'degraded slow: took 180000 ms, more than 2m']);
  assert.deepEqual(heard[0]?.figures, [{ name: 'probe_heartbeat_run_seconds', value: 90 }]);
  await heartbeats.signal('job', { kind: 'start' }, '');
  await clock.advance(5 * MINUTE);
  assert.match(told(heard)[2] ?? '', /^01-01T00:09 down unfinished: the run that began at .*00:04:30.000Z did not end within 5m$/);
  await clock.advance(HOUR);
  assert.match(told(heard)[3] ?? '', /^01-01T01:04 down missing/, 'what was due stays due');
});

test('a run that begins late but within the grace, and ends, was not missing', async () => {
  const { clock, heard, heartbeats } = await scene(job());
  await clock.advance(HOUR + 4 * MINUTE);
  await heartbeats.signal('job', { kind: 'start' }, '');
  await clock.advance(4 * MINUTE);
  await heartbeats.signal('job', { kind: 'success' }, '');
  assert.deepEqual(told(heard), ['01-01T01:08 up']);
});

test('what was due while we were away is passed over; what was heard before a restart counts', async () => {
  const first = await scene(job({ period: '1d', grace: '1h' }));
  await first.heartbeats.signal('job', { kind: 'success' }, '');
  first.heartbeats[Symbol.dispose]();
  const { clock, beats } = first;
  await clock.advance(12 * HOUR);
  const second = await scene(job({ period: '1d', grace: '1h' }), { clock, beats });
  await clock.advance(13 * HOUR);
  assert.deepEqual(told(second.heard), ['01-02T00:00 down missing: no signal within 1h after it was due']);
  second.heartbeats[Symbol.dispose]();
  await clock.advance(24 * HOUR);
  const third = await scene(job({ period: '1d', grace: '1h' }), { clock, beats });
  await clock.advance(23 * HOUR + 59 * MINUTE);
  assert.deepEqual(told(third.heard), [], 'nobody was there on the 3rd');
  await clock.advance(MINUTE);
  assert.deepEqual(
    told(third.heard).map((line) => line.slice(0, 24)),
    ['01-04T00:00 down missing'],
  );
});

test('a changed rhythm is judged from then on; one that stays goes on; one that left is not known', async () => {
  const { clock, heard, heartbeats } = await scene(job());
  await clock.advance(50 * MINUTE);
  await heartbeats.configure([job()]);
  await clock.advance(15 * MINUTE);
  assert.equal(heard.length, 1);
  await heartbeats.configure([job({ period: '10m' })]);
  await clock.advance(5 * MINUTE);
  assert.equal(heard.length, 1, 'nothing was late under the new rhythm yet');
  await clock.advance(10 * MINUTE);
  assert.equal(told(heard)[1]?.slice(0, 24), '01-01T01:10 down missing');
  await heartbeats.configure([]);
  await assert.rejects(
    heartbeats.signal('job', { kind: 'success' }, ''),
    (thrown) => thrown instanceof AppError && thrown.code === 'check_not_found',
  );
  await clock.advance(DAY);
  assert.equal(heard.length, 2);
});

test('a cron rhythm follows its zone across the change to summer time', async () => {
  const clock = manualClock(Date.UTC(2026, 2, 27, 12));
  const { heard } = await scene(job({ period: undefined, cron: '30 3 * * *', zone: 'Europe/Zurich', grace: '10m' } as Partial<Heartbeat>), {
    clock,
  });
  await clock.advance(3 * DAY);
  assert.deepEqual(
    told(heard).map((line) => line.slice(0, 24)),
    ['03-28T02:30 down missing', '03-29T01:30 down missing', '03-30T01:30 down missing'],
  );
});

test('the time that a signal speaks covers every gap of a cron expression', () => {
  assert.equal(longestGapMs('*/5 * * * *', 'UTC'), 5 * MINUTE);
  assert.equal(longestGapMs('0 9 * * *', 'UTC'), DAY);
  const rhythms = ['*/5 9-17 * * 1-5', '0 4 1 * *', '* * 1-7 * *', '0 0 29 2,3 *', '0 12 * * 1'];
  fc.assert(
    fc.property(fc.constantFrom(...rhythms), fc.integer({ min: Date.UTC(2024, 0, 1), max: Date.UTC(2024, 11, 31) }), (cron, atMs) => {
      const rhythm = { cron, zone: 'Europe/Zurich', grace: 0 };
      const one = nextDue(rhythm, epochMs(atMs));
      assert.ok(nextDue(rhythm, one) - one <= longestGapMs(cron, 'Europe/Zurich'), cron);
    }),
    { numRuns: 50 },
  );
});

test('the next due instant lies on the grid of the last signal and never before we were awake', () => {
  fc.assert(
    fc.property(fc.nat(1e9), fc.nat(1e9), fc.integer({ min: 1, max: 1e7 }), (sinceMs, awakeMs, period) => {
      const beat = { sinceMs: epochMs(sinceMs), runSinceMs: undefined };
      const { dueMs, downFromMs } = expectationOf({ period, zone: 'UTC', grace: 1 }, beat, epochMs(awakeMs));
      assert.ok(dueMs > sinceMs && dueMs >= awakeMs && (dueMs - sinceMs) % period === 0);
      assert.ok(dueMs - period <= Math.max(sinceMs, awakeMs) && downFromMs === dueMs);
    }),
  );
});

test('what is written is checked when it is read', () => {
  const f = (more: Record<string, unknown>): string => faultsOf({ kind: 'heartbeat', ...more });
  assert.equal(f({ period: '1d', grace: '1h' }), 'fits');
  assert.equal(f({ cron: '0 2 * * *', zone: 'Europe/Zurich' }), 'fits');
  assert.match(f({}), /^period: write either a period or a cron expression/);
  assert.match(f({ period: '1h', cron: '* * * * *' }), /^period: write either/);
  assert.match(f({ cron: '61 * * * *' }), /^cron: not a cron expression/);
  assert.match(f({ cron: '0 30 2 * * *' }), /^cron: "0 30 2 \* \* \*" has six fields: seconds are not read/);
  assert.match(f({ cron: '0 0 30 2 *' }), /^cron: .* never comes: the calendar has no such day/);
  assert.equal(f({ cron: '@daily' }), 'fits');
  assert.match(f({ cron: '* * * * *', zone: 'Mars/Olympus' }), /^zone: not a time zone: "Mars\/Olympus"/);
  assert.match(f({ period: '1h', interval: '1h' }), /interval/);
  const spec = job({ period: '1d', grace: '1h' });
  assert.deepEqual([spec.intervalMs, spec.timeoutMs, spec.target], [DAY, HOUR, 'every 1d']);
});
