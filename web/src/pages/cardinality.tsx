import { useQuery } from '@tanstack/react-query';
import { cardinalityQuery } from '../api/queries.ts';
import type { CardinalityView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { countText } from '../figures/quantity.ts';
import { t, rich } from '../language/t.ts';

type Limit = CardinalityView['limits'][number];
type Metric = CardinalityView['metrics'][number];

/** How many series there may be and are, and which metrics have the most of them. */
export function Cardinality() {
  const cardinality = useQuery(cardinalityQuery());
  const view = cardinality.data;
  return (
    <Section title={t('Series')} aside={view === undefined ? undefined : count(view.series)}>
      {cardinality.isError ? <ErrorNotice error={cardinality.error} retry={() => void cardinality.refetch()} /> : null}
      {view === undefined ? null : (
        <>
          {view.last_refusal === null ? null : (
            <p role="status">
              {rich('New series were refused: {detail}. The last one {at}.', {
                detail: view.last_refusal.detail,
                at: <Instant atMs={view.last_refusal.at_ms} />,
              })}
            </p>
          )}
          <div className="panel">
            <DataTable caption={t('Limits of series')} columns={LIMITS} rows={view.limits} rowKey={(limit) => limit.name} />
          </div>
          <h3>{t('Metrics with the most series')}</h3>
          <div className="panel">
            <DataTable caption={t('Metrics with the most series')} columns={METRICS} rows={view.metrics} rowKey={(metric) => metric.name} />
          </div>
        </>
      )}
    </Section>
  );
}

const count = countText;

/** Words of the settings' names; per metric the use is that of the largest one. */
const WORDS: Readonly<Record<string, string>> = {
  series: t('Series'),
  series_per_metric: t('Series of one metric'),
  labels_per_series: t('Labels of a series'),
  label_name_bytes: t('Bytes of a label name'),
  label_value_bytes: t('Bytes of a label value'),
  new_series_per_minute: t('New in a minute'),
  new_series_per_metric_per_minute: t('New of one metric in a minute'),
};

/** From this share of a limit on, its bar warns. */
const CLOSE = 0.9;

function Use({ limit, used, name }: { readonly limit: number | null; readonly used: number | null; readonly name: string }) {
  if (limit === null || used === null) return null;
  const percent = Math.min(100, (used / limit) * 100);
  const state = used >= limit ? 'budget-breached' : used >= CLOSE * limit ? 'budget-risk' : '';
  return (
    <div className={`budget ${state}`}>
      <div
        className="budget-track"
        role="meter"
        aria-label={t('{limit}: share of the limit in use', { limit: WORDS[name] ?? name })}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.floor(percent)}
      >
        <div className="budget-spent" style={{ width: `${used > 0 ? Math.max(1, percent) : 0}%` }} />
      </div>
    </div>
  );
}

const LIMITS: readonly Column<Limit>[] = [
  { id: 'name', header: t('Limit'), cell: (limit) => <span className="row-name">{WORDS[limit.name] ?? limit.name}</span> },
  { id: 'use', header: t('Use'), cell: (limit) => <Use {...limit} /> },
  { id: 'used', header: t('Used'), label: t('used'), numeric: true, cell: (limit) => (limit.used === null ? '' : count(limit.used)) },
  {
    id: 'limit',
    header: t('At most'),
    label: t('at most'),
    numeric: true,
    cell: (limit) => (limit.limit === null ? t('no limit') : count(limit.limit)),
  },
  { id: 'refused', header: t('Refused'), label: t('samples refused'), numeric: true, cell: (limit) => count(limit.refused_samples) },
  { id: 'setting', header: t('In limits:'), label: t('setting'), cell: (limit) => <span className="mono">{limit.name}</span> },
];

const METRICS: readonly Column<Metric>[] = [
  { id: 'name', header: t('Metric'), cell: (metric) => <span className="row-name mono">{metric.name}</span> },
  { id: 'series', header: t('Series'), label: t('series'), numeric: true, cell: (metric) => count(metric.series) },
  { id: 'minute', header: t('New this minute'), label: t('new this minute'), numeric: true, cell: (metric) => count(metric.new_in_minute) },
  { id: 'hour', header: t('New in an hour'), label: t('new in an hour'), numeric: true, cell: (metric) => count(metric.new_in_hour) },
  {
    id: 'refused',
    header: t('Samples refused'),
    label: t('samples refused'),
    numeric: true,
    cell: (metric) => count(metric.refused_samples),
  },
];
