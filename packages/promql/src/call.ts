import type { Call, Expr } from './ast.ts';
import { unwrap } from './ast.ts';
import { type Context, collect, hasUniformName, metricName, nameDropper, namelessSink } from './context.ts';
import { absent, absentOverTime } from './functions/absent.ts';
import { bucketFraction, bucketQuantile, bucketQuantiles } from './functions/buckets.ts';
import { CALENDAR, type FloatFunction, MATHS, clamp, round } from './functions/elementwise.ts';
import { extendedKernel } from './functions/extended.ts';
import { histogramFigure } from './functions/histogram-figures.ts';
import { info } from './functions/info.ts';
import type { Kernel } from './functions/kernel.ts';
import { labelJoin, labelReplace, sortByLabel } from './functions/labels.ts';
import { mixedWindows } from './functions/mixed.ts';
import * as overTime from './functions/over-time.ts';
import { extrapolated, instantaneous } from './functions/rate.ts';
import { deriv, doubleExponentialSmoothing, predictLinear } from './functions/regression.ts';
import { rolledKernel, statisticOf } from './rollups.ts';
import { type Row, RowBuffer, type Sink, isPresent, presenceOf } from './row.ts';
import { isMixed, selectorStarts, selectorTimes } from './select.ts';
import { informOfGauge, warnOfQuantiles, warnOfSort } from './warnings.ts';
import { type WindowVisitor, countWindowSamples, walkWindows } from './windows.ts';

/** Function calls that give vectors or scalars. The tree has been checked: arguments are there and of the right type. */

/** Pushes the rows of a call that returns an instant vector. */
export async function callRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const maths = MATHS.get(call.func);
  if (maths !== undefined) return mapRows(call, ctx, { sink, map: maths });
  const calendar = CALENDAR.get(call.func);
  if (calendar !== undefined) return calendarRows(call, ctx, { sink, map: calendar });
  const special = SPECIAL.get(call.func);
  if (special !== undefined) return special(call, ctx, sink);
  return windowRows(call, ctx, sink);
}

type RowsOf = (call: Call, ctx: Context, sink: Sink) => Promise<void>;

const SPECIAL: ReadonlyMap<string, RowsOf> = new Map<string, RowsOf>([
  ['absent', absent],
  ['absent_over_time', absentOverTime],
  ['clamp', clampRows],
  ['clamp_max', clampRows],
  ['clamp_min', clampRows],
  ['histogram_fraction', bucketFraction],
  ['histogram_avg', histogramFigure],
  ['histogram_count', histogramFigure],
  ['histogram_quantile', bucketQuantile],
  ['histogram_quantiles', bucketQuantiles],
  ['histogram_stddev', histogramFigure],
  ['histogram_stdvar', histogramFigure],
  ['histogram_sum', histogramFigure],
  ['info', info],
  ['label_join', labelJoin],
  ['label_replace', labelReplace],
  ['round', roundRows],
  ['sort', (call, ctx, sink) => sortRows(call, ctx, { sink, descending: false })],
  ['sort_desc', (call, ctx, sink) => sortRows(call, ctx, { sink, descending: true })],
  ['sort_by_label', sortByLabel],
  ['sort_by_label_desc', sortByLabel],
  ['start_timestamp', startRows],
  ['timestamp', timestampRows],
  ['vector', vectorRows],
]);

export const argument = (call: Call, index: number): Expr => {
  const arg = call.args[index];
  if (arg === undefined) throw new Error(`BUG: ${call.func} without argument ${index}`);
  return arg;
};

type Mapping = { readonly sink: Sink; readonly map: FloatFunction };

async function mapRows(call: Call, ctx: Context, { sink, map }: Mapping): Promise<void> {
  const arg = argument(call, 0);
  const drop = nameDropper(ctx, hasUniformName(arg), sink);
  await ctx.query.evaluator.rows(arg, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const { values } = row;
      for (let i = 0; i < values.length; i++) values[i] = map(values[i] as number);
      drop(row);
    },
  });
}

async function calendarRows(call: Call, ctx: Context, mapping: Mapping): Promise<void> {
  if (call.args.length > 0) return mapRows(call, ctx, mapping);
  const values = evaluationSeconds(ctx).map(mapping.map);
  mapping.sink.row({ labels: [], dropName: false, values, has: null });
}

/** The instants of the steps, in seconds. */
export function evaluationSeconds({ grid }: Context): Float64Array {
  const seconds = new Float64Array(grid.count);
  for (let i = 0; i < grid.count; i++) seconds[i] = (grid.startMs + i * grid.stepMs) / 1000;
  return seconds;
}

