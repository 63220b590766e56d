import { useQuery } from '@tanstack/react-query';
import { type UsedByView, usedByQuery } from '../api/objects.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { addressOf } from './address.ts';
import { kindWord, usesText } from './words.ts';

type One = UsedByView['items'][number];

/** What names an object, each with its way there. */
export function UsedBy({ kind, id }: { readonly kind: string; readonly id: string }) {
  const found = useQuery(usedByQuery(kind, id));
  const items = found.data?.items ?? [];
  return (
    <>
      <Waiting query={found} what={t('what uses it')} />
      {found.data !== undefined && items.length === 0 ? (
        <EmptyState>{t('Nothing that you may see names it: it can change or go without anything else noticing.')}</EmptyState>
      ) : null}
      {items.length === 0 ? null : (
        <DataTable caption={t('Used by')} columns={COLUMNS} rows={items} rowKey={(one) => `${one.kind} ${one.id}`} />
      )}
    </>
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
