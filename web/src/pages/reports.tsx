import { Checkbox } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { slasQuery } from '../api/queries.ts';
import { type ReportFields, issuedQuery, schedulesQuery } from '../api/sla-queries.ts';
import type { ScheduleView, SlaView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FilterInput } from '../components/filter-input.tsx';
import { Instant } from '../components/instant.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import type { ReportsSearch } from '../shell/search.ts';
import { Downloads } from '../sla/downloads.tsx';
import { IssuedTable } from '../sla/issued-table.tsx';
import { ArchivedReports, CombinedReport } from '../sla/combined-report.tsx';
import { ReportPeriod, useReportFields } from '../sla/report-period.tsx';
import { nameOf } from '../sla/sla-head.tsx';
import { NoSlas } from './teaching.tsx';
import { useTitle } from './use-title.ts';

/** Reports about contracts: any period in every form, what is sent by itself, and what was issued. */
export function ReportsPage() {
  useTitle(t('Reports'));
  const search = useSearch({ from: '/shell/reports' });
  const navigate = useNavigate({ from: '/reports' });
  const slas = useQuery(slasQuery());
  const items = slas.data?.items ?? [];
  const { q = '' } = search;
  const shown = items.filter((sla) => matchesFilter(q, [sla.id, sla.name, sla.service]));
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Reports')}</h1>
          <p className="page-lead">{t('What was promised and what was kept, in a form to hand over.')}</p>
        </div>
        <FilterInput
          what={t('contracts')}
          value={q}
          onChange={(next) => {
            const { q: _before, ...rest } = search;
            void navigate({ search: next === '' ? rest : { ...rest, q: next }, replace: true });
          }}
        />
      </header>
      <Waiting query={slas} what={t('the contracts')} />
      {slas.data !== undefined && items.length === 0 ? <NoSlas /> : null}
      {items.length === 0 ? null : <Make slas={shown} all={items} search={search} />}
      <Schedules />
      <ArchivedReports />
      <Archive search={search} />
    </div>
  );
}

/** A period, contracts and perhaps a customer: one report over all of them, or each by itself. */
function Make({
  slas,
  all,
  search,
}: {
  readonly slas: readonly SlaView[];
  readonly all: readonly SlaView[];
  readonly search: ReportsSearch;
}) {
  const navigate = useNavigate({ from: '/reports' });
  const fields = useReportFields(search);
  const choose = (ids: readonly string[]) => {
    const { sla: _before, ...rest } = search;
    void navigate({ search: ids.length === 0 ? rest : { ...rest, sla: ids.join(',') }, replace: true, resetScroll: false });
  };
  return (
    <Section title={t('Make a report')} aside={t('of any period; what is not over yet is provisional')}>
      <ReportPeriod slas={all} search={search} />
      {slas.length === 0 ? <p className="empty">{t('No contract matches “{q}”.', { q: search.q ?? '' })}</p> : null}
      {slas.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('Reports by contract')}
            columns={columnsOf(fields, { chosen: fields.sla, choose })}
            rows={slas}
            rowKey={(sla) => sla.id}
          />
        </div>
      )}
      <CombinedReport fields={fields} />
    </Section>
  );
}

type Choice = { readonly chosen: readonly string[]; readonly choose: (ids: readonly string[]) => void };

const columnsOf = (fields: ReportFields, { chosen, choose }: Choice): readonly Column<SlaView>[] => [
  {
    id: 'choose',
    header: <span className="sr-only">{t('In the report')}</span>,
    cell: (sla) => (
      <Checkbox
        size="xs"
        aria-label={t('Take {name} into the report', { name: nameOf(sla) })}
        checked={chosen.includes(sla.id)}
        onChange={(event) => choose(event.currentTarget.checked ? [...chosen, sla.id] : chosen.filter((id) => id !== sla.id))}
      />
    ),
  },
  {
    id: 'name',
    header: t('Contract'),
    cell: (sla) => (
      <Link to="/slas/$id/statement" params={{ id: sla.id }} search={periodSearch(fields)} className="row-name" data-row="">
        {nameOf(sla)}
      </Link>
    ),
  },
  { id: 'service', header: t('Service'), label: t('service'), cell: (sla) => sla.service },
  {
    id: 'customers',
    header: t('Customers'),
    label: t('customers'),
    cell: (sla) => <span className="wrap">{sla.customers.map(({ name }) => name).join(', ')}</span>,
  },
  {
    id: 'forms',
    header: t('By itself'),
    cell: (sla) => {
      const { sla: _all, customer, ...period } = fields;
      const own = sla.customers.some(({ id }) => id === customer) ? { ...period, customer } : period;
      return <Downloads path={`/api/slas/${encodeURIComponent(sla.id)}/report`} fields={own} compact />;
    },
  },
];

