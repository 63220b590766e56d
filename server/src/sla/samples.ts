import { AppError } from '@nines/base/errors.ts';
import { epochMs } from '@nines/base/units.ts';
import { floatsOf } from '@nines/model/float-samples.ts';
import { formatLabels } from '@nines/model/labels.ts';
import type { Queryable } from '@nines/model/storage.ts';
import type { Engine } from '@nines/promql/engine.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { SlicedColumns, SampleReader } from './judge.ts';

/** Points of one evaluation; below the engine's own limit of 11 000. */
const MAX_POINTS = 10_000;

/**
 * Reads samples for threshold indicators. A plain selector gives the stored samples themselves, so that a slice's mean is that
 * of what was measured; anything else is evaluated at steps. Rejects with `AppError` `sla_query_failed` when it cannot be.
 */
export function createSampleReader(deps: { readonly engine: Engine; readonly queryable: Queryable }): SampleReader {
  return async (query, range, signal) => {
    const parsed = parseExpr(query);
    if (!parsed.ok) throw failed(parsed.error.message);
    const expr = parsed.value;
    if (expr.kind === 'selector' && expr.at === undefined && expr.offset === undefined) {
      const span = { fromMs: range.fromMs, toMs: range.toMs - 1 };
      return Array.from(await deps.queryable.select(expr.matchers, span, signal === undefined ? {} : { signal }), floatsOf);
    }
    const columns: SlicedColumns[] = [];
    for (let fromMs: number = range.fromMs; fromMs < range.toMs; fromMs += MAX_POINTS * range.stepMs) {
      const toMs = epochMs(Math.min(range.toMs, fromMs + MAX_POINTS * range.stepMs));
      columns.push(...(await evaluate(deps, query, { ...range, fromMs: epochMs(fromMs), toMs }, signal)));
    }
    return columns;
  };
}

async function evaluate(
  deps: { readonly engine: Engine; readonly queryable: Queryable },
  query: string,
  range: Parameters<SampleReader>[1],
  signal: AbortSignal | undefined,
): Promise<readonly SlicedColumns[]> {
  const found = await deps.engine.range(query, {
    queryable: deps.queryable,
    startMs: range.fromMs,
    endMs: range.toMs - 1,
    stepMs: range.stepMs,
    ...(signal === undefined ? {} : { signal }),
  });
  if (!found.ok) throw failed(found.error.message);
  const series = found.value.value.kind === 'matrix' ? found.value.value.series.map(floatsOf) : [];
  if (series.length > 1) {
    throw failed(
      `it gives ${series.length} series where one is needed, the first is ${formatLabels(series[0]?.labels ?? [])}; write sum(…) or avg(…)`,
    );
  }
  return series;
}

const failed = (reason: string): AppError => new AppError('unavailable', 'sla_query_failed', `the query of an SLA failed: ${reason}`);
