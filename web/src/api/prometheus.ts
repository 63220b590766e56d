import { request, withQuery } from './client.ts';

export type RangeSeries = {
  readonly labels: Readonly<Record<string, string>>;
  readonly points: readonly (readonly [atMs: number, value: number])[];
};

type Matrix = {
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
};

/** Prometheus writes values as text: `NaN`, `+Inf`, `-Inf` or a decimal. */
function parseValue(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
}

export type RangeQuery = { readonly expr: string; readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

/** A PromQL range query; instants come back in Unix milliseconds, `to` included as Prometheus does. */
export async function rangeQuery(query: RangeQuery, signal?: AbortSignal): Promise<readonly RangeSeries[]> {
  const path = withQuery('/api/v1/query_range', {
    query: query.expr,
    start: query.fromMs / 1000,
    end: query.toMs / 1000,
    step: query.stepMs / 1000,
  });
  return readMatrix(path, signal);
}

type Instant = {
  readonly data:
    | {
        readonly resultType: 'vector';
        readonly result: readonly { readonly metric: Readonly<Record<string, string>>; readonly value: readonly [number, string] }[];
      }
    | { readonly resultType: 'scalar'; readonly result: readonly [number, string] }
    | { readonly resultType: 'string' | 'matrix' };
};

const pointOf = ([seconds, text]: readonly [number, string]) => [Math.round(seconds * 1000), parseValue(text)] as const;

/** What an expression says at an instant, or now: one point a series. */
export async function instantQuery(
  { expr, atMs }: { readonly expr: string; readonly atMs?: number },
  signal?: AbortSignal,
): Promise<readonly RangeSeries[]> {
  const path = withQuery('/api/v1/query', { query: expr, time: atMs === undefined ? undefined : atMs / 1000 });
  const { data } = await request<Instant>(path, signal === undefined ? {} : { signal });
  if (data.resultType === 'vector') return data.result.map(({ metric, value }) => ({ labels: metric, points: [pointOf(value)] }));
  return data.resultType === 'scalar' ? [{ labels: {}, points: [pointOf(data.result)] }] : [];
}

export type SamplesQuery = { readonly expr: string; readonly fromMs: number; readonly toMs: number };

/** The stored samples of a selector within `(from, to]`, each at its own instant. */
export function storedSamples({ expr, fromMs, toMs }: SamplesQuery, signal?: AbortSignal): Promise<readonly RangeSeries[]> {
  const seconds = Math.ceil((toMs - fromMs) / 1000);
  return readMatrix(withQuery('/api/v1/query', { query: `${expr}[${seconds}s]`, time: toMs / 1000 }), signal);
}

async function readMatrix(path: string, signal: AbortSignal | undefined): Promise<readonly RangeSeries[]> {
  const matrix = await request<Matrix>(path, signal === undefined ? {} : { signal });
  return matrix.data.result.map((one) => ({
    labels: one.metric,
    points: one.values.map(([seconds, text]) => [Math.round(seconds * 1000), parseValue(text)] as const),
  }));
}
