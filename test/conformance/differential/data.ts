import type { WrittenSeries } from '../../harness/remote-write.ts';
import type { Random } from './random.ts';

/**
 * Random series of every shape that queries meet. Versions of Prometheus before 3 read ranges with both ends closed: samples stand a
 * tenth of a second after whole seconds, evaluation times three tenths, and subqueries step on whole seconds, so that nothing falls
 * on an end. Values are multiples of 1/64, so that sums are exact in any order; those of one metric never tie. Counters stay
 * far above 0, because 2.42 extrapolates to a zero point that Prometheus 3 caps.
 */
export const STEP_MS = 15_000;
export const SAMPLES = 160;
const SAMPLE_PHASE_MS = 100;

export const LABELS = ['instance', 'mode', 'zone'] as const;
/** Counters, gauges with distinct values, anything at all. */
export const COUNTERS = ['requests_total', 'bytes_total'] as const;
export const GAUGES = ['temperature', 'queue_length'] as const;
export const STRANGE = ['strange', 'flag'] as const;
export const BUCKETS = 'latency_bucket';

type Sample = readonly [atMs: number, value: number | 'stale'];

/** Labels of which some are missing. */
function labelSets(random: Random): readonly Readonly<Record<string, string>>[] {
  const sets: Record<string, string>[] = [];
  for (const instance of ['a:9100', 'b:9100', 'ç:9100'])
    for (const mode of ['user', 'idle', '']) {
      if (random.chance(0.15)) continue;
      const labels: Record<string, string> = { instance };
      if (mode !== '') labels['mode'] = mode;
      if (random.chance(0.4)) labels['zone'] = random.pick(['x', 'y', 'z"\\']);
      sets.push(labels);
    }
  return sets;
}

/** Where a series has samples: late beginnings, early ends, gaps, stale markers, a jitter of whole seconds. */
function times(random: Random, fromMs: number): readonly { readonly atMs: number; readonly stale: boolean }[] {
  const first = random.chance(0.2) ? random.below(SAMPLES / 2) : 0;
  const last = random.chance(0.2) ? SAMPLES / 2 + random.below(SAMPLES / 2) : SAMPLES;
  const jitters = random.chance(0.3);
  const found: { atMs: number; stale: boolean }[] = [];
  let gap = 0;
  for (let i = first; i < last; i++) {
    if (gap === 0 && random.chance(0.02)) {
      gap = 1 + random.below(25);
      if (random.chance(0.5)) found.push({ atMs: fromMs + i * STEP_MS + SAMPLE_PHASE_MS, stale: true });
      continue;
    }
    if (gap > 0) {
      gap--;
      continue;
    }
    found.push({ atMs: fromMs + i * STEP_MS + SAMPLE_PHASE_MS + (jitters ? random.below(5) * 1000 : 0), stale: false });
  }
  return found;
}

type MakeValue = (random: Random, index: number) => (i: number) => number;

/** The part of a value that tells the series of a metric apart. */
const mark = (index: number): number => (index % 16) / 64;

const counter: MakeValue = (random, index) => {
  const pace = random.pick([0.25, 1, 8]);
  let value = 4096 * pace + mark(index);
  return () => {
    const now = value;
    value = random.chance(0.02) ? 2048 * pace + mark(index) : value + random.below(40) * pace;
    return now;
  };
};
const gauge: MakeValue = (random, index) => {
  const size = random.pick([4, 100, 4096]);
  return () => random.below(size) / 4 - size / 8 + mark(index);
};
const SPECIAL = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, 1, -1];
const special: MakeValue = (random) => {
  const share = random.pick([0.05, 0.5, 1]);
  return () => (random.chance(share) ? random.pick(SPECIAL) : random.below(16) / 4 - 2);
};
const flag: MakeValue = (random) => () => random.below(2);

const KINDS: ReadonlyMap<string, MakeValue> = new Map([
  ...COUNTERS.map((name) => [name, counter] as const),
  ...GAUGES.map((name) => [name, gauge] as const),
  ['strange', special],
  ['flag', flag],
]);

function histogramSeries(random: Random, fromMs: number): readonly WrittenSeries[] {
  const bounds = ['0.1', '0.5', '1', '5', '+Inf'];
  return ['a:9100', 'b:9100'].flatMap((instance) => {
    const counts = bounds.map((_, i) => 4096 * (i + 1));
    const rows: Sample[][] = bounds.map(() => []);
    for (const { atMs, stale } of times(random, fromMs)) {
      for (let n = random.below(8); n > 0; n--)
        for (let bucket = random.below(bounds.length); bucket < bounds.length; bucket++) counts[bucket] = (counts[bucket] ?? 0) + 1;
      rows.forEach((row, bucket) => row.push([atMs, stale ? 'stale' : (counts[bucket] ?? 0)]));
    }
    return bounds.map((le, i) => ({ labels: { __name__: BUCKETS, instance, le }, samples: rows[i] ?? [] }));
  });
}

/** Series from `fromMs` on, which must be a multiple of the step. */
export function randomSeries(random: Random, fromMs: number): readonly WrittenSeries[] {
  const series: WrittenSeries[] = [];
  for (const [name, make] of KINDS)
    labelSets(random).forEach((labels, index) => {
      const valueAt = make(random, index);
      const samples = times(random, fromMs).map(({ atMs, stale }, i): Sample => [atMs, stale ? 'stale' : valueAt(i)]);
      series.push({ labels: { __name__: name, ...labels }, samples });
    });
  return [...series, ...histogramSeries(random, fromMs)];
}
