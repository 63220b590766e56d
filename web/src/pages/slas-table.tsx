import { Link } from '@tanstack/react-router';
import type { SlaView } from '../api/wire.ts';
import { BudgetBar } from '../components/budget-bar.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ProvenDigits } from '../components/proven-digits.tsx';
import { windowText } from '../figures/length.ts';
import { targetText } from '../figures/percent.ts';
import { SlaMark } from '../states/state-mark.tsx';

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
    cell: (sla) => <ProvenDigits attained={sla.attained} bounds={sla.attained_bounds} />,
  },
  { id: 'target', header: 'Target', label: 'target', numeric: true, cell: (sla) => `${targetText(sla.target)} %` },
  {
    id: 'window',
    header: 'Window',
    label: 'window',
    numeric: true,
    cell: (sla) => `${windowText(sla.window.to_at_ms - sla.window.from_at_ms)}${sla.young ? ', young' : ''}`,
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
