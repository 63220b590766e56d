import { Button, FileButton, TextInput, Textarea } from '@mantine/core';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import {
  type WidgetRevisionView,
  type WidgetView,
  useKeepWidget,
  useRemoveWidget,
  widgetHistoryQuery,
  widgetRevision,
} from '../api/widgets.ts';
import { HistoryLink } from '../components/history-link.tsx';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { EXAMPLE, widgetId } from './example.ts';
import { Preview } from './preview.tsx';

type Draft = { readonly name: string; readonly description: string; readonly source: string };
type Props = { readonly of?: WidgetView; readonly onOpen: (id: string | undefined) => void };

const MAX_SOURCE_CHARS = 200_000;

/** A widget's script beside what it draws; saved, it is drawn with by every panel that names it. */
export function WidgetEditor({ of, onOpen }: Props) {
  const refusal = useRefusal('administer', 'dashboards');
  const first: Draft = of ?? { name: '', description: '', source: EXAMPLE };
  const [draft, setDraft] = useState<Draft>(first);
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }));
  return (
    <>
      <p className="row-wrap no-print">
        <Link to="/settings/widgets">{t('All widgets')}</Link>
        {of === undefined ? null : <HistoryLink kind="widgets" id={of.id} name={of.name} />}
      </p>
      {refusal === undefined ? null : <p className="soft">{refusal}</p>}
      <div className="widget-editor">
        <Form of={of} draft={draft} set={set} isLocked={refusal !== undefined} onOpen={onOpen} />
        <Preview source={draft.source} />
      </div>
      <div className="widget-facts">
        {of === undefined ? null : <UsedBy of={of} />}
        {of === undefined ? null : <Versions of={of} mayPut={refusal === undefined} onPut={set} />}
        <MayDo />
      </div>
    </>
  );
}

type FormProps = Omit<Props, 'of'> & {
  readonly of: WidgetView | undefined;
  readonly draft: Draft;
  readonly set: (change: Partial<Draft>) => void;
  readonly isLocked: boolean;
};

function Form({ of, draft, set, isLocked, onOpen }: FormProps) {
  const keep = useKeepWidget();
  const id = of?.id ?? widgetId(draft.name);
  const isSame = of !== undefined && of.name === draft.name && of.description === draft.description && of.source === draft.source;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const { name, description, source } = draft;
    keep.mutate({ id, body: { name: name.trim(), description, source } }, { onSuccess: () => onOpen(id) });
  };
  return (
    <form className="drawer-body" onSubmit={onSubmit}>
      <TextInput
        label={t('Name')}
        value={draft.name}
        maxLength={100}
        disabled={isLocked}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <p className="faint small">{id === '' ? t('The name needs a letter or a digit.') : t('Panels name it {id}.', { id })}</p>
      <TextInput
        label={t('What it shows')}
        value={draft.description}
        maxLength={2_000}
        disabled={isLocked}
        onChange={(event) => set({ description: event.currentTarget.value })}
      />
      <Textarea
        label={t('Script')}
        autosize
        minRows={12}
        maxRows={30}
        spellCheck={false}
        value={draft.source}
        maxLength={MAX_SOURCE_CHARS}
        disabled={isLocked}
        onChange={(event) => set({ source: event.currentTarget.value })}
      />
      {keep.isError ? <RefusedNotice error={keep.error} /> : null}
      {isLocked ? null : (
        <div className="row-wrap">
          <Button type="submit" loading={keep.isPending} disabled={id === '' || draft.name.trim() === '' || draft.source === '' || isSame}>
            {of === undefined ? t('Register it') : t('Save the version')}
          </Button>
          <FileButton accept="text/javascript,.js,.mjs" onChange={(file) => void file?.text().then((source) => set({ source }))}>
            {(props) => (
              <Button variant="default" {...props}>
                {t('Take a file')}
              </Button>
            )}
          </FileButton>
          {of === undefined ? null : <Remove of={of} onGone={() => onOpen(undefined)} />}
        </div>
      )}
    </form>
  );
}

/** Asks once more: panels that draw with it show that it is gone. */
function Remove({ of, onGone }: { readonly of: WidgetView; readonly onGone: () => void }) {
  const [asked, setAsked] = useState(false);
  const remove = useRemoveWidget();
  const used = of.used_by.length;
  if (!asked)
    return (
      <Button variant="default" onClick={() => setAsked(true)}>
        {t('Remove …')}
      </Button>
    );
  return (
    <span className="row-wrap" role="group" aria-label={t('Remove …')}>
      <span>
        {used === 0
          ? t('No dashboard draws with it.')
          : t('{used, plural, one {# dashboard draws} other {# dashboards draw}} with it; their panels will say that it is gone.', {
              used,
            })}
      </span>
      <Button color="red" loading={remove.isPending} onClick={() => remove.mutate(of.id, { onSuccess: onGone })}>
        {t('Remove it')}
      </Button>
      <Button variant="default" onClick={() => setAsked(false)}>
        {t('Keep it')}
      </Button>
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
    </span>
  );
}

function UsedBy({ of }: { readonly of: WidgetView }) {
  return (
    <Section title={t('Used by')}>
      {of.used_by.length === 0 ? (
        <p className="soft">{t('No dashboard draws with it yet: add a panel of the kind “A widget of your own”.')}</p>
      ) : (
        <ul className="plain-list">
          {of.used_by.map(({ id, title }) => (
            <li key={id}>
              <Link to="/dashboards/$id" params={{ id }}>
                {title}
              </Link>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

type VersionsProps = { readonly of: WidgetView; readonly mayPut: boolean; readonly onPut: (held: Draft) => void };

/** An old version comes into the form, and is in force once it is saved. */
function Versions({ of, mayPut, onPut }: VersionsProps) {
  const query = useQuery(widgetHistoryQuery(of.id));
  const put = useMutation({
    mutationFn: (revision: number) => widgetRevision(of.id, revision),
    onSuccess: ({ name, description, source }) => onPut({ name, description, source }),
  });
  const line = ({ revision, at_ms: atMs, by }: WidgetRevisionView) => (
    <li key={revision} className="row-wrap">
      <span>{t('Version {revision}', { revision })}</span>
      <Instant atMs={atMs} />
      <span className="faint">{t('by {name}', { name: by })}</span>
      {revision === of.revision ? (
        <span className="faint">{t('in force')}</span>
      ) : mayPut ? (
        <Button size="compact-xs" variant="default" onClick={() => put.mutate(revision)}>
          {t('Take it up')}
        </Button>
      ) : null}
    </li>
  );
  return (
    <Section title={t('Versions')}>
      <Waiting query={query} what={t('versions')} />
      {put.isError ? <RefusedNotice error={put.error} /> : null}
      <ul className="plain-list">{(query.data?.items ?? []).map(line)}</ul>
    </Section>
  );
}

/** Every widget may do the same: there is nothing that one could ask for. */
function MayDo() {
  return (
    <Section title={t('What it may do')}>
      <ul className="plain-list">
        <li>{t('Draw in its own frame, with styles and pictures of its own.')}</li>
        <li>{t('Read the figures of its panel: at most 100 series, what the reader may see.')}</li>
        <li>{t('Nothing else: no page, cookies, storage, network, windows, forms or downloads. It cannot ask for more.')}</li>
      </ul>
    </Section>
  );
}
