import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import {
  type QueryWire,
  type SeriesWire,
  aliasesQuery,
  anomaliesQuery,
  forecastQuery,
  seasonalityQuery,
  storedSeriesQuery,
} from '../api/analytics.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { shortLengthText } from '../figures/length.ts';
import { countText } from '../figures/quantity.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { seriesKey } from './completion.ts';
import { ForecastPart } from './forecast-part.tsx';
import { HistoryPart } from './history-part.tsx';
import { RelatedPart } from './related-part.tsx';
import { type AnalyticsSearch, type SearchChange, lengthMsOf, questionOf } from './search.ts';
import { SeasonPart } from './season-part.tsx';
import { SeriesForm } from './series-form.tsx';
import { Suggestions } from './suggestions.tsx';
import { type UnitText, unitOf, unitText } from './units.ts';
import { isRefused, trendSentence } from './words.ts';

type Props = { readonly search: AnalyticsSearch; readonly onSearch: (change: SearchChange) => void };

/** One series: what it does, what it will do, its rhythm, and what moves with it. */
export function SeriesView({ search, onSearch }: Props) {
  const { q = '' } = search;
  const { window, step } = questionOf(search);
  const found = useQuery(storedSeriesQuery(q, window, step));
  const set = (change: SearchChange) =>
    onSearch(change.q === undefined || change.q === q ? change : { ...change, series: undefined, at: undefined });
  return (
    <>
      <SeriesForm search={search} onSearch={set} />
      {q === '' ? <Suggestions onPick={(expr) => set({ q: expr })} /> : <Waiting query={found} what={t('the series')} />}
      {q === '' || found.data === undefined ? null : found.data.series.length === 0 ? (
        <EmptyState>
          {t('Nothing that {q} names or selects has a value in the last {length}. Browse shows every metric there is.', {
            q,
            length: shortLengthText(lengthMsOf(window)),
          })}
        </EmptyState>
      ) : (
        <Found search={search} onSearch={set} found={found.data} />
      )}
    </>
  );
}

function Found({ search, onSearch, found }: Props & { readonly found: QueryWire }) {
  const aliases = useQuery(aliasesQuery());
  const series = found.series.find((one) => seriesKey(one) === search.series) ?? found.series[0];
  if (series === undefined) return null;
  const unit = (one: SeriesWire): string => unitOf(one.name, one.expr, aliases.data?.items ?? []);
  const textOf = (one: SeriesWire): UnitText => unitText(unit(one));
  return (
    <>
      {found.series.length === 1 ? null : (
        <Section title={t('Which one')} aside={t('{series} series', { series: found.series.length })}>
          <div className="panel series-list" role="region" aria-label={t('Found series')} tabIndex={0}>
            <DataTable
              caption={t('Found series')}
              columns={columns(series, textOf, (one) => onSearch({ series: seriesKey(one), at: undefined }))}
              rows={found.series}
              rowKey={seriesKey}
              rowClass={(one) => (one === series ? 'chosen' : '')}
            />
          </div>
        </Section>
      )}
      <One
        key={seriesKey(series)}
        search={search}
        onSearch={onSearch}
        found={found}
        series={series}
        unit={unit(series)}
        text={textOf(series)}
      />
    </>
  );
}

const columns = (
  chosen: SeriesWire,
  textOf: (one: SeriesWire) => UnitText,
  pick: (one: SeriesWire) => void,
): readonly Column<SeriesWire>[] => [
  {
    id: 'name',
    header: t('Series'),
    cell: (one) => (
      <button type="button" className="plain-button mono wrap-anywhere" aria-pressed={one === chosen} onClick={() => pick(one)}>
        {seriesKey(one)}
      </button>
    ),
  },
  { id: 'last', header: t('Last'), label: t('Last'), numeric: true, cell: (one) => textOf(one)(one.summary.last) },
  { id: 'median', header: t('Median'), label: t('Median'), numeric: true, cell: (one) => textOf(one)(one.summary.median) },
  { id: 'p95', header: t('95th percentile'), label: t('95th percentile'), numeric: true, cell: (one) => textOf(one)(one.summary.p95) },
  {
    id: 'trend',
    header: t('Trend'),
    label: t('Trend'),
    cell: (one) => trendCell(one, textOf(one)),
  },
];

function trendCell({ trend }: SeriesWire, text: UnitText): string {
  if (isRefused(trend)) return fromServer(trend.message);
  if (trend.direction === 'none') return t('none');
  const by = text(Math.abs(trend.per_day));
  return trend.direction === 'rising' ? t('rising by {by} a day', { by }) : t('falling by {by} a day', { by });
}

export type PartProps = {
  readonly search: AnalyticsSearch;
  readonly onSearch: (change: SearchChange) => void;
  readonly found: QueryWire;
  readonly series: SeriesWire;
  /** Names the points in keys of queries. */
  readonly stamp: string;
  readonly text: UnitText;
};

const sentenceOf = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

function One({ found, series, unit, ...props }: Omit<PartProps, 'stamp'> & { readonly unit: string }) {
  const { ahead, method, sensitivity } = questionOf(props.search);
  const stamp = `${seriesKey(series)} ${series.expr} ${found.from_at_ms} ${found.to_at_ms} ${found.step_ms}`;
  const horizon = Math.max(1, Math.round(lengthMsOf(ahead) / found.step_ms));
  const anomalies = useQuery(anomaliesQuery(stamp, series.points, { method, sensitivity, unit }));
  const seasons = useQuery(seasonalityQuery(stamp, series.points));
  const forecast = useQuery(forecastQuery(stamp, series.points, horizon));
  const part = useMemo(() => ({ ...props, found, series, stamp }), [props, found, series, stamp]);
  const { count, missing, min, max, median, p95, last } = series.summary;
  const { text } = props;
  const gaps = missing === 0 ? t('none missing') : t('{missing} missing', { missing });
  return (
    <>
      <header className="series-head">
        <h2 className="mono wrap-anywhere">{seriesKey(series)}</h2>
        <p className="soft">
          {isRefused(series.trend)
            ? t('The trend cannot be told: {why}.', { why: fromServer(series.trend.message) })
            : trendSentence(series.trend, text)}
        </p>
        <dl className="facts">
          {(
            [
              [t('Last'), text(last)],
              [t('Median'), text(median)],
              [t('95th percentile'), text(p95)],
              [t('Lowest'), text(min)],
              [t('Highest'), text(max)],
              [t('Points'), t('{count} every {step}, {gaps}', { count: countText(count), step: shortLengthText(found.step_ms), gaps })],
            ] as const
          ).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        {found.notes.map((note) => (
          <p key={note} className="faint">
            {sentenceOf(fromServer(note))}
          </p>
        ))}
      </header>
      <HistoryPart {...part} anomalies={anomalies} seasons={seasons} />
      <ForecastPart {...part} ahead={ahead} forecast={forecast} />
      <SeasonPart {...part} seasons={seasons} />
      <RelatedPart {...part} />
    </>
  );
}
