import { Button, Modal, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type PolicyView, policyPreviewQuery, useSavePolicy } from '../api/escalation.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { ChangedMeanwhile } from '../pages/changed-meanwhile.tsx';
import { Ladder, endOf } from './ladder.tsx';
import { LevelFields } from './level-fields.tsx';
import { EMPTY, type LevelDraft, type PolicyDraft, draftOf, policyOf } from './policy-draft.ts';

type Props = {
  /** The policy to change; undefined to make one. */
  readonly policy: PolicyView | undefined;
  readonly opened: boolean;
  readonly onClose: () => void;
};

/** The dialog in which an escalation policy is made or changed, with whom it would tell when. */
export function PolicyDialog({ policy, opened, onClose }: Props) {
  // A shipped one is replaced by one with its id.
  const known = policy?.origin === 'ui' ? policy : undefined;
  const save = useSavePolicy(known);
  const close = (): void => {
    save.reset();
    onClose();
  };
  const title = policy === undefined ? t('Make a policy') : t('Change {name}', { name: policy.name });
  return (
    <Modal opened={opened} onClose={close} title={title} size="lg" closeButtonProps={{ 'aria-label': t('Close without saving') }}>
      {opened ? <PolicyForm key={policy?.revision} policy={policy} save={save} onDone={close} /> : null}
    </Modal>
  );
}

/** Shipped policies are led to by severity, all others by a route: a name decides whether alerts ever come. */
const SHIPPED: ReadonlySet<string> = new Set(['default', 'critical', 'emergency']);

function idHelp(id: string): string {
  if (id === '') return t('It becomes the id as well');
  return SHIPPED.has(id)
    ? t('Its id: {id}. It takes the place of the shipped policy of this name, and its alerts.', { id })
    : t(
        'Its id: {id}. Alerts come to it where a route in the configuration file says {line}. Named default, critical or emergency, it takes the place of that shipped policy, and its alerts.',
        { id, line: `escalation: ${id}` },
      );
}

type FormProps = Pick<Props, 'policy'> & { readonly save: ReturnType<typeof useSavePolicy>; readonly onDone: () => void };

function PolicyForm({ policy, save, onDone }: FormProps) {
  const [draft, setDraft] = useState<PolicyDraft>(() => (policy === undefined ? EMPTY : draftOf(policy)));
  const set = (change: Partial<PolicyDraft>): void => setDraft((before) => ({ ...before, ...change }));
  const written = policyOf(draft);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate(written, { onSuccess: onDone });
  };
  const change = (index: number, next: LevelDraft | undefined): void =>
    set({ levels: draft.levels.flatMap((level, at) => (at !== index ? [level] : next === undefined ? [] : [next])) });
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('Name')}
        description={idHelp(written.id)}
        required
        data-autofocus
        maxLength={100}
        value={draft.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      {draft.levels.map((level, index) => (
        <LevelFields
          key={index}
          number={index + 1}
          level={level}
          onChange={(next) => change(index, next)}
          onRemove={draft.levels.length > 1 ? () => change(index, undefined) : undefined}
        />
      ))}
      <div>
        <button
          type="button"
          className="plain-button"
          onClick={() => set({ levels: [...draft.levels, { after: laterThan(draft.levels.at(-1)?.after), targets: [] }] })}
        >
          {t('Add a level')}
        </button>
      </div>
      <div className="row-wrap">
        <TextInput
          label={t('Climb it again, times')}
          inputMode="numeric"
          value={draft.times}
          onChange={(event) => set({ times: event.currentTarget.value })}
        />
        <TextInput
          label={t('Each so long after')}
          placeholder="1h"
          value={draft.every}
          onChange={(event) => set({ every: event.currentTarget.value })}
        />
      </div>
      {draft.kept.hours === undefined ? null : <p className="soft">{t('Its hours stay as they are.')}</p>}
      <Preview draft={draft} />
      {save.isError ? (
        save.error.code === 'revision_conflict' ? (
          <ChangedMeanwhile error={save.error} kind="escalation/policies" id={written.id} name={draft.name} />
        ) : (
          <RefusedNotice error={save.error} />
        )
      ) : null}
      <div>
        <Button type="submit" loading={save.isPending} disabled={written.levels.length === 0 || written.id === ''}>
          {policy?.origin === 'ui' ? t('Save the policy') : t('Make the policy')}
        </Button>
      </div>
    </form>
  );
}

/** Twice as late as the level before it, where that is a plain number of minutes. */
function laterThan(after: string | undefined): string {
  const minutes = /^(\d{1,4})m$/.exec(after ?? '')?.[1];
  return minutes === undefined ? '15m' : `${Number(minutes) * 2}m`;
}

/** Who would be told when, as it is written so far. */
function Preview({ draft }: { readonly draft: PolicyDraft }) {
  const written = policyOf({ ...draft, id: draft.id ?? 'draft', name: draft.name.trim() === '' ? t('this policy') : draft.name });
  const preview = useQuery({ ...policyPreviewQuery(written), enabled: written.levels.length > 0 });
  if (written.levels.length === 0)
    return <p className="soft">{t('Choose whom its levels tell, and it is shown here who that would be now.')}</p>;
  return (
    <section aria-label={t('Who would be told now')}>
      <h3>{t('Who would be told now')}</h3>
      {preview.isError ? <RefusedNotice error={preview.error} /> : null}
      {preview.data === undefined || preview.isError ? null : (
        <>
          <Ladder levels={preview.data.levels} label={t('Who would be told now')} />
          <p className="soft">{endOf(preview.data)}</p>
        </>
      )}
    </section>
  );
}
