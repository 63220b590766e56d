import { NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { targetsQuery } from '../api/queries.ts';
import type { TargetListView, TargetView } from '../api/wire.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import type { TargetsSearch } from '../shell/search.ts';
import { DroppedTargets, TargetDrawer, TargetsTable } from './targets-table.tsx';
import { shownTargets, targetKey, targetState } from './target-order.ts';
import { useTitle } from './use-title.ts';

const SNIPPET = `scrape:
  files: [prometheus.yml]

# prometheus.yml
scrape_configs:
  - job_name: node
    static_configs:
      - targets: ['127.0.0.1:9100']`;

/** Every scrape target by job, the unhealthy ones first. */
export function TargetsPage() {
  useTitle(t('Targets'));
  const search = useSearch({ from: '/shell/targets' });
  const navigate = useNavigate({ from: '/targets' });
  const query = useQuery(targetsQuery());
  const { data } = query;
  const items = data?.items ?? [];
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Targets')}</h1>
          <p className="page-lead">{lead(items)}</p>
        </div>
        {data === undefined || data.jobs.length === 0 ? null : (
          <Filters list={data} search={search} onSearch={(next) => void navigate({ search: next, replace: true })} />
        )}
      </header>
      <Waiting query={query} what={t('targets')} />
      {data === undefined ? null : <Jobs list={data} search={search} />}
      <TargetDrawer
        target={items.find((target) => targetKey(target) === search.target)}
        onClose={() => void navigate({ search: ({ target: _closed, ...rest }) => rest })}
      />
    </div>
  );
}

function lead(items: readonly TargetView[]): string {
  if (items.length === 0) return '';
  const count = (mark: string): number => items.filter((target) => targetState(target).mark === mark).length;
  const troubled = [
    [count('down'), t('{count} down', { count: count('down') })],
    [count('degraded'), t('{count} with samples missing', { count: count('degraded') })],
    [count('unknown'), t('{count} not scraped yet', { count: count('unknown') })],
  ] as const;
  const words = troubled.flatMap(([number, what]) => (number === 0 ? [] : [what]));
  return words.length === 0
    ? t('{count} scraped, all up.', { count: items.length })
    : t('{count} scraped, {troubled}.', { count: items.length, troubled: words.join(', ') });
}

function Jobs({ list, search }: { readonly list: TargetListView; readonly search: TargetsSearch }) {
  const { items, jobs, dropped } = list;
  if (jobs.length === 0) {
    return (
      <EmptyState command={SNIPPET}>
        {rich(
          'Nothing is scraped yet. Name a Prometheus configuration file in <code>nines.yml</code>; its jobs are taken over as they are.',
          {
            code: (inner) => <code>{inner}</code>,
          },
        )}
      </EmptyState>
    );
  }
  if (search.state === 'dropped') {
    const shown = dropped.filter(
      ({ job, discovered_labels: labels }) =>
        (search.job === undefined || job === search.job) && matchesFilter(search.q ?? '', [job, ...Object.entries(labels).flat()]),
    );
    return shown.length === 0 ? <p className="empty">{t('No dropped target matches the filter.')}</p> : <DroppedTargets dropped={shown} />;
  }
  const shown = shownTargets(items, search);
  const filtered = search.q !== undefined || search.job !== undefined || search.state !== undefined;
  // Jobs in the order of their worst target; those without any last, and only while nothing is filtered.
  const names = new Set([...shown.map(({ job }) => job), ...(filtered ? [] : jobs.map(({ name }) => name))]);
  if (names.size === 0) return <p className="empty">{t('No target matches the filter.')}</p>;
  return [...names].map((name) => {
    const own = shown.filter(({ job }) => job === name);
    const job = jobs.find((one) => one.name === name);
    const left = job === undefined || job.dropped === 0 ? '' : `, ${t('{count} dropped by relabelling', { count: job.dropped })}`;
    return (
      <Section
        key={name}
        title={name}
        aside={<span className="faint">{`${t('{count, plural, one {# target} other {# targets}}', { count: own.length })}${left}`}</span>}
      >
        {own.length === 0 ? (
          <p className="empty empty-quiet">{t('Discovery has found no target for this job.')}</p>
        ) : (
          <TargetsTable job={name} targets={own} />
        )}
      </Section>
    );
  });
}

type FiltersProps = { readonly list: TargetListView; readonly search: TargetsSearch; readonly onSearch: (search: TargetsSearch) => void };

const STATES = [
  { value: '', label: t('Any state') },
  { value: 'troubled', label: t('In trouble') },
  { value: 'down', label: t('Down') },
  { value: 'up', label: t('Up') },
  { value: 'unknown', label: t('Not scraped yet') },
  { value: 'dropped', label: t('Dropped') },
];

/** Which targets are listed; all of it stands in the address. */
function Filters({ list, search, onSearch }: FiltersProps) {
  const set = (name: 'q' | 'job' | 'state', value: string): void => {
    const { [name]: _before, target: _closed, ...rest } = search;
    onSearch(value === '' ? rest : ({ ...rest, [name]: value } as TargetsSearch));
  };
  return (
    <div className="filters no-print">
      <NativeSelect
        size="xs"
        aria-label={t('State')}
        data={STATES}
        value={search.state ?? ''}
        onChange={(event) => set('state', event.currentTarget.value)}
      />
      <NativeSelect
        size="xs"
        aria-label={t('Job')}
        data={[{ value: '', label: t('Any job') }, ...list.jobs.map(({ name }) => ({ value: name, label: name }))]}
        value={search.job ?? ''}
        onChange={(event) => set('job', event.currentTarget.value)}
      />
      <FilterInput what={t('targets')} value={search.q ?? ''} onChange={(value) => set('q', value)} />
    </div>
  );
}
