import { histogramFraction, histogramQuantile } from '@nines/model/histogram-figures.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { type Labels, METRIC_NAME, labelValue, labelsKey, withLabels } from '@nines/model/labels.ts';
import { type Call, type Expr, unwrap } from '../ast.ts';
import { type BothRows, type Context, collectBoth, holdSamples, metricName, noteRepeat } from '../context.ts';
import { PromqlFailure } from '../promql-error.ts';
import { type HistogramRow, type Row, type Sink, isPresent } from '../row.ts';
import { formatValue } from '../value.ts';
import * as warnings from '../warnings.ts';
import { warnOfQuantiles } from '../warnings.ts';
import { isLabelName, textOf } from './labels.ts';

/** `histogram_quantile` and `histogram_fraction`, over classic histograms (cumulative buckets, one series per `le`) and native ones. */

const BUCKET_LABEL = 'le';
/** Buckets that differ by less than this part are taken as equal, the difference being a float's rounding. Source: Prometheus. */
const ROUNDING = 1e-12;

type Bucket = { readonly bound: number; readonly row: Row };
/** Rows that agree in all labels but `le` and the name: classic buckets sorted by bound, native histograms, or both by mistake. */
type Group = {
  readonly labels: Labels;
  readonly dropName: boolean;
  readonly name: string;
  readonly buckets: Bucket[];
  native: HistogramRow | undefined;
};
/** The buckets of one step, sorted, in arrays that are reused from step to step. */
type Step = { readonly bounds: number[]; readonly counts: number[]; size: number };

/** What is computed of one histogram at one step, in either form. */
type Compute = {
  readonly classic: (step: Step, index: number) => number;
  readonly native: (histogram: Histogram, index: number, name: string) => number;
};

export async function bucketQuantile(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [phiExpr, arg] = call.args;
  if (phiExpr === undefined || arg === undefined) return;
  const phis = await ctx.query.evaluator.scalar(phiExpr, ctx);
  warnOfQuantiles(phis, phiExpr, ctx);
  await histogramRows(arg, ctx, { sink, compute: quantileAt(phis, arg, ctx), informsOfForcing: true });
}

/** `histogram_quantiles(v, "label", φ…)`: one row per quantile, which a label names. */
export async function bucketQuantiles(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [arg, labelExpr, ...phiExprs] = call.args;
  if (arg === undefined || phiExprs.length === 0)
    throw new PromqlFailure('execution', 'histogram_quantiles needs a quantile', call.position);
  const label = textOf(labelExpr);
  if (!isLabelName(label)) throw new PromqlFailure('execution', `invalid label name "${label}"`, labelExpr?.position);
  noteRepeat(ctx.query);
  for (const phiExpr of phiExprs) {
    const phis = await ctx.query.evaluator.scalar(phiExpr, ctx);
    warnOfQuantiles(phis, phiExpr, ctx);
    const labelled: Sink = { keeps: sink.keeps, row: (row) => pushByQuantile(row, { phis, label, sink }) };
    await histogramRows(arg, ctx, { sink: labelled, compute: quantileAt(phis, arg, ctx), informsOfForcing: true });
  }
}

/** A quantile may change from step to step, and its label with it. */
function pushByQuantile(
  row: Row,
  { phis, label, sink }: { readonly phis: Float64Array; readonly label: string; readonly sink: Sink },
): void {
  for (const phi of new Set(phis)) {
    const has = phis.map((each) => Number(Object.is(each, phi)));
    const flags = Uint8Array.from(has, (flag, i) => (flag === 1 && isPresent(row, i) ? 1 : 0));
    if (!flags.includes(1)) continue;
    const text = formatOpenMetrics(phi);
    sink.row({
      ...row,
      labels: withLabels(row.labels, { [label]: text }),
      values: row.values.slice(),
      has: flags.includes(0) ? flags : null,
    });
  }
}

