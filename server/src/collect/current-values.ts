import { AppError } from '@nines/base/errors.ts';
import { globPattern } from '@nines/base/glob.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { METRIC_NAME, type Labels, compareLabels, labelPairs, labelValue } from '@nines/model/labels.ts';
import { isClassicMetricName } from '@nines/model/series-text.ts';
import type { Aliases } from './aliases.ts';
import type { SampleQuery } from './contract.ts';
import { refuseMetric } from './figures.ts';
import type { Metadata } from './metadata-book.ts';

/** `GET /api/metrics`: the newest value of any series, with what is known about its metric. */
export type CurrentValue = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly category: string | null;
  readonly metadata: Readonly<Record<string, string | number | boolean | null>>;
};
export type CurrentValues = { readonly at_ms: number; readonly items: readonly CurrentValue[]; readonly next: string | null };

/** Items per page, unless asked for fewer or more. */
export const PAGE_ITEMS = { default: 500, most: 5_000 };

export type ValuesDeps = { readonly query: SampleQuery; readonly metadata: Metadata; readonly aliases: Aliases };
export type ValuesRequest = {
  readonly atMs: number;
  readonly metric: string | undefined;
  readonly limit: number;
  readonly cursor: string | undefined;
};

/**
 * `metric` is a dotted alias, a metric name, a glob over names (`system.*`, `node_load?`) or a selector; all series when absent.
 * Pages follow the order of labels; the cursor is the number of items before it.
 */
export async function currentValues({ query, metadata, aliases }: ValuesDeps, request: ValuesRequest): Promise<CurrentValues> {
  const from = request.cursor === undefined ? 0 : Number(request.cursor);
  if (!Number.isSafeInteger(from) || from < 0)
    throw new AppError('bad_input', 'invalid_cursor', 'cursor is not one that an answer gave', { field: 'cursor' });
  const asked = exprsOf(request.metric, aliases);
  const found = await Promise.all(
    asked.map(async ({ name, expr }) =>
      (await query.instant(expr, request.atMs).catch(refuseMetric)).map(({ labels, value }) => ({
        name: name ?? labelValue(labels, METRIC_NAME),
        labels,
        value,
      })),
    ),
  );
  const all = found.flat().sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : compareLabels(a.labels, b.labels)));
  const items = all
    .slice(from, from + request.limit)
    .map(({ name, labels, value }) => describe(name, labels, value, { metadata, aliases }));
  return { at_ms: request.atMs, items, next: from + request.limit < all.length ? String(from + request.limit) : null };
}

function describe(
  name: string,
  labels: Labels,
  value: number,
  { metadata, aliases }: Pick<ValuesDeps, 'metadata' | 'aliases'>,
): CurrentValue {
  const alias = aliases.resolve(name);
  const known = metadata.ofSeries(name);
  const others: Record<string, string> = Object.create(null);
  for (const [label, text] of labelPairs(labels)) if (label !== METRIC_NAME) others[label] = text;
  return {
    name,
    labels: others,
    // JSON has no infinities.
    value: Number.isFinite(value) ? value : String(value).replace('Infinity', 'Inf'),
    type: alias === undefined ? (known?.type ?? 'unknown') : 'gauge',
    unit: alias?.unit ?? known?.unit ?? '',
    help: alias?.help ?? known?.help ?? '',
    category: known?.category ?? null,
    metadata: known?.attributes ?? {},
  };
}

type Asked = { readonly name?: string; readonly expr: string };

/** What to evaluate for a `metric`. Aliases that a glob matches come beside the series whose names it matches. */
export function exprsOf(metric: string | undefined, aliases: Aliases): readonly Asked[] {
  if (metric === undefined || metric === '' || metric === '*') return [{ expr: '{__name__!=""}' }];
  const alias = aliases.resolve(metric);
  if (alias !== undefined) return [{ name: alias.name, expr: alias.expr }];
  if (metric.includes('{')) return [{ expr: metric }];
  if (/[*?]/.test(metric)) {
    const pattern = globPattern(metric);
    const glob = compileRegex(pattern);
    if (!glob.ok) throw new AppError('bad_input', 'invalid_metric', glob.error, { field: 'metric' });
    const matched = aliases.list.filter(({ name }) => glob.value.matchesWhole(name));
    return [...matched.map(({ name, expr }) => ({ name, expr })), { expr: `{__name__=~${JSON.stringify(pattern)}}` }];
  }
  return [{ expr: isClassicMetricName(metric) ? metric : `{__name__=${JSON.stringify(metric)}}` }];
}
