import { Button, Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { plainText } from '../alerts/plain-text.ts';
import { type SilenceDraft, draftOf, emptyDraft } from '../alerts/silence-draft.ts';
import { SilenceForm } from '../alerts/silence-form.tsx';
import { type SilenceView, silencesQuery, useExpireSilence } from '../api/alerts.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { Command, EmptyState, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t, rich } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';
import { useTitle } from './use-title.ts';

const command = () => `amtool --alertmanager.url ${window.location.origin} silence add instance=web1 --duration 2h --comment 'new disk'`;
const MAX_CHARS = 300;
const PARTS = [
  { state: 'active', title: t('In force') },
  { state: 'pending', title: t('To come') },
  { state: 'expired', title: t('Ended within five days') },
] as const;
const MARKS = { active: 'excluded', pending: 'maintenance', expired: 'unknown' } as const;
const WORDS = { active: t('In force'), pending: t('To come'), expired: t('Ended') } as const;

const matchersText = ({ matchers }: SilenceView): string =>
  matchers.map(({ name, op, value }) => `${name}${op}${JSON.stringify(value)}`).join(', ');
import '../styles/inbox.css';

/** Silences: what is told to nobody for a while, by whose word and why. */
export function SilencesPage() {
  useTitle(t('Silences'));
  const search = useSearch({ from: '/shell/silences' });
  const navigate = useNavigate({ from: '/silences' });
  const silences = useQuery(silencesQuery());
  const mayAct = useCan('operate', 'alerts');
  const all = silences.data?.items ?? [];
  const before = all.find(({ id }) => id === search.silence);
  const draft = search.new === undefined ? (before === undefined ? undefined : draftOf(before, Date.now())) : emptyDraft(Date.now());
  const close = () => void navigate({ search: {} });
  const active = all.filter(({ state }) => state === 'active').length;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Silences')}</h1>
          <p className="page-lead">
            {active === 0
              ? t('Nothing is silenced.')
              : t('{count, plural, one {# silence is} other {# silences are}} in force.', { count: active })}{' '}
            {t('Alerts that match are shown, and told to nobody.')}
          </p>
        </div>
        {mayAct ? <Button onClick={() => void navigate({ search: { new: 'yes' } })}>{t('Make a silence')}</Button> : null}
      </header>
      <Waiting query={silences} what={t('silences')} />
      {silences.data !== undefined && all.length === 0 ? (
        <EmptyState>
          {rich('No silence is known. Make one here, from an alert with the key <kbd>s</kbd>, or with amtool.', {
            kbd: (inner) => <kbd>{inner}</kbd>,
          })}
        </EmptyState>
      ) : null}
      {silences.data !== undefined && all.length === 0 ? <Command text={command()} /> : null}
      {PARTS.map(({ state, title }) => (
        <Part
          key={state}
          title={title}
          silences={all.filter((one) => one.state === state)}
          onOpen={(id) => void navigate({ search: { silence: id } })}
        />
      ))}
      {mayAct ? <SilenceDialog draft={draft} before={before} onClose={close} /> : null}
    </div>
  );
}

type DialogProps = { readonly draft: SilenceDraft | undefined; readonly before: SilenceView | undefined; readonly onClose: () => void };

function SilenceDialog({ draft, before, onClose }: DialogProps) {
  return (
    <Modal
      opened={draft !== undefined}
      onClose={onClose}
      size="lg"
      title={draft?.id === undefined ? t('Make a silence') : t('Change the silence')}
      closeButtonProps={{ 'aria-label': t('Close without a silence') }}
    >
      {draft === undefined ? null : <SilenceForm draft={draft} {...(before === undefined ? {} : { before })} onDone={onClose} />}
    </Modal>
  );
}

type PartProps = { readonly title: string; readonly silences: readonly SilenceView[]; readonly onOpen: (id: string) => void };

function Part({ title, silences, onOpen }: PartProps) {
  if (silences.length === 0) return null;
  return (
    <Section title={title} aside={String(silences.length)}>
      <div className="panel">
        <DataTable caption={title} columns={columns(onOpen)} rows={silences} rowKey={({ id }) => id} />
      </div>
    </Section>
  );
}

const columns = (onOpen: (id: string) => void): readonly Column<SilenceView>[] => [
  {
    id: 'matchers',
    header: t('Alerts with'),
    cell: (silence) => <Matchers silence={silence} onOpen={onOpen} />,
  },
  { id: 'state', header: t('State'), label: t('state'), cell: ({ state }) => <StateMark state={MARKS[state]} word={WORDS[state]} /> },
  { id: 'why', header: t('Why'), label: t('why'), cell: ({ comment }) => plainText(comment, MAX_CHARS) },
  { id: 'by', header: t('By'), label: t('by'), cell: (silence) => plainText(silence.created_by, MAX_CHARS) },
  { id: 'from', header: t('From'), label: t('from'), cell: (silence) => <Instant atMs={silence.starts_at_ms} relative={false} /> },
  { id: 'to', header: t('Until'), label: t('until'), cell: (silence) => <Instant atMs={silence.ends_at_ms} /> },
  { id: 'act', header: <span className="sr-only">{t('Actions')}</span>, cell: (silence) => <Act silence={silence} onOpen={onOpen} /> },
];

/** Who may change silences opens one here. */
function Matchers({ silence, onOpen }: { readonly silence: SilenceView; readonly onOpen: (id: string) => void }) {
  const text = plainText(matchersText(silence), MAX_CHARS);
  if (!useCan('operate', 'alerts')) return <span className="mono row-name">{text}</span>;
  return (
    <button type="button" className="plain-button mono row-name" data-row="" onClick={() => onOpen(silence.id)}>
      {text}
    </button>
  );
}

function Act({ silence, onOpen }: { readonly silence: SilenceView; readonly onOpen: (id: string) => void }) {
  const mayAct = useCan('operate', 'alerts');
  const expire = useExpireSilence();
  if (!mayAct) return null;
  const name = plainText(matchersText(silence), MAX_CHARS);
  if (silence.state === 'expired') {
    return (
      <span className="row-wrap">
        <Button size="compact-xs" variant="default" aria-label={t('Again: {name}', { name })} onClick={() => onOpen(silence.id)}>
          {t('Again')}
        </Button>
        <ObjectMenu kind="silences" id={silence.id} name={name} />
      </span>
    );
  }
  return (
    <span className="row-wrap">
      <Button size="compact-xs" variant="default" aria-label={t('Change: {name}', { name })} onClick={() => onOpen(silence.id)}>
        {t('Change')}
      </Button>
      <Button
        size="compact-xs"
        variant="default"
        aria-label={t('End now: {name}', { name })}
        loading={expire.isPending}
        onClick={() => expire.mutate(silence.id)}
      >
        {t('End now')}
      </Button>
      <ObjectMenu kind="silences" id={silence.id} name={name} />
      {expire.isError ? <RefusedNotice error={expire.error} /> : null}
    </span>
  );
}
