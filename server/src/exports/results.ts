import { isoText } from '@nines/base/iso-text.ts';
import { literalPattern } from '@nines/base/glob.ts';
import { type Matcher, mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { METRIC_NAME, labelValue } from '@nines/model/labels.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { Queryable, SelectOptions, SeriesColumns } from '@nines/model/storage.ts';
import { type Row, type Table, inPieces } from './rows.ts';

const COLUMNS = ['service', 'check', 'location', 'at', 'outcome', 'duration_seconds'] as const;
const SERIES = ['probe_success', 'probe_degraded', 'probe_duration_seconds'] as const;
type Name = (typeof SERIES)[number];

export type ResultFilter = { readonly checks: readonly string[]; readonly services: readonly string[]; readonly span: Span };
type Reading = Pick<SelectOptions, 'scope' | 'signal' | 'yieldNow'>;

/** The results of checks as their series keep them, by check and time. */
export const resultTable = (queryable: Queryable, filter: ResultFilter, reading: Reading): Table => ({
  columns: COLUMNS,
  batches: batches(queryable, filter, reading),
});

async function* batches(queryable: Queryable, { checks, services, span }: ResultFilter, reading: Reading): AsyncGenerator<readonly Row[]> {
  const common = [mustMatcher('job', '=', 'nines'), ...oneOf('check', checks), ...oneOf('service', services)];
  const success = mustMatcher(METRIC_NAME, '=', 'probe_success');
  const names = mustMatcher(METRIC_NAME, '=~', SERIES.join('|'));
  for (const check of await queryable.labelValues('check', [success, ...common], lastIncluded(span), reading)) {
    const matchers = [names, ...common, mustMatcher('check', '=', check)];
    yield* inPieces(span, async (piece) => rowsOf(await seriesOf(queryable, matchers, piece, reading)));
  }
}

const oneOf = (label: string, values: readonly string[]): readonly Matcher[] =>
  values.length === 0 ? [] : [mustMatcher(label, '=~', values.map(literalPattern).join('|'))];
/** The store's ranges include their end. */
const lastIncluded = ({ fromMs, toMs }: Span): Span => ({ fromMs, toMs: epochMs(toMs - 1) });

type Seen = Partial<Record<Name, SeriesColumns>>;

/** The series of each place that asked: one, unless the check has locations or moved to another target. */
async function seriesOf(queryable: Queryable, matchers: readonly Matcher[], piece: Span, reading: Reading): Promise<readonly Seen[]> {
  const places = new Map<string, Seen>();
  for (const columns of await queryable.select(matchers, lastIncluded(piece), reading)) {
    const { labels } = columns;
    const place = JSON.stringify(['service', 'location', 'instance', 'kind'].map((label) => labelValue(labels, label)));
    places.set(place, { ...places.get(place), [labelValue(labels, METRIC_NAME)]: columns });
  }
  return [...places.values()];
}

function rowsOf(places: readonly Seen[]): readonly Row[] {
  return places.flatMap(({ probe_success: success, probe_degraded: degraded, probe_duration_seconds: duration }) => {
    if (success === undefined) return [];
    const { labels, times, values } = success;
    const bits = bitsOf(values);
    const who = [labelValue(labels, 'service'), labelValue(labels, 'check'), labelValue(labels, 'location') || null] as const;
    const [degradedAt, lengthAt] = [valuesAt(degraded), valuesAt(duration)];
    const rows: Row[] = [];
    for (let i = 0; i < times.length; i++) {
      if (isStale(bits, i)) continue;
      const atMs = times[i] ?? 0;
      const outcome = values[i] !== 1 ? 'down' : degradedAt(atMs) === 1 ? 'degraded' : 'up';
      rows.push([...who, isoText(atMs), outcome, lengthAt(atMs) ?? null]);
    }
    return rows;
  });
}

/** The value at an instant, asked for in ascending order. */
function valuesAt(columns: SeriesColumns | undefined): (atMs: number) => number | undefined {
  if (columns === undefined) return () => undefined;
  const { times, values } = columns;
  const bits = bitsOf(values);
  let i = 0;
  return (atMs) => {
    while (i < times.length && (times[i] ?? 0) < atMs) i++;
    return times[i] === atMs && !isStale(bits, i) ? values[i] : undefined;
  };
}
