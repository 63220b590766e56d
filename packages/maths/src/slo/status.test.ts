import assert from 'node:assert/strict';
import { test } from 'node:test';
import { budgetOf } from './budget.ts';
import { statusOf } from './status.ts';
import type { Tally } from './tally.ts';
import { exact } from './testing/exact.ts';

const HALF = exact('0.5');

function counted(sums: { up?: number; down?: number; unknown?: number; notYet?: number }): Tally {
  const buckets = {
    upMs: sums.up ?? 0,
    degradedMs: 0,
    downMs: sums.down ?? 0,
    unknownMs: (sums.unknown ?? 0) + (sums.notYet ?? 0),
    excludedMs: 0,
    outOfHoursMs: 0,
  } as Tally['buckets'];
  return { buckets, goodMs: sums.up ?? 0, badMs: sums.down ?? 0, notYetMonitoredMs: sums.notYet ?? 0 };
}

function status(sums: Parameters<typeof counted>[0], target: string) {
  const seen = counted(sums);
  return statusOf({ budget: budgetOf(seen, exact(target)), counted: seen, burn: [], maxUnknown: HALF }).status;
}

test('an objective is breached when more was spent than there was, not when exactly all was', () => {
  assert.equal(status({ up: 899, down: 101 }, '0.9'), 'breached');
  assert.equal(status({ up: 900, down: 100 }, '0.9'), 'at_risk');
});

test('an objective is at risk from three quarters of the budget', () => {
  assert.equal(status({ up: 925, down: 75 }, '0.9'), 'at_risk');
  assert.equal(status({ up: 926, down: 74 }, '0.9'), 'met');
});

test('an objective without any counted time is unknown', () => {
  assert.equal(status({ unknown: 10 }, '0.9'), 'unknown');
  assert.equal(status({ notYet: 10 }, '0.9'), 'unknown');
});

test('more than half unknown since monitoring began says unknown; the time before it began does not matter', () => {
  assert.equal(status({ up: 50, unknown: 50 }, '0.9'), 'met');
  assert.equal(status({ up: 49, unknown: 51 }, '0.9'), 'unknown');
  assert.equal(status({ up: 10, notYet: 990 }, '0.9'), 'met');
});

test('an overspent budget stays breached however much is unknown', () => {
  assert.equal(status({ down: 200, unknown: 800 }, '0.9'), 'breached');
});

test('a target of 100 % is met while nothing was bad and breached by the first bad millisecond', () => {
  assert.equal(status({ up: 1000 }, '1'), 'met');
  assert.equal(status({ up: 999, down: 1 }, '1'), 'breached');
});

test('a burning pair puts an objective at risk', () => {
  const seen = counted({ up: 999, down: 1 });
  const burn = [{ longMs: 60_000, shortMs: 5_000, factor: 14, severity: 'critical' as const, rate: 20, firing: true }];
  const verdict = statusOf({ budget: budgetOf(seen, exact('0.9')), counted: seen, burn, maxUnknown: HALF });
  assert.deepEqual([verdict.status, verdict.code], ['at_risk', 'burning']);
});
