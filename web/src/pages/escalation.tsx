import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
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
import { fromServer } from '../language/server-text.ts';
import { t, rich } from '../language/t.ts';
import { Ladder, endOf } from '../policies/ladder.tsx';
import { PolicyDialog } from '../policies/policy-dialog.tsx';
import { RemovePolicy } from '../policies/remove-policy.tsx';
import { useCan } from '../shell/session.tsx';
import { StateMark } from '../states/state-mark.tsx';
import { useTitle } from './use-title.ts';

const SNIPPET = `escalation:
  contacts:
    - [{ channel: chat }]
    - [{ schedule: platform }]
    - [{ person: anne }]`;

/** Who is told next while nobody takes an alert: each policy as a ladder, with whom its levels would tell now. */
export function EscalationPage() {
  useTitle(t('Escalation'));
  const policies = useQuery(policiesQuery());
  const stakeholders = useQuery(stakeholdersQuery());
  const signals = useQuery(signalsQuery());
  const all = policies.data?.items ?? [];
  const applying = all.filter(({ applies }) => applies);
  const { policy: chosen, add } = useSearch({ from: '/shell/escalation' });
  const navigate = useNavigate({ from: '/escalation' });
  const mayChange = useCan('operate', 'oncall');
  const open = (next: string) => void navigate({ search: { policy: next } });
  const changed = mayChange ? all.find(({ id, origin }) => id === chosen && (origin === 'ui' || origin === 'shipped')) : undefined;
  const isNew = mayChange && add === 1;
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Escalation')}</h1>
          <p className="page-lead">{t('Who is told next while nobody takes an alert. Every ladder stops with the acknowledgement.')}</p>
        </div>
        {mayChange ? <Button onClick={() => void navigate({ search: { add: 1 } })}>{t('Make a policy')}</Button> : null}
      </header>
      <Waiting query={policies} what={t('policies')} />
      <Lost signals={signals.data} />
      {policies.data !== undefined && applying.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {t(
            'Alerts are told once, by their routes. Make a policy that tells more people while nobody takes an alert, or name contacts for the shipped ones.',
          )}
        </EmptyState>
      ) : null}
      {applying.map((policy) => (
        <Policy key={policy.id} policy={policy} mayChange={mayChange} onChange={open} />
      ))}
      <PolicyDialog policy={changed} opened={isNew || changed !== undefined} onClose={() => void navigate({ search: {} })} />
      <Stakeholders items={stakeholders.data?.items ?? []} />
      <Signals signals={signals.data} />
    </div>
  );
}

