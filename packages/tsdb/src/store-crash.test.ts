import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import fc from 'fast-check';
import { type Store, WINDOW_MS } from './contract.ts';
import { type Cut, FaultDisk } from './testing/fault-disk.ts';
import { type Sample, T0, append, bitsOfNumber, contentsOf, keyOf, openOnFaultDisk } from './testing/samples.ts';

/** What was promised and what may be: filled by the workload as the store answers. */
class Witness {
  /** Acknowledged and not meant to be deleted since. */
  readonly acknowledged = new Map<string, Sample>();
  /** Everything ever sent. */
  readonly sent = new Map<string, Sample>();
  /** Deletions that were acknowledged. */
  readonly deleted = new Map<string, Sample>();
  /** The samples of a deletion that was begun and not acknowledged. */
  undecided: Sample[] = [];

  static key = ({ series, atMs }: Sample): string => `${keyOf(series)}@${atMs}`;

  async append(store: Store, samples: readonly Sample[], nowMs: number): Promise<void> {
    for (const sample of samples) {
      this.sent.set(Witness.key(sample), sample);
      this.deleted.delete(Witness.key(sample));
    }
    const outcome = await append(store, samples, epochMs(nowMs));
    assert.equal(outcome.accepted, samples.length);
    for (const sample of samples) this.acknowledged.set(Witness.key(sample), sample);
  }

  async remove(matches: (sample: Sample) => boolean, run: () => Promise<unknown>): Promise<void> {
    const gone = [...this.acknowledged].filter(([, sample]) => matches(sample));
    for (const [key] of gone) this.acknowledged.delete(key);
    this.undecided = gone.map(([, sample]) => sample);
    await run();
    this.undecided = [];
    for (const [key, sample] of gone) this.deleted.set(key, sample);
  }

  async check(store: Store): Promise<void> {
    const contents = await contentsOf(store);
    for (const sample of this.acknowledged.values())
      assert.equal(contents.get(keyOf(sample.series))?.get(sample.atMs), sample.bits, `lost ${Witness.key(sample)}`);
    for (const sample of this.deleted.values())
      assert.equal(contents.get(keyOf(sample.series))?.get(sample.atMs), undefined, `came back: ${Witness.key(sample)}`);
    for (const [key, held] of contents)
      for (const [atMs, bits] of held) assert.equal(this.sent.get(`${key}@${atMs}`)?.bits, bits, `nobody sent ${key}@${atMs}`);
    const left = this.undecided.filter(({ series, atMs }) => contents.get(keyOf(series))?.has(atMs) === true);
    assert.ok(
      left.length === 0 || left.length === this.undecided.length,
      `a deletion was done by half: ${left.length} of ${this.undecided.length} left`,
    );
    const { damage } = store.stats();
    assert.deepEqual([damage.corruptFrames, damage.corruptPages, damage.orphanSamples], [0, 0, 0]);
  }
}

const scrape = (atMs: number, hosts: readonly string[], offset = 0): Sample[] =>
  hosts.flatMap((host, i) =>
    ['up', 'load'].map((name) => ({ series: { __name__: name, host }, atMs: atMs + offset, bits: bitsOfNumber(atMs / 1000 + i / 8) })),
  );

/** Everything the store does to a disk, in little: new series, late samples, two flushes, a deletion, retention, a restart. */
async function workload(disk: FaultDisk, witness: Witness): Promise<void> {
  let store = await openOnFaultDisk(disk);
  const at = (minutes: number): number => T0 + minutes * 60_000;
  for (let k = 0; k < 5; k++) await witness.append(store, scrape(at(k * 50), ['a', 'b']), at(k * 50));
  await witness.append(store, scrape(at(170), ['b'], 1), at(210));
  await store.flush(epochMs(at(130)));
  await Promise.all([
    witness.append(store, scrape(at(230), ['c']), at(230)),
    witness.append(store, scrape(at(231), ['a', 'c']), at(231)),
    witness.append(store, scrape(at(205), ['a']), at(231)),
  ]);
  await witness.append(store, scrape(at(261), ['a', 'c']), at(261));
  await witness.remove(
    ({ series }) => series['host'] === 'b',
    () => store.deleteSeries([mustMatcher('host', '=', 'b')], { fromMs: 0, toMs: at(10_000) }),
  );
  await witness.append(store, scrape(at(262), ['b', 'd']), at(262));
  await store.flush(epochMs(at(300)));
  await store.compact(epochMs(at(300)));
  await witness.remove(
    ({ atMs }) => atMs < T0 + WINDOW_MS,
    () => store.deleteBefore(epochMs(T0 + WINDOW_MS)),
  );
  await witness.append(store, scrape(at(301), ['a', 'b', 'c', 'd', 'e']), at(301));
  await store.close();
  store = await openOnFaultDisk(disk);
  await witness.append(store, scrape(at(302), ['a', 'e', 'f']), at(302));
  await store.flush(epochMs(at(303)), { all: true });
  await store.close();
}

