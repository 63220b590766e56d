import { Button, Checkbox, Group, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useCreateToken } from '../api/actions.ts';
import { rolesQuery } from '../api/queries.ts';
import { Command, ErrorNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import { itemsIn } from './sight.ts';
import { SightFields } from './sight-fields.tsx';

const DAY_MS = 86_400_000;
const EXPIRIES = [
  { value: '1', label: t('A day') },
  { value: '30', label: t('30 days') },
  { value: '90', label: t('90 days') },
  { value: '365', label: t('A year') },
  { value: '', label: t('As long as is allowed') },
];
/** What a token that answers alerts is made for. */
const ACTIONS = ['acknowledge', 'snooze', 'resolve', 'assign', 'comment'] as const;

const EMPTY = { name: '', role: 'read-only', days: '90', teams: '', scope: '', addresses: '', actions: [] as readonly string[] };

/** A token is named, given a role, and narrowed as far as it can be. */
export function NewTokenForm() {
  const [draft, setDraft] = useState(EMPTY);
  const now = useNow();
  const roles = useQuery(rolesQuery());
  const create = useCreateToken();
  const set = (change: Partial<typeof EMPTY>) => setDraft((before) => ({ ...before, ...change }));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate(bodyOf(draft, now), { onSuccess: () => setDraft({ ...EMPTY, role: draft.role, days: draft.days }) });
  };
  const known = roles.data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? [{ value: 'read-only', label: t('Read-only') }];
  return (
    <>
      <form onSubmit={submit}>
        <TextInput
          label={t('Name')}
          placeholder="prometheus remote write"
          required
          value={draft.name}
          onChange={(event) => set({ name: event.currentTarget.value })}
          w={240}
        />
        <NativeSelect label={t('Role')} data={known} value={draft.role} onChange={(event) => set({ role: event.currentTarget.value })} />
        <NativeSelect
          label={t('Expires')}
          data={EXPIRIES}
          value={draft.days}
          onChange={(event) => set({ days: event.currentTarget.value })}
        />
        <Button type="submit" variant="default" loading={create.isPending}>
          {t('Create the token')}
        </Button>
        <Narrowing draft={draft} set={set} />
      </form>
      {create.isError ? <ErrorNotice error={create.error} /> : null}
      {create.data === undefined ? null : (
        <div role="status">
          <p>{t('Copy the token now; it is not shown again.')}</p>
          <Command text={create.data.token} />
        </div>
      )}
    </>
  );
}

type NarrowingProps = { readonly draft: typeof EMPTY; readonly set: (change: Partial<typeof EMPTY>) => void };

function Narrowing({ draft, set }: NarrowingProps) {
  return (
    <details className="wide">
      <summary>{t('Narrow it: teams, labels, networks, actions on alerts')}</summary>
      <Group align="flex-end" gap="sm">
        <SightFields teams={draft.teams} scope={draft.scope} set={set} />
        <TextInput
          label={t('Networks')}
          description={t('empty: from everywhere')}
          placeholder="10.0.0.0/8"
          value={draft.addresses}
          onChange={(event) => set({ addresses: event.currentTarget.value })}
        />
        <Checkbox.Group
          label={t('Changes alerts only by')}
          description={t('none: whatever the role may do')}
          value={[...draft.actions]}
          onChange={(actions) => set({ actions })}
        >
          <Group gap="sm">
            {ACTIONS.map((action) => (
              <Checkbox key={action} value={action} label={action} />
            ))}
          </Group>
        </Checkbox.Group>
      </Group>
    </details>
  );
}

function bodyOf({ name, role, days, teams, scope, addresses, actions }: typeof EMPTY, nowMs: number) {
  const networks = itemsIn(addresses);
  return {
    name,
    role,
    teams: itemsIn(teams),
    scope,
    ...(networks.length > 0 && { addresses: networks }),
    ...(actions.length > 0 && { actions }),
    ...(days !== '' && { expires_at_ms: nowMs + Number(days) * DAY_MS }),
  };
}
