import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useSaveRole } from '../api/actions.ts';
import type { RoleView } from '../api/wire.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { AREAS, AREA_WORDS, EMPTY, LANDINGS, draftOf, landingWord, levelsOf, roleOf } from './role-draft.ts';
import { slugOf } from './service-draft.ts';
import { SightFields } from './sight-fields.tsx';

type Props = {
  /** The role to change; undefined to make one. */
  readonly role?: RoleView | undefined;
  /** What a new one begins with. */
  readonly like?: RoleView | undefined;
  readonly opened: boolean;
  readonly onClose: () => void;
};

/** The dialog in which a role is made or changed. */
export function RoleDialog({ role, like, opened, onClose }: Props) {
  const title = role === undefined ? t('Make a role') : t('Change {role}', { role: role.name });
  return (
    <Modal opened={opened} onClose={onClose} title={title} closeButtonProps={{ 'aria-label': t('Close without saving') }}>
      {opened ? <RoleForm role={role} like={like} onDone={onClose} /> : null}
    </Modal>
  );
}

function RoleForm({ role, like, onDone }: Pick<Props, 'role' | 'like'> & { readonly onDone: () => void }) {
  const [draft, setDraft] = useState(() => {
    if (role !== undefined) return draftOf(role);
    return like === undefined ? EMPTY : { ...draftOf(like), name: '' };
  });
  const set = (change: Partial<typeof draft>) => setDraft((before) => ({ ...before, ...change }));
  const save = useSaveRole(role?.revision);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(roleOf(draft, role?.id), { onSuccess: onDone });
  };
  const landings = LANDINGS.some(({ value }) => value === draft.landing)
    ? [...LANDINGS]
    : [...LANDINGS, { value: draft.landing, label: landingWord(draft.landing) }];
  const id = role?.id ?? slugOf(draft.name);
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('Name')}
        description={id === '' ? t('It becomes the id as well') : t('Its id: {id}', { id })}
        placeholder={t('Night watch')}
        required
        data-autofocus
        maxLength={100}
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <fieldset className="permits">
        <legend>{t('What it permits')}</legend>
        {AREAS.map((area) => (
          <NativeSelect
            key={area}
            size="xs"
            label={AREA_WORDS[area]}
            data={levelsOf(area, draft.levels[area] ?? '')}
            value={draft.levels[area] ?? ''}
            onChange={(event) => set({ levels: { ...draft.levels, [area]: event.currentTarget.value } })}
          />
        ))}
      </fieldset>
      <NativeSelect
        label={t('Begins at')}
        data={landings}
        value={draft.landing}
        onChange={(event) => set({ landing: event.currentTarget.value })}
      />
      <SightFields teams={draft.teams} scope={draft.scope} set={set} />
      {save.isError ? <RefusedNotice error={save.error} /> : null}
      <Button type="submit" loading={save.isPending} disabled={id === ''}>
        {role === undefined ? t('Make the role') : t('Change the role')}
      </Button>
    </form>
  );
}
