import { formatDuration } from '@nines/base/duration.ts';
import type { Rolled, RollupUse, SeriesColumns, Statistic } from '@nines/model/storage.ts';
import type { Call, Expr } from './ast.ts';
import type { Context } from './context.ts';
import { type Kernel, perWindow } from './functions/kernel.ts';
import { Sum } from './functions/kahan.ts';
import { sumOverTime } from './functions/over-time.ts';
import { stretchOf } from './functions/rate.ts';
import type { Samples } from './windows.ts';

/**
 * What the engine tells a store about its windows, so that rollups may stand in for samples, and the functions that read
 * them. Which answers are equal and which approximate is described in docs/retention.md.
 */

/** What each function over a range makes of its samples; `other` where no rollup can tell. */
const STATISTICS: ReadonlyMap<string, Statistic> = new Map<string, Statistic>([
  ['absent_over_time', 'last'],
  ['avg_over_time', 'avg'],
  ['count_over_time', 'count'],
  ['delta', 'increase'],
  ['first_over_time', 'first'],
  ['increase', 'increase'],
  ['last_over_time', 'last'],
  ['max_over_time', 'max'],
  ['min_over_time', 'min'],
  ['present_over_time', 'last'],
  ['rate', 'increase'],
  ['sum_over_time', 'sum'],
  ['ts_of_first_over_time', 'first'],
  ['ts_of_last_over_time', 'last'],
]);

export const statisticOf = (call: Call): Statistic => STATISTICS.get(call.func) ?? 'other';

/** The windows of steps that look at `instants`. */
export function rollupUse(statistic: Statistic, instants: Float64Array, rangeMs: number): RollupUse {
  const [first = 0, second = first] = instants;
  return { statistic, firstEndMs: first, stepMs: second - first, rangeMs };
}

/** Says once per place that an answer came from rollups, and whether that cost anything. */
export function informOfRollups({ rolled }: SeriesColumns, at: Expr, { query }: Context): void {
  if (rolled === undefined) return;
  const length = formatDuration(rolled.resolutionMs);
  const text = rolled.exact
    ? `answered from ${length} rollups, which tell the same here as samples`
    : `approximated from ${length} rollups: samples have expired, and the windows are not made of whole ${length} buckets`;
  query.annotations.info(text, at.position);
}

/** The kernel that reads entries which stand for several samples; undefined where the ordinary one does. */
export const rolledKernel = (func: string): Kernel | undefined => ROLLED.get(func);

const rolledOf = (samples: Samples): Rolled => {
  if (samples.rolled === undefined) throw new Error('BUG: expected entries of a rollup, found samples');
  return samples.rolled;
};
const column = (values: Float64Array | undefined): Float64Array => {
  if (values === undefined) throw new Error('BUG: a rollup without a column that was asked for');
  return values;
};

const total = new Sum();

/** Sums over counts. */
const average: Kernel = perWindow(1, (samples, lo, hi) => {
  const counts = column(rolledOf(samples).counts);
  let count = 0;
  total.reset();
  for (let i = lo; i < hi; i++) {
    total.add(samples.values[i] as number);
    count += counts[i] as number;
  }
  return total.sum / count + total.compensation / count;
});

/** `rate`, `increase` and `delta`: the change between the outermost samples plus what falls inside and between entries lost. */
function changeOver({ counter, perSecond }: { readonly counter: boolean; readonly perSecond: boolean }): Kernel {
  return (samples, { count, rangeMs, ends, lo, hi }, out, has) => {
    const { times, values } = samples;
    const rolled = rolledOf(samples);
    const [counts, firsts, firstTimes, lost] = [rolled.counts, rolled.firsts, rolled.firstTimes, rolled.lost].map(column) as [
      Float64Array,
      Float64Array,
      Float64Array,
      Float64Array,
    ];
    let present = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const to = hi[i] as number;
      has[i] = 0;
      let samplesInside = 0;
      for (let k = from; k < to; k++) samplesInside += counts[k] as number;
      if (samplesInside < 2) continue;
      const first = firsts[from] as number;
      let change = (values[to - 1] as number) - first;
      for (let k = from; counter && k < to; k++) {
        change += lost[k] as number;
        if (k > from && (firsts[k] as number) < (values[k - 1] as number)) change += values[k - 1] as number;
      }
      const edges = { startMs: (ends[i] as number) - rangeMs, endMs: ends[i] as number };
      const outermost = { firstMs: firstTimes[from] as number, lastMs: times[to - 1] as number, samples: samplesInside, first };
      out[i] = change * stretchOf(change, perSecond ? rangeMs / 1000 : 1, { ...edges, ...outermost, counter });
      has[i] = 1;
      present++;
    }
    return present;
  };
}

const ROLLED: ReadonlyMap<string, Kernel> = new Map<string, Kernel>([
  ['avg_over_time', average],
  ['count_over_time', sumOverTime],
  ['delta', changeOver({ counter: false, perSecond: false })],
  ['increase', changeOver({ counter: true, perSecond: false })],
  ['rate', changeOver({ counter: true, perSecond: true })],
]);
