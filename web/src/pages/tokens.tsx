import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useCreateToken, useRevokeToken } from '../api/actions.ts';
import { tokensQuery } from '../api/queries.ts';
import type { TokenView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Instant } from '../components/instant.tsx';
import { Command, ErrorNotice } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { useNow } from '../shell/now.ts';

const ROLES = [
  { value: 'read-only', label: 'Read-only' },
  { value: 'ingest', label: 'Ingest: write samples' },
  { value: 'operator', label: 'Operator: act on alerts' },
  { value: 'administrator', label: 'Administrator' },
];
const DAY_MS = 86_400_000;
const EXPIRIES = [
  { value: '90', label: '90 days' },
  { value: '365', label: 'A year' },
  { value: '', label: 'Never' },
];

/** API tokens: made here, shown once, revoked at once. */
export function Tokens() {
  const tokens = useQuery(tokensQuery());
  const revoke = useRevokeToken();
  const items = tokens.data?.items ?? [];
  return (
    <Section title="API tokens" aside={items.length === 0 ? undefined : `${items.length}`}>
      <NewTokenForm />
      {tokens.isError ? <ErrorNotice error={tokens.error} retry={() => void tokens.refetch()} /> : null}
      {revoke.isError ? <ErrorNotice error={revoke.error} /> : null}
      {items.length === 0 ? null : (
        <div className="panel">
          <DataTable caption="API tokens" columns={columns((id) => revoke.mutate(id))} rows={items} rowKey={(token) => token.id} />
        </div>
      )}
    </Section>
  );
}

const columns = (revoke: (id: string) => void): readonly Column<TokenView>[] => [
  { id: 'name', header: 'Name', cell: (token) => <span className="row-name">{token.name}</span> },
  { id: 'role', header: 'Role', label: 'role', cell: (token) => token.role },
  { id: 'made', header: 'Made', label: 'made', cell: (token) => <Instant atMs={token.created_at_ms} relative={false} /> },
  {
    id: 'expires',
    header: 'Expires',
    label: 'expires',
    cell: (token) => (token.expires_at_ms === null ? 'never' : <Instant atMs={token.expires_at_ms} relative={false} />),
  },
  {
    id: 'used',
    header: 'Last used',
    label: 'last used',
    cell: (token) => (token.last_used_at_ms === null ? 'never' : <Instant atMs={token.last_used_at_ms} />),
  },
  {
    id: 'revoke',
    header: <span className="sr-only">Revoke</span>,
    cell: (token) => (
      <button type="button" className="plain-button" aria-label={`Revoke ${token.name}`} onClick={() => revoke(token.id)}>
        Revoke
      </button>
    ),
  },
];

function NewTokenForm() {
  const [name, setName] = useState('');
  const [role, setRole] = useState('read-only');
  const [days, setDays] = useState('90');
  const now = useNow();
  const create = useCreateToken();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({ name, role, ...(days === '' ? {} : { expires_at_ms: now + Number(days) * DAY_MS }) }, { onSuccess: () => setName('') });
  };
  return (
    <>
      <form onSubmit={submit}>
        <TextInput
          label="Name"
          placeholder="prometheus remote write"
          required
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          w={240}
        />
        <NativeSelect label="Role" data={ROLES} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
        <NativeSelect label="Expires" data={EXPIRIES} value={days} onChange={(event) => setDays(event.currentTarget.value)} />
        <Button type="submit" variant="default" loading={create.isPending}>
          Create the token
        </Button>
      </form>
      {create.isError ? <ErrorNotice error={create.error} /> : null}
      {create.data === undefined ? null : (
        <div role="status">
          <p>Copy the token now; it is not shown again.</p>
          <Command text={create.data.token} />
        </div>
      )}
    </>
  );
}
