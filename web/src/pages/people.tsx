import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import {
  type IssuedView,
  type PersonView,
  peopleQuery,
  useChangePerson,
  useInvite,
  useMakeLink,
  useRemovePerson,
  useRevokeLink,
} from '../api/people.ts';
import { rolesQuery } from '../api/queries.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Ago } from '../components/instant.tsx';
import { Command, RefusedNotice, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { t } from '../language/t.ts';
import { useRefusal } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';
import { ChangedMeanwhile } from './changed-meanwhile.tsx';
import { PersonSight } from './person-sight.tsx';
import { Sessions } from './sessions.tsx';
import { SettingsHead } from './settings-head.tsx';
import { SightFields } from './sight-fields.tsx';
import { itemsIn, sightOf } from './sight.ts';

const MARKS = { active: 'up', invited: 'unknown', disabled: 'unknown' } as const;
const WORDS = { active: t('Active'), invited: t('Invited'), disabled: t('Disabled') } as const;

const LINKS = { invitation: t('link ends'), reset: t('new password, link ends') } as const;

/** Everybody who may sign in: who they are, what they may do, and how others come in. */
export function PeoplePage() {
  const refusal = useRefusal('administer', 'access');
  return (
    <div className="page settings settings-wide">
      <SettingsHead title={t('People')} lead={refusal ?? t('Everybody who may sign in here.')} />
      {refusal === undefined ? <Everybody /> : null}
    </div>
  );
}

function Everybody() {
  const query = useQuery(peopleQuery());
  const known = useQuery(rolesQuery());
  const [open, setOpen] = useState<string>();
  const [seeing, setSeeing] = useState<string>();
  const change = useChangePerson();
  const remove = useRemovePerson();
  const link = useMakeLink();
  const revoke = useRevokeLink();
  const { data } = query;
  const roles = (known.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })).filter(({ value }) => value !== 'ingest');
  const refused = [change, remove, link, revoke].find(({ isError }) => isError);
  const about = change.isError ? change.variables.id : remove.isError ? remove.variables.id : '';
  const nameOf = (id: string): string => data?.items.find((person) => person.id === id)?.name ?? t('this person');
  const shown = data?.items.find(({ id }) => id === open);
  const mail = data?.mail ?? false;
  const acts: Acts = {
    roles,
    onRole: (person, role) => change.mutate({ id: person.id, revision: person.revision, role }),
    onDisable: (person, disabled) => change.mutate({ id: person.id, revision: person.revision, disabled }),
    onLink: ({ id, email }) => link.mutate({ id, send: mail && email !== null }),
    onRevoke: ({ id }) => revoke.mutate(id),
    onRemove: (person) => remove.mutate(person),
    onSight: ({ id }) => setSeeing(id),
    onSessions: ({ id }) => setOpen(open === id ? undefined : id),
  };
  return (
    <>
      <Waiting query={query} what={t('people')} />
      {refused === undefined ? null : <ChangedMeanwhile key={about} error={refused.error} kind="people" id={about} name={nameOf(about)} />}
      {link.data === undefined ? null : <Issued issued={link.data} />}
      {data === undefined ? null : (
        <div className="panel">
          <DataTable caption={t('People')} columns={columns(acts)} rows={data.items} rowKey={(person) => person.id} />
        </div>
      )}
      <PersonSight person={data?.items.find(({ id }) => id === seeing)} onClose={() => setSeeing(undefined)} />
      {shown === undefined ? null : <Sessions person={shown.id} name={shown.name} />}
      <Invite roles={roles} mail={mail} />
    </>
  );
}

type Choice = { readonly value: string; readonly label: string };
type Act = (person: PersonView) => void;
type Acts = {
  readonly roles: readonly Choice[];
  readonly onRole: (person: PersonView, role: string) => void;
  readonly onDisable: (person: PersonView, disabled: boolean) => void;
  readonly onLink: Act;
  readonly onRevoke: Act;
  readonly onRemove: Act;
  readonly onSight: Act;
  readonly onSessions: Act;
};

