import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { metadataQuery, metricNamesQuery } from '../api/analytics.ts';
import { seriesPerMetricQuery } from '../api/explore.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FilterInput } from '../components/filter-input.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { language } from '../language/language.ts';
import { type ListedMetric, describe, prefixesOf, readyQuery } from './ready-query.ts';
import { t } from '../language/t.ts';

const MOST_LISTED = 500;
const MOST_PREFIXES = 14;
const SORTS = [
  { value: 'name', label: t('by name') },
  { value: 'series', label: t('by series') },
] as const;

type Wanted = { readonly words: string; readonly type: string; readonly unit: string; readonly sort: string };

/** Every metric there is: by its beginning, type, unit and words; one press asks what it is most likely wanted for. */
export function MetricBrowser({ onPick }: { readonly onPick: (query: string) => void }) {
  const names = useQuery(metricNamesQuery());
  const families = useQuery(metadataQuery());
  const counts = useQuery(seriesPerMetricQuery());
  const [wanted, setWanted] = useState<Wanted>({ words: '', type: '', unit: '', sort: 'name' });
  const all = useMemo(
    () => (names.data ?? []).map((name) => describe(name, families.data ?? {}, counts.data)),
    [names.data, families.data, counts.data],
  );
  const prefixes = useMemo(() => prefixesOf(names.data ?? []).slice(0, MOST_PREFIXES), [names.data]);
  if (names.data === undefined) return <Waiting query={names} what={t('metrics')} />;
  if (all.length === 0) {
    return (
      <EmptyState command="curl --data-binary 'queue_length 7' http://127.0.0.1:7070/api/v1/import/prometheus">
        {t('No metric is stored yet. Let Nines scrape something, or send a sample.')}
      </EmptyState>
    );
  }
  const shown = shownOf(all, wanted);
  return (
    <div className="metric-browser">
      <Wanting all={all} shown={shown.length} wanted={wanted} onWanted={setWanted} />
      <ul className="row-wrap" aria-label={t('How names begin')}>
        {prefixes.map(([prefix, count]) => (
          <li key={prefix}>
            <button
              type="button"
              className="chip"
              aria-pressed={wanted.words === prefix}
              onClick={() => setWanted({ ...wanted, words: wanted.words === prefix ? '' : prefix })}
            >
              {`${prefix} ${count}`}
            </button>
          </li>
        ))}
      </ul>
      <div className="metric-list" role="region" aria-label={t('Metrics')} tabIndex={0}>
        {shown.length === 0 ? <p className="empty">{t('No metric matches these filters.')}</p> : null}
        {shown.length === 0 ? null : (
          <DataTable caption={t('Metrics')} columns={columns(onPick)} rows={shown.slice(0, MOST_LISTED)} rowKey={({ name }) => name} />
        )}
      </div>
    </div>
  );
}

function shownOf(all: readonly ListedMetric[], { words, type, unit, sort }: Wanted): readonly ListedMetric[] {
  const each = words.toLowerCase().split(/\s+/);
  return all
    .filter((one) => (type === '' || one.type === type) && (unit === '' || one.unit === unit))
    .filter(({ name, help }) => each.every((word) => `${name} ${help}`.toLowerCase().includes(word)))
    .sort((a, b) => (sort === 'series' ? (b.series ?? 0) - (a.series ?? 0) : 0) || (a.name < b.name ? -1 : 1));
}

const choices = (values: readonly string[], every: string) => [
  { value: '', label: every },
  ...[...new Set(values)].filter((value) => value !== '').sort(),
];

type WantingProps = {
  readonly all: readonly ListedMetric[];
  readonly shown: number;
  readonly wanted: Wanted;
  readonly onWanted: (wanted: Wanted) => void;
};

function Wanting({ all, shown, wanted, onWanted }: WantingProps) {
  const set = (change: Partial<Wanted>) => onWanted({ ...wanted, ...change });
  return (
    <div className="row-wrap">
      <FilterInput what={t('metrics')} value={wanted.words} onChange={(words) => set({ words })} />
      <NativeSelect
        size="xs"
        aria-label={t('Type of metrics')}
        data={choices(
          all.map(({ type }) => type),
          t('Every type'),
        )}
        value={wanted.type}
        onChange={({ currentTarget: { value } }) => set({ type: value })}
      />
      <NativeSelect
        size="xs"
        aria-label={t('Unit of metrics')}
        data={choices(
          all.map(({ unit }) => unit),
          t('Every unit'),
        )}
        value={wanted.unit}
        onChange={({ currentTarget: { value } }) => set({ unit: value })}
      />
      <NativeSelect
        size="xs"
        aria-label={t('Order of metrics')}
        data={[...SORTS]}
        value={wanted.sort}
        onChange={({ currentTarget: { value } }) => set({ sort: value })}
      />
      <span className="faint">
        {shown > MOST_LISTED
          ? t('the first {count} of {all}', { count: MOST_LISTED, all: shown })
          : t('{count} of {all}', { count: shown, all: all.length })}
      </span>
    </div>
  );
}

const columns = (onPick: (query: string) => void): readonly Column<ListedMetric>[] => [
  {
    id: 'name',
    header: t('Metric'),
    cell: (metric) => (
      <button
        type="button"
        data-row=""
        className="plain-button mono wrap-anywhere"
        title={readyQuery(metric)}
        onClick={() => onPick(readyQuery(metric))}
      >
        {metric.name}
      </button>
    ),
  },
  { id: 'type', header: t('Type'), label: t('Type'), cell: ({ type }) => type },
  { id: 'unit', header: t('Unit'), label: t('Unit'), cell: ({ unit }) => unit },
  {
    id: 'series',
    header: t('Series'),
    label: t('Series'),
    numeric: true,
    cell: ({ series }) => (series === undefined ? '–' : series.toLocaleString(language)),
  },
  { id: 'help', header: t('What it is'), label: t('What it is'), cell: ({ help }) => <span className="soft">{help}</span> },
];
