import { Checkbox } from '@mantine/core';
import { Link } from '@tanstack/react-router';
import type { KeyboardEvent, MouseEvent } from 'react';
import type { AlertView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Since } from '../components/instant.tsx';
import { threeDigits } from '../figures/quantity.ts';
import { SeverityMark } from '../states/state-mark.tsx';
import { AlertStateMark } from './alert-state.tsx';
import { alertTitle } from './sentences.ts';
import type { Selection } from './use-selection.ts';

type Props = {
  readonly alerts: readonly AlertView[];
  /** Null when the reader may not act: then nothing can be chosen. */
  readonly selection: Selection | null;
  readonly onOpen: (id: string) => void;
  readonly onRowKey: (alert: AlertView, index: number, event: KeyboardEvent) => void;
};

const REST: readonly Column<AlertView>[] = [
  { id: 'severity', header: 'Severity', cell: (alert) => <SeverityMark severity={alert.severity} /> },
  { id: 'state', header: 'State', cell: (alert) => <AlertStateMark alert={alert} /> },
  {
    id: 'value',
    header: 'Value',
    label: 'value',
    numeric: true,
    // A service is down or not; there is no figure to it.
    cell: (alert) => (alert.kind !== 'service' && Number.isFinite(alert.value) ? threeDigits(alert.value) : ''),
  },
  { id: 'since', header: 'Since', label: 'since', cell: (alert) => <Since atMs={alert.starts_at_ms} /> },
  {
    id: 'service',
    header: 'Service',
    cell: (alert) =>
      alert.service === null ? (
        ''
      ) : (
        <Link to="/services/$id" params={{ id: alert.service }}>
          {alert.service}
        </Link>
      ),
  },
  { id: 'rule', header: 'Rule', cell: (alert) => <span className="mono faint">{alert.rule}</span> },
];

function chooser(selection: Selection, count: number): Column<AlertView> {
  const all = selection.size > 0 && selection.size === count;
  return {
    id: 'choose',
    header: (
      <Checkbox
        size="xs"
        aria-label="Select all"
        checked={all}
        indeterminate={selection.size > 0 && !all}
        onChange={(event) => selection.all(event.currentTarget.checked)}
      />
    ),
    cell: (alert) => (
      <Checkbox
        size="xs"
        aria-label={`Select ${alertTitle(alert)}`}
        checked={selection.has(alert.id)}
        onChange={() => undefined}
        onClick={(event) => selection.toggle(alert.id, event.shiftKey)}
      />
    ),
  };
}

/** Alerts as rows to choose, open and act on. */
export function AlertsTable({ alerts, selection, onOpen, onRowKey }: Props) {
  const title: Column<AlertView> = {
    id: 'title',
    header: 'Alert',
    cell: (alert) => (
      <button type="button" className="plain-button row-name" data-row="" onClick={() => onOpen(alert.id)}>
        {alertTitle(alert)}
      </button>
    ),
  };
  const columns = [...(selection === null ? [] : [chooser(selection, alerts.length)]), title, ...REST];
  const onRowClick = (alert: AlertView, _index: number, event: MouseEvent) => {
    if (event.shiftKey && selection !== null) selection.toggle(alert.id, true);
    else onOpen(alert.id);
  };
  return (
    <div className="panel">
      <DataTable
        caption="Alerts"
        columns={columns}
        rows={alerts}
        rowKey={(alert) => alert.id}
        rowClass={(alert) => (selection?.has(alert.id) === true ? 'chosen' : '')}
        onRowKey={onRowKey}
        onRowClick={onRowClick}
      />
    </div>
  );
}
