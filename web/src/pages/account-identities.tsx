import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { request } from '../api/client.ts';
import type { ApiProblem } from '../api/problem.ts';
import { identitiesQuery, providersQuery } from '../api/queries.ts';
import type { IdentityView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { SsoNotice } from './provider-buttons.tsx';

/** By which identity providers a person signs in; nothing where there is no provider. */
export function AccountIdentities() {
  const providers = useQuery(providersQuery());
  const identities = useQuery(identitiesQuery());
  const client = useQueryClient();
  const link = useMutation<{ readonly url: string }, ApiProblem, string>({
    mutationFn: (id) => request(`/api/sso/${encodeURIComponent(id)}/link`, { method: 'POST', body: { next: window.location.pathname } }),
    onSuccess: ({ url }) => window.location.assign(url),
  });
  const unlink = useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/identities/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['identities'] }),
  });
  const items = identities.data?.items ?? [];
  const offered = providers.data?.providers ?? [];
  if (items.length === 0 && offered.length === 0) return null;
  return (
    <Section title={t('Identity providers')}>
      <SsoNotice />
      {items.length === 0 ? (
        <p>{t('No identity is linked to this account yet. Link one to sign in without a password.')}</p>
      ) : (
        <div className="panel">
          <DataTable caption={t('Linked identities')} columns={columnsOf((id) => unlink.mutate(id))} rows={items} rowKey={({ id }) => id} />
        </div>
      )}
      {[identities.error, link.error, unlink.error].map((error) =>
        error === null ? null : <ErrorNotice key={error.message} error={error} />,
      )}
      <div>
        {offered.map(({ id, name }) => (
          <Button key={id} variant="default" loading={link.isPending} onClick={() => link.mutate(id)}>
            {t('Link {name}', { name })}
          </Button>
        ))}
      </div>
    </Section>
  );
}

const columnsOf = (unlink: (id: string) => void): readonly Column<IdentityView>[] => [
  { id: 'name', header: t('Known there as'), cell: ({ name }) => <span className="row-name">{name}</span> },
  { id: 'issuer', header: t('Provider'), label: t('provider'), cell: ({ issuer }) => issuer },
  { id: 'used', header: t('Last used'), label: t('last used'), cell: ({ last_used_at_ms: atMs }) => <Instant atMs={atMs} /> },
  {
    id: 'unlink',
    header: <span className="sr-only">{t('Unlink')}</span>,
    cell: ({ id, name }) => (
      <button type="button" className="plain-button" aria-label={t('Unlink {name}', { name })} onClick={() => unlink(id)}>
        {t('Unlink')}
      </button>
    ),
  },
];
