import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { forEachDatabase } from '../../../test/harness/databases.ts';
import { manualClock, settle } from '../../../test/harness/manual-clock.ts';
import { AskAgain } from './ask-again.ts';
import type { CheckResult, Outcome } from './contract.ts';
import { down, notAsked, UP } from './evaluate.ts';
import { FailureKeeper } from './failures.ts';
import { createFailureStore, MAX_FAILURES_PER_CHECK } from './store-failures.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const START_MS = 1_760_000_000_000;

const seen = (atMs: number, outcome: Outcome, check = 'shop-http'): CheckResult => ({
  check,
  service: 'shop',
  checkKind: 'http',
  target: 'https://shop.example/',
  startedAtMs: epochMs(atMs),
  durationMs: 12.5,
  outcome,
  phases: { connect: 1 },
  address: '192.0.2.7:443',
  headers: [{ name: 'retry-after', value: '30' }],
  excerpt: 'busy',
  loopDelayMs: 0,
});

forEachDatabase((_name, open) => {
  test('what failing attempts saw outlives the process: the first of each run of failures, then one now and then', async (t) => {
    const { db } = await open(t);
    const clock = manualClock(START_MS);
    const store = createFailureStore(db.kysely);
    const keeper = new FailureKeeper({ clock, logger: quiet, store });
    const failed = down('status', 'status 503, expected 2xx');
    // An hour of failures every 10 s, with one attempt in between that says nothing.
    for (let at = 0; at < 3_600_000; at += 10_000)
      keeper.take(seen(START_MS + at, at === 50_000 ? notAsked('loop_delay', 'late') : failed));
    keeper.take(seen(START_MS + 3_600_000, UP));
    keeper.take(seen(START_MS + 3_610_000, failed));
    await keeper[Symbol.asyncDispose]();
    const all = { fromMs: 0, toMs: START_MS * 2, limit: 100 };
    const kept = await new FailureKeeper({ clock, logger: quiet, store }).list('shop-http', all);
    assert.deepEqual(
      kept.map(({ at_ms: atMs }) => (atMs - START_MS) / 1000),
      [3_610, 3_100, 2_500, 1_900, 1_300, 700, 100, 90, 80, 70, 60, 40, 30, 20, 10, 0],
    );
    assert.deepEqual(
      [kept[0]?.detail, kept[0]?.address, kept[0]?.headers, kept[0]?.excerpt, kept[0]?.screenshot],
      ['status 503, expected 2xx', '192.0.2.7:443', [{ name: 'retry-after', value: '30' }], 'busy', false],
    );
    const around = await store.list('shop-http', { fromMs: START_MS + 60_000, toMs: START_MS + 80_000, limit: 2 });
    assert.deepEqual(
      around.map(({ at_ms: atMs }) => atMs - START_MS),
      [80_000, 70_000],
    );
    assert.deepEqual(await store.list('other', all), []);
  });

  test('of a check that fails for ever the newest failures are kept', async (t) => {
    const { db } = await open(t);
    const keeper = new FailureKeeper({ clock: manualClock(START_MS), logger: quiet, store: createFailureStore(db.kysely) });
    for (let i = 0; i < MAX_FAILURES_PER_CHECK * 3; i++) {
      keeper.take(seen(START_MS + 2 * i, down('timeout', `${i}`)));
      keeper.take(seen(START_MS + 2 * i + 1, UP));
    }
    const kept = await keeper.list('shop-http', { fromMs: 0, toMs: START_MS * 2, limit: 1_000 });
    assert.equal(kept.length, MAX_FAILURES_PER_CHECK);
    assert.equal(kept[0]?.detail, String(MAX_FAILURES_PER_CHECK * 3 - 1));
  });
});

test('an attempt that this process spoilt is followed by another soon, later each time, and never more often than asked for', async () => {
  const clock = manualClock(START_MS);
  const asked: number[] = [];
  const again = new AskAgain({ clock, ask: () => asked.push(clock.monotonic()) });
  const late: Outcome = { kind: 'void', code: 'loop_delay', detail: 'late' };
  const hourly = { check: 'c', intervalMs: 3_600_000 as never };
  again.after(hourly, late);
  await clock.advance(2_000);
  again.after(hourly, late);
  await clock.advance(4_000);
  again.after(hourly, UP);
  again.after(hourly, late);
  await clock.advance(2_000);
  assert.deepEqual(asked, [2_000, 6_000, 8_000]);
  again.after(hourly, notAsked('refused_address', 'not allowed'));
  again.after({ ...hourly, intervalMs: 1_000 as never }, late);
  again.after({ ...hourly, vote: { locations: ['server'], quorum: 1 } }, late);
  await clock.advance(600_000);
  assert.equal(asked.length, 3);
  again.after(hourly, late);
  again[Symbol.dispose]();
  await settle();
  assert.equal(clock.pending(), 0);
});
