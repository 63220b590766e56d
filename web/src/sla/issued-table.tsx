import { Link } from '@tanstack/react-router';
import type { IssuedView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { exactInstant } from '../figures/instant.ts';
import { percentText } from '../figures/percent.ts';
import { SlaMark } from '../states/state-mark.tsx';
import { Downloads } from './downloads.tsx';

/** The period by its name where the calendar has one, otherwise by its ends. */
export const periodText = (one: Pick<IssuedView, 'period' | 'from_at_ms' | 'to_at_ms' | 'zone'>): string => {
  const zone = one.zone === 'UTC' ? '' : ` (${one.zone})`;
  return one.period === null
    ? `${exactInstant(one.from_at_ms, one.to_at_ms)} to ${exactInstant(one.to_at_ms, one.to_at_ms)}`
    : `${one.period}${zone}`;
};

const PERIOD: Column<IssuedView> = {
  id: 'period',
  header: 'Period',
  cell: (one) => (
    <Link to="/statements/$id" params={{ id: one.id }} className="row-name" data-row="">
      {periodText(one)}
    </Link>
  ),
};
const SLA: Column<IssuedView> = {
  id: 'sla',
  header: 'SLA',
  cell: (one) => (
    <Link to="/slas/$id" params={{ id: one.sla }}>
      {one.name === '' ? one.sla : one.name}
    </Link>
  ),
};
const REST: readonly Column<IssuedView>[] = [
  { id: 'customer', header: 'Customer', label: 'customer', cell: (one) => one.customer ?? <span className="faint">–</span> },
  { id: 'status', header: 'Verdict', cell: (one) => <SlaMark status={one.status} young={false} /> },
  {
    id: 'attained',
    header: 'Attained',
    label: 'attained',
    numeric: true,
    cell: (one) => (one.attained === null ? '–' : `${percentText(one.attained, 4)} %`),
  },
  { id: 'credit', header: 'Credit', label: 'credit', numeric: true, cell: creditText },
  {
    id: 'revision',
    header: 'Revision',
    label: 'revision',
    cell: (one) =>
      one.revision === 1 ? (
        '1'
      ) : (
        <Link to="/statements/$id" params={{ id: one.id }} search={{ compare: 1 }} title={one.why.join('; ')}>
          {`${one.revision}, beside ${one.revision - 1}`}
        </Link>
      ),
  },
  {
    id: 'issued',
    header: 'Issued',
    label: 'issued',
    cell: (one) => (
      <span>
        <Instant atMs={one.issued_at_ms} relative={false} />
        <span className="faint wrap">{` by ${one.issued_by}`}</span>
      </span>
    ),
  },
  {
    id: 'forms',
    header: 'Download',
    cell: (one) => <Downloads path={`/api/statements/${encodeURIComponent(one.id)}`} fields={{}} compact />,
  },
];

function creditText({ credit }: IssuedView): string {
  if (credit === null) return '–';
  if (credit.below === null) return 'none';
  return credit.amount === null ? `${percentText(Number(credit.share), 1)} %` : `${credit.amount} ${credit.currency}`;
}

/** Issued statements in the order given. */
export function IssuedTable({ items, withSla }: { readonly items: readonly IssuedView[]; readonly withSla: boolean }) {
  return (
    <div className="panel">
      <DataTable
        caption="Issued statements"
        columns={withSla ? [PERIOD, SLA, ...REST] : [PERIOD, ...REST]}
        rows={items}
        rowKey={(one) => one.id}
      />
    </div>
  );
}
