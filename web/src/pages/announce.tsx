import { Button, Checkbox, Modal, NativeSelect, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { servicesQuery } from '../api/queries.ts';
import { type StatusPageView, useAnnounce } from '../api/status-pages.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { Locked } from '../components/locked.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { STATE_CHOICES } from './announcement-states.ts';
import { Choices } from './choices.tsx';

/** The button that announces something, for those who may. */
export function Announce({ pages }: { readonly pages: readonly StatusPageView[] }) {
  const [opened, setOpened] = useState(false);
  const refusal = useRefusal('operate', 'status_pages', true);
  if (refusal !== undefined) return <Locked word={t('Announce something')} verb="operate" area="status_pages" whole />;
  return (
    <>
      <Button onClick={() => setOpened(true)}>{t('Announce something')}</Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('Announce something')}
        closeButtonProps={{ 'aria-label': t('Close without announcing') }}
      >
        <AnnounceForm pages={pages} onDone={() => setOpened(false)} />
      </Modal>
    </>
  );
}

type FormProps = { readonly pages: readonly StatusPageView[]; readonly onDone: () => void };

function AnnounceForm({ pages, onDone }: FormProps) {
  const [title, setTitle] = useState('');
  const [state, setState] = useState('investigating');
  const [text, setText] = useState('');
  const [notify, setNotify] = useState(true);
  const [chosen, setChosen] = useState<readonly string[]>(pages.length === 1 ? pages.map(({ id }) => id) : []);
  const [services, setServices] = useState<readonly string[]>([]);
  const announce = useAnnounce();
  // Only what stands on the chosen pages can be shown there.
  const offered = [...new Set(pages.filter(({ id }) => chosen.includes(id)).flatMap((page) => page.services))];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const about = services.filter((id) => offered.includes(id));
    announce.mutate({ title, state, text, notify, pages: chosen, services: about }, { onSuccess: onDone });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('Title')}
        placeholder={t('Logins fail')}
        required
        data-autofocus
        maxLength={200}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <Choices label={t('Pages')} all={pages.map(({ id, title: name }) => ({ id, name }))} chosen={chosen} onChange={setChosen} />
      {offered.length === 0 ? null : <ServiceChoices offered={offered} chosen={services} onChange={setServices} />}
      <NativeSelect
        label={t('How it stands')}
        data={STATE_CHOICES}
        value={state}
        onChange={(event) => setState(event.currentTarget.value)}
      />
      <Textarea
        label={t('What is said')}
        placeholder={t('What customers notice, and what you do about it.')}
        required
        autosize
        minRows={3}
        maxLength={5_000}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Checkbox label={t('Tell subscribers')} checked={notify} onChange={(event) => setNotify(event.currentTarget.checked)} />
      {announce.isError ? <RefusedNotice error={announce.error} /> : null}
      <Button type="submit" loading={announce.isPending} disabled={title.trim() === '' || text.trim() === '' || chosen.length === 0}>
        {t('Announce it')}
      </Button>
    </form>
  );
}

type ServiceProps = {
  readonly offered: readonly string[];
  readonly chosen: readonly string[];
  readonly onChange: (ids: readonly string[]) => void;
};

function ServiceChoices({ offered, chosen, onChange }: ServiceProps) {
  const services = useQuery(servicesQuery());
  const names = new Map(services.data?.items.map(({ id, name }) => [id, name]));
  return (
    <Choices label={t('Services')} all={offered.map((id) => ({ id, name: names.get(id) ?? id }))} chosen={chosen} onChange={onChange} />
  );
}
