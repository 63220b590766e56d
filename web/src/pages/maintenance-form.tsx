import { Button, Checkbox, Modal, SegmentedControl, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { useSaveWindow, type WindowView } from '../api/maintenance.ts';
import { servicesQuery } from '../api/queries.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { timeZone } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';
import { Choices } from './choices.tsx';
import { type Draft, draftOf, emptyDraft, type Kind, windowOf } from './maintenance-draft.ts';

/** The dialog that announces a window, or changes one. */
export function WindowDialog({
  window,
  opened,
  onClose,
}: {
  readonly window?: WindowView;
  readonly opened: boolean;
  readonly onClose: () => void;
}) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={window === undefined ? t('Announce maintenance') : t('Change {window}', { window: window.name })}
      closeButtonProps={{ 'aria-label': t('Close without announcing') }}
    >
      {opened ? <WindowForm {...(window === undefined ? {} : { window })} onDone={onClose} /> : null}
    </Modal>
  );
}

const KINDS: readonly { readonly value: Kind; readonly label: string }[] = [
  { value: 'once', label: t('Once') },
  { value: 'cron', label: t('By cron') },
  { value: 'rrule', label: t('By calendar rule') },
];

function WindowForm({ window, onDone }: { readonly window?: WindowView; readonly onDone: () => void }) {
  const now = useNow();
  const services = useQuery(servicesQuery());
  const all = services.data?.items ?? [];
  const [draft, setDraft] = useState<Draft>(() => (window === undefined ? emptyDraft(now, []) : draftOf(window, now)));
  const set = (part: Partial<Draft>) => setDraft((before) => ({ ...before, ...part }));
  const save = useSaveWindow(window !== undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    save.mutate(windowOf(draft, window?.id), { onSuccess: onDone });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('Name')}
        placeholder={t('Move to the new racks')}
        required
        data-autofocus
        maxLength={200}
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <Choices label={t('Services')} all={all} chosen={draft.services} onChange={(chosen) => set({ services: chosen })} />
      <SegmentedControl
        aria-label={t('How it comes')}
        data={[...KINDS]}
        value={draft.kind}
        onChange={(kind) => set({ kind: kind as Kind })}
      />
      <When draft={draft} set={set} />
      <Checkbox
        label={t('Keep alerts about these services from people meanwhile')}
        checked={draft.suppress}
        onChange={(event) => set({ suppress: event.currentTarget.checked })}
      />
      {save.isError ? <RefusedNotice error={save.error} /> : null}
      <Button type="submit" loading={save.isPending} disabled={draft.name.trim() === '' || draft.services.length === 0}>
        {window === undefined ? t('Announce it') : t('Change it')}
      </Button>
    </form>
  );
}

type WhenProps = { readonly draft: Draft; readonly set: (part: Partial<Draft>) => void };

function When({ draft, set }: WhenProps) {
  const field = (label: string, name: 'from' | 'to' | 'start' | 'cron' | 'rrule' | 'zone' | 'duration', more: object = {}) => (
    <TextInput label={label} required value={draft[name]} onChange={(event) => set({ [name]: event.currentTarget.value })} {...more} />
  );
  const clock = { type: 'datetime-local' };
  if (draft.kind === 'once') {
    return (
      <>
        {field(t('From'), 'from', { ...clock, description: t('In your time zone, {timeZone}.', { timeZone }) })}
        {field(t('To'), 'to', clock)}
      </>
    );
  }
  return (
    <>
      {draft.kind === 'cron'
        ? field(t('Cron'), 'cron', { description: t('Minute, hour, day, month, weekday: 30 2 * * sun.'), className: 'mono' })
        : field(t('Rule'), 'rrule', {
            description: t('RFC 5545: FREQ=MONTHLY;BYDAY=1SU is the first Sunday of each month.'),
            className: 'mono',
          })}
      {draft.kind === 'rrule' ? field(t('First window'), 'start', clock) : null}
      {field(t('Time zone'), 'zone')}
      {field(t('Lasts'), 'duration', { description: t('Such as 45m or 1h30m.') })}
    </>
  );
}
