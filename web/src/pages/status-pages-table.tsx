import { useState } from 'react';
import { type StatusPageView, useOpenPage, useRemoveStatusPage } from '../api/status-pages.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';

/** Every status page with the way to it. */
export function StatusPagesTable({ pages }: { readonly pages: readonly StatusPageView[] }) {
  const open = useOpenPage();
  return (
    <>
      <DataTable caption={t('Status pages')} columns={columns((id) => open.mutate(id))} rows={pages} rowKey={(page) => page.id} />
      {open.isError ? <ErrorNotice error={open.error} /> : null}
    </>
  );
}

const columns = (open: (id: string) => void): readonly Column<StatusPageView>[] => [
  { id: 'title', header: t('Page'), cell: (page) => <Title page={page} open={open} /> },
  { id: 'state', header: t('Shows'), label: t('shows'), cell: (page) => <StateMark state={page.state} /> },
  { id: 'access', header: t('Open to'), label: t('open to'), cell: (page) => (page.private ? t('who has the key') : 'everyone') },
  { id: 'services', header: t('Services'), label: t('services'), numeric: true, cell: (page) => page.services.length },
  {
    id: 'subscribers',
    header: t('Subscribers'),
    label: t('subscribers'),
    numeric: true,
    cell: ({ subscribers }) => subscribers.email + subscribers.webhook,
  },
  {
    id: 'written',
    header: t('Written'),
    label: t('written'),
    cell: (page) => (page.written_at_ms === null ? t('not yet') : <Instant atMs={page.written_at_ms} />),
  },
  {
    id: 'origin',
    header: t('Declared'),
    label: t('declared'),
    cell: (page) => (
      <span className="row-wrap">
        <Origin page={page} />
        <ObjectMenu kind="status-pages" id={page.id} name={page.title} />
      </span>
    ),
  },
];

/** A private page is opened with a link that the server lends. */
function Title({ page, open }: { readonly page: StatusPageView; readonly open: (id: string) => void }) {
  const address = page.domain ?? page.path;
  return (
    <>
      {page.private ? (
        <button type="button" className="plain-button row-name" onClick={() => open(page.id)}>
          {page.title}
        </button>
      ) : (
        <a className="row-name" href={page.path} target="_blank" rel="noreferrer">
          {page.title}
        </a>
      )}
      <span className="faint">{` ${address}`}</span>
    </>
  );
}

/** Where the page is declared; one that was made here is taken away here, after another question. */
function Origin({ page }: { readonly page: StatusPageView }) {
  const [sure, setSure] = useState(false);
  const remove = useRemoveStatusPage();
  const mayRemove = useRefusal('administer', 'status_pages', true) === undefined;
  if (page.origin !== 'ui') return <span className="faint">{page.origin}</span>;
  if (!mayRemove) return <span className="faint">{t('here')}</span>;
  return (
    <>
      <button type="button" className="plain-button" onClick={() => (sure ? remove.mutate(page.id) : setSure(true))}>
        {sure ? t('Really take {title} away', { title: page.title }) : t('Take away')}
        {sure ? null : <span className="sr-only">{` ${page.title}`}</span>}
      </button>
      {remove.isError ? <ErrorNotice error={remove.error} /> : null}
    </>
  );
}
