import type { Matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { sortInTurns } from '@nines/base/sort.ts';
import type { ExpositionFormat } from '@nines/model/exposition.ts';
import { printExposition } from '@nines/model/exposition-print.ts';
import { type Labels, METRIC_NAME, compareLabels, compareText, labelValue, labelsKey } from '@nines/model/labels.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { Queryable, SelectOptions } from '@nines/model/storage.ts';

/**
 * `/federate`: the newest sample of each selected series, as an exposition that another server scrapes. As Prometheus does it:
 * every family untyped, every sample with its timestamp, series that ended left out, external labels where they are missing, and an empty `instance` where there is
 * none, so that the scraping server adds none of its own. Source: prometheus web/federate.go.
 */
export type Newest = { readonly labels: Labels; readonly atMs: number; readonly value: number };
export type NewestAsk = {
  readonly selectors: readonly (readonly Matcher[])[];
  readonly atMs: number;
  /** How old a newest sample may be. */
  readonly lookbackMs: number;
};
export type NewestError = { readonly type: 'execution'; readonly message: string };

/** Series of one answer; a million of them are about 100 MB of text. */
export const MAX_FEDERATED_SERIES = 1_000_000;
/** Characters handed on at a time. */
const PIECE_CHARS = 64 * 1024;
/** Samples of one family that are printed at a time. */
const PIECE_SAMPLES = 500;

/** Sorted by metric name, then by labels; native histograms, which the text formats cannot hold, are left out. */
export async function newestSamples(
  queryable: Queryable,
  { selectors, atMs, lookbackMs }: NewestAsk,
  options: Pick<SelectOptions, 'scope' | 'signal' | 'yieldNow'>,
): Promise<Result<readonly Newest[], NewestError>> {
  const seen = selectors.length > 1 ? new Set<string>() : undefined;
  const found: Newest[] = [];
  // A sample exactly as old as the lookback still counts here, unlike in a query.
  const range = { fromMs: atMs - lookbackMs, toMs: atMs };
  for (const matchers of selectors) {
    for (const { labels, times, values, histograms } of await queryable.select(matchers, range, {
      ...options,
      newest: true,
      reuse: true,
    })) {
      const last = times.length - 1;
      if (last < 0 || histograms?.[last] !== undefined || isStale(bitsOf(values), last)) continue;
      const key = seen === undefined ? '' : labelsKey(labels);
      if (seen?.has(key) === true || labelValue(labels, METRIC_NAME) === '') continue;
      seen?.add(key);
      if (found.length >= MAX_FEDERATED_SERIES)
        return err({ type: 'execution', message: `more than ${MAX_FEDERATED_SERIES} series are selected; narrow match[]` });
      found.push({ labels, atMs: times[last] ?? 0, value: values[last] ?? Number.NaN });
      const turn = options.yieldNow?.();
      if (turn !== undefined) await turn;
    }
  }
  return ok(await sortInTurns(found, byNameThenLabels, () => options.yieldNow?.()));
}

function byNameThenLabels(a: Newest, b: Newest): number {
  return compareText(labelValue(a.labels, METRIC_NAME), labelValue(b.labels, METRIC_NAME)) || compareLabels(a.labels, b.labels);
}

/** The exposition in pieces of text. */
export function* federationText(
  samples: readonly Newest[],
  format: ExpositionFormat,
  externalLabels: Readonly<Record<string, string>> = {},
): Generator<string> {
  const added = Object.entries({ instance: '', ...externalLabels }).sort(([a], [b]) => compareText(a, b));
  let piece = '';
  let name: string | undefined;
  for (let from = 0; from < samples.length; ) {
    const family = labelValue(samples[from]?.labels ?? [], METRIC_NAME);
    let to = from + 1;
    while (to < samples.length && to - from < PIECE_SAMPLES && labelValue(samples[to]?.labels ?? [], METRIC_NAME) === family) to++;
    const printed = samples.slice(from, to).map(({ labels, value, atMs }) => ({ labels: withMissing(labels, added), value, atMs }));
    const text = printExposition([{ name: family, type: 'unknown', help: '', unit: '', samples: printed }], format);
    piece += continued(text, { format, sameFamily: family === name });
    name = family;
    from = to;
    if (piece.length < PIECE_CHARS) continue;
    yield piece;
    piece = '';
  }
  yield format === 'openmetrics' ? `${piece}# EOF\n` : piece;
}

/** Without the heading of a family that has one already, and without the end of a text that goes on. */
function continued(text: string, { format, sameFamily }: { readonly format: ExpositionFormat; readonly sameFamily: boolean }): string {
  const body = format === 'openmetrics' ? text.slice(0, -'# EOF\n'.length) : text;
  return sameFamily ? body.slice(body.indexOf('\n') + 1) : body;
}

/** External labels stand behind those of the series, as Prometheus prints them. */
const withMissing = (labels: Labels, added: readonly (readonly [string, string])[]): Labels => [
  ...labels,
  ...added.filter(([name]) => labelValue(labels, name) === '').flat(),
];
