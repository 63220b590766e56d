import type { IncidentView } from '../api/incidents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { INCIDENT_COLUMNS } from '../pages/incident-columns.tsx';
import { t } from '../language/t.ts';

const COLUMNS: readonly Column<IncidentView>[] = Object.values(INCIDENT_COLUMNS);

/** Incidents in brief. */
export function IncidentRows({ incidents }: { readonly incidents: readonly IncidentView[] }) {
  return <DataTable caption={t('Incidents')} columns={COLUMNS} rows={incidents} rowKey={({ id }) => id} />;
}
