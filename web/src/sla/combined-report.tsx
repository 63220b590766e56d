import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useIssueReport } from '../api/sla-actions.ts';
import { type ReportFields, archivedReportsQuery, combinedQuery, reportTemplatesQuery } from '../api/sla-queries.ts';
import type { ArchivedReportView, ReportWire } from '../api/wire.ts';
import { Attained, targetCell } from '../components/attained.tsx';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { targetText } from '../figures/percent.ts';
import { useCan } from '../shell/session.tsx';
import { SlaMark } from '../states/state-mark.tsx';
import { Downloads } from './downloads.tsx';

/** One report over the chosen contracts, or over all of the customer's: what is in it, and in every form. */
export function CombinedReport({ fields }: { readonly fields: ReportFields }) {
  const report = useQuery(combinedQuery(fields));
  const [template, setTemplate] = useState('');
  const laidOut = template === '' ? fields : { ...fields, template };
  const mayIssue = useCan('operate', 'reports');
  const issue = useIssueReport();
  const { data } = report;
  return (
    <section className="panel panel-pad stack" aria-label="One report">
      <div className="section-head">
        <h3>{data === undefined || report.isError ? 'One report' : `One report: ${data.title}`}</h3>
        {data === undefined || report.isError ? null : <Downloads path="/api/reports/contracts" fields={laidOut} />}
      </div>
      {report.isError ? <RefusedNotice error={report.error} /> : null}
      {report.isPending ? <p className="loading">Reckoning …</p> : null}
      {data === undefined || report.isError ? null : (
        <>
          <p>{totalsText(data)}</p>
          <Layouts chosen={template} choose={setTemplate} />
          <DataTable caption="Contracts of the report" columns={CONTRACTS} rows={data.contracts} rowKey={({ id }) => id} />
          {mayIssue && data.finality === 'final' ? (
            <div className="row-wrap">
              <Button variant="default" loading={issue.isPending} onClick={() => issue.mutate(fields)}>
                Issue it into the archive
              </Button>
            </div>
          ) : null}
          {data.finality === 'final' ? null : (
            <p className="soft">The period is not over: the figures are those so far, and nothing is issued.</p>
          )}
          {issue.isError ? <RefusedNotice error={issue.error} /> : null}
        </>
      )}
    </section>
  );
}

/** How the page and the Markdown are laid out; nothing to choose where nobody made a template. */
function Layouts({ chosen, choose }: { readonly chosen: string; readonly choose: (id: string) => void }) {
  const templates = useQuery(reportTemplatesQuery());
  const items = templates.data?.items ?? [];
  if (items.length === 0) return null;
  return (
    <NativeSelect
      label="Layout of the HTML and Markdown forms"
      description="The figures are the same in each."
      data={[
        { value: '', label: 'plain' },
        ...items.map(({ id, title }) => ({ value: id, label: title === null ? id : `${id}: ${title}` })),
      ]}
      value={chosen}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  );
}

function totalsText({ totals }: ReportWire): string {
  const verdicts = [
    [totals.met, 'kept'],
    [totals.at_risk, 'at risk'],
    [totals.breached, 'broken'],
    [totals.unknown, 'unknown'],
  ] as const;
  const told = verdicts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const owed = totals.credits.map(({ amount, currency }) => `${amount} ${currency}`).join(' and ');
  return `${totals.contracts} contract${totals.contracts === 1 ? '' : 's'}: ${told.join(', ')}${owed === '' ? '' : `; credits of ${owed}`}.`;
}

type Reported = ReportWire['contracts'][number];

const CONTRACTS: readonly Column<Reported>[] = [
  { id: 'name', header: 'Contract', cell: (one) => <span className="row-name wrap">{one.name === '' ? one.id : one.name}</span> },
  { id: 'status', header: 'Verdict', cell: (one) => <SlaMark status={one.status} young={one.young} /> },
  {
    id: 'attained',
    header: 'Attained',
    label: 'attained',
    numeric: true,
    cell: (one) => <Attained of={one} />,
  },
  { id: 'target', header: 'Target', label: 'target', numeric: true, cell: targetCell },
  {
    id: 'bad',
    header: 'Bad',
    label: 'bad',
    numeric: true,
    cell: ({ budget }) => (budget.unit === 'events' ? `${budget.spent} events` : lengthText(budget.spent_ms)),
  },
  {
    id: 'credit',
    header: 'Credit',
    label: 'credit',
    numeric: true,
    cell: ({ credit }) => {
      if (credit === null) return '–';
      if (credit.below === null) return 'none';
      return credit.amount === null ? `${targetText(Number(credit.share))} %` : `${credit.amount} ${credit.currency}`;
    },
  },
];

const ARCHIVE: readonly Column<ArchivedReportView>[] = [
  { id: 'title', header: 'Report', cell: (one) => <span className="row-name wrap">{one.title}</span> },
  {
    id: 'period',
    header: 'Period',
    label: 'period',
    cell: (one) => (
      <span>
        <Instant atMs={one.from_at_ms} relative={false} />
        {' – '}
        <Instant atMs={one.to_at_ms} relative={false} />
      </span>
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
  { id: 'forms', header: 'Download', cell: (one) => <Downloads path={`/api/reports/${encodeURIComponent(one.id)}`} fields={{}} compact /> },
];

/** Reports over several contracts that were issued. */
export function ArchivedReports() {
  const reports = useQuery(archivedReportsQuery());
  const items = reports.data?.items ?? [];
  return (
    <Section title="Archive of reports" aside={items.length === 0 ? undefined : String(items.length)}>
      <Waiting query={reports} what="the reports" />
      {reports.data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">
          No report over several contracts was issued yet. One of a period that is over is issued above, or by a schedule.
        </p>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption="Issued reports" columns={ARCHIVE} rows={items} rowKey={({ id }) => id} />
        </div>
      )}
    </Section>
  );
}
