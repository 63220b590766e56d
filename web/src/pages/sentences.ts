/** What a page says first, in one sentence a person reads in two seconds at night. Pure. */
import type { AlertCountsWire } from '../api/alerts.ts';
import type { AlertView, ServiceView } from '../api/wire.ts';
import { shortInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { unknownWhy, stateWord } from '../states/words.ts';

const seconds = (lengthMs: number): number => Math.max(0, lengthMs - (lengthMs % 1000));

type StateOf = Pick<ServiceView, 'name' | 'state' | 'since_at_ms' | 'unknown_reason' | 'why' | 'flapping'>;

/**
 * The first thing that was seen, without the name of the check that saw it: `connection refused by 10.0.3.7:443`. The server
 * writes one clause per check, `check: detail`, joined by semicolons. Empty while all is well.
 */
export function whyText({ state, unknown_reason: reason, why }: Pick<ServiceView, 'state' | 'unknown_reason' | 'why'>): string {
  if (state === 'up') return '';
  if (state === 'unknown') return unknownWhy(reason);
  const [clause = ''] = (why ?? '').split('; ');
  return fromServer(clause.replace(/^[a-z0-9._-]+: /, ''));
}

/** `Web shop is down since 02:14 (6 min): connection refused by 10.0.3.7:443.` */
export function serviceSentence(service: StateOf, nowMs: number): string {
  const why = whyText(service);
  if (service.state === 'unknown' && service.unknown_reason === 'not_yet_monitored') {
    return t('{name} is not monitored yet.', { name: service.name });
  }
  const said = {
    name: service.name,
    state: stateWord(service.state),
    since: `${shortInstant(service.since_at_ms, nowMs)} (${lengthText(seconds(nowMs - service.since_at_ms))})`,
  };
  const sentence =
    why === '' ? t('{name} is {state} since {since}.', said) : t('{name} is {state} since {since}: {why}.', { ...said, why });
  return service.flapping ? `${sentence} ${t('It is flapping.')}` : sentence;
}

const WORST: readonly ServiceView['state'][] = ['down', 'degraded', 'unknown'];

/** The worst state any service is in; `up` when there is none. */
export function worstState(services: readonly ServiceView[]): ServiceView['state'] {
  return WORST.find((state) => services.some((service) => service.state === state)) ?? 'up';
}

/** The overview's first sentence: the worst thing there is, or that all is well. */
export function overviewSentence(services: readonly ServiceView[], nowMs: number, { scoped = false } = {}): string {
  if (services.length === 0) return scoped ? t('No service that you see is watched yet.') : t('This host is being measured.');
  for (const state of WORST) {
    const those = services.filter((service) => service.state === state);
    const [only] = those;
    if (only !== undefined && those.length === 1) return serviceSentence(only, nowMs);
    if (those.length > 1)
      return t('{count} of {all} services are {state}: {names}.', {
        count: those.length,
        all: services.length,
        state: stateWord(state),
        names: names(those.map((service) => service.name)),
      });
  }
  return services.length === 1
    ? t('{name} is up.', { name: services[0]?.name ?? '' })
    : t('All {count} services are up.', { count: services.length });
}

const MOST_NAMES = 4;

/** `a, b and c`; more than four end in `and 3 more`. */
function names(words: readonly string[]): string {
  const shown =
    words.length > MOST_NAMES ? [...words.slice(0, MOST_NAMES - 1), t('{count} more', { count: words.length - MOST_NAMES + 1 })] : words;
  return shown.length < 2
    ? shown.join('')
    : t('{names} and {last}', { names: shown.slice(0, -1).join(', '), last: shown[shown.length - 1] ?? '' });
}

/** What an alert is about: its summary, else its name and the service or instance it fires for. */
export function alertTitle(alert: Pick<AlertView, 'annotations' | 'labels' | 'rule'>): string {
  const { summary } = alert.annotations;
  if (summary !== undefined && summary !== '') return fromServer(summary);
  const name = alert.labels.alertname ?? alert.rule;
  const about = alert.labels.service ?? alert.labels.instance;
  return about === undefined ? name : t('{alert} on {service}', { alert: name, service: about });
}

/** The second sentence: how many alerts wait for someone. From counts, which know all alerts where a list knows a page. */
export function countsSentence({ by_severity: bySeverity }: Pick<AlertCountsWire, 'by_severity'>): string {
  const of = (state: AlertView['state']): number => Object.values(bySeverity).reduce((sum, states) => sum + states[state], 0);
  return openSentence(of('firing'), of('acknowledged'));
}

function openSentence(firing: number, acknowledged: number): string {
  if (firing + acknowledged === 0) return t('No alert is firing.');
  if (firing === 0) return t('{acknowledged} acknowledged, none waiting.', { acknowledged });
  if (acknowledged === 0) return t('{firing, plural, one {# alert} other {# alerts}} firing, not acknowledged.', { firing });
  return t('{firing, plural, one {# alert} other {# alerts}} firing, not acknowledged; {acknowledged} acknowledged.', {
    firing,
    acknowledged,
  });
}
