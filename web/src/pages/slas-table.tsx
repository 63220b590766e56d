import { Link } from '@tanstack/react-router';
import type { SlaView } from '../api/wire.ts';
import { Attained, targetCell } from '../components/attained.tsx';
import { BudgetBar } from '../components/budget-bar.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { windowText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { periodsText } from '../sla/periods.ts';
import { SlaMark } from '../states/state-mark.tsx';

/** `30 d` of a rolling window, `month` of the calendar. */
function windowCell({ calendar, window }: SlaView): string {
  if (calendar === null) return windowText(window.to_at_ms - window.from_at_ms);
  return periodsText(calendar.calendar, calendar.every);
}

const COLUMNS: readonly Column<SlaView>[] = [
  {
    id: 'name',
    header: t('SLA'),
    cell: (sla) => (
      <Link to="/slas/$id" params={{ id: sla.id }} className="row-name" data-row="">
        {sla.name === '' ? sla.id : sla.name}
      </Link>
    ),
  },
  { id: 'status', header: t('Status'), cell: (sla) => <SlaMark status={sla.status} young={sla.young} /> },
  {
    id: 'attained',
    header: t('Attained'),
    label: t('attained'),
    numeric: true,
    cell: (sla) => <Attained of={sla} />,
  },
  { id: 'target', header: t('Target'), label: t('target'), numeric: true, cell: targetCell },
  {
    id: 'window',
    header: t('Window'),
    label: t('window'),
    numeric: true,
    cell: (sla) => (sla.young ? t('{window}, young', { window: windowCell(sla) }) : windowCell(sla)),
  },
  {
    id: 'budget',
    header: t('Error budget'),
    cell: (sla) => <BudgetBar budget={sla.budget} status={sla.status} exhaustsAtMs={sla.exhausts_at_ms} compact />,
  },
  {
    id: 'service',
    header: t('Service'),
    label: t('service'),
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
      <DataTable caption={t('SLAs with status and error budget')} columns={COLUMNS} rows={slas} rowKey={(sla) => sla.id} />
    </div>
  );
}
