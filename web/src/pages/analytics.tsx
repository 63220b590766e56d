import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { type SearchChange, analyticsSearch } from '../analytics/search.ts';
import { SeriesView } from '../analytics/series-view.tsx';
import { useTitle } from './use-title.ts';
import '../styles/analytics.css';

const TABS = [{ view: 'series', word: 'Series' }] as const;
const LEADS = {
  series: 'What a series does and will do, with the method, its accuracy and its doubt beside each picture.',
} as const;

/** What the numbers of this installation say: findings, what fills up, any series, and what more load would do. */
export function AnalyticsPage() {
  const search = useSearch({ from: '/shell/analytics' });
  const navigate = useNavigate({ from: '/analytics' });
  const view = 'series';
  useTitle(search.q === undefined ? 'Analytics' : `Analytics: ${search.q}`);
  const onSearch = useCallback(
    (change: SearchChange) =>
      void navigate({
        search: (before) => analyticsSearch({ ...before, view: 'series', ...change }),
        replace: change.q === undefined,
        resetScroll: false,
      }),
    [navigate],
  );
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Analytics</h1>
          <p className="page-lead">{LEADS[view]}</p>
        </div>
        <nav className="row-wrap tabs" aria-label="Views of analytics">
          {TABS.map((tab) => (
            <Link key={tab.view} to="/analytics" search={{ view: tab.view }} aria-current={tab.view === view ? 'page' : undefined}>
              {tab.word}
            </Link>
          ))}
        </nav>
      </header>
      <SeriesView search={search} onSearch={onSearch} />
    </div>
  );
}