/** Numbers as OpenMetrics writes them, with a decimal point even in whole ones. */
function formatOpenMetrics(value: number): string {
  const text = formatValue(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

function quantileAt(phis: Float64Array, arg: Expr, ctx: Context): Compute {
  return {
    classic: (step, index) => quantile(phis[index] as number, step),
    native: (histogram, index, name) => {
      const { value, nanObservations } = histogramQuantile(phis[index] as number, histogram);
      if (nanObservations === 'nan') warnings.nanObservations('quantile', 'result is NaN', { name, at: arg, ctx });
      if (nanObservations === 'skewed') warnings.nanObservations('quantile', 'result is skewed higher', { name, at: arg, ctx });
      return value;
    },
  };
}

export async function bucketFraction(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [lowerExpr, upperExpr, arg] = call.args;
  if (lowerExpr === undefined || upperExpr === undefined || arg === undefined) return;
  const lower = await ctx.query.evaluator.scalar(lowerExpr, ctx);
  const upper = await ctx.query.evaluator.scalar(upperExpr, ctx);
  const compute: Compute = {
    classic: (step, index) => fraction(lower[index] as number, upper[index] as number, step),
    native: (histogram, index, name) => {
      if (histogram.count > 0 && Number.isNaN(histogram.sum))
        warnings.nanObservations('fraction', 'which are excluded from all fractions', { name, at: arg, ctx });
      return histogramFraction(lower[index] as number, upper[index] as number, histogram);
    },
  };
  await histogramRows(arg, ctx, { sink, compute, informsOfForcing: false });
}

type Wanted = { readonly sink: Sink; readonly compute: Compute; readonly informsOfForcing: boolean };

async function histogramRows(arg: Expr, ctx: Context, { sink, compute, informsOfForcing }: Wanted): Promise<void> {
  const { count } = ctx.grid;
  const step: Step = { bounds: [], counts: [], size: 0 };
  for (const group of groupBuckets(await collectBoth(arg, ctx), arg, ctx)) {
    holdSamples(ctx.query, count);
    const values = new Float64Array(count);
    const has = new Uint8Array(count);
    let present = 0;
    let forced = false;
    for (let i = 0; i < count; i++) {
      const native = group.native?.histograms[i];
      const classic = gather(group.buckets, i, step);
      if (native !== undefined && classic) warnings.mixedKinds(group.name, arg, ctx);
      if ((native !== undefined) === classic) continue;
      if (native !== undefined) values[i] = compute.native(native, i, group.name);
      else {
        if (tidy(step)) forced = true;
        values[i] = compute.classic(step, i);
      }
      has[i] = 1;
      present++;
    }
    if (forced && informsOfForcing) warnings.forcedMonotonicity(group.name, unwrap(arg), ctx);
    if (present > 0) sink.row({ labels: group.labels, dropName: group.dropName, values, has: present === count ? null : has });
  }
}

function groupBuckets({ rows, histograms }: BothRows, arg: Expr, ctx: Context): Iterable<Group> {
  const groups = new Map<string, Group>();
  const groupOf = (series: Labels): Group => {
    const labels = without(series);
    const key = labelsKey(labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = { labels, dropName: false, name: metricName(series), buckets: [], native: undefined };
      groups.set(key, group);
    }
    return group;
  };
  const natives = new Set(histograms.map((row) => labelsKey(row.labels)));
  for (const row of histograms) groupOf(row.labels).native = row;
  for (const row of rows) {
    const text = labelValue(row.labels, BUCKET_LABEL);
    const bound = boundOf(text);
    if (bound !== undefined) groupOf(row.labels).buckets.push({ bound, row });
    // Floats between the histograms of one series are no buckets that lost their bound.
    else if (!natives.has(labelsKey(row.labels))) warnings.badBound(metricName(row.labels), text, { at: unwrap(arg), ctx });
  }
  for (const group of groups.values()) group.buckets.sort((a, b) => a.bound - b.bound);
  return groups.values();
}

function without(labels: Labels): Labels {
  const rest: string[] = [];
  for (let i = 0; i < labels.length; i += 2) {
    const name = labels[i] ?? '';
    if (name !== BUCKET_LABEL && name !== METRIC_NAME) rest.push(name, labels[i + 1] ?? '');
  }
  return rest;
}

function boundOf(text: string): number | undefined {
  const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) return undefined;
  return Number(text);
}

/** The buckets present at a step, equal bounds added up. False when there is none. */
function gather(buckets: readonly Bucket[], index: number, step: Step): boolean {
  step.size = 0;
  for (const { bound, row } of buckets) {
    if (!isPresent(row, index)) continue;
    const count = row.values[index] as number;
    if (step.size > 0 && step.bounds[step.size - 1] === bound) step.counts[step.size - 1] = (step.counts[step.size - 1] as number) + count;
    else {
      step.bounds[step.size] = bound;
      step.counts[step.size] = count;
      step.size++;
    }
  }
  return step.size > 0;
}

/** Makes counts rise: rounding errors silently, real falls by lifting. Returns whether there was a real fall. */
function tidy({ counts, size }: Step): boolean {
  let forced = false;
  let previous = counts[0] as number;
  for (let i = 1; i < size; i++) {
    const current = counts[i] as number;
    if (current === previous) continue;
    if (almostEqual(previous, current)) counts[i] = previous;
    else if (current < previous) {
      counts[i] = previous;
      forced = true;
    } else previous = current;
  }
  return forced;
}

function almostEqual(a: number, b: number): boolean {
  if (a !== a || b !== b) return a !== a && b !== b;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < Number.MIN_VALUE * 2 ** 52) return difference < ROUNDING * Number.MIN_VALUE * 2 ** 52;
  return difference / Math.min(sum, Number.MAX_VALUE) < ROUNDING;
}

