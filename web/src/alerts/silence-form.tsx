import { Button, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { type SilenceView, type WrittenMatcher, silencePreviewQuery, useSaveSilence } from '../api/alerts.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { timeZone } from '../figures/instant.ts';
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
        <legend>Alerts whose labels all match</legend>
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
          Add a matcher
        </button>
      </fieldset>
      <Preview matchers={draft.matchers.filter(({ name }) => name.trim() !== '')} />
      <div className="row-wrap">
        <TextInput
          label="From"
          type="datetime-local"
          description="Empty is now."
          value={draft.from}
          onChange={(event) => set({ from: event.currentTarget.value })}
        />
        <TextInput
          label="Until"
          type="datetime-local"
          description={`In your time zone, ${timeZone}.`}
          required
          value={draft.to}
          onChange={(event) => set({ to: event.currentTarget.value })}
        />
      </div>
      <Textarea
        label="Why"
        required
        data-autofocus
        placeholder="New disk is on its way"
        maxLength={4_000}
        value={draft.comment}
        onChange={(event) => set({ comment: event.currentTarget.value })}
      />
      {save.isError ? <RefusedNotice error={save.error} /> : null}
      <Button type="submit" disabled={written === undefined} loading={save.isPending}>
        {draft.id === undefined ? 'Make the silence' : 'Change the silence'}
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
        aria-label="Label"
        placeholder="instance"
        value={matcher.name}
        onChange={(event) => onChange({ ...matcher, name: event.currentTarget.value })}
      />
      <NativeSelect
        size="xs"
        aria-label="How"
        data={OPS}
        value={matcher.op}
        onChange={(event) => onChange({ ...matcher, op: event.currentTarget.value as WrittenMatcher['op'] })}
      />
      <TextInput
        size="xs"
        aria-label="Value"
        value={matcher.value}
        onChange={(event) => onChange({ ...matcher, value: event.currentTarget.value })}
      />
      <button type="button" className="plain-button" aria-label={`Remove the matcher of ${matcher.name}`} onClick={onRemove}>
        Remove
      </button>
    </div>
  );
}

function Preview({ matchers }: { readonly matchers: readonly WrittenMatcher[] }) {
  const preview = useQuery({ ...silencePreviewQuery(matchers), enabled: matchers.length > 0 });
  if (matchers.length === 0) return <p className="faint">Without a matcher nothing is silenced.</p>;
  if (preview.isError) return <RefusedNotice error={preview.error} />;
  if (preview.data === undefined) return <p className="faint">Looking for what matches …</p>;
  const { total, items } = preview.data;
  return (
    <div role="status" className="preview">
      <p>
        <b>{total === 0 ? 'No firing alert matches now.' : `Would hold back ${total} firing ${total === 1 ? 'alert' : 'alerts'} now.`}</b>
      </p>
      <ul className="plain-list">
        {items.slice(0, NAMED).map(({ id, alertname, severity, labels }) => {
          const about = labels['instance'] ?? labels['service'];
          return (
            <li
              key={id}
            >{`${plainText(alertname, MAX_CHARS)}${about === undefined ? '' : ` on ${plainText(about, MAX_CHARS)}`} (${severity})`}</li>
          );
        })}
      </ul>
      {total > NAMED ? <p className="faint">{`and ${total - NAMED} more`}</p> : null}
    </div>
  );
}
