import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useCallback } from 'react';
import { capacityTableQuery } from '../api/analytics.ts';
import { insightsQuery } from '../api/insights.ts';
import { CapacityView, Table } from '../analytics/capacity-view.tsx';
import { Feed, InsightsView } from '../analytics/insights-view.tsx';
import { type AnalyticsSearch, type SearchChange, analyticsSearch } from '../analytics/search.ts';
import { SeriesView } from '../analytics/series-view.tsx';
import { LoadView } from '../analytics/load-view.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useTitle } from './use-title.ts';
import '../styles/analytics.css';

const TABS = [
  { view: undefined, word: t('Overview') },
  { view: 'insights', word: t('Insights') },
  { view: 'capacity', word: t('Capacity') },
  { view: 'series', word: t('Series') },
  { view: 'load', word: t('Load') },
] as const;
const LEADS = {
  overview: t('What the numbers say by themselves, what fills up, and what any series does and will do.'),
  insights: t('Findings that chance does not explain, the most important first, each with its evidence and its doubt.'),
  capacity: t('What fills up and when, with the interval of each day that is named.'),
  series: t('What a series does and will do, with the method, its accuracy and its doubt beside each picture.'),
  load: t('How throughput grows with concurrency, where it peaks, and what a multiple of today’s load would do.'),
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
  useTitle(search.q === undefined ? t('Analytics') : t('Analytics: {q}', { q: search.q }));
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
          <h1>{t('Analytics')}</h1>
          <p className="page-lead">{LEADS[shown]}</p>
        </div>
        <nav className="row-wrap tabs" aria-label={t('Views of analytics')}>
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
      {shown === 'insights' ? <InsightsView search={search} onSearch={onSearch} /> : null}
      {shown === 'capacity' ? <CapacityView search={search} onSearch={onSearch} /> : null}
      {shown === 'series' ? <SeriesView search={search} onSearch={onSearch} /> : null}
      {shown === 'load' ? <LoadView search={search} onSearch={onSearch} /> : null}
    </div>
  );
}

const MOST_INSIGHTS = 4;
const MOST_RESOURCES = 8;

/** Insights on top when there are any, otherwise what fills up comes first. */
function Overview() {
  const insights = useInfiniteQuery(insightsQuery('open', undefined));
  const capacity = useQuery(capacityTableQuery());
  const quiet = insights.data?.pages[0]?.items.length === 0;
  const feed = (
    <Section
      key="insights"
      title={t('Insights')}
      aside={
        <Link to="/analytics" search={{ view: 'insights' }}>
          {t('All, muted and ended')}
        </Link>
      }
    >
      <Feed most={MOST_INSIGHTS} />
    </Section>
  );
  const table = (
    <Section
      key="capacity"
      title={t('Capacity')}
      aside={
        <Link to="/analytics" search={{ view: 'capacity' }}>
          {t('All resources')}
        </Link>
      }
    >
      <Waiting query={capacity} what={t('capacity')} />
      {capacity.data === undefined ? null : <Table table={capacity.data} filter="" state={undefined} most={MOST_RESOURCES} />}
    </Section>
  );
  return <>{quiet ? [table, feed] : [feed, table]}</>;
}
