import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { changeDashboard, dashboardListQuery, dashboardOf, makeDashboard } from '../api/explore.ts';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { emptyDashboard, withPanel } from './dashboard-draft.ts';
import type { Tab, UnitName } from './search.ts';
import { t } from '../language/t.ts';

type Props = { readonly query: string; readonly tab: Tab; readonly unit: UnitName; readonly onClose: () => void };

/** The query as a panel of a dashboard that people made, or of a new one. */
export function DashboardDialog({ query, tab, unit, onClose }: Props) {
  const listed = useQuery(dashboardListQuery());
  const client = useQueryClient();
  const [into, setInto] = useState('');
  const [name, setName] = useState('');
  const [title, setTitle] = useState(query.length <= 60 ? query : '');
  const own = (listed.data?.items ?? []).filter(({ origin }) => origin === 'ui');
  const add = useMutation({
    mutationFn: async () => {
      const draft = { title: title.trim(), query, tab, unit };
      if (into === '') {
        const taken = (listed.data?.items ?? []).map(({ id }) => id);
        return makeDashboard(withPanel(emptyDashboard(name.trim(), taken), draft));
      }
      const { spec, revision } = await dashboardOf(into);
      return changeDashboard(into, revision, withPanel(spec, draft));
    },
    onSuccess: () => client.invalidateQueries({ queryKey: ['explore', 'dashboards'] }),
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate();
  };
  return (
    <Modal opened onClose={onClose} title={t('Add to a dashboard')} closeButtonProps={{ 'aria-label': t('Close') }}>
      <Waiting query={listed} what={t('dashboards')} />
      {add.data === undefined ? (
        <form className="drawer-body" onSubmit={submit}>
          <NativeSelect
            label={t('Dashboard')}
            data={[{ value: '', label: t('A new one') }, ...own.map(({ id, title: label }) => ({ value: id, label }))]}
            value={into}
            onChange={({ currentTarget: { value } }) => setInto(value)}
          />
          {into === '' ? (
            <TextInput label={t('Its title')} required value={name} onChange={({ currentTarget: { value } }) => setName(value)} />
          ) : null}
          <TextInput label={t('Title of the panel')} required value={title} onChange={({ currentTarget: { value } }) => setTitle(value)} />
          {add.isError ? <RefusedNotice error={add.error} /> : null}
          <Button type="submit" loading={add.isPending} disabled={listed.data === undefined}>
            {t('Add the panel')}
          </Button>
        </form>
      ) : (
        <div className="drawer-body" role="status">
          <p>{t('The panel is on {title}.', { title: add.data.title })}</p>
          <p>
            <a href={`/dashboards/${add.data.id}`}>{t('Open it')}</a>
          </p>
        </div>
      )}
    </Modal>
  );
}
