import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';

import { alertQuery } from '../api/queries.ts';
import type { AlertDetailWire, NotificationView } from '../api/wire.ts';
import { ObjectMenu } from '../objects/object-menu.tsx';
import { Instant } from '../components/instant.tsx';
import { Waiting } from '../components/notices.tsx';
import { Section } from '../components/section.tsx';
import { preciseInstant } from '../figures/instant.ts';
import { threeDigits } from '../figures/quantity.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { AlertStateMark } from '../pages/alert-state.tsx';
import { textOfLabels } from '../pages/label-text.ts';
import { alertTitle } from '../pages/sentences.ts';
import { useCan } from '../shell/session.tsx';
import { SeverityMark } from '../states/state-mark.tsx';
import { phrase } from '../states/words.ts';
import { ActionButtons, type Asked } from './action-buttons.tsx';
import { HistoryStrip } from './history-strip.tsx';
import { matcherText } from './inbox-search.ts';
import { plainText } from './plain-text.ts';
import { PartOf } from './problem.tsx';
import { SnapshotSection } from './snapshot.tsx';
import { StandingSection } from './standing.tsx';
import type { AlertAction } from './undo.ts';
import type { Actions } from './use-actions.ts';

const MAX_TITLE_CHARS = 300;
const MAX_TEXT_CHARS = 4_000;
const MAX_LABEL_CHARS = 300;

type Props = {
  readonly id: string;
  readonly me: string;
  readonly actions: Actions;
  readonly onAsk: (asked: Asked) => void;
  readonly onClose: () => void;
};

/** One alert whole, beside the list: what it says, what was seen, what happened to it and why, whom it was sent to. */
export function AlertDetail(props: Props) {
  const { id, onClose } = props;
  const alert = useQuery(alertQuery(id));
  return (
    <section className="inbox-detail panel panel-pad" aria-label={t('Alert')}>
      <div className="inbox-detail-bar">
        <ObjectMenu kind="alerts" id={id} />
        <button type="button" className="plain-button" onClick={onClose}>
          {t('Close')}
        </button>
      </div>
      <Waiting query={alert} what={t('the alert')} />
      {alert.data === undefined ? null : <Details {...props} alert={alert.data} />}
    </section>
  );
}

function Details({ alert, me, actions, onAsk }: Props & { readonly alert: AlertDetailWire }) {
  const mayAct = useCan('operate', 'alerts');
  const { description } = alert.annotations;
  const act = (action: AlertAction) => actions.act(action, [alert]);
  return (
    <div className="drawer-body">
      <div>
        <h2 className="inbox-detail-title">{plainText(alertTitle(alert), MAX_TITLE_CHARS)}</h2>
        <div className="alert-meta">
          <SeverityMark severity={alert.severity} />
          <AlertStateMark alert={alert} />
          <Instant atMs={alert.starts_at_ms} />
          {alert.kind !== 'service' && Number.isFinite(alert.value) ? (
            <span>{t('value {value}', { value: Number.isInteger(alert.value) ? alert.value : threeDigits(alert.value) })}</span>
          ) : null}
          {alert.assigned_to === null ? null : <span>{t('with {name}', { name: plainText(alert.assigned_to, MAX_LABEL_CHARS) })}</span>}
        </div>
      </div>
      {mayAct ? (
        <ActionButtons
          alerts={[alert]}
          me={me}
          pending={actions.pending}
          onAct={act}
          onAsk={(asking) => onAsk({ asking, alerts: [alert] })}
        />
      ) : null}
      <Quiet alert={alert} />
      {description === undefined ? null : <p className="said">{plainText(description, MAX_TEXT_CHARS)}</p>}
      <Links alert={alert} />
      <StandingSection alert={alert} />
      <PartOf alert={alert} />
      <HistoryStrip id={alert.id} />
      <TimeLine alert={alert} />
      <SnapshotSection id={alert.id} />
      <Labels alert={alert} />
    </div>
  );
}

/** Why nobody is told, when that is so. */
function Quiet({ alert }: { readonly alert: AlertDetailWire }) {
  const why = [
    alert.kept_by === null || alert.kept_by === undefined
      ? ''
      : t('Told to nobody: {why}.', { why: plainText(alert.kept_by, MAX_LABEL_CHARS) }),
    alert.held_back === null || alert.held_back === undefined
      ? ''
      : t('Held back: {why}.', { why: plainText(alert.held_back, MAX_LABEL_CHARS) }),
    alert.suppressed_by === null || alert.suppressed_by === undefined
      ? ''
      : t('Suppressed by {name}.', { name: plainText(alert.suppressed_by, MAX_LABEL_CHARS) }),
    alert.snoozed_until_resolved === true ? t('Snoozed until it is resolved.') : '',
    alert.snoozed_until_ms === null || alert.snoozed_until_ms === undefined
      ? ''
      : t('Snoozed until {at}.', { at: preciseInstant(alert.snoozed_until_ms) }),
  ].filter((text) => text !== '');
  return why.length === 0 ? null : <p className="notice">{why.join(' ')}</p>;
}

