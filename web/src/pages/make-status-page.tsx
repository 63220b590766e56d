import { Button, Modal, PasswordInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { servicesQuery } from '../api/queries.ts';
import { useMakeStatusPage } from '../api/status-pages.ts';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { Locked } from '../components/locked.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { Choices } from './choices.tsx';
import { slugOf } from './service-draft.ts';

/** The button that makes a status page, for those who may. */
export function MakeStatusPage({ primary }: { readonly primary: boolean }) {
  const [opened, setOpened] = useState(false);
  const refusal = useRefusal('administer', 'status_pages', true);
  if (refusal !== undefined) return <Locked word={t('Make a page')} verb="administer" area="status_pages" whole />;
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} onClick={() => setOpened(true)}>
        {t('Make a page')}
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('Make a status page')}
        closeButtonProps={{ 'aria-label': t('Close without making a page') }}
      >
        <MakeForm onDone={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function MakeForm({ onDone }: { readonly onDone: () => void }) {
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [password, setPassword] = useState('');
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const services = useQuery(servicesQuery());
  const make = useMakeStatusPage();
  const id = slugOf(title);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const secret = password === '' ? {} : { private: { password } };
    make.mutate({ id, title, description, services: chosen, ...secret }, { onSuccess: onDone });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('Title')}
        description={id === '' ? t('What it is called for its readers.') : t('It will be at /status/{id}.', { id })}
        required
        data-autofocus
        maxLength={120}
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
      />
      <TextInput
        label={t('Description')}
        maxLength={1_000}
        value={description}
        onChange={(event) => setDescription(event.currentTarget.value)}
      />
      <Waiting query={services} what={t('services')} />
      {services.data === undefined ? null : (
        <Choices
          label={t('Services')}
          all={services.data.items.map(({ id: service, name }) => ({ id: service, name }))}
          chosen={chosen}
          onChange={setChosen}
        />
      )}
      <PasswordInput
        label={t('Password')}
        description={t('With one, only who knows it sees that the page exists.')}
        autoComplete="new-password"
        minLength={8}
        value={password}
        onChange={(event) => setPassword(event.currentTarget.value)}
      />
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      <Button type="submit" loading={make.isPending} disabled={id === '' || chosen.length === 0}>
        {t('Make the page')}
      </Button>
    </form>
  );
}
