import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useRemoveRole } from '../api/actions.ts';
import { rolesQuery } from '../api/queries.ts';
import type { AreaName, RoleView } from '../api/wire.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';
import { RoleDialog } from './role-dialog.tsx';
import { AREAS, AREA_WORDS, landingWord } from './role-draft.ts';
import { SettingsHead } from './settings-head.tsx';
import { sightOf } from './sight.ts';

/** Which roles there are, what each permits, and who holds it. */
export function RolesPage() {
  const refusal = useRefusal('administer', 'access');
  return (
    <div className="page settings">
      <SettingsHead
        title={t('Roles')}
        lead={refusal ?? t('What people and tokens may do, area by area. What a role does not name is not permitted.')}
      />
      {refusal === undefined ? <AllRoles /> : null}
    </div>
  );
}

/** What the dialog is about. */
type Asked = { readonly role?: RoleView; readonly like?: RoleView };

function AllRoles() {
  const { role: chosen } = useSearch({ from: '/shell/settings/roles' });
  const query = useQuery(rolesQuery());
  const remove = useRemoveRole();
  const [asked, setAsked] = useState<Asked>();
  const items = query.data?.items ?? [];
  const shown = items.find(({ id }) => id === chosen) ?? items[0];
  const acts: Acts = {
    onChange: (role) => setAsked({ role }),
    onCopy: (like) => setAsked({ like }),
    onRemove: ({ id }) => remove.mutate(id),
  };
  return (
    <>
      <Waiting query={query} what={t('roles')} />
      {remove.isError ? <RefusedNotice error={remove.error} /> : null}
      {query.data === undefined ? null : (
        <>
          <div className="row-wrap">
            <Button onClick={() => setAsked({})}>{t('Make a role')}</Button>
            {items.every(({ origin }) => origin === 'shipped') ? (
              <span className="faint">{t('So far there are the shipped ones; one of your own gives exactly what a task needs.')}</span>
            ) : null}
          </div>
          <div className="panel">
            <DataTable caption={t('Roles')} columns={columnsOf(acts)} rows={items} rowKey={({ id }) => id} />
          </div>
        </>
      )}
      {shown === undefined ? null : <Permitted role={shown} />}
      <RoleDialog role={asked?.role} like={asked?.like} opened={asked !== undefined} onClose={() => setAsked(undefined)} />
    </>
  );
}

type Act = (role: RoleView) => void;
type Acts = { readonly onChange: Act; readonly onCopy: Act; readonly onRemove: Act };

const originWords = (origin: string): string =>
  origin === 'shipped' ? 'shipped' : origin === 'ui' ? t('made here') : t('declared at {origin}', { origin });

const columnsOf = (acts: Acts): readonly Column<RoleView>[] => [
  {
    id: 'name',
    header: t('Name'),
    cell: ({ id, name }) => (
      <Link to="/settings/roles" search={{ role: id }} title={t('What {name} permits', { name })}>
        {name}
      </Link>
    ),
  },
  { id: 'origin', header: t('Origin'), label: t('origin'), cell: ({ origin }) => originWords(origin) },
  { id: 'landing', header: t('Begins at'), label: t('begins at'), cell: ({ landing }) => landingWord(landing) },
  { id: 'sees', header: t('Sees'), label: t('sees'), cell: (role) => sightOf(role) },
  { id: 'holders', header: t('Held by'), label: t('held by'), cell: ({ holders }) => <Holders holders={holders} /> },
  { id: 'actions', header: <span className="sr-only">{t('Actions')}</span>, cell: (role) => <Actions role={role} acts={acts} /> },
];

/** More than these are counted. */
const MOST_NAMED = 3;

function Holders({ holders }: Pick<RoleView, 'holders'>) {
  if (holders.length === 0) return <span className="faint">{t('nobody')}</span>;
  const named = holders.slice(0, MOST_NAMED).map(({ kind, name }) => (kind === 'token' ? t('token {name}', { name }) : name));
  const rest = holders.length - named.length;
  return <>{rest === 0 ? named.join(', ') : t('{names} and {count} more', { names: named.join(', '), count: rest })}</>;
}

function Actions({ role, acts }: { readonly role: RoleView; readonly acts: Acts }) {
  const [sure, setSure] = useState(false);
  const plain = (word: string, run: () => void) => (
    <button type="button" className="plain-button" aria-label={`${word}: ${role.name}`} onClick={run}>
      {word}
    </button>
  );
  return (
    <span className="row-wrap row-actions">
      {plain(t('Make one like it'), () => acts.onCopy(role))}
      {role.origin === 'ui' ? plain(t('Change'), () => acts.onChange(role)) : null}
      {role.origin !== 'ui'
        ? null
        : sure
          ? plain(t('Remove for ever'), () => acts.onRemove(role))
          : plain(t('Remove'), () => setSure(true))}
      {role.origin === 'shipped' ? null : <ObjectMenu kind="roles" id={role.id} name={role.name} />}
    </span>
  );
}

const VERB_COLUMNS = [
  { verb: 'read', header: t('Read||verb'), label: t('read||verb') },
  { verb: 'operate', header: t('Operate'), label: t('operate') },
  { verb: 'administer', header: t('Administer'), label: t('administer') },
  { verb: 'ingest', header: t('Send samples'), label: t('send samples') },
] as const;

/** Areas by verbs. */
function Permitted({ role }: { readonly role: RoleView }) {
  const columns: readonly Column<AreaName>[] = [
    { id: 'area', header: t('Area'), cell: (area) => <span className="row-name">{AREA_WORDS[area]}</span> },
    ...VERB_COLUMNS.map(({ verb, header, label }) => ({
      id: verb,
      header,
      label,
      cell: (area: AreaName) =>
        role.permits[area]?.includes(verb) === true ? <StateMark state="up" word={t('yes')} /> : <span className="faint">{t('no')}</span>,
    })),
  ];
  return (
    <Section title={t('What {role} permits', { role: role.name })} aside={originWords(role.origin)}>
      <div className="panel">
        <DataTable caption={t('What {role} permits', { role: role.name })} columns={columns} rows={AREAS} rowKey={(area) => area} />
      </div>
    </Section>
  );
}