async function clampRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const { evaluator } = ctx.query;
  const unbounded = (value: number): Float64Array => new Float64Array(ctx.grid.count).fill(value);
  const least = call.func === 'clamp_max' ? unbounded(Number.NEGATIVE_INFINITY) : await evaluator.scalar(argument(call, 1), ctx);
  const most =
    call.func === 'clamp_min'
      ? unbounded(Number.POSITIVE_INFINITY)
      : await evaluator.scalar(argument(call, call.func === 'clamp' ? 2 : 1), ctx);
  const arg = argument(call, 0);
  const drop = nameDropper(ctx, hasUniformName(arg), sink);
  const possible = least.map((value, i) => ((most[i] as number) < value ? 0 : 1));
  const impossible = possible.includes(0);
  await evaluator.rows(arg, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const { values } = row;
      for (let i = 0; i < values.length; i++) values[i] = clamp(values[i] as number, least[i] as number, most[i] as number);
      if (!impossible) return drop(row);
      const has = new Uint8Array(values.length).map((_, i) => (possible[i] === 1 && isPresent(row, i) ? 1 : 0));
      if (has.includes(1)) drop({ ...row, has });
    },
  });
}

async function roundRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const to = call.args.length > 1 ? await ctx.query.evaluator.scalar(argument(call, 1), ctx) : new Float64Array(ctx.grid.count).fill(1);
  const arg = argument(call, 0);
  const drop = nameDropper(ctx, hasUniformName(arg), sink);
  await ctx.query.evaluator.rows(arg, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      const { values } = row;
      for (let i = 0; i < values.length; i++) values[i] = round(values[i] as number, to[i] as number);
      drop(row);
    },
  });
}

async function timestampRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const arg = argument(call, 0);
  const selector = unwrap(arg);
  const drop = nameDropper(ctx, hasUniformName(arg), sink);
  if (selector.kind === 'selector') return selectorTimes(selector, ctx, { keeps: sink.keeps, row: drop });
  const seconds = evaluationSeconds(ctx);
  await ctx.query.evaluator.rows(arg, ctx, {
    keeps: sink.keeps,
    row: (row) => {
      row.values.set(seconds);
      drop(row);
    },
    histograms: (row) => {
      const has = presenceOf(row);
      drop({ labels: row.labels, dropName: row.dropName, values: seconds.slice(), has: has.includes(0) ? has : null });
    },
  });
}

/** Only samples as they were stored say since when they count. */
async function startRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const arg = argument(call, 0);
  const selector = unwrap(arg);
  const drop = nameDropper(ctx, hasUniformName(arg), sink);
  if (selector.kind === 'selector') await selectorStarts(selector, ctx, { keeps: sink.keeps, row: drop });
}

async function vectorRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const values = await ctx.query.evaluator.scalar(argument(call, 0), ctx);
  sink.row({ labels: [], dropName: false, values, has: null });
}

/** Sorting shows in instant queries only; the result of a range query is sorted by labels whatever happens. */
async function sortRows(
  call: Call,
  ctx: Context,
  { sink, descending }: { readonly sink: Sink; readonly descending: boolean },
): Promise<void> {
  if (ctx.query.stepMs > 0) {
    warnOfSort(call, ctx);
    return ctx.query.evaluator.rows(argument(call, 0), ctx, sink);
  }
  const rows = [...(await collect(argument(call, 0), ctx))];
  const valueOf = (row: Row): number => row.values[0] ?? Number.NaN;
  rows.sort((a, b) => {
    const [x, y] = [valueOf(a), valueOf(b)];
    if (x !== x || y !== y) return Number(x !== x) - Number(y !== y);
    return descending ? y - x : x - y;
  });
  for (const row of rows) sink.row(row);
}

const KERNELS: ReadonlyMap<string, Kernel> = new Map<string, Kernel>([
  ['avg_over_time', overTime.avgOverTime],
  ['changes', overTime.changes],
  ['count_over_time', overTime.countOverTime],
  ['delta', extrapolated({ counter: false, perSecond: false })],
  ['deriv', deriv],
  ['first_over_time', overTime.firstOverTime],
  ['idelta', instantaneous(false)],
  ['increase', extrapolated({ counter: true, perSecond: false })],
  ['irate', instantaneous(true)],
  ['last_over_time', overTime.lastOverTime],
  ['mad_over_time', overTime.madOverTime],
  ['max_over_time', overTime.maxOverTime],
  ['min_over_time', overTime.minOverTime],
  ['present_over_time', overTime.presentOverTime],
  ['rate', extrapolated({ counter: true, perSecond: true })],
  ['resets', overTime.resets],
  ['stddev_over_time', overTime.stddevOverTime],
  ['stdvar_over_time', overTime.stdvarOverTime],
  ['sum_over_time', overTime.sumOverTime],
  ['ts_of_first_over_time', overTime.timeOfFirst],
  ['ts_of_last_over_time', overTime.timeOfLast],
  ['ts_of_max_over_time', overTime.timeOfMax],
  ['ts_of_min_over_time', overTime.timeOfMin],
]);

