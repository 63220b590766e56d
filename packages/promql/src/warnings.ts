import type { Binary, Call, Expr } from './ast.ts';
import type { Context } from './context.ts';
import { formatShort } from './value.ts';

/** Annotations that several parts of the engine make, in Prometheus' words. */

/** Once per query for each value outside 0 to 1. */
export function warnOfQuantiles(quantiles: Float64Array, at: Expr, { query }: Context): void {
  for (const quantile of new Set(quantiles))
    if (!(quantile >= 0 && quantile <= 1))
      query.annotations.warn(`quantile value should be between 0 and 1, got ${formatShort(quantile)}`, at.position);
}

export function warnOfSort(call: Call, { query }: Context): void {
  query.annotations.warn('sort is ineffective for range queries since results are always ordered by labels', call.position);
}

export function informOfGauge(name: string, matrix: Expr, { query }: Context): void {
  if (name === '' || /_(?:total|sum|count|bucket)$/.test(name)) return;
  query.annotations.info(`metric might not be a counter, name does not end in _total/_sum/_count/_bucket: "${name}"`, matrix.position);
}

const named = (name: string): string => (name === '' ? '' : ` for metric name "${name}"`);

export function mixedSamples(name: string, at: Expr, { query }: Context): void {
  query.annotations.warn(`encountered a mix of histograms and floats${named(name)}`, at.position);
}

export function mixedSamplesInAggregation(at: Expr, { query }: Context): void {
  query.annotations.warn('encountered a mix of histograms and floats for aggregation', at.position);
}

export function mixedBuckets(name: string, at: Expr, { query }: Context): void {
  query.annotations.warn(`vector contains a mix of histograms with exponential and custom buckets schemas${named(name)}`, at.position);
}

export function mixedKinds(name: string, at: Expr, { query }: Context): void {
  query.annotations.warn(`vector contains a mix of classic and native histograms${named(name)}`, at.position);
}

export function notCounter(name: string, at: Expr, { query }: Context): void {
  query.annotations.warn(`this native histogram metric is not a counter: "${name}"`, at.position);
}

export function notGauge(name: string, at: Expr, { query }: Context): void {
  query.annotations.warn(`this native histogram metric is not a gauge: "${name}"`, at.position);
}

export type Doing = 'addition' | 'subtraction' | 'aggregation';

export function reconciled(doing: Doing, at: Expr, { query }: Context): void {
  query.annotations.info(`mismatched custom buckets were reconciled during ${doing}`, at.position);
}

export function resetCollision(doing: Doing, at: Expr, { query }: Context): void {
  query.annotations.warn(`conflicting counter resets during histogram ${doing}`, at.position);
}

export function histogramsIgnored(name: string, at: Expr, { query }: Context): void {
  query.annotations.info(`ignored histograms in a range containing both floats and histograms${named(name)}`, at.position);
}

export function histogramsIgnoredInAggregation(op: string, at: Expr, { query }: Context): void {
  query.annotations.info(`ignored histogram in ${op} aggregation`, at.position);
}

export type SampleKind = 'float' | 'histogram';

export function incompatibleTypes(expr: Binary, [left, right]: readonly [SampleKind, SampleKind], { query }: Context): void {
  query.annotations.info(
    `incompatible sample types encountered for binary operator "${expr.op}": ${left} ${expr.op} ${right}`,
    expr.position,
  );
}

export function incompatibleBuckets(expr: Binary, { query }: Context): void {
  query.annotations.warn(`incompatible bucket layout encountered for binary operator ${expr.op}`, expr.position);
}

export function nanObservations(
  func: 'quantile' | 'fraction',
  effect: string,
  { name, at, ctx }: { readonly name: string; readonly at: Expr; readonly ctx: Context },
): void {
  ctx.query.annotations.info(`input to histogram_${func} has NaN observations, ${effect}${named(name)}`, at.position);
}

export function badBound(name: string, value: string, { at, ctx }: { readonly at: Expr; readonly ctx: Context }): void {
  ctx.query.annotations.warn(`bucket label "le" is missing or has a malformed value of "${value}"${named(name)}`, at.position);
}

export function forcedMonotonicity(name: string, at: Expr, { query }: Context): void {
  query.annotations.info(
    `input to histogram_quantile needed to be fixed for monotonicity (see https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)${named(name)}`,
    at.position,
  );
}

export function overlappingStart(name: string, at: Expr, { query }: Context): void {
  query.annotations.warn(`sample has start time that overlaps with previous sample timestamp for metric "${name}"`, at.position);
}
