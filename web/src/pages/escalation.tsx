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
import { fromServer } from '../language/server-text.ts';
import { t, rich } from '../language/t.ts';
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
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{t('Escalation')}</h1>
          <p className="page-lead">{t('Who is told next while nobody takes an alert. Every ladder stops with the acknowledgement.')}</p>
        </div>
      </header>
      <Waiting query={policies} what={t('policies')} />
      <Lost signals={signals.data} />
      {policies.data !== undefined && applying.length === 0 ? (
        <EmptyState command={SNIPPET}>
          {t(
            'Alerts are told once, by their routes. Name contacts, and nobody’s silence goes unnoticed: four levels, sooner the worse it is.',
          )}
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

function Policy({ policy }: { readonly policy: PolicyView }) {
  const { id, name, severities, origin, levels } = policy;
  const whose =
    severities.length === 0
      ? t('Takes alerts whose route names it.')
      : t('Takes alerts of severity {severities}.', { severities: severities.join(', ') });
  return (
    <Section
      title={name}
      aside={
        <>
          {`${origin === 'ui' ? t('made here') : origin} `}
          <ObjectMenu kind="escalation/policies" id={id} name={name} />
        </>
      }
    >
      <div className="panel panel-pad">
        <p className="soft">{`${whose} ${endOf(policy)}`}</p>
        <ol className="ladder" aria-label={t('Levels of {id}', { id })}>
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
      ? t('After its last level nobody else is told.')
      : t('After its last level it is climbed again {times, plural, one {once} other {# times}}, {length} later each.', {
          times: repeat.times,
          length: lengthText(repeat.every_ms),
        });
  if (hours === null || outside === null) return again;
  return `${again} ${outside === 'wait' ? t('Outside of its hours its levels wait.') : t('Outside of its hours the policy {policy} takes the alert.', { policy: outside.policy })}`;
}

function Level({ level, isLast }: { readonly level: PolicyView['levels'][number]; readonly isLast: boolean }) {
  const { after_ms: afterMs, reaches, notes } = level;
  return (
    <li>
      <span className="ladder-when">{afterMs === 0 ? t('at once') : t('after {length}', { length: lengthText(afterMs) })}</span>
      <span className="ladder-who">
        {reaches.length === 0 ? (
          <StateMark state="unknown" word={isLast ? t('Nobody now') : t('Nobody now: the next level is told at once')} />
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
                ? t('nobody now: {why}', { why: one.notes.join('; ') })
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
