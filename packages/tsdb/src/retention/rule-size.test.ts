import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { Columns } from '../codec/columns.ts';
import { DecodedPage, PageBuilder, sharesOf } from '../codec/page.ts';
import type { Store } from '../contract.ts';
import { FaultDisk } from '../testing/fault-disk.ts';
import { append, bitsOfNumber, contentsOf, keyOf, openOnFaultDisk } from '../testing/samples.ts';
import type { RetentionPolicy, RetentionRule } from './policy.ts';

/** A Monday, 00:00 UTC. */
const MONDAY = 1_750_032_000_000;
const NO_ROLLUPS = { 300000: 0, 3600000: 0 } as const;
const ROLLUPS = { 300000: 90 * DAY_MS, 3600000: 365 * DAY_MS } as const;

const policy = (sizeBytes: number | undefined, rollupMs: RetentionRule['rollupMs'] = NO_ROLLUPS): RetentionPolicy => ({
  rules: [
    { matchers: [mustMatcher('job', '=', 'noisy')], samplesMs: 90 * DAY_MS, rollupMs, ...(sizeBytes !== undefined && { sizeBytes }) },
    { matchers: [], samplesMs: 90 * DAY_MS, rollupMs },
  ],
});

const open = (disk: FaultDisk, retention: RetentionPolicy, outOfOrderWindowMs = HOUR_MS): Promise<Store> =>
  openOnFaultDisk(disk, { retention, retentionMs: 90 * DAY_MS, outOfOrderWindowMs });

/** Days of one metric in three series, a sample a minute: the noisy two never say the same twice, the quiet one always does. */
async function filled(disk: FaultDisk, days: number): Promise<void> {
  const store = await open(disk, policy(undefined), 40 * DAY_MS);
  let seed = 7;
  const samples = [];
  for (let atMs = MONDAY; atMs < MONDAY + days * DAY_MS; atMs += MINUTE_MS)
    for (const [job, i] of [
      ['noisy', '1'],
      ['noisy', '2'],
      ['quiet', '1'],
    ] as const) {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      samples.push({ series: { __name__: 'm', job, i }, atMs, bits: bitsOfNumber(job === 'noisy' ? seed / 1e3 : 1) });
    }
  await append(store, samples, epochMs(MONDAY + days * DAY_MS));
  await store.flush(epochMs(MONDAY + days * DAY_MS), { all: true });
  await store.close();
}

/** Per job the hour after Monday of the first sample that is left. */
async function firstHours(store: Store): Promise<Readonly<Record<string, number>>> {
  const contents = await contentsOf(store);
  const first = (job: string): number =>
    (Math.min(...(contents.get(keyOf({ __name__: 'm', job, i: '1' }))?.keys() ?? [])) - MONDAY) / HOUR_MS;
  return { noisy: first('noisy'), quiet: first('quiet') };
}

test('what the series of a rule take beyond its size goes, oldest first, also from pages that they share with others', async () => {
  const disk = new FaultDisk();
  await filled(disk, 4);
  const before = await open(disk, policy(undefined));
  const { pageBytes } = before.stats();
  await before.close();
  const nowMs = MONDAY + 4 * DAY_MS;
  const limit = Math.floor(pageBytes / 4);
  const store = await open(disk, policy(limit));
  const report = await store.retain(epochMs(nowMs));
  assert.deepEqual(report.ruleExcess, []);
  assert.ok(report.samples > 0 && report.samples % (2 * 120) === 0, `${report.samples} samples of two series in whole windows`);
  const { noisy, quiet } = await firstHours(store);
  assert.equal(quiet, 0);
  // The quiet series takes next to nothing, so about a quarter of the four days is left of the noisy ones.
  assert.ok((noisy ?? 0) >= 70 && (noisy ?? 0) <= 78, `the noisy series begin ${noisy} hours after Monday`);
  // What is left is within the limit, but for what the quiet one takes, and not a window less than that.
  assert.ok(store.stats().pageBytes <= limit * 1.15, `${store.stats().pageBytes} bytes for a limit of ${limit}`);
  assert.equal((await store.retain(epochMs(nowMs + HOUR_MS))).samples, 0);
  await store.close();
});

test('of series that are rolled up the samples of rolled days go first, then rollups; what is too young is named', async () => {
  const disk = new FaultDisk();
  await filled(disk, 3);
  const rolled = await open(disk, policy(undefined, ROLLUPS));
  // The third day is not over for long enough.
  const nowMs = MONDAY + 3 * DAY_MS + HOUR_MS;
  assert.equal((await rolled.rollUp(epochMs(nowMs))).days, 3);
  const { rollupBytes } = rolled.stats();
  await rolled.close();
  const store = await open(disk, policy(1, ROLLUPS));
  const report = await store.retain(epochMs(nowMs));
  const { noisy, quiet } = await firstHours(store);
  assert.equal(quiet, 0);
  assert.equal(noisy, 48);
  assert.ok(
    report.buckets > 0 && store.stats().rollupBytes < rollupBytes / 2,
    'the rollups of the noisy series went, not those of the quiet one',
  );
  assert.ok(store.stats().rollupBytes > 0);
  const [excess] = report.ruleExcess;
  assert.ok(excess?.rule === 0 && excess.bytes > 0, JSON.stringify(report.ruleExcess));
  await store.close();
});

test('the shares of a page follow what its series take, and add up to it', () => {
  const builder = new PageBuilder();
  const columns = (value: (i: number) => number): Columns => {
    const made = new Columns();
    for (let i = 0; i < 100; i++) {
      const bits = bitsOfNumber(value(i));
      made.push(MONDAY + i * 15_000, Number(bits & 0xffff_ffffn), Number(bits >> 32n));
    }
    return made;
  };
  builder.add(
    1,
    columns(() => 5),
  );
  builder.add(
    2,
    columns((i) => Math.sin(i)),
  );
  builder.add(
    9,
    columns((i) => Math.cos(i)),
  );
  const { refs, data } = builder.finish();
  const shares = sharesOf(new DecodedPage(refs, data));
  assert.ok(Math.abs(shares.reduce((sum, share) => sum + share, 0) - 1) < 1e-12);
  assert.ok((shares[0] ?? 1) < 0.05 && (shares[1] ?? 0) > 0.4 && (shares[2] ?? 0) > 0.4, shares.join());
});
