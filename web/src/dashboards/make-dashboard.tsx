import { Button, Modal, TextInput } from '@mantine/core';
import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, useState } from 'react';
import { type DashboardSpec, useMakeDashboard } from '../api/dashboards.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { Locked } from '../components/locked.tsx';
import { useCan } from '../shell/session.tsx';
import { t } from '../language/t.ts';

/** A name that addresses take: `Web shop` becomes `web-shop`. */
export const slugOf = (title: string): string =>
  title
    .toLowerCase()
    .normalize('NFD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 63);

const EMPTY: Omit<DashboardSpec, 'id' | 'title'> = {
  schema: 1,
  description: '',
  tags: [],
  folder: '',
  panels: {},
  layout: { kind: 'two_columns', sections: [{ title: '', collapsed: false, panels: [] }] },
  variables: [],
  annotations: [],
  range: '6h',
  refresh: 'live',
};

type Props = {
  /** What the new one begins as; absent: nothing. */
  readonly from?: DashboardSpec;
  readonly word?: string;
};

/** Makes a dashboard, or a copy of one, and opens it. */
export function MakeDashboard({ from, word = t('Make a dashboard') }: Props) {
  const mayMake = useCan('operate', 'dashboards');
  const [opened, setOpened] = useState(false);
  if (!mayMake) return from === undefined ? <Locked word={word} verb="operate" area="dashboards" /> : null;
  return (
    <>
      <Button
        variant={from === undefined ? 'filled' : 'default'}
        size={from === undefined ? 'sm' : 'xs'}
        className="no-print"
        onClick={() => setOpened(true)}
      >
        {word}
      </Button>
      <Modal
        opened={opened}
        onClose={() => setOpened(false)}
        title={word}
        closeButtonProps={{ 'aria-label': t('Close without a dashboard') }}
      >
        <MakeForm {...(from === undefined ? {} : { from })} onDone={() => setOpened(false)} />
      </Modal>
    </>
  );
}

function MakeForm({ from, onDone }: { readonly from?: DashboardSpec; readonly onDone: () => void }) {
  const [title, setTitle] = useState(from === undefined ? '' : t('{title} (copy)', { title: from.title }));
  const make = useMakeDashboard();
  const navigate = useNavigate();
  const id = slugOf(title);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const tags = from?.tags.filter((tag) => tag !== 'shipped') ?? [];
    const spec: DashboardSpec = { ...EMPTY, ...from, tags, id, title: title.trim() };
    make.mutate(
      { spec, note: from === undefined ? '' : t('a copy of {id}', { id: from.id }) },
      {
        onSuccess: ({ id: made }) => {
          onDone();
          void navigate({ to: '/dashboards/$id', params: { id: made }, search: { edit: 1 } });
        },
      },
    );
  };
  return (
    <form className="time-exact" onSubmit={onSubmit}>
      <TextInput
        label={t('Title')}
        data-autofocus
        value={title}
        onChange={(event) => setTitle(event.currentTarget.value)}
        maxLength={200}
      />
      <p className="faint small">
        {id === '' ? t('The title needs a letter or a digit.') : t('Its address: {address}', { address: `/dashboards/${id}` })}
      </p>
      {make.isError ? <RefusedNotice error={make.error} /> : null}
      <Button type="submit" loading={make.isPending} disabled={id === ''}>
        {from === undefined ? t('Make it') : t('Save the copy')}
      </Button>
    </form>
  );
}
