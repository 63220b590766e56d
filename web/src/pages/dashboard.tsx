import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useCallback } from 'react';
import { type DashboardView, dashboardQuery } from '../api/dashboards.ts';
import { HistoryLink } from '../components/history-link.tsx';
import { Waiting } from '../components/notices.tsx';
import { BoardView, type SearchChange, searchAfter } from '../dashboards/board-view.tsx';
import { HistorySide } from '../dashboards/history-side.tsx';
import { MakeDashboard } from '../dashboards/make-dashboard.tsx';
import { useTitle } from './use-title.ts';
import '../styles/dashboards.css';

/** One dashboard. */
export function DashboardPage() {
  const { id } = useParams({ from: '/shell/dashboards/$id' });
  const query = useQuery(dashboardQuery(id));
  useTitle(query.data?.title ?? 'Dashboard');
  return (
    <div className="page dash-page">
      <Waiting query={query} what="the dashboard" />
      {query.data === undefined ? null : <Opened key={id} of={query.data} />}
    </div>
  );
}

function Opened({ of }: { readonly of: DashboardView }) {
  const search = useSearch({ from: '/shell/dashboards/$id' });
  const navigate = useNavigate({ from: '/dashboards/$id' });
  const onSearch = useCallback(
    (change: SearchChange, { replace = false } = {}) =>
      void navigate({ search: (before) => searchAfter(before, change), replace, resetScroll: false }),
    [navigate],
  );
  return (
    <>
      <Head of={of} onSearch={onSearch} side={search.side} />
      {search.side === 'history' ? <HistorySide of={of} mayChange={of.editable.allowed} /> : null}
      <BoardView spec={of.spec} search={search} onSearch={onSearch} />
    </>
  );
}

type HeadProps = { readonly of: DashboardView; readonly onSearch: (change: SearchChange) => void; readonly side: 'history' | undefined };

function Head({ of, onSearch, side }: HeadProps) {
  return (
    <header className="page-head">
      <div>
        <p className="crumb no-print">
          <Link to="/dashboards">Dashboards</Link>
        </p>
        <h1>{of.title}</h1>
        {of.description === '' ? null : <p className="page-lead">{of.description}</p>}
      </div>
      <div className="row-wrap no-print">
        <MakeDashboard from={of.spec} word="Save a copy" />
        <Button size="xs" variant="default" onClick={() => onSearch({ side: side === 'history' ? undefined : 'history' })}>
          {side === 'history' ? 'Close the history' : 'History'}
        </Button>
        <a href={`/api/dashboards/${encodeURIComponent(of.id)}?format=yaml`} download>
          As YAML
        </a>
        <Link to="." search={(before) => ({ ...before, kiosk: 1 as const })}>
          For a wall
        </Link>
        <HistoryLink kind="dashboards" id={of.id} name={of.title} />
      </div>
    </header>
  );
}
