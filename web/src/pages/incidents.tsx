import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { type IncidentView, incidentFiguresQuery, incidentsQuery, useOpenIncident } from '../api/incidents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState, ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { INCIDENT_COLUMNS } from './incident-columns.tsx';
import { SEVERITY_CHOICES, phrase } from '../states/words.ts';
import { useTitle } from './use-title.ts';
import { Locked } from '../components/locked.tsx';
import { incidentsSearch } from '../shell/search.ts';
import { useCan } from '../shell/session.tsx';
import { TeamFilter, useTeams } from '../components/team-filter.tsx';

/** What people work on, what they worked on, and how fast. */
export function IncidentsPage() {
  const search = useSearch({ from: '/shell/incidents' });
  const { status = 'open', team } = search;
  const navigate = useNavigate({ from: '/incidents' });
  const query = useQuery(incidentsQuery(status));
  const teams = useTeams();
  const items = (query.data?.items ?? []).filter(({ services }) => teams.has(team, services));
  const go = (change: { status?: string; team?: string | undefined }) =>
    void navigate({ search: incidentsSearch({ ...search, ...change }) });
  useTitle(items.length === 0 || status !== 'open' ? t('Incidents') : t('Incidents ({items})', { items: items.length }));
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Incidents')}</h1>
          <p className="page-lead">{query.data === undefined ? '' : lead(status, items)}</p>
        </div>
        <div className="row-wrap">
          <Link to="/incident-rules">{t('Rules of incidents')}</Link>
          <TeamFilter teams={teams} value={team} onChange={(next) => go({ team: next })} />
          <NativeSelect
            size="xs"
            aria-label={t('Which incidents')}
            data={[
              { value: 'open', label: t('Open') },
              { value: 'resolved', label: t('Over') },
              { value: 'all', label: t('All') },
            ]}
            value={status}
            onChange={(event) => go({ status: event.currentTarget.value })}
          />
        </div>
      </header>
      <Waiting query={query} what={t('incidents')} />
      {query.data === undefined ? null : items.length === 0 && team !== undefined ? (
        <p className="empty">{t('No incident here is about a service of team {team}.', { team })}</p>
      ) : items.length === 0 ? (
        <EmptyState command="nines incidents list --status all">
          {`${status === 'open' ? t('Nothing is open.') : t('There are none.')} `}
          {t('An alert of severity critical or above opens an incident with everything that belongs to it; so does the button below.')}
        </EmptyState>
      ) : (
        <div className="panel">
          <DataTable
            caption={t('Incidents, newest first')}
            columns={COLUMNS}
            rows={items}
            rowKey={({ id }) => id}
            onRowKey={({ number }, _index, event) => {
              if (event.key === 'Enter') void navigate({ to: '/incidents/$id', params: { id: String(number) } });
            }}
          />
        </div>
      )}
      <Section title={t('Open one by hand')}>
        <Open />
      </Section>
      <Figures />
    </div>
  );
}

function lead(status: string, items: readonly IncidentView[]): string {
  if (status !== 'open') return t('{count, plural, one {# incident} other {# incidents}}.', { count: items.length });
  if (items.length === 0) return t('No incident is open.');
  const unseen = items.filter(({ state }) => state === 'open').length;
  const leaderless = items.filter(({ roles, state }) => roles.commander === null && state !== 'mitigated').length;
  const words = [
    t('{count, plural, one {# incident is} other {# incidents are}} open', { count: items.length }),
    unseen === 0 ? '' : t('{unseen} not acknowledged', { unseen }),
    leaderless === 0 ? '' : t('{leaderless} without a commander', { leaderless }),
  ];
  return `${words.filter((word) => word !== '').join(', ')}.`;
}

const COLUMNS: readonly Column<IncidentView>[] = [
  INCIDENT_COLUMNS.title,
  INCIDENT_COLUMNS.state,
  INCIDENT_COLUMNS.severity,
  { id: 'category', header: t('Category'), label: t('category'), cell: ({ category }) => phrase(category) },
  INCIDENT_COLUMNS.since,
  {
    id: 'commander',
    header: t('Commander'),
    label: t('commander'),
    cell: ({ roles }) => roles.commander ?? <span className="faint">{t('nobody')}</span>,
  },
  { id: 'services', header: t('Services'), label: t('services'), cell: ({ services }) => services.slice(0, 5).join(', ') },
];

/** The form that opens an incident, for those who may. */
function Open() {
  return useCan('operate', 'incidents') ? <OpenForm /> : <Locked word={t('Open incident')} verb="operate" area="incidents" />;
}

function OpenForm() {
  const [title, setTitle] = useState('');
  const [severity, setSeverity] = useState('critical');
  const open = useOpenIncident();
  const navigate = useNavigate();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    open.mutate(
      { title, severity, services: [] },
      { onSuccess: ({ number }) => void navigate({ to: '/incidents/$id', params: { id: String(number) } }) },
    );
  };
  return (
    <form onSubmit={submit} className="row-wrap">
      <TextInput
        aria-label={t('What happens')}
        placeholder={t('What happens, in a few words')}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        required
        maxLength={300}
      />
      <NativeSelect
        aria-label={t('Severity')}
        data={SEVERITY_CHOICES}
        value={severity}
        onChange={(event) => setSeverity(event.currentTarget.value)}
      />
      <Button type="submit" loading={open.isPending}>
        {t('Open incident')}
      </Button>
      {open.isError ? <ErrorNotice error={open.error} /> : null}
    </form>
  );
}

const BY = [
  { value: 'service', label: t('Service') },
  { value: 'category', label: t('Category') },
  { value: 'team', label: t('Team') },
  { value: 'severity', label: t('Severity') },
];
type Figure = {
  readonly key: string;
  readonly incidents: number;
  readonly mttd_ms: number | null;
  readonly mtta_ms: number | null;
  readonly mttr_ms: number | null;
};
const length = (lengthMs: number | null): string => (lengthMs === null ? '–' : lengthText(lengthMs));

function Figures() {
  const [by, setBy] = useState<string>('service');
  const query = useQuery(incidentFiguresQuery(by));
  const columns: readonly Column<Figure>[] = [
    {
      id: 'key',
      header: BY.find(({ value }) => value === by)?.label ?? by,
      cell: ({ key }) => key || <span className="faint">{t('nobody')}</span>,
    },
    { id: 'count', header: t('Incidents'), label: t('incidents'), numeric: true, cell: ({ incidents }) => incidents },
    { id: 'mttd', header: t('Detected in'), label: t('detected in'), numeric: true, cell: ({ mttd_ms: ms }) => length(ms) },
    { id: 'mtta', header: t('Acknowledged in'), label: t('acknowledged in'), numeric: true, cell: ({ mtta_ms: ms }) => length(ms) },
    { id: 'mttr', header: t('Recovered in'), label: t('recovered in'), numeric: true, cell: ({ mttr_ms: ms }) => length(ms) },
  ];
  return (
    <Section
      title={t('How fast, on average of the last 30 days')}
      aside={<NativeSelect aria-label={t('Figures by')} data={BY} value={by} onChange={(event) => setBy(event.currentTarget.value)} />}
    >
      <Waiting query={query} what={t('figures')} />
      {query.data === undefined ? null : query.data.items.length === 0 ? (
        <p className="faint">{t('No incident in the last 30 days: there is nothing to take a mean of. States go from open to closed.')}</p>
      ) : (
        <div className="panel">
          <DataTable caption={t('Figures by {by}', { by })} columns={columns} rows={query.data.items} rowKey={({ key }) => key} />
        </div>
      )}
    </Section>
  );
}
