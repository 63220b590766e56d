import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type PersonView, useMakeOverride } from '../api/oncall.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { timeZone } from '../figures/instant.ts';
import { instantOf, localTime } from '../figures/local-time.ts';
import { t } from '../language/t.ts';

/** What the dialog begins with: a shift that somebody takes, or nothing yet. */
export type OverrideDraft = { readonly fromMs: number; readonly toMs: number };

type Props = {
  readonly schedule: { readonly id: string; readonly name: string };
  readonly people: readonly PersonView[];
  /** Who uses the page, where they are one of the people. */
  readonly me: PersonView | undefined;
  readonly draft: OverrideDraft | undefined;
  readonly onClose: () => void;
};

/** The dialog in which somebody takes a shift or gives it to another. */
export function OverrideDialog({ schedule, people, me, draft, onClose }: Props) {
  return (
    <Modal
      opened={draft !== undefined}
      onClose={onClose}
      title={t('Override {schedule}', { schedule: schedule.name })}
      closeButtonProps={{ 'aria-label': t('Close without an override') }}
    >
      {draft === undefined ? null : (
        <OverrideForm key={`${draft.fromMs} ${draft.toMs}`} schedule={schedule.id} people={people} me={me} draft={draft} onDone={onClose} />
      )}
    </Modal>
  );
}

type FormProps = {
  readonly schedule: string;
  readonly people: readonly PersonView[];
  readonly me: PersonView | undefined;
  readonly draft: OverrideDraft;
  readonly onDone: () => void;
};

function OverrideForm({ schedule, people, me, draft, onDone }: FormProps) {
  const [person, setPerson] = useState(me?.id ?? people[0]?.id ?? '');
  const [from, setFrom] = useState(localTime(draft.fromMs, 'minute'));
  const [to, setTo] = useState(localTime(draft.toMs, 'minute'));
  const [note, setNote] = useState('');
  const make = useMakeOverride(schedule);
  const [fromMs, toMs] = [instantOf(from), instantOf(to)];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (fromMs === undefined || toMs === undefined) return;
    const body = { person, from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString(), note };
    make.mutate(body, { onSuccess: onDone });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <NativeSelect
        label={t('Who takes over')}
        data-autofocus
        data={people.map(({ id, name }) => ({ value: id, label: id === me?.id ? t('{name} (you)', { name }) : name }))}
        value={person}
        onChange={(event) => setPerson(event.currentTarget.value)}
      />
      <TextInput
        label={t('From')}
        type="datetime-local"
        required
        description={t('In your time zone, {timeZone}.', { timeZone })}
        value={from}
        onChange={(event) => setFrom(event.currentTarget.value)}
      />
      <TextInput label={t('To')} type="datetime-local" required value={to} onChange={(event) => setTo(event.currentTarget.value)} />
      <TextInput
        label={t('Why')}
        placeholder={t('Dentist')}
        maxLength={1000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      <Button type="submit" loading={make.isPending} disabled={person === '' || fromMs === undefined || toMs === undefined}>
        {person === me?.id ? t('Take the shift') : t('Make the override')}
      </Button>
    </form>
  );
}
