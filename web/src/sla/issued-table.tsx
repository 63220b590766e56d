import { Link } from '@tanstack/react-router';
import type { IssuedView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { exactInstant } from '../figures/instant.ts';
import { decimalText, percentText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { SlaMark } from '../states/state-mark.tsx';
import { Downloads } from './downloads.tsx';

/** The period by its name where the calendar has one, otherwise by its ends. */
export const periodText = (one: Pick<IssuedView, 'period' | 'from_at_ms' | 'to_at_ms' | 'zone'>): string => {
  const zone = one.zone === 'UTC' ? '' : ` (${one.zone})`;
  return one.period === null
    ? t('{from} to {to}', { from: exactInstant(one.from_at_ms, one.to_at_ms), to: exactInstant(one.to_at_ms, one.to_at_ms) })
    : `${one.period}${zone}`;
};

const PERIOD: Column<IssuedView> = {
  id: 'period',
  header: t('Period'),
  cell: (one) => (
    <Link to="/statements/$id" params={{ id: one.id }} className="row-name" data-row="">
      {periodText(one)}
    </Link>
  ),
};
const SLA: Column<IssuedView> = {
  id: 'sla',
  header: t('SLA'),
  cell: (one) => (
    <Link to="/slas/$id" params={{ id: one.sla }}>
      {one.name === '' ? one.sla : one.name}
    </Link>
  ),
};
const REST: readonly Column<IssuedView>[] = [
  { id: 'customer', header: t('Customer'), label: t('customer'), cell: (one) => one.customer ?? <span className="faint">–</span> },
  { id: 'status', header: t('Verdict'), cell: (one) => <SlaMark status={one.status} young={false} /> },
  {
    id: 'attained',
    header: t('Attained'),
    label: t('attained'),
    numeric: true,
    cell: (one) => (one.attained === null ? '–' : t('{figure} %', { figure: percentText(one.attained, 4) })),
  },
  { id: 'credit', header: t('Credit'), label: t('credit'), numeric: true, cell: creditText },
  {
    id: 'revision',
    header: t('Revision'),
    label: t('revision'),
    cell: (one) =>
      one.revision === 1 ? (
        '1'
      ) : (
        <Link to="/statements/$id" params={{ id: one.id }} search={{ compare: 1 }} title={one.why.join('; ')}>
          {t('{revision}, beside {other}', { revision: one.revision, other: one.revision - 1 })}
        </Link>
      ),
  },
  {
    id: 'issued',
    header: t('Issued'),
    label: t('issued'),
    cell: (one) => (
      <span>
        <Instant atMs={one.issued_at_ms} relative={false} />
        <span className="faint wrap">{` ${t('by {name}', { name: one.issued_by })}`}</span>
      </span>
    ),
  },
  {
    id: 'forms',
    header: t('Download'),
    cell: (one) => <Downloads path={`/api/statements/${encodeURIComponent(one.id)}`} fields={{}} compact />,
  },
];

function creditText({ credit }: IssuedView): string {
  if (credit === null) return '–';
  if (credit.below === null) return t('none');
  return credit.amount === null
    ? t('{figure} %', { figure: percentText(Number(credit.share), 1) })
    : `${decimalText(credit.amount)} ${credit.currency}`;
}

/** Issued statements in the order given. */
export function IssuedTable({ items, withSla }: { readonly items: readonly IssuedView[]; readonly withSla: boolean }) {
  return (
    <div className="panel">
      <DataTable
        caption={t('Issued statements')}
        columns={withSla ? [PERIOD, SLA, ...REST] : [PERIOD, ...REST]}
        rows={items}
        rowKey={(one) => one.id}
      />
    </div>
  );
}