/** Open alerts that nothing will happen about stand before everything else. */
function Lost({ signals }: { readonly signals: SignalView | undefined }) {
  const lost = signals?.audit.without_next_step ?? [];
  if (lost.length === 0) return null;
  return (
    <Section title={t('{count, plural, one {# open alert has} other {# open alerts have}} no next step', { count: lost.length })}>
      <ul className="plain-list" aria-label={t('Alerts without a next step')}>
        {lost.map((one) => (
          <li key={one.id}>
            <StateMark state="down" word={one.alertname} />{' '}
            <Link to="/alerts-dashboard" search={{ alert: one.id }}>
              {t('Open it')}
            </Link>
            <div className="soft">{fromServer(one.why)}</div>
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** A policy of the file is changed there; a shipped one is replaced by one of its name. */
function PolicyActions({ policy, mayChange, onChange }: PolicyProps) {
  const { origin, name, id } = policy;
  if (!mayChange) return null;
  const isOwn = origin === 'ui';
  if (!isOwn && origin !== 'shipped') return <span className="faint">{`${t('Changed in {place}', { place: origin })} `}</span>;
  return (
    <>
      <button
        type="button"
        className="plain-button"
        aria-label={isOwn ? t('Change {name}', { name }) : t('Replace {name}', { name })}
        onClick={() => onChange(id)}
      >
        {isOwn ? t('Change') : t('Replace')}
      </button>{' '}
      {isOwn ? <RemovePolicy policy={policy} /> : null}
    </>
  );
}

type PolicyProps = { readonly policy: PolicyView; readonly mayChange: boolean; readonly onChange: (id: string) => void };

function Policy({ policy, mayChange, onChange }: PolicyProps) {
  const { id, name, severities, origin, levels } = policy;
  const whose =
    severities.length === 0
      ? t('Takes alerts whose route in the configuration file says {line}.', { line: `escalation: ${id}` })
      : t('Takes alerts of severity {severities}.', { severities: severities.join(', ') });
  return (
    <Section
      title={name}
      aside={
        <>
          {origin === 'ui' ? `${t('made here')} ` : origin === 'shipped' || !mayChange ? `${origin} ` : ''}
          <PolicyActions policy={policy} mayChange={mayChange} onChange={onChange} />
          <ObjectMenu kind="escalation/policies" id={id} name={name} />
        </>
      }
    >
      <div className="panel panel-pad">
        <p className="soft">{`${whose} ${endOf(policy)}`}</p>
        <Ladder levels={levels} label={t('Levels of {id}', { id })} />
      </div>
    </Section>
  );
}

const HEARS = {
  executive: t('what is affected, since when, and whether somebody has it'),
  business: t('what customers may notice'),
  operations: t('the state of the work, the runbook and the link'),
  technical: t('value, rule, labels, runbook and the link'),
} as const;

function Stakeholders({ items }: { readonly items: readonly StakeholderView[] }) {
  if (items.length === 0) return null;
  return (
    <Section title={t('Stakeholders')}>
      <ul className="plain-list" aria-label={t('Stakeholder routes')}>
        {items.map((one) => (
          <li key={one.id}>
            {rich('{who} hears {what}', { who: <strong>{one.id}</strong>, what: HEARS[one.audience] })}
            <div className="soft">
              {`${[...one.severities, ...one.matchers].join(', ')}; ${one.after_ms === 0 ? t('at once') : t('after {length}', { length: lengthText(one.after_ms) })}; `}
              {one.reaches.length === 0
                ? t('nobody now: {why}', { why: one.notes.map(fromServer).join('; ') })
                : one.reaches.map(({ who }) => who).join(', ')}
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
    <Section title={t('Is anybody there')}>
      <ul className="plain-list" aria-label={t('Signs of life')}>
        {heartbeats.map((one) => (
          <li key={one.to}>
            <StateMark
              state={one.error === null ? (one.sent_at_ms === null ? 'unknown' : 'up') : 'down'}
              word={t('Heartbeat to {to}', { to: one.to })}
            />
            <div className="soft">
              {`${t('every {length}', { length: lengthText(one.every_ms) })}; `}
              {one.error ??
                (one.sent_at_ms === null ? t('none was sent yet') : rich('last taken {at}', { at: <Instant atMs={one.sent_at_ms} /> }))}
            </div>
          </li>
        ))}
        {watchdogs.map((one) => (
          <li key={one.id}>
            <StateMark
              state={one.silent ? 'down' : one.heard_at_ms === null ? 'unknown' : 'up'}
              word={t('Watchdog {name}', { name: one.id })}
            />
            <div className="soft">
              {`${t('expects {what} within {length}', { what: one.matchers, length: lengthText(one.within_ms) })}; `}
              {one.heard_at_ms === null ? t('not heard of yet') : rich('last heard {at}', { at: <Instant atMs={one.heard_at_ms} /> })}
            </div>
          </li>
        ))}
        <li>
          <StateMark
            state={audit.at_ms === null ? 'unknown' : audit.without_next_step.length === 0 ? 'up' : 'down'}
            word={audit.without_next_step.length === 0 ? t('Every open alert has a next step') : t('Open alerts lack a next step')}
          />
          <div className="soft">
            {audit.at_ms === null ? t('not looked yet') : rich('looked {at}', { at: <Instant atMs={audit.at_ms} /> })}
          </div>
        </li>
      </ul>
    </Section>
  );
}
