import type { Matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { Exemplar } from '@nines/model/exemplar.ts';
import type { SeriesExemplars } from '@nines/model/exemplar-ring.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { selectorsOf } from '@nines/promql/selectors.ts';
import { formatValue } from '@nines/promql/value.ts';
import { encodeLabels, formatTime } from './encode.ts';
import { END_BEFORE_START, type Params, metaRange } from './params.ts';

/** `/api/v1/query_exemplars`: whose, and from when to when. Source: prometheus web/api/v1/api.go, queryExemplars. */
export type ExemplarQuestion = {
  readonly selectors: readonly (readonly Matcher[])[];
  /** Both ends inclusive. */
  readonly span: { readonly fromMs: number; readonly toMs: number };
};

/** Every selector of the query counts, its offsets and ranges do not. */
export function exemplarParams(params: Params): Result<ExemplarQuestion, string> {
  const span = metaRange(params);
  if (!span.ok) return err(span.error === END_BEFORE_START ? 'end timestamp must not be before start timestamp' : span.error);
  const parsed = parseExpr(params.get('query') ?? '');
  if (!parsed.ok) return err(parsed.error.message);
  return ok({ selectors: selectorsOf(parsed.value).map(({ matchers }) => matchers), span: span.value });
}

export function encodeExemplars(found: readonly SeriesExemplars[]): string {
  const series = found.map(
    ({ labels, exemplars }) => `{"seriesLabels":${encodeLabels(labels)},"exemplars":[${exemplars.map(encodeExemplar).join(',')}]}`,
  );
  return `{"status":"success","data":[${series.join(',')}]}`;
}

const encodeExemplar = ({ labels, value, atMs }: Exemplar): string =>
  `{"labels":${encodeLabels(labels)},"value":"${formatValue(value)}","timestamp":${formatTime(atMs)}}`;
