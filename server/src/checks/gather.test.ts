import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ms } from '@nines/base/units.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { type CheckResult, type CheckTiming, MAX_LATE_MS } from './contract.ts';
import { Gather } from './gather.ts';

const START_MS = 1_760_000_000_000;
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const timing: CheckTiming = {
  check: 'c',
  service: 's',
  intervalMs: ms(10_000),
  timeoutMs: ms(5_000),
  impact: 'down',
  confirm: { n: 1, of: 1 },
  vote: { locations: ['server', 'berlin', 'tokyo'], quorum: 2 },
};
const at = (location: string, second: number): CheckResult => ({
  check: 'c',
  service: 's',
  checkKind: 'tcp',
  target: 't',
  location,
  startedAtMs: epochMs(START_MS + second * 1000),
  durationMs: 1,
  outcome: { kind: 'up' },
  phases: {},
  loopDelayMs: 0,
});

function scene(present: readonly string[] = ['server', 'berlin', 'tokyo']) {
  const clock = manualClock(START_MS);
  const told: string[] = [];
  const record = async ({ location, startedAtMs }: CheckResult): Promise<void> => {
    told.push(`${location} ${(startedAtMs - START_MS) / 1000} @${clock.monotonic() / 1000}`);
  };
  const gather = new Gather({ clock, logger: quiet, record, isPresent: (location) => present.includes(location) });
  const hear = (...results: readonly CheckResult[]): void => results.forEach((result) => void gather.take(result, timing));
  return { clock, told, gather, hear };
}

test('a slot is decided when everyone who is there has spoken', async () => {
  const { clock, told, gather, hear } = scene();
  hear(at('server', 0));
  await clock.advance(1_000);
  hear(at('tokyo', 0));
  assert.deepEqual(told, []);
  hear(at('berlin', 0));
  assert.deepEqual(told, ['server 0 @1', 'tokyo 0 @1', 'berlin 0 @1']);
  assert.equal(clock.pending(), 0);
  assert.deepEqual(gather.stats(), { decided: 1, incomplete: 0, late: 0, tooLate: 0 });
});

test('who is away is not waited for; who is there and says nothing is waited for until the timeout and the grace are over', async () => {
  const away = scene(['server', 'berlin']);
  away.hear(at('server', 0), at('berlin', 0));
  assert.deepEqual(away.told, ['server 0 @0', 'berlin 0 @0']);
  const { clock, told, gather, hear } = scene();
  hear(at('server', 0), at('berlin', 0));
  await clock.advance(6_999);
  assert.deepEqual(told, []);
  await clock.advance(1);
  assert.deepEqual(told, ['server 0 @7', 'berlin 0 @7']);
  hear(at('tokyo', 0));
  assert.equal(told.at(-1), 'tokyo 0 @7', 'a late voice goes on at once');
  assert.deepEqual(gather.stats(), { decided: 1, incomplete: 1, late: 1, tooLate: 0 });
});

test('a location is told in the order of its slots, also when a later slot is complete first', async () => {
  const { clock, told, hear } = scene();
  hear(at('berlin', 0));
  await clock.advance(2_000);
  hear(at('server', 2), at('tokyo', 2), at('berlin', 2));
  assert.deepEqual(told, ['berlin 0 @2', 'server 2 @2', 'tokyo 2 @2', 'berlin 2 @2']);
});

test('what was kept for hours goes on at once, what is older than a day does not, and an unknown location has no voice', async () => {
  const { clock, told, gather, hear } = scene();
  await clock.advance(MAX_LATE_MS + 5_000);
  hear(at('tokyo', 0), at('tokyo', 60), at('lima', 60), at('tokyo', 70));
  assert.deepEqual(told, ['tokyo 60 @86405', 'tokyo 70 @86405']);
  assert.equal(gather.stats().tooLate, 1);
});

test('results of checks without locations go on at once, and their promise is the ledger’s', async () => {
  const { vote: _vote, ...alone } = timing;
  const { clock } = scene();
  const gather = new Gather({ clock, logger: quiet, record: () => Promise.reject(new Error('full')), isPresent: () => true });
  const { location: _location, ...result } = at('server', 0);
  await assert.rejects(gather.take(result, alone), /full/);
});

test('at the end what is open is decided with what there is', () => {
  const { told, gather, hear } = scene();
  hear(at('server', 0), at('server', 10));
  gather[Symbol.dispose]();
  assert.deepEqual(told, ['server 0 @0', 'server 10 @0']);
});
