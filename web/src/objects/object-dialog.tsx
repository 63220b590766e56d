import { Modal } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ObjectText, type UsedByView, objectTextQuery, usedByQuery } from '../api/objects.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { Command, EmptyState, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { addressOf } from './address.ts';
import { kindWord, usesText } from './words.ts';

type Props = {
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly show: 'yaml' | 'used-by';
  readonly onClose: () => void;
};

/** An object as YAML, or what names it. */
export function ObjectDialog({ name, show, onClose, ...of }: Props) {
  const title = show === 'yaml' ? t('{name} as YAML', { name }) : t('What uses {name}', { name });
  return (
    <Modal opened onClose={onClose} title={title} size="lg" closeButtonProps={{ 'aria-label': t('Close') }}>
      {show === 'yaml' ? <Text {...of} /> : <Users {...of} />}
    </Modal>
  );
}

function Text({ kind, id }: Pick<Props, 'kind' | 'id'>) {
  const found = useQuery(objectTextQuery(kind, id));
  return (
    <div className="drawer-body">
      <Waiting query={found} what={t('the YAML')} />
      {found.data === undefined ? null : (
        <>
          <p className="soft">{leadOf(found.data)}</p>
          <Command text={found.data.yaml} />
          {found.data.redacted ? (
            <p className="soft">{t('Secrets are not shown: fill in what stands in [redacted] before you load it elsewhere.')}</p>
          ) : null}
        </>
      )}
    </div>
  );
}

function leadOf({ file, origin }: ObjectText): string {
  if (file === 'record') return t('As the API tells it. No configuration holds it.');
  const where =
    origin === 'ui'
      ? t('It was made here.')
      : origin === 'shipped'
        ? t('Nines brings it.')
        : t('It stands in {place} and is changed there.', { place: origin });
  if (file === 'dashboard') return `${where} ${t('This is the dashboard as a file under dashboards.files holds it.')}`;
  if (file === 'rule_file') return `${where} ${t('This is the rule as a Prometheus rule file holds it.')}`;
  return `${where} ${t('This is how nines.yml holds it.')}`;
}

type One = UsedByView['items'][number];

function Users({ kind, id }: Pick<Props, 'kind' | 'id'>) {
  const found = useQuery(usedByQuery(kind, id));
  const items = found.data?.items ?? [];
  return (
    <div className="drawer-body">
      <Waiting query={found} what={t('what uses it')} />
      {found.data !== undefined && items.length === 0 ? (
        <EmptyState>{t('Nothing that you may see names it: it can change or go without anything else noticing.')}</EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <DataTable caption={t('Used by')} columns={COLUMNS} rows={items} rowKey={(one) => `${one.kind} ${one.id}`} />
      )}
    </div>
  );
}

const COLUMNS: readonly Column<One>[] = [
  { id: 'kind', header: t('Kind'), cell: ({ kind }) => <span className="faint nowrap">{kindWord(kind)}</span> },
  {
    id: 'name',
    header: t('Name'),
    cell: ({ kind, id, name }) => {
      const address = addressOf(kind, id);
      return address === undefined ? name : <a href={address}>{name}</a>;
    },
  },
  { id: 'how', header: t('How'), cell: ({ how }) => usesText(how) },
];
