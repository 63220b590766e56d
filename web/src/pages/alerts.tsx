import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { AlertStatisticsView } from '../alerts/statistics.tsx';
import { Inbox } from '../alerts/inbox.tsx';
import { alertCountsQuery } from '../api/alerts.ts';
import { t } from '../language/t.ts';
import type { AlertSearch } from '../shell/search.ts';
import { countsSentence } from './sentences.ts';
import { useTitle } from './use-title.ts';
import '../styles/inbox.css';

/** Two views of one address: which one is open stands in the search. */
const WHOLE = { exact: true, includeSearch: true };

/** Alerts: what is open, what to do about it, and what happened to each; or what alerts cost and are worth. */
export function AlertsPage() {
  const search = useSearch({ from: '/shell/alerts-dashboard' });
  const navigate = useNavigate({ from: '/alerts-dashboard' });
  const counts = useQuery(alertCountsQuery({}));
  const setSearch = useCallback(
    (next: AlertSearch) => void navigate({ search: next, replace: next.alert === undefined || search.alert !== undefined }),
    [navigate, search.alert],
  );
  const sentence = counts.data === undefined ? '' : countsSentence(counts.data);
  useTitle(t('Alerts: {sentence}', { sentence }));
  const statistics = search.view === 'statistics';
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Alerts')}</h1>
          <p className="page-lead">{sentence === '' ? ' ' : sentence}</p>
        </div>
        <nav className="row-wrap tabs" aria-label={t('Views of alerts')}>
          <Link to="/alerts-dashboard" search={{}} activeOptions={WHOLE} aria-current={statistics ? undefined : 'page'}>
            {t('Inbox')}
          </Link>
          <Link to="/alerts-dashboard" search={{ view: 'statistics' }} activeOptions={WHOLE} aria-current={statistics ? 'page' : undefined}>
            {t('Statistics')}
          </Link>
          <Link to="/silences">{t('Silences')}</Link>
        </nav>
      </header>
      {statistics ? <AlertStatisticsView search={search} onSearch={setSearch} /> : <Inbox search={search} onSearch={setSearch} />}
    </div>
  );
}