function quantile(phi: number, { bounds, counts, size }: Step): number {
  if (phi !== phi) return Number.NaN;
  if (phi < 0) return Number.NEGATIVE_INFINITY;
  if (phi > 1) return Number.POSITIVE_INFINITY;
  if (size < 2 || bounds[size - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  const observations = counts[size - 1] as number;
  if (observations === 0 || observations !== observations) return Number.NaN;
  const rank = phi * observations;
  let at = 0;
  while (at < size - 1 && !((counts[at] as number) >= rank)) at++;
  if (at === size - 1) return bounds[size - 2] as number;
  const upper = bounds[at] as number;
  if (at === 0 && upper <= 0) return upper;
  const lower = at > 0 ? (bounds[at - 1] as number) : 0;
  const below = at > 0 ? (counts[at - 1] as number) : 0;
  return lower + (upper - lower) * ((rank - below) / ((counts[at] as number) - below));
}

/** The share of observations in `(lower, upper]`, linear inside buckets. */
function fraction(lower: number, upper: number, step: Step): number {
  const { bounds, counts, size } = step;
  if (bounds[size - 1] !== Number.POSITIVE_INFINITY) return Number.NaN;
  const observations = counts[size - 1] as number;
  if (observations === 0 || observations !== observations || lower !== lower || upper !== upper) return Number.NaN;
  if (lower >= upper) return 0;
  return (rankOf(upper, step) - rankOf(lower, step)) / observations;
}

/** How many observations lie at or below `value`. */
function rankOf(value: number, { bounds, counts, size }: Step): number {
  const total = counts[size - 1] as number;
  if (value === Number.POSITIVE_INFINITY) return total;
  let below = 0;
  for (let i = 0; i < size; i++) {
    const upper = bounds[i] as number;
    const count = counts[i] as number;
    const lower = i > 0 ? (bounds[i - 1] as number) : upper > 0 ? 0 : Number.NEGATIVE_INFINITY;
    if (value <= lower) return below;
    if (value < upper) {
      if (lower === Number.NEGATIVE_INFINITY || upper === Number.POSITIVE_INFINITY) return below;
      return below + ((count - below) * (value - lower)) / (upper - lower);
    }
    below = count;
  }
  return total;
}
