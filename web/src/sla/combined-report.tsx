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
import { decimalText, targetText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
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
    <section className="panel panel-pad stack" aria-label={t('One report')}>
      <div className="section-head">
        <h3>{data === undefined || report.isError ? t('One report') : t('One report: {title}', { title: data.title })}</h3>
        {data === undefined || report.isError ? null : <Downloads path="/api/reports/contracts" fields={laidOut} />}
      </div>
      {report.isError ? <RefusedNotice error={report.error} /> : null}
      {report.isPending ? <p className="loading">{t('Reckoning …')}</p> : null}
      {data === undefined || report.isError ? null : (
        <>
          <p>{totalsText(data)}</p>
          <Layouts chosen={template} choose={setTemplate} />
          <DataTable caption={t('Contracts of the report')} columns={CONTRACTS} rows={data.contracts} rowKey={({ id }) => id} />
          {mayIssue && data.finality === 'final' ? (
            <div className="row-wrap">
              <Button variant="default" loading={issue.isPending} onClick={() => issue.mutate(fields)}>
                {t('Issue it into the archive')}
              </Button>
            </div>
          ) : null}
          {data.finality === 'final' ? null : (
            <p className="soft">{t('The period is not over: the figures are those so far, and nothing is issued.')}</p>
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
      label={t('Layout of the HTML and Markdown forms')}
      description={t('The figures are the same in each.')}
      data={[
        { value: '', label: t('plain') },
        ...items.map(({ id, title }) => ({ value: id, label: title === null ? id : `${id}: ${title}` })),
      ]}
      value={chosen}
      onChange={(event) => choose(event.currentTarget.value)}
    />
  );
}

function totalsText({ totals, finality }: ReportWire): string {
  const isOver = finality === 'final';
  const verdicts = [
    [totals.met, isOver ? t('{count} kept', { count: totals.met }) : t('{count} kept so far', { count: totals.met })],
    [totals.at_risk, t('{count} at risk', { count: totals.at_risk })],
    [totals.breached, t('{count} broken', { count: totals.breached })],
    [totals.unknown, t('{count} unknown', { count: totals.unknown })],
  ] as const;
  const told = verdicts.flatMap(([count, words]) => (count > 0 ? [words] : [])).join(', ');
  const owed = totals.credits.map(({ amount, currency }) => `${decimalText(amount)} ${currency}`).join(t(' and '));
  const said = { count: totals.contracts, told };
  return owed === ''
    ? t('{count, plural, one {# contract} other {# contracts}}: {told}.', said)
    : t('{count, plural, one {# contract} other {# contracts}}: {told}; credits of {owed}.', { ...said, owed });
}

type Reported = ReportWire['contracts'][number];

const CONTRACTS: readonly Column<Reported>[] = [
  { id: 'name', header: t('Contract'), cell: (one) => <span className="row-name wrap">{one.name === '' ? one.id : one.name}</span> },
  { id: 'status', header: t('Verdict'), cell: (one) => <SlaMark status={one.status} young={one.young} /> },
  {
    id: 'attained',
    header: t('Attained'),
    label: t('attained'),
    numeric: true,
    cell: (one) => <Attained of={one} />,
  },
  { id: 'target', header: t('Target'), label: t('target'), numeric: true, cell: targetCell },
  {
    id: 'bad',
    header: t('Bad'),
    label: t('bad'),
    numeric: true,
    cell: ({ budget }) =>
      budget.unit === 'events'
        ? t('{events, plural, one {# event} other {# events}}', { events: budget.spent })
        : lengthText(budget.spent_ms),
  },
  {
    id: 'credit',
    header: t('Credit'),
    label: t('credit'),
    numeric: true,
    cell: ({ credit }) => {
      if (credit === null) return '–';
      if (credit.below === null) return t('none');
      return credit.amount === null
        ? t('{figure} %', { figure: targetText(Number(credit.share)) })
        : `${decimalText(credit.amount)} ${credit.currency}`;
    },
  },
];

const ARCHIVE: readonly Column<ArchivedReportView>[] = [
  {
    id: 'title',
    header: t('Report'),
    cell: (one) => (
      <>
        <span className="row-name wrap">{one.title}</span> <ObjectMenu kind="reports" id={one.id} name={one.title} />
      </>
    ),
  },
  {
    id: 'period',
    header: t('Period'),
    label: t('period'),
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
    cell: (one) => <Downloads path={`/api/reports/${encodeURIComponent(one.id)}`} fields={{}} compact />,
  },
];

/** Reports over several contracts that were issued. */
export function ArchivedReports() {
  const reports = useQuery(archivedReportsQuery());
  const items = reports.data?.items ?? [];
  return (
    <Section title={t('Archive of reports')} aside={items.length === 0 ? undefined : String(items.length)}>
      <Waiting query={reports} what={t('the reports')} />
      {reports.data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">
          {t('No report over several contracts was issued yet. One of a period that is over is issued above, or by a schedule.')}
        </p>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Issued reports')} columns={ARCHIVE} rows={items} rowKey={({ id }) => id} />
        </div>
      )}
    </Section>
  );
}
