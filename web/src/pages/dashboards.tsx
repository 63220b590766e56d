import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type DashboardSummary, dashboardsQuery } from '../api/dashboards.ts';
import { FilterInput } from '../components/filter-input.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { ImportDashboard } from '../dashboards/import-dashboard.tsx';
import { MakeDashboard } from '../dashboards/make-dashboard.tsx';
import { dashboardsSearch } from '../dashboards/search.ts';
import { useTitle } from './use-title.ts';
import '../styles/dashboards.css';
import { t } from '../language/t.ts';

const ORIGIN_WORDS = { shipped: t('Shipped with Nines'), file: t('From a file'), ui: t('Made here') } as const;

/** All dashboards by title. */
export function DashboardsPage() {
  useTitle(t('Dashboards'));
  const search = useSearch({ from: '/shell/dashboards' });
  const navigate = useNavigate({ from: '/dashboards' });
  const query = useQuery(dashboardsQuery());
  const all = query.data?.items ?? [];
  const wanted = (search.q ?? '').toLowerCase();
  const items = all.filter(
    ({ id, title, description, tags }) =>
      (search.tag === undefined || tags.includes(search.tag)) &&
      [id, title, description, ...tags].some((text) => text.toLowerCase().includes(wanted)),
  );
  const go = (change: { q?: string; tag?: string | undefined }) =>
    void navigate({ search: dashboardsSearch({ ...search, ...change }), replace: true });
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Dashboards')}</h1>
          <p className="page-lead">{t('What you want to see side by side. Those that are shipped can be copied and changed.')}</p>
        </div>
        <div className="row-wrap">
          <ImportDashboard />
          <MakeDashboard />
        </div>
      </header>
      <div className="filters no-print">
        <FilterInput value={search.q ?? ''} onChange={(q) => go({ q })} what={t('dashboards')} />
        {search.tag === undefined ? null : (
          <Button size="compact-sm" variant="default" onClick={() => go({ tag: undefined })}>
            {t('Tag {tag}: show all', { tag: search.tag })}
          </Button>
        )}
      </div>
      <Waiting query={query} what={t('dashboards')} />
      {(query.data?.unreadable ?? []).map(({ id, title, why }) => (
        <p key={id} className="notice wrap" role="note">
          {t('{title} ({id}) is kept but cannot be shown: {why}', { title, id, why })}
        </p>
      ))}
      {query.data === undefined ? null : items.length === 0 ? (
        <EmptyState>{t('No dashboard has that in its title, description or tags.')}</EmptyState>
      ) : (
        <div className="panel">
          <DataTable caption={t('Dashboards')} columns={COLUMNS} rows={items} rowKey={({ id }) => id} />
        </div>
      )}
    </div>
  );
}

const COLUMNS: readonly Column<DashboardSummary>[] = [
  {
    id: 'title',
    header: t('Dashboard'),
    cell: ({ id, title, folder }) => (
      <>
        <Link to="/dashboards/$id" params={{ id }} className="row-name" data-row="">
          {title}
        </Link>
        {folder === '' ? null : <span className="faint">{` ${t('in {folder}', { folder })}`}</span>}
      </>
    ),
  },
  { id: 'description', header: t('Shows'), label: t('shows'), cell: ({ description }) => <span className="wrap">{description}</span> },
  { id: 'panels', header: t('Panels'), label: t('panels'), numeric: true, cell: ({ panels }) => panels },
  {
    id: 'tags',
    header: t('Tags'),
    label: t('tags'),
    cell: ({ tags }) => (
      <span className="row-wrap">
        {tags.map((tag) => (
          <Link key={tag} to="/dashboards" search={{ tag }}>
            {tag}
          </Link>
        ))}
      </span>
    ),
  },
  {
    id: 'origin',
    header: t('Origin'),
    label: t('origin'),
    cell: ({ origin, place }) => (
      <span className="nowrap" title={place}>
        {ORIGIN_WORDS[origin]}
      </span>
    ),
  },
  {
    id: 'changed',
    header: t('Changed'),
    label: t('changed'),
    cell: ({ id, title, changed_at_ms: atMs, changed_by: by }) =>
      atMs === null ? (
        ''
      ) : (
        <>
          <Instant atMs={atMs} />
          <span className="faint">{by === null ? '' : ` ${t('by {name}', { name: by })} `}</span>
          <ObjectMenu kind="dashboards" id={id} name={title} />
        </>
      ),
  },
];
