import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type SessionRowView, sessionsQuery, useEndSessions } from '../api/people.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { browserOf } from './browser-of.ts';

/** Where somebody is signed in: the person who looks, or another one. */
export function Sessions({ person, name }: { readonly person?: string; readonly name?: string }) {
  const query = useQuery(sessionsQuery(person));
  const end = useEndSessions(person);
  const items = query.data?.items ?? [];
  const others = items.filter(({ current }) => !current);
  return (
    <Section title={name === undefined ? 'Where you are signed in' : `Where ${name} is signed in`} aside={`${items.length}`}>
      <Waiting query={query} what="sessions" />
      {end.isError ? <ErrorNotice error={end.error} /> : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption="Sessions" columns={columns((id) => end.mutate(id))} rows={items} rowKey={(session) => session.id} />
        </div>
      )}
      {others.length === 0 ? null : (
        <div>
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate(undefined)}>
            {person === undefined ? 'End all others' : 'End all'}
          </Button>
        </div>
      )}
    </Section>
  );
}

const columns = (end: (id: string) => void): readonly Column<SessionRowView>[] => [
  {
    id: 'browser',
    header: 'Browser',
    cell: ({ user_agent, current }) => (
      <span className="row-name" title={user_agent}>{`${browserOf(user_agent)}${current ? ' (this one)' : ''}`}</span>
    ),
  },
  { id: 'address', header: 'Address', label: 'address', cell: ({ address }) => (address === '' ? 'not known' : address) },
  { id: 'begun', header: 'Begun', label: 'begun', cell: (session) => <Instant atMs={session.created_at_ms} relative={false} /> },
  { id: 'seen', header: 'Last seen', label: 'last seen', cell: (session) => <Instant atMs={session.last_seen_at_ms} /> },
  {
    id: 'end',
    header: <span className="sr-only">End</span>,
    cell: (session) =>
      session.current ? null : (
        <button
          type="button"
          className="plain-button"
          aria-label={`End the session of ${browserOf(session.user_agent)} at ${session.address}`}
          onClick={() => end(session.id)}
        >
          End
        </button>
      ),
  },
];