function periodSearch({ period, zone, from, to }: ReportFields): ReportsSearch {
  return {
    ...(period === undefined ? {} : { period }),
    ...(zone === undefined ? {} : { zone }),
    ...(from === undefined || to === undefined ? {} : { from: Number(from) * 1000, to: Number(to) * 1000 }),
  };
}

const SNIPPET = `channels:
  - { id: mail, kind: email, host: smtp.example.org, from: nines@example.org, to: legal@example.org }
statements:
  - id: monthly
    every: month
    zone: Europe/Berlin
    slas: [shop-availability]
    together: true
    channel: mail
    attach: [pdf, json]`;

function Schedules() {
  const schedules = useQuery(schedulesQuery());
  const items = schedules.data?.items ?? [];
  return (
    <Section title={t('Sent by themselves')}>
      <Waiting query={schedules} what={t('the schedules')} />
      {schedules.data !== undefined && items.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {t('No statement is sent by itself. Say in the configuration file which, how often and to whom.')}
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Scheduled statements')} columns={SCHEDULE} rows={items} rowKey={(one) => one.id} />
        </div>
      )}
    </Section>
  );
}

const SCHEDULE: readonly Column<ScheduleView>[] = [
  { id: 'id', header: t('Schedule'), cell: (one) => <span className="row-name">{one.id}</span> },
  { id: 'every', header: t('Every'), label: t('every'), cell: (one) => `${one.every}${one.zone === 'UTC' ? '' : ` (${one.zone})`}` },
  {
    id: 'slas',
    header: t('Contracts'),
    label: t('contracts'),
    cell: (one) => (
      <span className="wrap">{one.together ? t('{slas}, together', { slas: one.slas.join(', ') }) : one.slas.join(', ')}</span>
    ),
  },
  { id: 'customer', header: t('Customer'), label: t('customer'), cell: (one) => one.customer ?? <span className="faint">–</span> },
  {
    id: 'to',
    header: t('To'),
    label: t('to'),
    cell: (one) => <span className="wrap">{`${one.channel}${one.to.length === 0 ? '' : `: ${one.to.join(', ')}`}`}</span>,
  },
  { id: 'attach', header: t('Forms'), label: t('forms'), cell: (one) => one.attach.join(', ').toUpperCase() },
  {
    id: 'next',
    header: t('Next'),
    label: t('next'),
    cell: (one) => (
      <span>
        {`${one.next.period}, `}
        <Instant atMs={one.next.at_ms} />
      </span>
    ),
  },
  {
    id: 'sent',
    header: t('Last sent'),
    label: t('last sent'),
    cell: ({ together, sent: [last] }) =>
      last === undefined ? (
        <span className="faint">{t('nothing yet')}</span>
      ) : together ? (
        <a href={`/api/reports/${encodeURIComponent(last.statement)}?format=html`} target="_blank" rel="noreferrer">
          <Instant atMs={last.at_ms} relative={false} />
        </a>
      ) : (
        <Link to="/statements/$id" params={{ id: last.statement }}>
          <Instant atMs={last.at_ms} relative={false} />
        </Link>
      ),
  },
];

function Archive({ search }: { readonly search: ReportsSearch }) {
  const issued = useQuery(issuedQuery({}));
  const items = (issued.data?.items ?? []).filter((one) =>
    matchesFilter(search.q ?? '', [one.sla, one.name, one.service, one.customer ?? '']),
  );
  return (
    <Section
      title={t('Archive of statements')}
      aside={items.length === 0 ? undefined : t('{items} issued, with all revisions', { items: items.length })}
    >
      <Waiting query={issued} what={t('the archive')} />
      {issued.data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">
          {t('Nothing was issued yet. A statement is issued on the page of its contract, or by a schedule.')}
        </p>
      ) : null}
      {items.length === 0 ? null : <IssuedTable items={items} withSla />}
    </Section>
  );
}
