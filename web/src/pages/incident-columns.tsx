import { Link } from '@tanstack/react-router';
import type { IncidentView } from '../api/incidents.ts';
import type { Column } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { t } from '../language/t.ts';
import { SeverityMark } from '../states/state-mark.tsx';
import { IncidentMark } from './incident-state.tsx';

/** Columns of incidents, the same in every list of them. */
export const INCIDENT_COLUMNS = {
  title: {
    id: 'title',
    header: t('Incident'),
    cell: ({ number, title }) => (
      <Link to="/incidents/$id" params={{ id: String(number) }} className="row-name">
        INC-{number} {title}
      </Link>
    ),
  },
  state: { id: 'state', header: t('State'), label: t('state'), cell: ({ state }) => <IncidentMark state={state} /> },
  severity: { id: 'severity', header: t('Severity'), label: t('severity'), cell: ({ severity }) => <SeverityMark severity={severity} /> },
  since: { id: 'since', header: t('Since'), label: t('since'), cell: ({ started_at_ms: atMs }) => <Instant atMs={atMs} /> },
} satisfies Readonly<Record<string, Column<IncidentView>>>;