/** Range functions that keep the metric's name, since they give samples as they were. */
const KEEPS_NAME: ReadonlySet<string> = new Set(['last_over_time', 'first_over_time']);

/** Range functions that look at times alone. */
const NEEDS_NO_VALUES: ReadonlySet<string> = new Set([
  'count_over_time',
  'present_over_time',
  'ts_of_first_over_time',
  'ts_of_last_over_time',
]);

/** Range functions that look at every sample of each window, however much windows overlap; the others slide along or look at its ends. */
const WALKS_WINDOWS: ReadonlySet<string> = new Set([
  'changes',
  'deriv',
  'double_exponential_smoothing',
  'mad_over_time',
  'predict_linear',
  'quantile_over_time',
  'resets',
  'ts_of_max_over_time',
  'ts_of_min_over_time',
]);

async function windowRows(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const matrix = argument(call, call.func === 'quantile_over_time' ? 1 : 0);
  const source = unwrap(matrix);
  const extended = source.kind === 'matrix' ? source.selector.extended : undefined;
  const plain = extended === undefined ? KERNELS.get(call.func) : extendedKernel(extended, call, ctx.query.lookbackMs);
  const kernel = plain ?? (await kernelWithParameters(call, ctx));
  const { count } = ctx.grid;
  const buffer = new RowBuffer(count, sink);
  const into = KEEPS_NAME.has(call.func) ? sink : namelessSink(ctx, hasUniformName(matrix), sink);
  const mixed = mixedWindows(call, matrix, { ctx, kernel });
  const counter = call.func === 'rate' || call.func === 'increase';
  let lastName: string | undefined;
  const rolled = rolledKernel(call.func);
  const walks = extended !== undefined || WALKS_WINDOWS.has(call.func);
  const visit: WindowVisitor = (samples, windows) => {
    const { labels, dropName } = samples;
    if (walks) ctx.query.pointsSinceBreath += countWindowSamples(windows, call);
    if (isMixed(samples)) {
      const { values, has, histograms } = mixed(samples, windows);
      if (has.includes(1)) into.row({ labels, dropName, values, has: has.includes(0) ? has : null });
      if (histograms.some((each) => each !== undefined)) into.histograms?.({ labels, dropName, histograms });
      return;
    }
    const values = buffer.values();
    const has = buffer.has();
    const present = (samples.rolled === undefined ? kernel : (rolled ?? kernel))(samples, windows, values, has);
    if (present === 0) return buffer.release();
    if (counter) {
      const name = metricName(labels);
      if (name !== lastName) informOfGauge(name, matrix, ctx);
      lastName = name;
    }
    into.row({ labels, dropName, values, has: buffer.flags(present) });
  };
  const presence = extended === undefined && NEEDS_NO_VALUES.has(call.func);
  await walkWindows(matrix, ctx, visit, { statistic: statisticOf(call), presence, keeps: sink.keeps });
}

async function kernelWithParameters(call: Call, ctx: Context): Promise<Kernel> {
  const { evaluator } = ctx.query;
  switch (call.func) {
    case 'quantile_over_time': {
      const quantiles = await evaluator.scalar(argument(call, 0), ctx);
      warnOfQuantiles(quantiles, argument(call, 0), ctx);
      return overTime.quantileOverTime(quantiles);
    }
    case 'predict_linear': {
      const evaluatedAt = evaluationSeconds(ctx).map((seconds) => seconds * 1000);
      return predictLinear(evaluatedAt, await evaluator.scalar(argument(call, 1), ctx));
    }
    case 'double_exponential_smoothing': {
      const smoothing = await evaluator.scalar(argument(call, 1), ctx);
      return doubleExponentialSmoothing(smoothing, await evaluator.scalar(argument(call, 2), ctx));
    }
    default:
      // The parser refuses names without a signature, so this is a signature without a kernel.
      throw new Error(`BUG: expected a function over a range with parameters, found ${call.func}`);
  }
}
