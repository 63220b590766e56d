import { Button, Modal } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type PersonView, useChangePerson } from '../api/people.ts';
import { t } from '../language/t.ts';
import { ChangedMeanwhile } from './changed-meanwhile.tsx';
import { SightFields } from './sight-fields.tsx';
import { itemsIn } from './sight.ts';

type Props = {
  /** Whose sight is being changed; the dialog is closed without. */
  readonly person: PersonView | undefined;
  readonly onClose: () => void;
};

/** The dialog that narrows what a person sees, whatever their role permits. */
export function PersonSight({ person, onClose }: Props) {
  return (
    <Modal
      opened={person !== undefined}
      onClose={onClose}
      title={t('What {person} sees', { person: person?.name ?? '' })}
      closeButtonProps={{ 'aria-label': t('Close without changing') }}
    >
      {person === undefined ? null : <SightForm person={person} onDone={onClose} />}
    </Modal>
  );
}

function SightForm({ person, onDone }: { readonly person: PersonView; readonly onDone: () => void }) {
  const [draft, setDraft] = useState({ teams: person.teams.join(', '), scope: person.scope });
  const change = useChangePerson();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const { id, revision } = person;
    change.mutate({ id, revision, teams: itemsIn(draft.teams), scope: draft.scope.trim() }, { onSuccess: onDone });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <p className="faint">{t('It only narrows what the role permits. Their sessions end, so that it counts at once.')}</p>
      <SightFields {...draft} set={(part) => setDraft((before) => ({ ...before, ...part }))} />
      {change.isError ? <ChangedMeanwhile error={change.error} kind="people" id={person.id} name={person.name} /> : null}
      <Button type="submit" loading={change.isPending}>
        {t('Change what they see')}
      </Button>
    </form>
  );
}
