import { useQuery } from '@tanstack/react-query';
import { useReplaceToken, useRevokeToken } from '../api/actions.ts';
import { tokensQuery } from '../api/queries.ts';
import type { TokenView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { Command, EmptyState, ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import { NewTokenForm } from './new-token-form.tsx';
import { narrowingOf } from './token-words.ts';

/** API tokens: made here, shown once, replaced without a gap, revoked at once. */
export function Tokens() {
  const tokens = useQuery(tokensQuery());
  const revoke = useRevokeToken();
  const replace = useReplaceToken();
  const items = tokens.data?.items ?? [];
  const columns = columnsOf({ replace: (id) => replace.mutate(id), revoke: (id) => revoke.mutate(id) });
  return (
    <>
      <Section title={t('Make a token')}>
        <NewTokenForm />
      </Section>
      <Section title={t('Tokens that work')} aside={items.length === 0 ? undefined : `${items.length}`}>
        {tokens.isError ? <ErrorNotice error={tokens.error} retry={() => void tokens.refetch()} /> : null}
        {revoke.isError ? <ErrorNotice error={revoke.error} /> : null}
        {replace.isError ? <ErrorNotice error={replace.error} /> : null}
        {replace.data === undefined ? null : (
          <div role="status">
            <p>
              {t('The new secret of {name}. Copy it now; it is not shown again. The one before counts 15 minutes more.', {
                name: replace.data.name,
              })}
            </p>
            <Command text={replace.data.token} />
          </div>
        )}
        {tokens.data !== undefined && items.length === 0 ? (
          <EmptyState command="nines token create --data ./data --name ci --role read-only">
            {t('No program has a token yet. Make one above, or on the machine of the server:')}
          </EmptyState>
        ) : null}
        {items.length === 0 ? null : (
          <div className="panel">
            <DataTable caption={t('API tokens')} columns={columns} rows={items} rowKey={(token) => token.id} />
          </div>
        )}
      </Section>
    </>
  );
}

type Acts = { readonly replace: (id: string) => void; readonly revoke: (id: string) => void };

const columnsOf = ({ replace, revoke }: Acts): readonly Column<TokenView>[] => [
  {
    id: 'name',
    header: t('Name'),
    cell: ({ name, hint }) => (
      <>
        <span className="row-name">{name}</span> <code className="faint">{hint}…</code>
      </>
    ),
  },
  {
    id: 'role',
    header: t('May do'),
    label: t('may do'),
    cell: (token) => (
      <>
        {token.role}
        {narrowingOf(token).map((words) => (
          <div className="faint" key={words}>
            {words}
          </div>
        ))}
      </>
    ),
  },
  { id: 'made', header: t('Made'), label: t('made'), cell: (token) => <Instant atMs={token.created_at_ms} relative={false} /> },
  {
    id: 'expires',
    header: t('Expires'),
    label: t('expires'),
    cell: (token) => (token.expires_at_ms === null ? t('never') : <Instant atMs={token.expires_at_ms} relative={false} />),
  },
  {
    id: 'used',
    header: t('Last used'),
    label: t('last used'),
    cell: ({ last_used_at_ms: atMs, last_used_address: address }) =>
      atMs === null ? (
        t('never')
      ) : (
        <>
          <Instant atMs={atMs} /> {address === null ? null : <span className="faint">{t('from {address}', { address })}</span>}
        </>
      ),
  },
  {
    id: 'act',
    header: <span className="sr-only">{t('Replace or revoke')}</span>,
    cell: ({ id, name, previous_until_ms: untilMs }) => (
      <span className="row-wrap row-actions">
        <button type="button" className="plain-button" aria-label={t('Replace the secret of {name}', { name })} onClick={() => replace(id)}>
          {t('Replace')}
        </button>
        <button type="button" className="plain-button" aria-label={t('Revoke {name}', { name })} onClick={() => revoke(id)}>
          {t('Revoke')}
        </button>
        <ObjectMenu kind="tokens" id={id} name={name} />
        {untilMs === null ? null : (
          <div className="faint">{rich('old secret until {at}', { at: <Instant atMs={untilMs} relative={false} /> })}</div>
        )}
      </span>
    ),
  },
];
