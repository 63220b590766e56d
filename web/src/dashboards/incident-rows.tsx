import { Link } from '@tanstack/react-router';
import type { IncidentView } from '../api/incidents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { IncidentMark } from '../pages/incident-state.tsx';
import { SeverityMark } from '../states/state-mark.tsx';

const COLUMNS: readonly Column<IncidentView>[] = [
  {
    id: 'title',
    header: 'Incident',
    cell: ({ number, title }) => (
      <Link to="/incidents/$id" params={{ id: String(number) }} className="row-name">
        INC-{number} {title}
      </Link>
    ),
  },
  { id: 'state', header: 'State', label: 'state', cell: ({ state }) => <IncidentMark state={state} /> },
  { id: 'severity', header: 'Severity', label: 'severity', cell: ({ severity }) => <SeverityMark severity={severity} /> },
  { id: 'since', header: 'Since', label: 'since', cell: ({ started_at_ms: atMs }) => <Instant atMs={atMs} /> },
];

/** Incidents in brief. */
export function IncidentRows({ incidents }: { readonly incidents: readonly IncidentView[] }) {
  return <DataTable caption="Incidents" columns={COLUMNS} rows={incidents} rowKey={({ id }) => id} />;
}
