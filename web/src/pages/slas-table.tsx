import { Link } from '@tanstack/react-router';
import type { SlaView } from '../api/wire.ts';
import { Attained, targetCell } from '../components/attained.tsx';
import { BudgetBar } from '../components/budget-bar.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { windowText } from '../figures/length.ts';
import { SlaMark } from '../states/state-mark.tsx';

/** `30 d` of a rolling window, `month` of the calendar. */
function windowCell({ calendar, window }: SlaView): string {
  if (calendar === null) return windowText(window.to_at_ms - window.from_at_ms);
  return calendar.every === 1 ? calendar.calendar : `${calendar.every} ${calendar.calendar}s`;
}

const COLUMNS: readonly Column<SlaView>[] = [
  {
    id: 'name',
    header: 'SLA',
    cell: (sla) => (
      <Link to="/slas/$id" params={{ id: sla.id }} className="row-name" data-row="">
        {sla.name === '' ? sla.id : sla.name}
      </Link>
    ),
  },
  { id: 'status', header: 'Status', cell: (sla) => <SlaMark status={sla.status} young={sla.young} /> },
  {
    id: 'attained',
    header: 'Attained',
    label: 'attained',
    numeric: true,
    cell: (sla) => <Attained of={sla} />,
  },
  { id: 'target', header: 'Target', label: 'target', numeric: true, cell: targetCell },
  {
    id: 'window',
    header: 'Window',
    label: 'window',
    numeric: true,
    cell: (sla) => `${windowCell(sla)}${sla.young ? ', young' : ''}`,
  },
  {
    id: 'budget',
    header: 'Error budget',
    cell: (sla) => <BudgetBar budget={sla.budget} status={sla.status} exhaustsAtMs={sla.exhausts_at_ms} compact />,
  },
  {
    id: 'service',
    header: 'Service',
    label: 'service',
    cell: (sla) => (
      <Link to="/services/$id" params={{ id: sla.service }}>
        {sla.service}
      </Link>
    ),
  },
];

/** SLAs in the order given. */
export function SlasTable({ slas }: { readonly slas: readonly SlaView[] }) {
  return (
    <div className="panel">
      <DataTable caption="SLAs with status and error budget" columns={COLUMNS} rows={slas} rowKey={(sla) => sla.id} />
    </div>
  );
}
