import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type SessionRowView, sessionsQuery, useEndSessions } from '../api/people.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { browserOf } from './browser-of.ts';

/** Where somebody is signed in: the person who looks, or another one. */
export function Sessions({ person, name }: { readonly person?: string; readonly name?: string }) {
  const query = useQuery(sessionsQuery(person));
  const end = useEndSessions(person);
  const items = query.data?.items ?? [];
  const others = items.filter(({ current }) => !current);
  return (
    <Section title={name === undefined ? t('Where you are signed in') : t('Where {name} is signed in', { name })} aside={`${items.length}`}>
      <Waiting query={query} what={t('sessions')} />
      {end.isError ? <ErrorNotice error={end.error} /> : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption={t('Sessions')} columns={columns((id) => end.mutate(id))} rows={items} rowKey={(session) => session.id} />
        </div>
      )}
      {others.length === 0 ? null : (
        <div>
          <Button variant="default" loading={end.isPending} onClick={() => end.mutate(undefined)}>
            {person === undefined ? t('End all others') : t('End all')}
          </Button>
        </div>
      )}
    </Section>
  );
}

const columns = (end: (id: string) => void): readonly Column<SessionRowView>[] => [
  {
    id: 'browser',
    header: t('Browser'),
    cell: ({ user_agent, current }) => (
      <span className="row-name" title={user_agent}>{`${browserOf(user_agent)}${current ? ` (${t('this one||session')})` : ''}`}</span>
    ),
  },
  { id: 'address', header: t('Address'), label: t('address'), cell: ({ address }) => (address === '' ? t('not known') : address) },
  { id: 'begun', header: t('Begun'), label: t('begun'), cell: (session) => <Instant atMs={session.created_at_ms} relative={false} /> },
  { id: 'seen', header: t('Last seen'), label: t('last seen'), cell: (session) => <Instant atMs={session.last_seen_at_ms} /> },
  {
    id: 'end',
    header: <span className="sr-only">{t('End')}</span>,
    cell: (session) =>
      session.current ? null : (
        <button
          type="button"
          className="plain-button"
          aria-label={t('End the session of {browser} at {address}', { browser: browserOf(session.user_agent), address: session.address })}
          onClick={() => end(session.id)}
        >
          {t('End')}
        </button>
      ),
  },
];
