import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { useCreateService } from '../api/actions.ts';
import { templatesQuery } from '../api/queries.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { Locked } from '../components/locked.tsx';
import { t } from '../language/t.ts';
import { useCan } from '../shell/session.tsx';
import { serviceOf, slugOf } from './service-draft.ts';

const INTERVALS = [
  { value: '10s', label: t('every 10 s') },
  { value: '30s', label: t('every 30 s') },
  { value: '1m', label: t('every minute') },
  { value: '5m', label: t('every 5 min') },
];

/** The button that adds a service, for those who may. */
export function AddService({ primary }: { readonly primary: boolean }) {
  const { add } = useSearch({ strict: false });
  const [opened, setOpened] = useState(add === 1);
  if (!useCan('operate', 'services')) return <Locked word={t('Add a service')} verb="operate" area="services" />;
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} onClick={() => setOpened(true)}>
        {t('Add a service')}
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={t('Add a service')}
        closeButtonProps={{ 'aria-label': t('Close without adding') }}
      >
        <ServiceForm />
      </Modal>
    </>
  );
}

function ServiceForm() {
  const [name, setName] = useState('');
  const [target, setTarget] = useState('');
  const [interval, setInterval] = useState('30s');
  const templates = useQuery(templatesQuery()).data?.items ?? [];
  const [chosen, setChosen] = useState('');
  const template = templates.find(({ id }) => id === chosen);
  const create = useCreateService();
  const navigate = useNavigate();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const pace = template === undefined ? { interval } : { interval: template.check.interval, timeout: template.check.timeout };
    create.mutate(serviceOf({ name, target, ...pace }), { onSuccess: ({ id }) => void navigate({ to: '/services/$id', params: { id } }) });
  };
  return (
    <form className="drawer-body" onSubmit={submit}>
      <TextInput
        label={t('Name')}
        placeholder={t('Web shop')}
        required
        data-autofocus
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label={t('Address')}
        description={t(
          'A URL is asked over HTTP; host:port is connected to. Addresses inside your network belong into the configuration file.',
        )}
        placeholder="https://shop.example.org/health"
        required
        value={target}
        onChange={(event) => setTarget(event.currentTarget.value)}
      />
      <NativeSelect
        label={t('What it is')}
        description={template?.description}
        data={[{ value: '', label: t('something else') }, ...templates.map(({ id, name: word }) => ({ value: id, label: word }))]}
        value={chosen}
        onChange={(event) => setChosen(event.currentTarget.value)}
      />
      {template === undefined ? (
        <NativeSelect label={t('Asked')} data={INTERVALS} value={interval} onChange={(event) => setInterval(event.currentTarget.value)} />
      ) : null}
      {create.isError ? <RefusedNotice error={create.error} /> : null}
      <Button type="submit" loading={create.isPending} disabled={slugOf(name) === ''}>
        {t('Add the service')}
      </Button>
    </form>
  );
}
