import { Button, Textarea, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { type FormEvent, type ReactNode, useState } from 'react';
import {
  type IncidentDetail,
  incidentQuery,
  postMortemQuery,
  useActionDone,
  useAddAction,
  useEditIncident,
  useIncidentState,
  useSavePostMortem,
} from '../api/incidents.ts';
import { type Column, DataTable } from '../components/data-table.tsx';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { ErrorNotice, Waiting } from '../components/notices.tsx';
import { fromServer } from '../language/server-text.ts';
import { t, rich } from '../language/t.ts';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { SeverityMark } from '../states/state-mark.tsx';
import { IncidentLinks } from './incident-links.tsx';
import { IncidentTimeline } from './incident-timeline.tsx';
import { INCIDENT_WORDS, IncidentMark } from './incident-state.tsx';
import { phrase } from '../states/words.ts';
import { useTitle } from './use-title.ts';
import { Locked } from '../components/locked.tsx';
import { useCan } from '../shell/session.tsx';

type Props = { readonly incident: IncidentDetail };

/** One incident: where it stands, who does what, what happened when, and what follows from it. */
export function IncidentPage() {
  const { id } = useParams({ from: '/shell/incidents/$id' });
  const query = useQuery(incidentQuery(id));
  const { data: incident } = query;
  useTitle(incident === undefined ? t('Incident') : `INC-${incident.number} ${incident.title}`);
  return (
    <div className="page">
      <Waiting query={query} what={t('the incident')} />
      {incident === undefined ? null : (
        <>
          <header className="page-head">
            <div>
              <h1>
                INC-{incident.number} {incident.title}
              </h1>
              <p className="page-lead row-wrap">
                <IncidentMark state={incident.state} /> <SeverityMark severity={incident.severity} />{' '}
                <span>{rich('since {at}', { at: <Instant atMs={incident.started_at_ms} /> })}</span>{' '}
                <ObjectMenu kind="incidents" id={incident.id} />
                {incident.merged_into === null ? null : <MergedInto id={incident.merged_into} />}
              </p>
            </div>
            <States incident={incident} />
          </header>
          <Facts incident={incident} />
          <IncidentLinks incident={incident} />
          <IncidentTimeline incident={incident} />
          <Alerts incident={incident} />
          <Told incident={incident} />
          <Actions incident={incident} />
          <PostMortem id={incident.id} />
        </>
      )}
    </div>
  );
}

function States({ incident }: Props) {
  const change = useIncidentState(incident.id);
  const may = useCan('operate', 'incidents');
  const [next] = incident.next_states;
  if (!may) return next === undefined ? null : <Locked word={INCIDENT_WORDS[next]} verb="operate" area="incidents" />;
  return (
    <div className="row-wrap">
      {incident.next_states.map((state, index) => (
        <Button
          key={state}
          variant={index === 0 ? 'filled' : 'default'}
          disabled={change.isPending}
          onClick={() => change.mutate({ state, comment: '' })}
        >
          {INCIDENT_WORDS[state]}
        </Button>
      ))}
      {change.isError ? <ErrorNotice error={change.error} /> : null}
    </div>
  );
}

const ROLES = ['commander', 'communications', 'scribe'] as const;
const ROLE_NAMES = { commander: t('Commander'), communications: t('Communications'), scribe: t('Scribe') } as const;
const length = (lengthMs: number | null): string => (lengthMs === null ? t('not yet') : lengthText(lengthMs));

function Facts({ incident }: Props) {
  const { figures, causes } = incident;
  return (
    <Section title={t('What is known')}>
      <dl className="facts">
        <Fact name={t('Severity')}>
          {phrase(incident.severity)}: {fromServer(incident.severity_why)}
        </Fact>
        <Fact name={t('Category')}>
          {phrase(incident.category)}: {fromServer(incident.category_why)}
        </Fact>
        <Fact name={t('Services')}>
          {incident.services.length === 0
            ? t('none linked')
            : incident.services.map((service) => (
                <Link key={service} to="/services/$id" params={{ id: service }}>
                  {service}{' '}
                </Link>
              ))}
        </Fact>
        {causes.length === 0 ? null : (
          <Fact name={t('Probable cause')}>
            {causes[0]?.subject}: {causes[0]?.reasons.join('; ')}
          </Fact>
        )}
        <Fact name={t('Detected in')}>{length(figures.detect_ms)}</Fact>
        <Fact name={t('Acknowledged in')}>{length(figures.acknowledge_ms)}</Fact>
        <Fact name={t('Recovered in')}>{length(figures.resolve_ms)}</Fact>
        {figures.downtime.map(({ service, down_ms: downMs }) => (
          <Fact key={service} name={t('Downtime of {service}', { service })}>
            {lengthText(downMs)}
          </Fact>
        ))}
      </dl>
      <div className="row-wrap">
        {ROLES.map((role) => (
          <Role key={`${role} ${incident.roles[role] ?? ''}`} role={role} incident={incident} />
        ))}
      </div>
    </Section>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A name that is typed is taken over with Enter or when the field is left. */
function Role({ role, incident }: Props & { readonly role: (typeof ROLES)[number] }) {
  const [person, setPerson] = useState(incident.roles[role] ?? '');
  const edit = useEditIncident(incident.id);
  const save = () => {
    if (person.trim() !== (incident.roles[role] ?? ''))
      edit.mutate({ revision: incident.revision, roles: { [role]: person.trim() || null } });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <TextInput
        label={ROLE_NAMES[role]}
        placeholder={t('nobody')}
        value={person}
        maxLength={200}
        onChange={(event) => setPerson(event.currentTarget.value)}
        onBlur={save}
        error={edit.error === null ? undefined : fromServer(edit.error.message)}
      />
    </form>
  );
}

const MergedInto = ({ id }: { readonly id: string }) => (
  <span>
    {rich('the same as <a>another incident</a>', {
      a: (inner) => (
        <Link to="/incidents/$id" params={{ id }}>
          {inner}
        </Link>
      ),
    })}
  </span>
);

const ALERT_COLUMNS: readonly Column<IncidentDetail['alerts'][number]>[] = [
  {
    id: 'name',
    header: t('Alert'),
    cell: ({ alertname, service }) => (
      <span className="row-name">{service === null ? alertname : t('{alert} on {service}', { alert: alertname, service })}</span>
    ),
  },
  {
    id: 'severity',
    header: t('Severity'),
    label: t('severity'),
    cell: ({ severity }) => (severity === '' ? '' : <SeverityMark severity={severity} />),
  },
  { id: 'at', header: t('Joined'), label: t('joined'), cell: ({ joined_at_ms: atMs }) => <Instant atMs={atMs} relative={false} /> },
  {
    id: 'ended',
    header: t('Ended'),
    label: t('ended'),
    cell: ({ ended_at_ms: atMs }) => (atMs === null ? t('fires') : <Instant atMs={atMs} relative={false} />),
  },
  { id: 'because', header: t('Why it belongs here'), label: t('because'), cell: ({ because }) => because },
];

function Alerts({ incident: { alerts } }: Props) {
  if (alerts.length === 0) return null;
  return (
    <Section title={t('Alerts')} aside={`${alerts.length}`}>
      <div className="panel">
        <DataTable caption={t('Alerts of the incident')} columns={ALERT_COLUMNS} rows={alerts} rowKey={({ alert }) => alert} />
      </div>
    </Section>
  );
}

function Told({ incident: { escalation } }: Props) {
  if (escalation.length === 0) return null;
  const words = { told: 'told', due: t('is told'), failed: t('could not be told') } as const;
  return (
    <Section title={t('Stakeholders')}>
      <ul>
        {escalation.map(({ step, audience, channel, at_ms: atMs, state }) => (
          <li key={`${step} ${channel}`}>
            {rich('{audience} {state} through {channel} {at}', { audience, state: words[state], channel, at: <Instant atMs={atMs} /> })}
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Actions({ incident }: Props) {
  const mayAct = useCan('operate', 'incidents');
  const [text, setText] = useState('');
  const [owner, setOwner] = useState('');
  const add = useAddAction(incident.id);
  const done = useActionDone(incident.id);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate({ text, owner }, { onSuccess: () => setText('') });
  };
  return (
    <Section title={t('Action items')}>
      {incident.actions.length === 0 ? <p className="faint">{t('What must change so that this does not come back?')}</p> : null}
      <ul>
        {incident.actions.map((action) => (
          <li key={action.id}>
            <label>
              <input
                type="checkbox"
                checked={action.done_at_ms !== null}
                disabled={!mayAct}
                onChange={(event) => done.mutate({ action, done: event.currentTarget.checked })}
              />{' '}
              {action.text} <span className="faint">{action.owner === '' ? t('nobody') : action.owner}</span>
            </label>
          </li>
        ))}
      </ul>
      <form onSubmit={submit} className="row-wrap">
        <TextInput
          aria-label={t('Action item')}
          placeholder={t('What is to be done')}
          value={text}
          required
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <TextInput aria-label={t('Owner')} placeholder={t('Who')} value={owner} onChange={(event) => setOwner(event.currentTarget.value)} />
        <Button type="submit" variant="default" disabled={!mayAct} loading={add.isPending}>
          {t('Add')}
        </Button>
        {add.isError ? <ErrorNotice error={add.error} /> : null}
        {done.isError ? <ErrorNotice error={done.error} /> : null}
      </form>
    </Section>
  );
}

function PostMortem({ id }: { readonly id: string }) {
  const query = useQuery(postMortemQuery(id));
  const [written, setWritten] = useState<string>();
  const save = useSavePostMortem(id);
  const mayAct = useCan('operate', 'incidents');
  const { data } = query;
  return (
    <Section
      title={t('Post-mortem')}
      aside={
        data === undefined
          ? ''
          : data.saved_at_ms === null
            ? t('a draft from what is known')
            : t('saved by {author}', { author: data.author })
      }
    >
      <Waiting query={query} what={t('the post-mortem')} />
      {data === undefined ? null : (
        <>
          <Textarea
            aria-label={t('Post-mortem in Markdown')}
            autosize
            minRows={8}
            maxRows={30}
            value={written ?? data.markdown}
            onChange={(event) => setWritten(event.currentTarget.value)}
          />
          <div className="row-wrap">
            <Button
              variant="default"
              disabled={!mayAct}
              loading={save.isPending}
              onClick={() =>
                save.mutate({ markdown: written ?? data.markdown, revision: data.revision }, { onSuccess: () => setWritten(undefined) })
              }
            >
              {t('Save post-mortem')}
            </Button>
            {save.isError ? <ErrorNotice error={save.error} /> : null}
          </div>
        </>
      )}
    </Section>
  );
}