/** Later than any sample of a workload or of a random life. */
const AFTERMATH = T0 + 40 * 60 * 60_000;

/** Opens after the cut, checks, goes on working, cuts again, checks again. */
async function aftermath(disk: FaultDisk, witness: Witness): Promise<void> {
  let store = await openOnFaultDisk(disk);
  await witness.check(store);
  const late = AFTERMATH;
  await witness.append(store, scrape(late, ['a', 'b', 'new']), late);
  disk.crash();
  store = await openOnFaultDisk(disk);
  await witness.check(store);
  await store.flush(epochMs(late + 2 * WINDOW_MS));
  await witness.check(store);
  await store.close();
  store = await openOnFaultDisk(disk);
  await witness.check(store);
  await store.close();
}

async function stepsOfWorkload(): Promise<number> {
  const disk = new FaultDisk();
  await workload(disk, new Witness());
  return disk.steps;
}

for (const how of ['before', 'half', 'after'] as const) {
  test(`with the power cut at any write (${how} it), every acknowledged sample is there, once`, async () => {
    const steps = await stepsOfWorkload();
    assert.ok(steps > 60, `only ${steps} writes`);
    for (let step = 0; step < steps; step++) {
      for (const keepUnsynced of how === 'half' ? [0, 0.5, 1] : [0]) await cutOnce({ step, how }, keepUnsynced);
    }
  });
}

async function cutOnce(cut: Cut, keepUnsynced: number): Promise<void> {
  const disk = new FaultDisk();
  disk.cutAt(cut);
  const witness = new Witness();
  await assert.rejects(workload(disk, witness), StoreUnavailable);
  disk.crash(keepUnsynced);
  try {
    await aftermath(disk, witness);
  } catch (thrown) {
    throw new Error(`cut ${cut.how} write ${cut.step}, ${keepUnsynced} of the unsynced bytes kept`, { cause: thrown });
  }
}

test('a second cut while recovering from the first loses nothing either', async () => {
  const steps = await stepsOfWorkload();
  for (let step = 0; step < steps; step += 5) {
    for (let second = 0; second < 6; second++) {
      const disk = new FaultDisk();
      disk.cutAt({ step, how: 'half' });
      const witness = new Witness();
      await assert.rejects(workload(disk, witness), StoreUnavailable);
      disk.crash(0.5);
      disk.cutAt({ step: disk.steps + second, how: 'half' });
      await openOnFaultDisk(disk)
        .then((store) => store.flush(epochMs(T0 + 500 * 60_000)))
        .catch((thrown: unknown) => assert.ok(thrown instanceof StoreUnavailable || thrown instanceof Error));
      disk.crash(0.5);
      await aftermath(disk, witness);
    }
  }
});

/** Random lives instead of the one above: 500 in the full size. */
const LIVES = process.env['NINES_FULL'] === '1' ? 500 : 25;
const HOSTS = ['a', 'b', 'c', 'd'] as const;

type Step =
  | { readonly kind: 'append'; readonly minutes: number; readonly hosts: readonly string[]; readonly lateMinutes: number }
  | { readonly kind: 'flush'; readonly all: boolean }
  | { readonly kind: 'compact' }
  | { readonly kind: 'delete'; readonly host: string; readonly backMinutes: number }
  | { readonly kind: 'retain'; readonly backMinutes: number }
  | { readonly kind: 'reopen' };

const lifeStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      minutes: fc.integer({ min: 1, max: 45 }),
      hosts: fc.subarray([...HOSTS], { minLength: 1 }),
      lateMinutes: fc.integer({ min: 0, max: 50 }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('flush' as const), all: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'compact' as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('delete' as const),
      host: fc.constantFrom(...HOSTS),
      backMinutes: fc.integer({ min: 1, max: 300 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('retain' as const), backMinutes: fc.integer({ min: 60, max: 400 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'reopen' as const }) },
);

/** One life of a store; time only goes on, and what is late stays above what retention has removed. */
async function live(disk: FaultDisk, witness: Witness, steps: readonly Step[]): Promise<void> {
  let store = await openOnFaultDisk(disk);
  let nowMs: number = T0;
  let retainedMs = 0;
  for (const step of steps) {
    if (step.kind === 'append') {
      nowMs += step.minutes * 60_000;
      await witness.append(store, scrape(nowMs, step.hosts), nowMs);
      // At an instant of its own, which no scrape ever has.
      const lateMs = nowMs - step.lateMinutes * 60_000 - 7;
      if (lateMs > retainedMs) await witness.append(store, scrape(lateMs, step.hosts.slice(0, 1)), nowMs);
    } else if (step.kind === 'flush') await store.flush(epochMs(nowMs), { all: step.all });
    else if (step.kind === 'compact') await store.compact(epochMs(nowMs));
    else if (step.kind === 'delete') {
      const fromMs = nowMs - step.backMinutes * 60_000;
      await witness.remove(
        ({ series, atMs }) => series['host'] === step.host && atMs >= fromMs && atMs <= nowMs,
        () => store.deleteSeries([mustMatcher('host', '=', step.host)], { fromMs, toMs: nowMs }),
      );
    } else if (step.kind === 'retain') {
      const cutoffMs = nowMs - step.backMinutes * 60_000;
      retainedMs = Math.max(retainedMs, cutoffMs);
      await witness.remove(
        ({ atMs }) => atMs < cutoffMs,
        () => store.deleteBefore(epochMs(cutoffMs)),
      );
    } else {
      await store.close();
      store = await openOnFaultDisk(disk);
    }
  }
  await store.close();
}

test(`${LIVES} random lives, each cut at a random write: every acknowledged sample is there, once, and nothing else`, async () => {
  const life = fc.array(lifeStep, { minLength: 3, maxLength: 40 });
  const kept = fc.constantFrom(0, 0.3, 0.7, 1);
  await fc.assert(
    fc.asyncProperty(life, fc.nat(), fc.constantFrom('before', 'half', 'after'), kept, async (steps, cut, how, keepUnsynced) => {
      const whole = new FaultDisk();
      const untouched = new Witness();
      await live(whole, untouched, steps);
      // What never writes cannot be cut.
      const { steps: writes } = whole;
      fc.pre(writes > 0);
      await untouched.check(await openOnFaultDisk(whole));
      const disk = new FaultDisk();
      disk.cutAt({ step: cut % writes, how });
      const witness = new Witness();
      await assert.rejects(live(disk, witness, steps), StoreUnavailable);
      disk.crash(keepUnsynced);
      await aftermath(disk, witness);
    }),
    { numRuns: LIVES },
  );
});

for (const [code, reason] of [
  ['ENOSPC', 'disk_full'],
  ['EROFS', 'read_only'],
  ['EIO', 'io'],
] as const) {
  test(`while writes fail with ${code} nothing is acknowledged or shown, and service resumes by itself`, async () => {
    const disk = new FaultDisk();
    const witness = new Witness();
    const store = await openOnFaultDisk(disk);
    await witness.append(store, scrape(T0, ['a', 'b']), T0);
    disk.failWith = code;
    await assert.rejects(append(store, scrape(T0 + 1000, ['a', 'c']), epochMs(T0 + 1000)), { name: 'StoreUnavailable', reason });
    await assert.rejects(store.flush(epochMs(T0 + 3 * WINDOW_MS)), { name: 'StoreUnavailable', reason });
    await witness.check(store);
    disk.failWith = undefined;
    await witness.append(store, scrape(T0 + 2000, ['a', 'b', 'c']), T0 + 2000);
    await witness.check(store);
    disk.crash(1);
    const again = await openOnFaultDisk(disk);
    await witness.check(again);
    await again.flush(epochMs(T0 + 3 * WINDOW_MS));
    await witness.check(again);
    await again.close();
  });
}

test('a flush that failed is due again at the next call', async () => {
  const disk = new FaultDisk();
  const store = await openOnFaultDisk(disk);
  await append(store, scrape(T0, ['a', 'b']), T0);
  const later = epochMs(T0 + 2 * WINDOW_MS);
  disk.failWith = 'ENOSPC';
  await assert.rejects(store.flush(later), { reason: 'disk_full' });
  disk.failWith = undefined;
  assert.deepEqual(await store.flush(later), { pages: 1, samples: 4 });
  assert.deepEqual(await store.flush(later), { pages: 0, samples: 0 });
  await store.close();
});
