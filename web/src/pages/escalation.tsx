import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import {
  policiesQuery,
  type PolicyView,
  signalsQuery,
  type SignalView,
  type StakeholderView,
  stakeholdersQuery,
} from '../api/escalation.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { EmptyState, Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { lengthText } from '../figures/length.ts';
import { StateMark } from '../states/state-mark.tsx';
import { useTitle } from './use-title.ts';

const SNIPPET = `escalation:
  contacts:
    - [{ channel: chat }]
    - [{ schedule: platform }]
    - [{ person: anne }]`;

/** Who is told next while nobody takes an alert: each policy as a ladder, with whom its levels would tell now. */
export function EscalationPage() {
  useTitle('Escalation');
  const policies = useQuery(policiesQuery());
  const stakeholders = useQuery(stakeholdersQuery());
  const signals = useQuery(signalsQuery());
  const all = policies.data?.items ?? [];
  const applying = all.filter(({ applies }) => applies);
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>Escalation</h1>
          <p className="page-lead">Who is told next while nobody takes an alert. Every ladder stops with the acknowledgement.</p>
        </div>
      </header>
      <Waiting query={policies} what="policies" />
      <Lost signals={signals.data} />
      {policies.data !== undefined && applying.length === 0 ? (
        <EmptyState command={SNIPPET}>
          Alerts are told once, by their routes. Name contacts, and nobody’s silence goes unnoticed: four levels, sooner the worse it is.
        </EmptyState>
      ) : null}
      {applying.map((policy) => (
        <Policy key={policy.id} policy={policy} />
      ))}
      <Stakeholders items={stakeholders.data?.items ?? []} />
      <Signals signals={signals.data} />
    </div>
  );
}

const plural = (count: number, one: string, more: string): string => `${count} ${count === 1 ? one : more}`;

/** Open alerts that nothing will happen about stand before everything else. */
function Lost({ signals }: { readonly signals: SignalView | undefined }) {
  const lost = signals?.audit.without_next_step ?? [];
  if (lost.length === 0) return null;
  return (
    <Section title={`${plural(lost.length, 'open alert has', 'open alerts have')} no next step`}>
      <ul className="plain-list" aria-label="Alerts without a next step">
        {lost.map((one) => (
          <li key={one.id}>
            <StateMark state="down" word={one.alertname} />{' '}
            <Link to="/alerts-dashboard" search={{ alert: one.id }}>
              Open it
            </Link>
            <div className="soft">{one.why}</div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Policy({ policy }: { readonly policy: PolicyView }) {
  const { id, name, severities, origin, levels } = policy;
  const whose = severities.length === 0 ? 'alerts whose route names it' : `alerts of severity ${severities.join(', ')}`;
  return (
    <Section
      title={name}
      aside={
        <>
          {origin === 'ui' ? 'made here ' : `${origin} `}
          <ObjectMenu kind="escalation/policies" id={id} name={name} />
        </>
      }
    >
      <div className="panel panel-pad">
        <p className="soft">{`Takes ${whose}. ${endOf(policy)}`}</p>
        <ol className="ladder" aria-label={`Levels of ${id}`}>
          {levels.map((level, index) => (
            <Level key={index} level={level} isLast={index === levels.length - 1} />
          ))}
        </ol>
      </div>
    </Section>
  );
}

function endOf({ repeat, hours, outside }: PolicyView): string {
  const again =
    repeat.times === 0
      ? 'After its last level nobody else is told.'
      : `After its last level it is climbed again ${repeat.times === 1 ? 'once' : `${repeat.times} times`}, ${lengthText(repeat.every_ms)} later each.`;
  if (hours === null || outside === null) return again;
  return `${again} Outside of its hours ${outside === 'wait' ? 'its levels wait' : `the policy ${outside.policy} takes the alert`}.`;
}

function Level({ level, isLast }: { readonly level: PolicyView['levels'][number]; readonly isLast: boolean }) {
  const { after_ms: afterMs, reaches, notes } = level;
  return (
    <li>
      <span className="ladder-when">{afterMs === 0 ? 'at once' : `after ${lengthText(afterMs)}`}</span>
      <span className="ladder-who">
        {reaches.length === 0 ? (
          <StateMark state="unknown" word={isLast ? 'Nobody now' : 'Nobody now: the next level is told at once'} />
        ) : (
          reaches.map(({ who }) => who).join(', ')
        )}
        {notes.map((note) => (
          <span key={note} className="soft">
            {note}
          </span>
        ))}
      </span>
    </li>
  );
}

const HEARS = {
  executive: 'what is affected, since when, and whether somebody has it',
  business: 'what customers may notice',
  operations: 'the state of the work, the runbook and the link',
  technical: 'value, rule, labels, runbook and the link',
} as const;

function Stakeholders({ items }: { readonly items: readonly StakeholderView[] }) {
  if (items.length === 0) return null;
  return (
    <Section title="Stakeholders">
      <ul className="plain-list" aria-label="Stakeholder routes">
        {items.map((one) => (
          <li key={one.id}>
            <strong>{one.id}</strong>
            {` hears ${HEARS[one.audience]}`}
            <div className="soft">
              {`${one.severities.join(', ')}${one.matchers.length === 0 ? '' : `, ${one.matchers.join(', ')}`}; ${one.after_ms === 0 ? 'at once' : `after ${lengthText(one.after_ms)}`}; `}
              {one.reaches.length === 0 ? `nobody now: ${one.notes.join('; ')}` : one.reaches.map(({ who }) => who).join(', ')}
            </div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Signals({ signals }: { readonly signals: SignalView | undefined }) {
  if (signals === undefined) return null;
  const { heartbeats, watchdogs, audit } = signals;
  return (
    <Section title="Is anybody there">
      <ul className="plain-list" aria-label="Signs of life">
        {heartbeats.map((one) => (
          <li key={one.to}>
            <StateMark state={one.error === null ? (one.sent_at_ms === null ? 'unknown' : 'up') : 'down'} word={`Heartbeat to ${one.to}`} />
            <div className="soft">
              {`every ${lengthText(one.every_ms)}; `}
              {one.error ?? (one.sent_at_ms === null ? 'none was sent yet' : 'last taken ')}
              {one.error === null && one.sent_at_ms !== null ? <Instant atMs={one.sent_at_ms} /> : null}
            </div>
          </li>
        ))}
        {watchdogs.map((one) => (
          <li key={one.id}>
            <StateMark state={one.silent ? 'down' : one.heard_at_ms === null ? 'unknown' : 'up'} word={`Watchdog ${one.id}`} />
            <div className="soft">
              {`expects ${one.matchers} within ${lengthText(one.within_ms)}; `}
              {one.heard_at_ms === null ? 'not heard of yet' : 'last heard '}
              {one.heard_at_ms === null ? null : <Instant atMs={one.heard_at_ms} />}
            </div>
          </li>
        ))}
        <li>
          <StateMark
            state={audit.at_ms === null ? 'unknown' : audit.without_next_step.length === 0 ? 'up' : 'down'}
            word={audit.without_next_step.length === 0 ? 'Every open alert has a next step' : 'Open alerts lack a next step'}
          />
          <div className="soft">
            {audit.at_ms === null ? 'not looked yet' : 'looked '}
            {audit.at_ms === null ? null : <Instant atMs={audit.at_ms} />}
          </div>
        </li>
      </ul>
    </Section>
  );
}
