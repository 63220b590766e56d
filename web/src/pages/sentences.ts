/** What a page says first, in one sentence a person reads in two seconds at night. Pure. */
import type { AlertCountsWire } from '../api/alerts.ts';
import type { AlertView, ServiceView } from '../api/wire.ts';
import { shortInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { unknownWhy } from '../states/words.ts';

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
  return clause.replace(/^[a-z0-9._-]+: /, '');
}

/** `Web shop is down since 02:14 (6 min): connection refused by 10.0.3.7:443.` */
export function serviceSentence(service: StateOf, nowMs: number): string {
  const word = service.state === 'unknown' ? 'unknown' : service.state;
  const since = `since ${shortInstant(service.since_at_ms, nowMs)} (${lengthText(seconds(nowMs - service.since_at_ms))})`;
  const why = whyText(service);
  if (service.state === 'unknown' && service.unknown_reason === 'not_yet_monitored') return `${service.name} is not monitored yet.`;
  const flaps = service.flapping ? ' It is flapping.' : '';
  return `${service.name} is ${word} ${since}${why === '' ? '' : `: ${why}`}.${flaps}`;
}

const WORST: readonly ServiceView['state'][] = ['down', 'degraded', 'unknown'];

/** The worst state any service is in; `up` when there is none. */
export function worstState(services: readonly ServiceView[]): ServiceView['state'] {
  return WORST.find((state) => services.some((service) => service.state === state)) ?? 'up';
}

/** The overview's first sentence: the worst thing there is, or that all is well. */
export function overviewSentence(services: readonly ServiceView[], nowMs: number, { scoped = false } = {}): string {
  if (services.length === 0) return scoped ? 'No service that you see is watched yet.' : 'This host is being measured.';
  for (const state of WORST) {
    const those = services.filter((service) => service.state === state);
    const [only] = those;
    if (only !== undefined && those.length === 1) return serviceSentence(only, nowMs);
    if (those.length > 1)
      return `${those.length} of ${services.length} services are ${state}: ${names(those.map((service) => service.name))}.`;
  }
  return services.length === 1 ? `${services[0]?.name ?? ''} is up.` : `All ${services.length} services are up.`;
}

const MOST_NAMES = 4;

/** `a, b and c`; more than four end in `and 3 more`. */
function names(words: readonly string[]): string {
  const shown = words.length > MOST_NAMES ? [...words.slice(0, MOST_NAMES - 1), `${words.length - MOST_NAMES + 1} more`] : words;
  return shown.length < 2 ? shown.join('') : `${shown.slice(0, -1).join(', ')} and ${shown[shown.length - 1] ?? ''}`;
}

/** What an alert is about: its summary, else its name and the service or instance it fires for. */
export function alertTitle(alert: Pick<AlertView, 'annotations' | 'labels' | 'rule'>): string {
  const { summary } = alert.annotations;
  if (summary !== undefined && summary !== '') return summary;
  const name = alert.labels.alertname ?? alert.rule;
  const about = alert.labels.service ?? alert.labels.instance;
  return about === undefined ? name : `${name} on ${about}`;
}

/** The second sentence: how many alerts wait for someone. */
export function alertsSentence(alerts: readonly Pick<AlertView, 'state'>[]): string {
  const of = (state: AlertView['state']): number => alerts.filter((alert) => alert.state === state).length;
  return openSentence(of('firing'), of('acknowledged'));
}

/** The same from counts, which know all alerts where a list knows a page. */
export function countsSentence({ by_severity: bySeverity }: Pick<AlertCountsWire, 'by_severity'>): string {
  const of = (state: AlertView['state']): number => Object.values(bySeverity).reduce((sum, states) => sum + states[state], 0);
  return openSentence(of('firing'), of('acknowledged'));
}

function openSentence(firing: number, acknowledged: number): string {
  if (firing + acknowledged === 0) return 'No alert is firing.';
  const taken = acknowledged === 0 ? '' : `${acknowledged} acknowledged`;
  const open = firing === 0 ? '' : `${firing} ${firing === 1 ? 'alert' : 'alerts'} firing, not acknowledged`;
  const text = [open, taken === '' ? '' : open === '' ? `${taken}, none waiting` : taken].filter((part) => part !== '').join('; ');
  return `${text}.`;
}
