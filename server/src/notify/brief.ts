import type { Attempt, MessageAlert } from './contract.ts';
import { sentenceOf, subjectOf } from './text.ts';

/** A message for people in a provider's limits: visible characters only, cut where it must be, and what was cut is said. */
export type Brief = {
  readonly title: string;
  readonly status: 'firing' | 'resolved';
  /** The worst of the alerts that fire; of those that ended when none does. */
  readonly severity: string;
  /** The template's text; it stands in place of the alerts. */
  readonly text: string | undefined;
  readonly alerts: readonly BriefAlert[];
  /** `and 12 more alerts`, or '' when all are shown. */
  readonly more: string;
  /** Where all of them are shown. */
  readonly url: string;
};

export type BriefAlert = {
  readonly status: 'firing' | 'resolved';
  readonly sentence: string;
  /** `since 2026-01-01T00:00:00Z`, with the end when there is one. */
  readonly when: string;
  /** Labels, then the annotations that the sentence does not say. */
  readonly facts: readonly (readonly [name: string, value: string])[];
  readonly url: string;
  readonly acknowledgeUrl: string | undefined;
};

export type BriefLimits = {
  readonly titleChars: number;
  readonly alerts: number;
  readonly sentenceChars: number;
  /** Labels and annotations of each alert. */
  readonly facts: number;
  readonly factChars: number;
  readonly textChars: number;
};

const ORDER = ['info', 'warning', 'critical', 'emergency'];
const rank = (severity: string | undefined): number => ORDER.indexOf(severity ?? '');

export function briefOf(attempt: Attempt, limits: BriefLimits): Brief {
  const { message, words } = attempt;
  const firing = message.alerts.filter((alert) => alert.status === 'firing');
  const judged = firing.length > 0 ? firing : message.alerts;
  const severity = judged.map((alert) => alert.labels['severity']).reduce((a, b) => (rank(b) > rank(a) ? b : a), undefined);
  // What fires comes first, so that it is what is still shown when not all fits.
  const ordered = [...firing, ...message.alerts.filter((alert) => alert.status !== 'firing')];
  const shown = words?.text === undefined ? ordered.slice(0, limits.alerts) : [];
  const missing = ordered.length + message.truncatedAlerts - shown.length;
  return {
    title: oneLine(words?.title ?? titleOf(attempt), limits.titleChars),
    status: message.status,
    severity: severity ?? 'warning',
    text: words?.text === undefined ? undefined : visible(cut(words.text, limits.textChars)),
    alerts: shown.map((alert) => briefAlert(alert, attempt, limits)),
    more: words?.text !== undefined || missing === 0 ? '' : `and ${missing} more ${missing === 1 ? 'alert' : 'alerts'}`,
    url: `${message.externalURL}/alerts-dashboard`,
  };
}

const titleOf = ({ reason, message, cause }: Attempt): string => {
  if (reason === 'acknowledged') return `${subjectOf(message)} ${cause}`;
  return reason === 'escalation' && message.status === 'firing' ? `${subjectOf(message)}, ${cause}` : subjectOf(message);
};

function briefAlert(alert: MessageAlert, { acknowledgeUrl }: Attempt, limits: BriefLimits): BriefAlert {
  const sentence = sentenceOf(alert);
  const annotations = Object.entries(alert.annotations).filter(([, value]) => value !== sentence);
  const facts = [...Object.entries(alert.labels).filter(([name]) => name !== 'alertname'), ...annotations];
  const kept = facts.slice(0, limits.facts).map(([name, value]) => [oneLine(name, 100), visible(cut(value, limits.factChars))] as const);
  const left = facts.length - kept.length;
  return {
    status: alert.status,
    sentence: oneLine(sentence, limits.sentenceChars),
    when: `since ${alert.startsAt}${alert.status === 'resolved' ? ` until ${alert.endsAt}` : ''}`,
    facts: left > 0 ? [...kept, ['…', `${left} more labels and annotations`]] : kept,
    url: alert.generatorURL,
    acknowledgeUrl: alert.status === 'firing' ? acknowledgeUrl?.(alert) : undefined,
  };
}

/** At most so many UTF-16 units, with how many were cut; no character is split. */
export function cut(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const note = (left: number): string => `… (${left} characters cut)`;
  const room = Math.max(0, maxChars - note(text.length).length);
  const end = isHighSurrogate(text.charCodeAt(room - 1)) ? room - 1 : room;
  return `${text.slice(0, end)}${note(text.length - end)}`.slice(0, maxChars);
}
const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Control characters become their pictures; what reorders or hides text, and halves of characters, become U+FFFD. Line ends and tabs stay. */
export const visible = (text: string): string =>
  text
    .replace(/\r\n?/g, '\n')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/gu, pictureOf)
    .toWellFormed();
function pictureOf(character: string): string {
  const code = character.charCodeAt(0);
  if (character === '\n' || character === '\t') return character;
  return code < 0x20 ? String.fromCharCode(0x2400 + code) : code === 0x7f ? '\u2421' : '\ufffd';
}

/** Cut first: a megabyte is not looked through for a line. Neither step makes a text longer. */
const oneLine = (text: string, maxChars: number): string => visible(cut(text, maxChars)).replace(/\s*\n\s*/g, ' ');

/** The brief as plain text: for providers that take no form, and in place of a form that was refused. */
export function plainBrief(brief: Brief): string {
  const paragraphs = brief.alerts.map((alert) => {
    const facts = alert.facts.map(([name, value]) => `  ${name}: ${value}`);
    const acknowledge = alert.acknowledgeUrl === undefined ? [] : [`  Acknowledge: ${alert.acknowledgeUrl}`];
    return [`${alert.status.toUpperCase()} ${alert.sentence}`, `  ${alert.when}`, ...facts, `  ${alert.url}`, ...acknowledge].join('\n');
  });
  return [brief.title, ...(brief.text === undefined ? paragraphs : [brief.text]), ...(brief.more === '' ? [] : [brief.more])].join('\n\n');
}

/** Lamps of the pages, for providers that show a colour. */
export const colourOf = ({ status, severity }: Pick<Brief, 'status' | 'severity'>): string =>
  status === 'resolved' ? '#2b8a3e' : severity === 'info' ? '#1c7ed6' : severity === 'warning' ? '#e67700' : '#c92a2a';
