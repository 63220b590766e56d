import { type Labels, METRIC_NAME, labelValue, labelsKey } from '@nines/model/labels.ts';
import { type Call, unwrap } from '../ast.ts';
import { type Context, collect, holdSamples, metricName } from '../context.ts';
import { type Row, type Sink, isPresent } from '../row.ts';
import { warnOfQuantiles } from '../warnings.ts';

/** `histogram_quantile` and `histogram_fraction` over classic histograms: cumulative buckets, one series per `le`. */

const BUCKET_LABEL = 'le';
/** Buckets that differ by less than this part are taken as equal, the difference being a float's rounding. Source: Prometheus. */
const ROUNDING = 1e-12;

type Bucket = { readonly bound: number; readonly row: Row };
type Histogram = { readonly labels: Labels; readonly dropName: boolean; readonly name: string; readonly buckets: Bucket[] };
/** The buckets of one step, sorted, in arrays that are reused from step to step. */
type Step = { readonly bounds: number[]; readonly counts: number[]; size: number };

type Compute = (step: Step, index: number) => number;

export async function bucketQuantiles(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [phiExpr, arg] = call.args;
  if (phiExpr === undefined || arg === undefined) return;
  const phis = await ctx.query.evaluator.scalar(phiExpr, ctx);
  warnOfQuantiles(phis, phiExpr, ctx);
  await histogramRows(call, ctx, { sink, compute: (step, index) => quantile(phis[index] as number, step) });
}

export async function bucketFraction(call: Call, ctx: Context, sink: Sink): Promise<void> {
  const [lowerExpr, upperExpr] = call.args;
  if (lowerExpr === undefined || upperExpr === undefined) return;
  const lower = await ctx.query.evaluator.scalar(lowerExpr, ctx);
  const upper = await ctx.query.evaluator.scalar(upperExpr, ctx);
  await histogramRows(call, ctx, { sink, compute: (step, index) => fraction(lower[index] as number, upper[index] as number, step) });
}

async function histogramRows(
  call: Call,
  ctx: Context,
  { sink, compute }: { readonly sink: Sink; readonly compute: Compute },
): Promise<void> {
  const arg = call.args.at(-1);
  if (arg === undefined) return;
  const { count } = ctx.grid;
  const histograms = groupBuckets(await collect(arg, ctx), (name, value) => {
    const of = name === '' ? '' : ` for metric name "${name}"`;
    ctx.query.annotations.warn(`bucket label "le" is missing or has a malformed value of "${value}"${of}`, unwrap(arg).position);
  });
  const step: Step = { bounds: [], counts: [], size: 0 };
  for (const histogram of histograms) {
    holdSamples(ctx.query, count);
    const values = new Float64Array(count);
    const has = new Uint8Array(count);
    let present = 0;
    let forced = false;
    for (let i = 0; i < count; i++) {
      if (!gather(histogram.buckets, i, step)) continue;
      if (tidy(step)) forced = true;
      values[i] = compute(step, i);
      has[i] = 1;
      present++;
    }
    if (forced && call.func === 'histogram_quantile') {
      const of = histogram.name === '' ? '' : ` for metric name "${histogram.name}"`;
      ctx.query.annotations.info(
        `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${of}`,
        unwrap(arg).position,
      );
    }
    if (present > 0) sink.row({ labels: histogram.labels, dropName: histogram.dropName, values, has: present === count ? null : has });
  }
}

/** Rows that agree in all labels but `le` and the name, buckets sorted by bound. */
function groupBuckets(rows: readonly Row[], onBadBound: (name: string, value: string) => void): Iterable<Histogram> {
  const groups = new Map<string, Histogram>();
  for (const row of rows) {
    const text = labelValue(row.labels, BUCKET_LABEL);
    const bound = boundOf(text);
    if (bound === undefined) {
      onBadBound(metricName(row.labels), text);
      continue;
    }
    const labels = without(row.labels);
    const key = labelsKey(labels);
    let group = groups.get(key);
    if (group === undefined) {
      group = { labels, dropName: false, name: metricName(row.labels), buckets: [] };
      groups.set(key, group);
    }
    group.buckets.push({ bound, row });
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
