import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { capacityTableQuery } from '../api/analytics.ts';
import { CapacityView, Table } from '../analytics/capacity-view.tsx';
import { type AnalyticsSearch, type SearchChange, analyticsSearch } from '../analytics/search.ts';
import { SeriesView } from '../analytics/series-view.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { useTitle } from './use-title.ts';
import '../styles/analytics.css';

const TABS = [
  { view: undefined, word: 'Overview' },
  { view: 'capacity', word: 'Capacity' },
  { view: 'series', word: 'Series' },
] as const;
const LEADS = {
  overview: 'What fills up, and what any series does and will do.',
  capacity: 'What fills up and when, with the interval of each day that is named.',
  series: 'What a series does and will do, with the method, its accuracy and its doubt beside each picture.',
} as const;

type Shown = keyof typeof LEADS;
const shownOf = ({ view, q }: AnalyticsSearch): Shown => {
  return view ?? (q === undefined ? 'overview' : 'series');
};

/** What the numbers of this installation say: findings, what fills up, and any series. */
export function AnalyticsPage() {
  const search = useSearch({ from: '/shell/analytics' });
  const navigate = useNavigate({ from: '/analytics' });
  const shown = shownOf(search);
  useTitle(search.q === undefined ? 'Analytics' : `Analytics: ${search.q}`);
  const onSearch = useCallback(
    (change: SearchChange) =>
      void navigate({
        search: (before) => analyticsSearch({ ...before, view: shown, ...change }),
        replace: change.q === undefined && change.at === undefined,
        resetScroll: false,
      }),
    [navigate, shown],
  );
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Analytics</h1>
          <p className="page-lead">{LEADS[shown]}</p>
        </div>
        <nav className="row-wrap tabs" aria-label="Views of analytics">
          {TABS.map(({ view, word }) => (
            <Link
              key={word}
              to="/analytics"
              search={view === undefined ? {} : { view }}
              activeOptions={{ exact: true, includeSearch: true }}
              aria-current={(view ?? 'overview') === shown ? 'page' : undefined}
            >
              {word}
            </Link>
          ))}
        </nav>
      </header>
      {shown === 'overview' ? <Overview /> : null}
      {shown === 'capacity' ? <CapacityView search={search} onSearch={onSearch} /> : null}
      {shown === 'series' ? <SeriesView search={search} onSearch={onSearch} /> : null}
    </div>
  );
}

const MOST_RESOURCES = 8;

/** What is worth a look before anybody asks. */
function Overview() {
  const capacity = useQuery(capacityTableQuery());
  return (
    <Section
      title="Capacity"
      aside={
        <Link to="/analytics" search={{ view: 'capacity' }}>
          All resources
        </Link>
      }
    >
      <Waiting query={capacity} what="capacity" />
      {capacity.data === undefined ? null : <Table table={capacity.data} filter="" state={undefined} most={MOST_RESOURCES} />}
    </Section>
  );
}
