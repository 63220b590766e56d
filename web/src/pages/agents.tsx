import { Button, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useChangeAgent, useCreateJoinToken, useWithdrawJoinToken } from '../api/actions.ts';
import { agentsQuery } from '../api/queries.ts';
import type { AgentsView, AgentView, JoinTokenView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { Command, EmptyState, ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';
import { useTitle } from './use-title.ts';
import { Locked } from '../components/locked.tsx';
import { useCan } from '../shell/session.tsx';

const OFF = `agents:
  listen: 0.0.0.0:7071
  address: nines.example.org:7071`;

const MARKS = { connected: 'up', away: 'unknown', never_seen: 'unknown', revoked: 'unknown' } as const;
const WORDS = { connected: t('Connected'), away: t('Away'), never_seen: t('Never seen'), revoked: t('Revoked') } as const;

/** The agents at other places: who is there, how far their clocks are off, what waits, and how another one joins. */
export function AgentsPage() {
  useTitle(t('Agents'));
  const query = useQuery(agentsQuery());
  const { data } = query;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Agents')}</h1>
          <p className="page-lead">{data === undefined ? '' : lead(data)}</p>
        </div>
      </header>
      <Waiting query={query} what={t('agents')} />
      {data === undefined ? null : data.address === null ? (
        <EmptyState command={OFF}>
          {rich('This server takes no agents. Say in <code>nines.yml</code> where they connect, and start it again.', {
            code: (inner) => <code>{inner}</code>,
          })}
        </EmptyState>
      ) : (
        <Known agents={data} />
      )}
    </div>
  );
}

function lead({ items, missing }: AgentsView): string {
  const standing = items.filter(({ state }) => state !== 'revoked');
  const away = standing.filter(({ state }) => state !== 'connected').length;
  const words = [
    standing.length === 0
      ? t('No agent has joined.')
      : `${standing.length} ${standing.length === 1 ? 'agent' : 'agents'}, ${away === 0 ? t('all connected') : t('{away} away', { away })}.`,
    missing.length === 0 ? '' : t('Checks ask at {missing}, where no agent is: those voices are absent.', { missing: missing.join(', ') }),
  ];
  return words.join(' ').trim();
}

function Known({ agents }: { readonly agents: AgentsView }) {
  const change = useChangeAgent();
  const withdraw = useWithdrawJoinToken();
  const mayChange = useCan('administer', 'agents');
  const standing = agents.items.filter(({ state }) => state !== 'revoked');
  const revoked = agents.items.filter(({ state }) => state === 'revoked');
  return (
    <>
      {change.isError ? <ErrorNotice error={change.error} /> : null}
      {standing.length === 0 ? null : (
        <div className="panel">
          <DataTable
            caption={t('Agents')}
            columns={columns(change.mutate).filter(({ id }) => mayChange || id !== 'actions')}
            rows={standing}
            rowKey={(agent) => agent.id}
          />
        </div>
      )}
      <Section title={t('Let an agent join')}>
        <p className="faint">
          {t('One place is one location, by the name that checks write under locations. A token lets one agent join there, once.')}
        </p>
        <Join missing={agents.missing} />
        {withdraw.isError ? <ErrorNotice error={withdraw.error} /> : null}
        {agents.join_tokens.length === 0 ? null : (
          <div className="panel">
            <DataTable
              caption={t('Join tokens that were not used')}
              columns={tokenColumns((id) => withdraw.mutate(id)).filter(({ id }) => mayChange || id !== 'withdraw')}
              rows={agents.join_tokens}
              rowKey={(token) => token.id}
            />
          </div>
        )}
      </Section>
      {revoked.length === 0 ? null : (
        <Section title={t('Revoked')} aside={`${revoked.length}`}>
          <div className="panel">
            <DataTable caption={t('Revoked agents')} columns={revokedColumns} rows={revoked} rowKey={(agent) => agent.id} />
          </div>
        </Section>
      )}
    </>
  );
}

const milliseconds = (value: number | null | undefined): string =>
  value === null || value === undefined ? t('not measured') : `${Math.round(value)} ms`;

const columns = (change: (what: { readonly id: string; readonly action: 'revoke' | 'rotate' }) => void): readonly Column<AgentView>[] => [
  { id: 'location', header: t('Location'), cell: (agent) => <span className="row-name">{agent.location}</span> },
  { id: 'state', header: t('State'), label: t('state'), cell: ({ state }) => <StateMark state={MARKS[state]} word={WORDS[state]} /> },
  {
    id: 'seen',
    header: t('Last seen'),
    label: t('last seen'),
    cell: (agent) => (agent.last_seen_at_ms === null ? t('never') : <Instant atMs={agent.last_seen_at_ms} />),
  },
  { id: 'checks', header: t('Checks'), label: t('checks'), cell: (agent) => <Checks agent={agent} /> },
  {
    id: 'skew',
    header: t('Clock'),
    label: t('clock'),
    cell: ({ status }) => (
      <span title={t('known to ± {milliseconds}', { milliseconds: milliseconds(status?.uncertainty_ms) })}>
        {milliseconds(status?.skew_ms)}
      </span>
    ),
  },
  { id: 'waiting', header: t('Waiting'), label: t('results waiting'), cell: ({ status }) => <Waits status={status} /> },
  { id: 'version', header: t('Version'), label: t('version'), cell: ({ status }) => status?.version ?? '' },
  {
    id: 'actions',
    header: <span className="sr-only">{t('Actions')}</span>,
    cell: (agent) => (
      <span className="row-wrap">
        <button type="button" className="plain-button" disabled={agent.rotating} onClick={() => change({ id: agent.id, action: 'rotate' })}>
          {agent.rotating ? t('New key is due') : t('New key')}
        </button>
        <button
          type="button"
          className="plain-button"
          aria-label={t('Revoke {location}', { location: agent.location })}
          onClick={() => change({ id: agent.id, action: 'revoke' })}
        >
          {t('Revoke')}
        </button>
        <ObjectMenu kind="agents" id={agent.id} name={agent.location} namedAs={agent.location} />
      </span>
    ),
  },
];

function Checks({ agent: { checks, status } }: { readonly agent: AgentView }) {
  const refused = status?.refused ?? [];
  if (refused.length === 0) return <>{checks}</>;
  return (
    <span title={refused.map(({ check, reason }) => `${check}: ${reason}`).join('\n')}>
      {t('{checks}, {refused} not run', { checks, refused: refused.length })}
    </span>
  );
}

function Waits({ status }: { readonly status: AgentView['status'] }) {
  if (status === null) return <></>;
  const { buffered, lost } = status;
  if (lost === null) return <>{buffered}</>;
  const when = t('{from} to {to}', { from: new Date(lost.from_at_ms).toISOString(), to: new Date(lost.to_at_ms).toISOString() });
  return (
    <span title={t('dropped because the buffer was full: {when}', { when })}>
      {t('{buffered}, {lost} lost', { buffered, lost: lost.count })}
    </span>
  );
}

const tokenColumns = (withdraw: (id: string) => void): readonly Column<JoinTokenView>[] => [
  { id: 'location', header: t('For'), cell: (token) => <span className="row-name">{token.location}</span> },
  { id: 'by', header: t('Made by'), label: t('made by'), cell: (token) => token.created_by },
  {
    id: 'until',
    header: t('Good until'),
    label: t('good until'),
    cell: (token) => <Instant atMs={token.expires_at_ms} relative={false} />,
  },
  {
    id: 'withdraw',
    header: <span className="sr-only">{t('Withdraw')}</span>,
    cell: (token) => (
      <button
        type="button"
        className="plain-button"
        aria-label={t('Withdraw the token for {location}', { location: token.location })}
        onClick={() => withdraw(token.id)}
      >
        {t('Withdraw')}
      </button>
    ),
  },
];

const revokedColumns: readonly Column<AgentView>[] = [
  { id: 'location', header: t('Location'), cell: (agent) => <span className="row-name">{agent.location}</span> },
  { id: 'by', header: t('By'), label: t('by'), cell: (agent) => agent.revoked_by ?? '' },
  {
    id: 'at',
    header: t('When'),
    label: t('when'),
    cell: (agent) => (agent.revoked_at_ms === null ? '' : <Instant atMs={agent.revoked_at_ms} relative={false} />),
  },
];

/** The form that makes a token for one agent, for those who may. */
function Join({ missing }: { readonly missing: readonly string[] }) {
  if (!useCan('administer', 'agents')) return <Locked word={t('Make a join token')} verb="administer" area="agents" />;
  return <JoinForm missing={missing} />;
}

/** Makes a token for one agent and shows the command that uses it, once. */
function JoinForm({ missing }: { readonly missing: readonly string[] }) {
  const [location, setLocation] = useState('');
  const create = useCreateJoinToken();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(location, { onSuccess: () => setLocation('') });
  };
  return (
    <>
      <form className="row-wrap" style={{ alignItems: 'flex-end' }} onSubmit={submit}>
        <TextInput
          label={t('Location')}
          placeholder={missing[0] ?? 'berlin'}
          required
          value={location}
          onChange={(event) => setLocation(event.currentTarget.value)}
          w={240}
        />
        <Button type="submit" variant="default" loading={create.isPending}>
          {t('Make a join token')}
        </Button>
      </form>
      {create.isError ? <ErrorNotice error={create.error} /> : null}
      {create.data === undefined ? null : (
        <div role="status">
          <p>
            {t(
              'Run this on the machine at {location}, within the hour. The token works once and is not shown again; whoever is at that location now is revoked when it is used.',
              { location: create.data.location },
            )}
          </p>
          <Command text={create.data.command} />
        </div>
      )}
    </>
  );
}