const columns = (acts: Acts): readonly Column<PersonView>[] => [
  {
    id: 'name',
    header: t('Name'),
    cell: ({ name, email }) => (
      <span className="row-name" title={email ?? ''}>
        {name}
      </span>
    ),
  },
  {
    id: 'state',
    header: t('State'),
    label: t('state'),
    cell: ({ state, link }) => (
      <>
        <StateMark state={MARKS[state]} word={WORDS[state]} />
        {link === null ? null : (
          <div className="faint nowrap">
            {LINKS[link.kind]} <Ago atMs={link.expires_at_ms} />
          </div>
        )}
      </>
    ),
  },
  {
    id: 'role',
    header: t('Role'),
    label: t('role'),
    cell: (person) => (
      <>
        <NativeSelect
          size="xs"
          miw={128}
          aria-label={t('Role of {person}', { person: person.name })}
          title={person.last_administrator ? t('The last administrator stays one; make another one first.') : ''}
          disabled={person.last_administrator}
          data={acts.roles.some(({ value }) => value === person.role) ? [...acts.roles] : [person.role, ...acts.roles]}
          value={person.role}
          onChange={(event) => acts.onRole(person, event.currentTarget.value)}
        />
        {person.last_administrator ? <div className="faint">{t('the last one stays')}</div> : null}
      </>
    ),
  },
  {
    id: 'sees',
    header: t('Sees'),
    label: t('sees'),
    cell: (person) => (
      <button
        type="button"
        className="plain-button"
        aria-label={t('What {person} sees: {sight}', { person: person.name, sight: sightOf(person) })}
        onClick={() => acts.onSight(person)}
      >
        {sightOf(person)}
      </button>
    ),
  },
  {
    id: 'seen',
    header: t('Last sign-in'),
    label: t('last sign-in'),
    cell: (person) => (person.signed_in_at_ms === null ? t('never') : <Ago atMs={person.signed_in_at_ms} />),
  },
  { id: 'actions', header: <span className="sr-only">{t('Actions')}</span>, cell: (person) => <Actions person={person} acts={acts} /> },
];

function Actions({ person, acts }: { readonly person: PersonView; readonly acts: Acts }) {
  const [sure, setSure] = useState(false);
  const { name, state, last_administrator: last } = person;
  const plain = (word: string, run: () => void, disabled = false) => (
    <button type="button" className="plain-button" aria-label={`${word}: ${name}`} disabled={disabled} onClick={run}>
      {word}
    </button>
  );
  return (
    <span className="row-wrap row-actions">
      {plain(t('Sessions ({sessions})', { sessions: person.sessions }), () => acts.onSessions(person))}
      {state === 'disabled' ? null : plain(state === 'invited' ? t('New link') : t('Reset password'), () => acts.onLink(person))}
      {person.link === null ? null : plain(t('Take the link back'), () => acts.onRevoke(person))}
      {plain(state === 'disabled' ? t('Enable') : t('Disable'), () => acts.onDisable(person, state !== 'disabled'), last)}
      {sure ? plain(t('Remove for ever'), () => acts.onRemove(person)) : plain(t('Remove'), () => setSure(true), last)}
      <ObjectMenu kind="people" id={person.id} name={name} />
    </span>
  );
}

const ALL = { teams: '', scope: '' };

/** Name and role; the link is shown once, and sent where there is a way. */
function Invite({ roles, mail }: { readonly roles: readonly Choice[]; readonly mail: boolean }) {
  const [name, setName] = useState('');
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('read-only');
  const [sight, setSight] = useState(ALL);
  const [send, setSend] = useState(true);
  const invite = useInvite();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const seen = { teams: itemsIn(sight.teams), scope: sight.scope.trim() };
    const body = { name, role, ...seen, send: send && mail && email !== '', ...(email === '' ? {} : { email }) };
    invite.mutate(body, {
      onSuccess: () => {
        setName('');
        setEmail('');
        setSight(ALL);
      },
    });
  };
  return (
    <Section title={t('Invite somebody')}>
      <p className="faint">
        {t('They choose their own password with a link that works once, for 48 hours.')}
        {mail ? '' : ` ${t('You give it to them: without a channel of kind email none is sent.')}`}
      </p>
      <form onSubmit={submit}>
        <TextInput label={t('Name')} required value={name} onChange={(event) => setName(event.currentTarget.value)} w={200} />
        <NativeSelect label={t('Role')} data={[...roles]} value={role} onChange={(event) => setRole(event.currentTarget.value)} />
        <TextInput label={t('E-mail')} type="email" value={email} onChange={(event) => setEmail(event.currentTarget.value)} w={240} />
        <SightFields {...sight} set={(change) => setSight((before) => ({ ...before, ...change }))} />
        {mail ? <Checkbox label={t('Send the link')} checked={send} onChange={(event) => setSend(event.currentTarget.checked)} /> : null}
        <Button type="submit" variant="default" loading={invite.isPending}>
          {t('Invite')}
        </Button>
      </form>
      {invite.isError ? <RefusedNotice error={invite.error} /> : null}
      {invite.data === undefined ? null : <Issued issued={invite.data} />}
    </Section>
  );
}

function Issued({ issued: { name, link, sent } }: { readonly issued: IssuedView }) {
  return (
    <div role="status">
      <p>
        {sent?.ok === true
          ? t('The link was sent to {to}.', { to: sent.to })
          : t('Give this link to {name}; it is not shown again.', { name })}
        {sent !== null && !sent.ok ? ` ${t('It was not sent: {why}.', { why: sent.error ?? t('the channel refused it') })}` : ''}
      </p>
      {sent?.ok === true ? null : <Command text={link} />}
    </div>
  );
}