/** An address of others is a link only where it goes to the web. */
const isWeb = (url: string | null | undefined): url is string => url !== null && url !== undefined && /^https?:\/\//.test(url);

function Links({ alert }: { readonly alert: AlertDetailWire }) {
  const { runbook_url: runbook } = alert.annotations;
  return (
    <p className="row-wrap">
      {isWeb(runbook) ? (
        <a href={runbook} target="_blank" rel="noreferrer">
          {t('Runbook')}
        </a>
      ) : null}
      {isWeb(alert.generator_url) ? (
        <a href={alert.generator_url} target="_blank" rel="noreferrer">
          {t('Where it comes from')}
        </a>
      ) : null}
      {alert.service === null ? null : (
        <Link to="/services/$id" params={{ id: alert.service }}>
          {t('Service {service}', { service: plainText(alert.service, MAX_LABEL_CHARS) })}
        </Link>
      )}
      {alert.kind === 'rule' ? (
        <Link to="/rules" search={{ rule: alert.rule }}>
          {t('Rule {rule}', { rule: plainText(alert.rule, MAX_LABEL_CHARS) })}
        </Link>
      ) : null}
      <Link to="/alerts-dashboard" search={{ source: alert.rule, status: 'all' }}>
        {t('All of {rule}', { rule: plainText(alert.rule, MAX_LABEL_CHARS) })}
      </Link>
      <Link to="/routes" search={{ labels: textOfLabels(alert.labels) }}>
        {t('Where it goes, and why')}
      </Link>
    </p>
  );
}

type Happening = { readonly atMs: number; readonly key: string; readonly what: string; readonly why: string; readonly who: string };

/** Steps and notifications in one order: what happened, and what caused it. */
function happeningsOf({ transitions, deliveries }: AlertDetailWire): readonly Happening[] {
  const steps = transitions.map((step, place): Happening => {
    const isSaid = step.actor === 'system' || step.actor === 'nines' || step.reason.includes(step.actor);
    const who = isSaid ? '' : step.actor;
    return { atMs: step.at_ms, key: `step ${place}`, what: phrase(step.kind), why: fromServer(step.reason), who };
  });
  const told = deliveries.map((one): Happening => {
    const to = one.channel === '' ? t('nobody') : one.channel;
    const what =
      one.status === 'suppressed'
        ? t('Not told to {channel}', { channel: to })
        : t('{what} told to {channel}: {status}', { what: phrase(one.reason), channel: to, status: one.status });
    return { atMs: one.created_at_ms, key: one.id, what, why: fromServer(deliveryWhy(one)), who: '' };
  });
  return [...steps, ...told].sort((a, b) => a.atMs - b.atMs);
}

function deliveryWhy({ cause, attempts, last_error: error, receipt }: NotificationView): string {
  const tries = error === null ? '' : t('after {count, plural, one {# try} other {# tries}}: {error}', { count: attempts, error });
  return [cause, tries, receipt === null || receipt === '' ? '' : t('receipt {receipt}', { receipt })]
    .filter((text) => text !== '')
    .join('; ');
}

function TimeLine({ alert }: { readonly alert: AlertDetailWire }) {
  return (
    <Section title={t('What happened')}>
      <ol className="steps">
        {happeningsOf(alert).map(({ atMs, key, what, why, who }) => (
          <li key={key}>
            <time className="faint" dateTime={new Date(atMs).toISOString()} title={preciseInstant(atMs)}>
              {preciseInstant(atMs).slice(-12)}
            </time>
            <span className="wrap-anywhere">
              <b>{plainText(what, MAX_LABEL_CHARS)}</b>
              {why === '' ? '' : `: ${plainText(why, MAX_TEXT_CHARS)}`}
              {who === '' ? null : <span className="faint">{` (${plainText(who, MAX_LABEL_CHARS)})`}</span>}
            </span>
          </li>
        ))}
      </ol>
      {alert.deliveries.length === 0 ? <p className="faint">{t('Nobody was told: no channel is routed for this alert.')}</p> : null}
    </Section>
  );
}

function Labels({ alert }: { readonly alert: AlertDetailWire }) {
  const others = Object.entries(alert.annotations).filter(([name]) => !['summary', 'description', 'runbook_url'].includes(name));
  return (
    <Section title={t('Labels')}>
      <ul className="labels">
        {Object.entries(alert.labels).map(([name, value]) => (
          <li key={name}>
            <Link to="/alerts-dashboard" search={{ label: matcherText(name, value) }} title={t('Show the alerts with this label')}>
              {plainText(`${name}="${value}"`, MAX_LABEL_CHARS)}
            </Link>
          </li>
        ))}
      </ul>
      {others.length === 0 ? null : (
        <dl className="annotations">
          {others.map(([name, value]) => (
            <div key={name}>
              <dt className="mono">{plainText(name, MAX_LABEL_CHARS)}</dt>
              <dd className="said">{plainText(value, MAX_TEXT_CHARS)}</dd>
            </div>
          ))}
        </dl>
      )}
      <p className="faint mono wrap-anywhere">{plainText(`${alert.rule} · ${alert.fingerprint}`, MAX_LABEL_CHARS)}</p>
    </Section>
  );
}
