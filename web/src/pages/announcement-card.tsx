import { Button, Checkbox, NativeSelect, Textarea } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { type AnnouncementView, useUpdateAnnouncement, useWithdraw } from '../api/status-pages.ts';
import { Instant } from '../components/instant.tsx';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { phrase } from '../states/words.ts';
import { STATE_CHOICES } from './announcement-states.ts';

type Props = { readonly announcement: AnnouncementView; readonly titles: ReadonlyMap<string, string> };

/** One announcement with all its updates, and the next one to be written. */
export function AnnouncementCard({ announcement, titles }: Props) {
  const { title, state, pages, services, updates } = announcement;
  const mayAct = useRefusal('operate', 'status_pages', true) === undefined;
  const [writing, setWriting] = useState(false);
  return (
    <article className="panel panel-pad announcement" aria-label={title}>
      <header>
        <h3>{title}</h3>
        <strong>{phrase(state)}</strong>
      </header>
      <p className="faint">
        {[pages.map((id) => titles.get(id) ?? id).join(', '), ...(services.length === 0 ? [] : [services.join(', ')])].join(' · ')}
      </p>
      <ol>
        {updates.map((update) => (
          <li key={update.id}>
            <strong>{phrase(update.state)}</strong>
            {' · '}
            <Instant atMs={update.at_ms} />
            <span className="faint">{` · ${update.by}`}</span>
            <p className="said">{update.text}</p>
          </li>
        ))}
      </ol>
      {mayAct && writing ? <UpdateForm announcement={announcement} onDone={() => setWriting(false)} /> : null}
      {mayAct && !writing ? <Actions announcement={announcement} onWrite={() => setWriting(true)} /> : null}
    </article>
  );
}

function Actions({ announcement, onWrite }: { readonly announcement: AnnouncementView; readonly onWrite: () => void }) {
  const [sure, setSure] = useState(false);
  const withdraw = useWithdraw();
  return (
    <div className="row-wrap">
      <Button variant="default" size="xs" onClick={onWrite}>
        {t('Write an update')}
      </Button>
      {sure ? (
        <>
          <Button size="xs" loading={withdraw.isPending} onClick={() => withdraw.mutate(announcement.id)}>
            {t('Take it off the pages')}
          </Button>
          <button type="button" className="plain-button" onClick={() => setSure(false)}>
            {t('Keep it')}
          </button>
        </>
      ) : (
        <button type="button" className="plain-button" onClick={() => setSure(true)}>
          {t('Withdraw')}
        </button>
      )}
      {withdraw.isError ? <RefusedNotice error={withdraw.error} /> : null}
    </div>
  );
}

function UpdateForm({ announcement, onDone }: { readonly announcement: AnnouncementView; readonly onDone: () => void }) {
  const [state, setState] = useState<string>(announcement.state);
  const [text, setText] = useState('');
  const [notify, setNotify] = useState(true);
  const update = useUpdateAnnouncement();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    update.mutate({ id: announcement.id, state, text, notify }, { onSuccess: onDone });
  };
  return (
    <form className="announcement-form" onSubmit={submit}>
      <NativeSelect
        label={t('How it stands')}
        data={STATE_CHOICES}
        value={state}
        onChange={(event) => setState(event.currentTarget.value)}
      />
      <Textarea
        label={t('What is said')}
        required
        autosize
        minRows={2}
        maxLength={5_000}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Checkbox label={t('Tell subscribers')} checked={notify} onChange={(event) => setNotify(event.currentTarget.checked)} />
      {update.isError ? <RefusedNotice error={update.error} /> : null}
      <div className="row-wrap">
        <Button type="submit" loading={update.isPending} disabled={text.trim() === ''}>
          {t('Post the update')}
        </Button>
        <Button variant="default" onClick={onDone}>
          {t('Cancel')}
        </Button>
      </div>
    </form>
  );
}
