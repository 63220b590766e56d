import { NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { slasQuery } from '../api/queries.ts';
import { issuedQuery, schedulesQuery } from '../api/sla-queries.ts';
import type { ScheduleView, SlaView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { FilterInput } from '../components/filter-input.tsx';
import { Instant } from '../components/instant.tsx';
import { matchesFilter } from '../components/matches-filter.ts';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { useNowStep } from '../shell/now.ts';
import type { ReportsSearch } from '../shell/search.ts';
import { Downloads } from '../sla/downloads.tsx';
import { IssuedTable } from '../sla/issued-table.tsx';
import { recentPeriods } from '../sla/periods.ts';
import { nameOf } from '../sla/sla-head.tsx';
import { periodFields } from '../sla/what-if-search.ts';
import { NoSlas } from './teaching.tsx';
import { useTitle } from './use-title.ts';

/** Reports about contracts: any period in every form, what is sent by itself, and what was issued. */
export function ReportsPage() {
  useTitle('Reports');
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
          <h1>Reports</h1>
          <p className="page-lead">What was promised and what was kept, in a form to hand over.</p>
        </div>
        <FilterInput
          what="contracts"
          value={q}
          onChange={(next) => {
            const { q: _before, ...rest } = search;
            void navigate({ search: next === '' ? rest : { ...rest, q: next }, replace: true });
          }}
        />
      </header>
      <Waiting query={slas} what="the contracts" />
      {slas.data !== undefined && items.length === 0 ? <NoSlas /> : null}
      {items.length === 0 ? null : <Make slas={shown} search={search} />}
      <Schedules />
      <Archive search={search} />
    </div>
  );
}

const PERIODS = 25;
const MONTHS = { calendar: null } as const;

/** A period, and for each contract its report in every form. */
function Make({ slas, search }: { readonly slas: readonly SlaView[]; readonly search: ReportsSearch }) {
  const navigate = useNavigate({ from: '/reports' });
  const now = useNowStep(3_600_000);
  const months = recentPeriods(MONTHS, now, PERIODS);
  const fields = { ...periodFields(search), customer: search.customer };
  const change = (next: ReportsSearch) => {
    const { period: _period, from: _from, to: _to, ...rest } = search;
    void navigate({ search: { ...rest, ...next }, replace: true, resetScroll: false });
  };
  return (
    <Section title="Make a report" aside="of any period; what is not over yet is provisional">
      <div className="panel panel-pad choose">
        <NativeSelect
          label="Period"
          data={[
            { value: '', label: search.from === undefined ? 'each contract’s window that ends now' : 'the period of the address' },
            ...months.map(({ name }, i) => ({ value: name, label: i === 0 ? `${name}, so far` : name })),
          ]}
          value={months.some(({ name }) => name === search.period) ? (search.period ?? '') : ''}
          onChange={(event) => change(event.currentTarget.value === '' ? {} : { period: event.currentTarget.value })}
        />
        <TextInput
          label="Or by name"
          description="2026-11-21, 2026-W47, 2026-11, 2026-Q4, 2026"
          defaultValue={search.period ?? ''}
          key={search.period}
          onBlur={(event) => {
            const period = event.currentTarget.value.trim();
            if (period !== (search.period ?? '')) change(period === '' ? {} : { period });
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter') event.currentTarget.blur();
          }}
        />
        <TextInput
          label="Time zone"
          placeholder="UTC"
          defaultValue={search.zone ?? ''}
          key={`zone ${search.zone}`}
          onBlur={(event) => {
            const zone = event.currentTarget.value.trim();
            const { zone: _before, ...rest } = search;
            if (zone !== (search.zone ?? '')) void navigate({ search: zone === '' ? rest : { ...rest, zone }, replace: true });
          }}
        />
      </div>
      {slas.length === 0 ? <p className="empty">{`No contract matches “${search.q ?? ''}”.`}</p> : null}
      {slas.length === 0 ? null : (
        <div className="panel">
          <DataTable caption="Reports by contract" columns={columnsOf(search, fields)} rows={slas} rowKey={(sla) => sla.id} />
        </div>
      )}
    </Section>
  );
}

const columnsOf = (
  { q: _filter, sla: _sla, ...period }: ReportsSearch,
  fields: Readonly<Record<string, string | undefined>>,
): readonly Column<SlaView>[] => [
  {
    id: 'name',
    header: 'Contract',
    cell: (sla) => (
      <Link to="/slas/$id/statement" params={{ id: sla.id }} search={period} className="row-name" data-row="">
        {nameOf(sla)}
      </Link>
    ),
  },
  { id: 'service', header: 'Service', label: 'service', cell: (sla) => sla.service },
  {
    id: 'forms',
    header: 'Report',
    cell: (sla) => <Downloads path={`/api/slas/${encodeURIComponent(sla.id)}/report`} fields={fields} compact />,
  },
];

const SNIPPET = `channels:
  - { id: mail, kind: email, host: smtp.example.org, from: nines@example.org, to: legal@example.org }
statements:
  - id: monthly
    every: month
    zone: Europe/Berlin
    slas: [shop-availability]
    channel: mail
    attach: [pdf, json]`;

function Schedules() {
  const schedules = useQuery(schedulesQuery());
  const items = schedules.data?.items ?? [];
  return (
    <Section title="Sent by themselves">
      <Waiting query={schedules} what="the schedules" />
      {schedules.data !== undefined && items.length === 0 ? (
        <EmptyState command={SNIPPET}>
          No statement is sent by itself. Say in the configuration file which, how often and to whom.
        </EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption="Scheduled statements" columns={SCHEDULE} rows={items} rowKey={(one) => one.id} />
        </div>
      )}
    </Section>
  );
}

const SCHEDULE: readonly Column<ScheduleView>[] = [
  { id: 'id', header: 'Schedule', cell: (one) => <span className="row-name">{one.id}</span> },
  { id: 'every', header: 'Every', label: 'every', cell: (one) => `${one.every}${one.zone === 'UTC' ? '' : ` (${one.zone})`}` },
  { id: 'slas', header: 'Contracts', label: 'contracts', cell: (one) => <span className="wrap">{one.slas.join(', ')}</span> },
  { id: 'customer', header: 'Customer', label: 'customer', cell: (one) => one.customer ?? <span className="faint">–</span> },
  {
    id: 'to',
    header: 'To',
    label: 'to',
    cell: (one) => <span className="wrap">{`${one.channel}${one.to.length === 0 ? '' : `: ${one.to.join(', ')}`}`}</span>,
  },
  { id: 'attach', header: 'Forms', label: 'forms', cell: (one) => one.attach.join(', ').toUpperCase() },
  {
    id: 'next',
    header: 'Next',
    label: 'next',
    cell: (one) => (
      <span>
        {`${one.next.period}, `}
        <Instant atMs={one.next.at_ms} />
      </span>
    ),
  },
  {
    id: 'sent',
    header: 'Last sent',
    label: 'last sent',
    cell: ({ sent: [last] }) =>
      last === undefined ? (
        <span className="faint">nothing yet</span>
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
    <Section title="Archive" aside={items.length === 0 ? undefined : `${items.length} issued, with all revisions`}>
      <Waiting query={issued} what="the archive" />
      {issued.data !== undefined && items.length === 0 ? (
        <p className="empty empty-quiet">Nothing was issued yet. A statement is issued on the page of its contract, or by a schedule.</p>
      ) : null}
      {items.length === 0 ? null : <IssuedTable items={items} withSla />}
    </Section>
  );
}
