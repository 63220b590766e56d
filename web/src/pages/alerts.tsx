import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type KeyboardEvent, useCallback } from 'react';
import { useAlertAction } from '../api/actions.ts';
import { alertsQuery } from '../api/queries.ts';
import type { AlertView } from '../api/wire.ts';
import { matchesFilter } from '../components/matches-filter.ts';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import type { AlertSearch } from '../shell/search.ts';
import { useMay } from '../shell/session.tsx';
import { AlertDrawer } from './alert-drawer.tsx';
import { AlertFilters } from './alert-filters.tsx';
import { byUrgency } from './alert-list.tsx';
import { AlertsTable } from './alerts-table.tsx';
import { alertTitle, alertsSentence } from './sentences.ts';
import { useSelection } from './use-selection.ts';
import { useTitle } from './use-title.ts';

/** Alerts: what is open, what to do about it, and what happened to each. */
export function AlertsPage() {
  const search = useSearch({ from: '/shell/alerts-dashboard' });
  const navigate = useNavigate({ from: '/alerts-dashboard' });
  const { status = 'open', severity, service, q = '' } = search;
  const alerts = useQuery(
    alertsQuery({
      ...(status === 'open' ? {} : { status }),
      ...(severity === undefined ? {} : { severity }),
      ...(service === undefined ? {} : { service }),
    }),
  );
  const items = alerts.data?.items ?? [];
  const shown = items
    .filter((alert) => matchesFilter(q, [alertTitle(alert), alert.rule, alert.severity, ...Object.values(alert.labels)]))
    .sort(byUrgency);
  const setSearch = useCallback((next: AlertSearch) => void navigate({ search: next, replace: true }), [navigate]);
  const sentence = alertsSentence(items);
  useTitle(`Alerts: ${sentence}`);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Alerts</h1>
          <p className="page-lead">{alerts.data === undefined ? ' ' : sentence}</p>
        </div>
      </header>
      <AlertFilters search={search} onSearch={setSearch} />
      <Waiting query={alerts} what="alerts" />
      {alerts.data !== undefined && shown.length === 0 ? (
        <p className="empty">
          {status === 'open' && severity === undefined && service === undefined && q === ''
            ? 'Nothing is open. An alert appears here the moment it fires.'
            : 'No alert matches these filters.'}
        </p>
      ) : null}
      {shown.length === 0 ? null : <Inbox alerts={shown} onOpen={(id) => void navigate({ search: { ...search, alert: id } })} />}
      <AlertDrawer
        id={search.alert}
        onClose={() => {
          const { alert: _closed, ...rest } = search;
          void navigate({ search: rest });
        }}
      />
    </div>
  );
}

function Inbox({ alerts, onOpen }: { readonly alerts: readonly AlertView[]; readonly onOpen: (id: string) => void }) {
  const acknowledge = useAlertAction();
  const mayAct = useMay('operate');
  const selection = useSelection(alerts.map((alert) => alert.id));
  const firing = alerts.filter((alert) => alert.state === 'firing' && selection.has(alert.id)).map((alert) => alert.id);
  const act = (ids: readonly string[]) => acknowledge.mutate({ name: 'acknowledge', ids }, { onSuccess: selection.clear });
  const onRowKey = (alert: AlertView, index: number, event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !mayAct) return;
    const key = event.key.toLowerCase();
    if (key === 'x') selection.toggle(alert.id, event.shiftKey);
    else if (key === 'e' && (firing.length > 0 || alert.state === 'firing')) act(firing.length > 0 ? firing : [alert.id]);
    else return;
    event.preventDefault();
  };
  return (
    <>
      {acknowledge.isError ? <ErrorNotice error={acknowledge.error} /> : null}
      <AlertsTable alerts={alerts} selection={mayAct ? selection : null} onOpen={onOpen} onRowKey={onRowKey} />
      {selection.size === 0 ? null : (
        <div className="bulk" role="region" aria-label="Selected alerts">
          <span>{`${selection.size} selected, ${firing.length} of them firing`}</span>
          <span className="row-wrap">
            <Button variant="default" onClick={selection.clear}>
              Clear the selection
            </Button>
            <Button onClick={() => act(firing)} disabled={firing.length === 0} loading={acknowledge.isPending}>
              {`Acknowledge ${firing.length}`}
            </Button>
          </span>
        </div>
      )}
    </>
  );
}
