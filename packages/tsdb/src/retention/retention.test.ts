import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { type Store, WINDOW_MS } from '../contract.ts';
import { FaultDisk } from '../testing/fault-disk.ts';
import { append, bitsOfNumber, contentsOf, keyOf, openOnFaultDisk } from '../testing/samples.ts';
import { HOLD_MS, judgeClock } from './clock.ts';
import { RuleBook, type RetentionPolicy, type RetentionRule, sizeCutMs } from './policy.ts';

/** A Monday, 00:00 UTC. */
const MONDAY = 1_750_032_000_000;
const NONE = { 300000: 0, 3600000: 0 } as const;
const named = (name: string) => [mustMatcher('__name__', '=~', name)];
const rule = (samplesMs: number, more: Partial<RetentionRule> = {}): RetentionRule => ({
  matchers: [],
  samplesMs,
  rollupMs: NONE,
  ...more,
});

const open = (disk: FaultDisk, retention: RetentionPolicy, retentionMs = 30 * DAY_MS): Promise<Store> =>
  openOnFaultDisk(disk, { retention, retentionMs, outOfOrderWindowMs: 40 * DAY_MS });

/** Writes a sample every ten minutes of `hours` from Monday on, for each name, and moves all to pages. */
async function write(store: Store, names: readonly string[], hours: number): Promise<void> {
  const samples = [];
  for (let atMs = MONDAY; atMs < MONDAY + hours * HOUR_MS; atMs += 10 * MINUTE_MS)
    for (const name of names) samples.push({ series: { __name__: name }, atMs, bits: bitsOfNumber((atMs * 31) % 977) });
  await append(store, samples, epochMs(MONDAY + hours * HOUR_MS));
  await store.flush(epochMs(MONDAY + hours * HOUR_MS), { all: true });
}

/** Per series how many samples are left and how many hours after Monday the first of them is. */
async function left(store: Store): Promise<Record<string, readonly [count: number, fromHour: number]>> {
  const contents = await contentsOf(store);
  return Object.fromEntries(
    [...contents].map(([key, samples]) => [
      Object.entries({ a: keyOf({ __name__: 'a' }), debug_b: keyOf({ __name__: 'debug_b' }) }).find(([, own]) => own === key)?.[0] ?? key,
      [samples.size, (Math.min(...samples.keys()) - MONDAY) / HOUR_MS],
    ]),
  );
}

/** Runs retention every hour, as the server does, until an instant. */
async function passTime(store: Store, fromMs: number, toMs: number): Promise<void> {
  for (let atMs = fromMs; atMs <= toMs; atMs += 12 * HOUR_MS) await store.retain(epochMs(atMs));
  await store.retain(epochMs(toMs));
}

test('the first rule that selects a series decides how long its samples are kept', async () => {
  const store = await open(new FaultDisk(), { rules: [rule(6 * HOUR_MS, { matchers: named('debug_.*') }), rule(30 * DAY_MS)] });
  await write(store, ['a', 'debug_b'], 24);
  const report = await store.retain(epochMs(MONDAY + 24 * HOUR_MS));
  assert.deepEqual([report.clock.kind, report.samples], ['trusted', 18 * 6]);
  assert.deepEqual(await left(store), { a: [144, 0], debug_b: [36, 18] });
  assert.deepEqual(await store.retain(epochMs(MONDAY + 25 * HOUR_MS)).then(({ samples }) => samples), 0);
  await store.close();
});

test('a rule may keep samples longer than all other series', async () => {
  const store = await open(new FaultDisk(), { rules: [rule(30 * DAY_MS, { matchers: named('a') }), rule(4 * HOUR_MS)] });
  await write(store, ['a', 'debug_b'], 12);
  await store.retain(epochMs(MONDAY + 12 * HOUR_MS));
  assert.deepEqual(await left(store), { a: [72, 0], debug_b: [24, 8] });
  await passTime(store, MONDAY + DAY_MS, MONDAY + 31 * DAY_MS);
  assert.deepEqual(await left(store), {});
  assert.equal(store.stats().series, 0);
  await store.close();
});

test('a number of points is kept of each series, to the precision of a window', async () => {
  const store = await open(new FaultDisk(), { rules: [rule(30 * DAY_MS, { matchers: named('debug_.*'), points: 30 }), rule(30 * DAY_MS)] });
  await write(store, ['a', 'debug_b'], 24);
  await store.retain(epochMs(MONDAY + 24 * HOUR_MS));
  // Twelve in a window: three windows hold the newest thirty.
  assert.deepEqual(await left(store), { a: [144, 0], debug_b: [36, 18] });
  await store.close();
});

