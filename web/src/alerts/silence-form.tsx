import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type SilenceView, type WrittenMatcher, silencePreviewQuery, useSaveSilence } from '../api/alerts.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { timeZone } from '../figures/instant.ts';
import { t } from '../language/t.ts';
import { plainText } from './plain-text.ts';
import { type SilenceDraft, writtenOf } from './silence-draft.ts';

const OPS = ['=', '!=', '=~', '!~'];
const MAX_CHARS = 120;
/** Alerts of the preview that are named. */
const NAMED = 8;

type Props = { readonly draft: SilenceDraft; readonly before?: SilenceView; readonly onDone: () => void };

/** Makes a silence, or changes one, and shows what it would hold back while it is being written. */
export function SilenceForm({ draft: first, before, onDone }: Props) {
  const [draft, setDraft] = useState(first);
  const set = (part: Partial<SilenceDraft>) => setDraft((last) => ({ ...last, ...part }));
  const save = useSaveSilence(draft.id);
  const written = writtenOf(draft, before);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (written !== undefined) save.mutate(written, { onSuccess: onDone });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <fieldset className="matchers">
        <legend>{t('Alerts whose labels all match')}</legend>
        {draft.matchers.map((matcher, index) => (
          <MatcherRow
            // Rows have no other identity than their place.
            key={index}
            matcher={matcher}
            onChange={(next) => set({ matchers: draft.matchers.map((one, place) => (place === index ? next : one)) })}
            onRemove={() => set({ matchers: draft.matchers.filter((_, place) => place !== index) })}
          />
        ))}
        <button
          type="button"
          className="plain-button"
          onClick={() => set({ matchers: [...draft.matchers, { name: '', op: '=', value: '' }] })}
        >
          {t('Add a matcher')}
        </button>
      </fieldset>
      <Preview matchers={draft.matchers.filter(({ name }) => name.trim() !== '')} />
      <div className="row-wrap">
        <TextInput
          label={t('From')}
          type="datetime-local"
          description={t('Empty is now.')}
          value={draft.from}
          onChange={(event) => set({ from: event.currentTarget.value })}
        />
        <TextInput
          label={t('Until')}
          type="datetime-local"
          description={t('In your time zone, {timeZone}.', { timeZone })}
          required
          value={draft.to}
          onChange={(event) => set({ to: event.currentTarget.value })}
        />
      </div>
      <Textarea
        label={t('Why')}
        required
        data-autofocus
        placeholder={t('New disk is on its way')}
        maxLength={4_000}
        value={draft.comment}
        onChange={(event) => set({ comment: event.currentTarget.value })}
      />
      {save.isError ? <RefusedNotice error={save.error} /> : null}
      <Button type="submit" disabled={written === undefined} loading={save.isPending}>
        {draft.id === undefined ? t('Make the silence') : t('Change the silence')}
      </Button>
    </form>
  );
}

type RowProps = { readonly matcher: WrittenMatcher; readonly onChange: (next: WrittenMatcher) => void; readonly onRemove: () => void };

function MatcherRow({ matcher, onChange, onRemove }: RowProps) {
  return (
    <div className="matcher">
      <TextInput
        size="xs"
        aria-label={t('Label')}
        placeholder="instance"
        value={matcher.name}
        onChange={(event) => onChange({ ...matcher, name: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        aria-label={t('How')}
        data={OPS}
        value={matcher.op}
        onChange={(event) => onChange({ ...matcher, op: event.currentTarget.value as WrittenMatcher['op'] })}
      />
      <TextInput
        size="xs"
        aria-label={t('Value')}
        value={matcher.value}
        onChange={(event) => onChange({ ...matcher, value: event.currentTarget.value })}
      />
      <button
        type="button"
        className="plain-button"
        aria-label={t('Remove the matcher of {matcher}', { matcher: matcher.name })}
        onClick={onRemove}
      >
        {t('Remove')}
      </button>
    </div>
  );
}

function Preview({ matchers }: { readonly matchers: readonly WrittenMatcher[] }) {
  const preview = useQuery({ ...silencePreviewQuery(matchers), enabled: matchers.length > 0 });
  if (matchers.length === 0) return <p className="faint">{t('Without a matcher nothing is silenced.')}</p>;
  if (preview.isError) return <RefusedNotice error={preview.error} />;
  if (preview.data === undefined) return <p className="faint">{t('Looking for what matches …')}</p>;
  const { total, items } = preview.data;
  return (
    <div role="status" className="preview">
      <p>
        <b>
          {total === 0
            ? t('No firing alert matches now.')
            : t('Would hold back {count, plural, one {# firing alert} other {# firing alerts}} now.', { count: total })}
        </b>
      </p>
      <ul className="plain-list">
        {items.slice(0, NAMED).map(({ id, alertname, severity, labels }) => {
          const about = labels['instance'] ?? labels['service'];
          return (
            <li
              key={id}
            >{`${about === undefined ? plainText(alertname, MAX_CHARS) : t('{alert} on {service}', { alert: plainText(alertname, MAX_CHARS), service: plainText(about, MAX_CHARS) })} (${severity})`}</li>
          );
        })}
      </ul>
      {total > NAMED ? <p className="faint">{t('and {count} more', { count: total - NAMED })}</p> : null}
    </div>
  );
}
