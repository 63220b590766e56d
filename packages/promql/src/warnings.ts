import type { Call, Expr } from './ast.ts';
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
