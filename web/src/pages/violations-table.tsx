import { Link } from '@tanstack/react-router';
import type { ViolationView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant, Running } from '../components/instant.tsx';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { phrase } from '../states/words.ts';

/** Before a violation opens the time that spent its budget is of interest. */
const MARGIN_MS = 3_600_000;

const columnsOf = (sla: string): readonly Column<ViolationView>[] => [
  {
    id: 'from',
    header: t('From'),
    cell: ({ opened_at_ms: opened, closed_at_ms: closed }) => (
      <Link
        to="/slas/$id"
        params={{ id: sla }}
        search={{ from: opened - MARGIN_MS, to: (closed ?? opened) + MARGIN_MS, at: opened }}
        hash="timeline"
      >
        <Instant atMs={opened} relative={false} />
      </Link>
    ),
  },
  {
    id: 'to',
    header: t('To'),
    label: t('to'),
    cell: (violation) =>
      violation.closed_at_ms === null ? <strong>{t('open')}</strong> : <Instant atMs={violation.closed_at_ms} relative={false} />,
  },
  {
    id: 'length',
    header: t('Length'),
    label: t('length'),
    numeric: true,
    cell: (violation) =>
      violation.closed_at_ms === null ? (
        <Running sinceMs={violation.opened_at_ms} />
      ) : (
        lengthText(violation.closed_at_ms - violation.opened_at_ms)
      ),
  },
  { id: 'severity', header: t('Severity'), label: t('severity'), cell: (violation) => phrase(violation.severity) },
  { id: 'cause', header: t('Because'), cell: (violation) => fromServer(violation.reason) },
];

/** When the promise was broken, newest first; each leads to its place on the time line, with the evidence open. */
export function ViolationsTable({ sla, violations }: { readonly sla: string; readonly violations: readonly ViolationView[] }) {
  return (
    <div className="panel">
      <DataTable
        caption={t('Violations')}
        columns={columnsOf(sla)}
        rows={[...violations].sort((a, b) => b.opened_at_ms - a.opened_at_ms)}
        rowKey={(violation) => violation.id}
      />
    </div>
  );
}