test('beyond a size the oldest windows go', async () => {
  const disk = new FaultDisk();
  const filled = await open(disk, { rules: [rule(30 * DAY_MS)] });
  await write(filled, ['a', 'debug_b'], 240);
  const { pageBytes } = filled.stats();
  await filled.close();
  const store = await open(disk, { rules: [rule(30 * DAY_MS)], sizeBytes: Math.floor(pageBytes / 3) });
  const report = await store.retain(epochMs(MONDAY + 240 * HOUR_MS));
  assert.equal(report.excessBytes, 0);
  const { a } = await left(store);
  assert.ok(store.stats().pageBytes <= pageBytes / 3);
  assert.ok((a?.[0] ?? 0) > 400 && (a?.[1] ?? 0) % 2 === 0, `kept ${a?.[0]} from hour ${a?.[1]}`);
  await store.close();
});

test('samples of series that are rolled up stay until their day has been', async () => {
  const store = await open(new FaultDisk(), { rules: [rule(2 * HOUR_MS, { rollupMs: { 300000: 10 * DAY_MS, 3600000: 20 * DAY_MS } })] });
  await write(store, ['a'], 24);
  const nowMs = epochMs(MONDAY + 26 * HOUR_MS);
  await store.retain(nowMs);
  assert.deepEqual(await left(store), { a: [144, 0] });
  const later = epochMs(MONDAY + 47 * HOUR_MS);
  await store.rollUp(epochMs(MONDAY + 45 * DAY_MS));
  await store.retain(later);
  assert.deepEqual(await left(store), {});
  // Its rollups are there, and so the series is known.
  assert.deepEqual([store.stats().series, store.stats().rollupPages > 0], [1, true]);
  await passTime(store, later, MONDAY + 12 * DAY_MS);
  const { rollupPages } = store.stats();
  // Those of an hour are left, for Monday and for the instant that ended Sunday.
  assert.equal(rollupPages, 2);
  await passTime(store, MONDAY + 12 * DAY_MS, MONDAY + 22 * DAY_MS);
  assert.deepEqual([store.stats().rollupPages, store.stats().series], [0, 0]);
  await store.close();
});

test('a clock that leaps ahead deletes nothing until it has stayed there for a day', async () => {
  const disk = new FaultDisk();
  const policy = { rules: [rule(2 * DAY_MS)] };
  const store = await open(disk, policy);
  await write(store, ['a'], 24);
  await store.retain(epochMs(MONDAY + 24 * HOUR_MS));
  const leapt = MONDAY + 400 * DAY_MS;
  const { clock } = await store.retain(epochMs(leapt));
  assert.deepEqual(clock, { kind: 'leap', byMs: 399 * DAY_MS, believedAtMs: leapt + HOLD_MS });
  // A sample from the wrong time is no evidence for it.
  await append(store, [{ series: { __name__: 'a' }, atMs: leapt, bits: 1n }], epochMs(leapt));
  await store.retain(epochMs(leapt + HOUR_MS));
  assert.equal((await left(store))['a']?.[0], 145);
  // Back in time all is as before, also for a store that was opened anew.
  await store.close();
  const again = await open(disk, policy);
  assert.equal((await again.retain(epochMs(MONDAY + 25 * HOUR_MS))).clock.kind, 'trusted');
  assert.equal((await left(again))['a']?.[0], 145);
  for (let atMs = leapt; atMs < leapt + HOLD_MS; atMs += HOUR_MS) assert.equal((await again.retain(epochMs(atMs))).clock.kind, 'leap');
  assert.equal((await again.retain(epochMs(leapt + HOLD_MS))).clock.kind, 'trusted');
  assert.equal((await left(again))['a']?.[0], 1);
  await again.close();
});

test('a leap that changes begins anew, and one that ends is forgotten', () => {
  const first = judgeClock(10 * DAY_MS, 0, undefined);
  assert.deepEqual(first.leap, { sinceMs: 10 * DAY_MS, lastMs: 10 * DAY_MS });
  assert.deepEqual(judgeClock(20 * DAY_MS, 0, first.leap).leap?.sinceMs, 20 * DAY_MS);
  assert.deepEqual(judgeClock(10 * DAY_MS + HOUR_MS, 0, first.leap).leap?.sinceMs, 10 * DAY_MS);
  assert.deepEqual(judgeClock(9 * DAY_MS, 0, first.leap).leap?.sinceMs, 9 * DAY_MS);
  assert.deepEqual(judgeClock(DAY_MS, 0, first.leap), { verdict: { kind: 'trusted' }, leap: undefined });
});

test('of windows so many go that the excess is gone, and none beyond the bound', () => {
  const windows = [0, 1, 2, 3].map((i) => ({ windowMs: i * WINDOW_MS, bytes: 100 }));
  assert.deepEqual(sizeCutMs(windows, 150, Infinity), { cutMs: 2 * WINDOW_MS, freedBytes: 200 });
  assert.deepEqual(sizeCutMs(windows, 1_000, 3 * WINDOW_MS), { cutMs: 3 * WINDOW_MS, freedBytes: 300 });
  assert.deepEqual(sizeCutMs(windows, 0, Infinity), { cutMs: Number.NEGATIVE_INFINITY, freedBytes: 0 });
});

test('a policy without a rule for every series is a fault of the code', () => {
  assert.throws(() => new RuleBook({ rules: [rule(1, { matchers: named('a') })] }, () => []), /BUG: expected 1 to 200 retention rules/);
});
