import { Button, Checkbox, Modal, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import {
  type ChannelKindView,
  type MadeChannelView,
  channelKindsQuery,
  madeChannelQuery,
  useSaveChannel,
  useTryChannel,
} from '../api/channels.ts';
import { channelsQuery } from '../api/queries.ts';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { ChangedMeanwhile } from '../pages/changed-meanwhile.tsx';
import { answerOf } from './answer.ts';
import { ChannelFields } from './channel-fields.tsx';
import { type Values, declarationOf, valuesOf } from './draft.ts';
import { KindGlyph } from './kind-glyph.tsx';
import { KIND_WORDS } from './kind-words.ts';

type Props = {
  /** The channel to change; undefined to make one. */
  readonly id?: string | undefined;
  readonly opened: boolean;
  readonly onClose: () => void;
};

/** The dialog in which a channel is made or changed: first its kind, then what that kind needs. */
export function ChannelDialog({ id, opened, onClose }: Props) {
  const [kind, setKind] = useState<string>();
  const close = (): void => {
    setKind(undefined);
    onClose();
  };
  const title =
    id !== undefined
      ? t('Change {name}', { name: id })
      : kind === undefined
        ? t('How are people to be reached?')
        : (KIND_WORDS[kind]?.name ?? kind);
  return (
    <Modal opened={opened} onClose={close} title={title} size="lg" closeButtonProps={{ 'aria-label': t('Close without saving') }}>
      {opened ? <Steps id={id} kind={kind} onKind={setKind} onDone={close} /> : null}
    </Modal>
  );
}

type StepProps = {
  readonly id: string | undefined;
  readonly kind: string | undefined;
  readonly onKind: (kind: string | undefined) => void;
  readonly onDone: () => void;
};

function Steps({ id, kind, onKind, onDone }: StepProps) {
  const kinds = useQuery(channelKindsQuery());
  if (kinds.data === undefined) return <Waiting query={kinds} what={t('channels')} />;
  if (id !== undefined) return <Known id={id} kinds={kinds.data.items} onDone={onDone} />;
  const chosen = kinds.data.items.find((one) => one.kind === kind);
  return chosen === undefined ? (
    <Kinds kinds={kinds.data.items} onKind={onKind} />
  ) : (
    <NewChannel kind={chosen} onBack={() => onKind(undefined)} onDone={onDone} />
  );
}

/** In the order in which people look for them. */
const ORDER = Object.keys(KIND_WORDS);

function Kinds({ kinds, onKind }: { readonly kinds: readonly ChannelKindView[]; readonly onKind: (kind: string) => void }) {
  const sorted = kinds.toSorted((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  return (
    <ul className="channel-kinds" aria-label={t('Kinds of channels')}>
      {sorted.map(({ kind }, index) => (
        <li key={kind}>
          <button type="button" className="channel-kind" {...(index === 0 ? { 'data-autofocus': true } : {})} onClick={() => onKind(kind)}>
            <KindGlyph kind={kind} />
            <span className="row-name">{KIND_WORDS[kind]?.name ?? kind}</span>
            <span className="soft">{KIND_WORDS[kind]?.about}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** A new one takes what no other route takes when nothing else does. */
function NewChannel({
  kind,
  onBack,
  onDone,
}: {
  readonly kind: ChannelKindView;
  readonly onBack: () => void;
  readonly onDone: () => void;
}) {
  const all = useQuery(channelsQuery());
  const save = useSaveChannel(undefined);
  if (all.data === undefined) return <Waiting query={all} what={t('channels')} />;
  const known = new Set(all.data.items.map((one) => one.id));
  const free = [kind.kind, ...Array.from({ length: known.size + 1 }, (_, n) => `${kind.kind}-${n + 2}`)].find((id) => !known.has(id)) ?? '';
  const takesRest = !all.data.items.some(({ takes_rest: takes }) => takes);
  return <ChannelForm kind={kind} of={undefined} save={save} begin={{ id: free, values: {}, takesRest }} onBack={onBack} onDone={onDone} />;
}

function Known({ id, kinds, onDone }: { readonly id: string; readonly kinds: readonly ChannelKindView[]; readonly onDone: () => void }) {
  const query = useQuery(madeChannelQuery(id));
  const { data } = query;
  const save = useSaveChannel(data);
  if (data === undefined) return <Waiting query={query} what={id} />;
  const kind = kinds.find((one) => one.kind === data.kind);
  if (kind === undefined) return <p>{t('A channel of this kind is changed in the configuration file.')}</p>;
  const begin = { id, values: valuesOf(kind.fields, data.channel), takesRest: data.takes_rest };
  return <ChannelForm key={data.revision} kind={kind} of={data} save={save} begin={begin} onBack={undefined} onDone={onDone} />;
}

type FormProps = {
  /** Of the parent: what came of it stays when the form begins anew with another revision. */
  readonly save: ReturnType<typeof useSaveChannel>;
  readonly kind: ChannelKindView;
  /** The one that is being changed. */
  readonly of: MadeChannelView | undefined;
  readonly begin: { readonly id: string; readonly values: Values; readonly takesRest: boolean };
  readonly onBack: (() => void) | undefined;
  readonly onDone: () => void;
};

function ChannelForm({ kind: { kind, fields }, of, begin, save, onBack, onDone }: FormProps) {
  const [id, setId] = useState(begin.id);
  const [values, setValues] = useState(begin.values);
  const [takesRest, setTakesRest] = useState(begin.takesRest);
  const attempt = useTryChannel(of?.id);
  const written = () => declarationOf({ id, kind }, fields, values);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    save.mutate({ channel: written(), takes_rest: takesRest }, { onSuccess: onDone });
  };
  const change = (path: string, text: string): void => {
    attempt.reset();
    setValues((before) => ({ ...before, [path]: text }));
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <p className="soft">{KIND_WORDS[kind]?.about}</p>
      {of === undefined ? (
        <TextInput
          label={t('Name')}
          description={t('Routes, policies and people name the channel by it; it stays.')}
          required
          maxLength={63}
          data-autofocus
          value={id}
          onChange={(event) => setId(event.currentTarget.value)}
        />
      ) : null}
      <ChannelFields kind={kind} id={id} fields={fields} values={values} onChange={change} />
      <Checkbox
        label={t('Alerts that no other route takes come here')}
        description={t('Without it, only what names the channel sends through it: an escalation policy, a person on call, a status page.')}
        checked={takesRest}
        onChange={(event) => setTakesRest(event.currentTarget.checked)}
      />
      <p role="status" className="soft wrap-anywhere">
        {attempt.isPending ? t('Sending …') : answerOf(attempt.data)}
      </p>
      {attempt.isError ? <RefusedNotice error={attempt.error} /> : null}
      {save.isError ? (
        save.error.code === 'revision_conflict' ? (
          <ChangedMeanwhile error={save.error} kind="channels" id={id} name={id} />
        ) : (
          <RefusedNotice error={save.error} />
        )
      ) : null}
      <div className="row-wrap">
        <Button type="submit" loading={save.isPending}>
          {of === undefined ? t('Make the channel') : t('Save the channel')}
        </Button>
        <Button variant="default" loading={attempt.isPending} onClick={() => attempt.mutate(written())}>
          {t('Send a test')}
        </Button>
        {onBack === undefined ? null : (
          <button type="button" className="plain-button" onClick={onBack}>
            {t('Another kind')}
          </button>
        )}
      </div>
    </form>
  );
}
