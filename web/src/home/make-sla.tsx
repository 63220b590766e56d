import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { servicesQuery } from '../api/queries.ts';
import { useMakeSla } from '../api/sla-actions.ts';
import { Locked } from '../components/locked.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { slugOf } from '../pages/service-draft.ts';
import { useCan } from '../shell/session.tsx';

/** The button that promises the availability of a service, for those who may. */
export function MakeSla({ primary }: { readonly primary: boolean }) {
  const { add } = useSearch({ strict: false });
  const [opened, setOpened] = useState(add === 1);
  const word = t('Set an SLA');
  if (!useCan('operate', 'slas')) return <Locked word={word} verb="operate" area="slas" />;
  return (
    <>
      <Button variant={primary ? 'filled' : 'default'} onClick={() => setOpened(true)}>
        {word}
      </Button>
      <Modal opened={opened} onClose={() => setOpened(false)} title={word} closeButtonProps={{ 'aria-label': t('Close without an SLA') }}>
        <SlaForm />
      </Modal>
    </>
  );
}

function SlaForm() {
  const services = useQuery(servicesQuery());
  const [chosen, setChosen] = useState('');
  const [target, setTarget] = useState('99.9%');
  const [rolling, setRolling] = useState('30d');
  const make = useMakeSla();
  const navigate = useNavigate();
  const items = services.data?.items ?? [];
  const service = chosen === '' ? (items[0]?.id ?? '') : chosen;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const id = `${slugOf(service)}-availability`;
    make.mutate(
      { id, service, indicator: { kind: 'availability' }, target, window: { rolling } },
      { onSuccess: (made) => void navigate({ to: '/slas/$id', params: { id: made.id } }) },
    );
  };
  if (services.data === undefined) return <Waiting query={services} what={t('services')} />;
  if (items.length === 0) return <p>{t('An SLA is about a service: add one first.')}</p>;
  return (
    <form className="drawer-body" onSubmit={submit}>
      <NativeSelect
        label={t('Service')}
        data={items.map(({ id, name }) => ({ value: id, label: name }))}
        value={service}
        onChange={(event) => setChosen(event.currentTarget.value)}
      />
      <TextInput
        label={t('Target')}
        description={t('The share of time that is promised: 99.9% of 30 days leaves 43 min 12 s.')}
        required
        value={target}
        onChange={(event) => setTarget(event.currentTarget.value)}
      />
      <NativeSelect
        label={t('Counted over')}
        data={[
          { value: '1d', label: t('the last day') },
          { value: '7d', label: t('the last 7 days') },
          { value: '30d', label: t('the last 30 days') },
          { value: '90d', label: t('the last 90 days') },
        ]}
        value={rolling}
        onChange={(event) => setRolling(event.currentTarget.value)}
      />
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      <Button type="submit" loading={make.isPending}>
        {t('Set the SLA')}
      </Button>
    </form>
  );
}
