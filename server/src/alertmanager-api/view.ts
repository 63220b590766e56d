/** Our alerts, groups and silences in the shapes and the order of Alertmanager's API v2; pure. */
import { type Matcher, matcher } from '@nines/base/matcher.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { Inhibition, Match, Routes } from '../notify/contract.ts';
import type { Silence, SilenceDraft, SilenceState } from '../silences/contract.ts';
import { type AlertGroup, type GettableAlert, type GettableSilence, type WireMatcher, opOf } from './contract.ts';
import type { Received } from './received.ts';
import { instantOf } from './received.ts';

/** Milliseconds and a Z, as Alertmanager writes instants. */
const written = (atMs: number): string => new Date(atMs).toISOString();

/** What an alert's shape needs beside the alert. */
export type AlertFacts = {
  readonly nowMs: EpochMs;
  /** When an alert of ours would end if nothing more were heard of it. */
  readonly resolveTimeoutMs: number;
  readonly routes: Routes;
  readonly silencedBy: (labels: AlertView['labels']) => readonly Silence[];
  readonly inhibitedBy: (labels: AlertView['labels']) => Inhibition | undefined;
  readonly received: (fingerprint: string) => Received | undefined;
};

export function alertToWire(alert: AlertView, facts: AlertFacts): GettableAlert {
  const { nowMs } = facts;
  const received = facts.received(alert.fingerprint);
  const silencedBy = facts.silencedBy(alert.labels).map(({ id }) => id);
  const inhibition = facts.inhibitedBy(alert.labels);
  const inhibitedBy = inhibition === undefined ? [] : [inhibition.source.fingerprint];
  const isHeld = alert.state === 'suppressed' || silencedBy.length > 0 || inhibitedBy.length > 0;
  return {
    annotations: { ...alert.annotations },
    endsAt: written(received?.endsAtMs ?? nowMs + facts.resolveTimeoutMs),
    fingerprint: alert.fingerprint,
    receivers: receiversOf(facts.routes.matching(alert.labels)),
    startsAt: written(alert.starts_at_ms),
    status: { inhibitedBy, mutedBy: [], silencedBy, state: isHeld ? 'suppressed' : 'active' },
    updatedAt: written(received?.updatedAtMs ?? nowMs),
    generatorURL: alert.generator_url ?? '',
    labels: { ...alert.labels },
  };
}

const receiversOf = (matches: readonly Match[]): { name: string }[] =>
  [...new Set(matches.map(({ receiver }) => receiver))].map((name) => ({ name }));

export type AlertQuery = {
  readonly active: boolean;
  readonly silenced: boolean;
  readonly inhibited: boolean;
  readonly unprocessed: boolean;
  readonly matchers: readonly Matcher[];
  /** A pattern over whole receiver names; absent, alerts that nobody hears of are shown too. */
  readonly isReceiver: ((name: string) => boolean) | undefined;
};

/** The filters of `GET alerts` and `GET alerts/groups`. Source: alertmanager api/v2/api.go alertFilter. */
export const keepsAlert = (query: AlertQuery, { labels, status, receivers }: GettableAlert): boolean =>
  query.matchers.every(({ name, matches }) => matches(labels[name] ?? '')) &&
  (query.isReceiver === undefined || receivers.some(({ name }) => query.isReceiver?.(name))) &&
  (query.active || status.state !== 'active') &&
  (query.silenced || status.silencedBy.length === 0) &&
  (query.inhibited || status.inhibitedBy.length === 0);

/** A list of matchers, each text one of them or several in braces. */
export function matchersFrom(texts: readonly string[]): Result<readonly Matcher[], string> {
  const found: Matcher[] = [];
  for (const text of texts) {
    const parsed = parseMatchers(text);
    if (!parsed.ok) return err(`bad matcher format: ${parsed.error}`);
    found.push(...parsed.value);
  }
  return ok(found);
}

export function receiverPattern(text: string | undefined): Result<((name: string) => boolean) | undefined, string> {
  if (text === undefined || text === '') return ok(undefined);
  const regex = compileRegex(text);
  return regex.ok ? ok(regex.value.matchesWhole) : err(`failed to parse receiver param: ${regex.error}`);
}

/** The groups in which alerts are told, by their labels and receiver. */
export function groupsOf(
  alerts: readonly GettableAlert[],
  { routes, keepsMuted, isReceiver }: { readonly routes: Routes; readonly keepsMuted: boolean } & Pick<AlertQuery, 'isReceiver'>,
): readonly AlertGroup[] {
  const groups = new Map<string, AlertGroup>();
  for (const alert of alerts) {
    for (const { route, receiver, groupKey, groupLabels } of routes.matching(alert.labels)) {
      if (isReceiver?.(receiver) === false) continue;
      const id = JSON.stringify([route, receiver, groupKey]);
      const group = groups.get(id) ?? { alerts: [], labels: { ...groupLabels }, receiver: { name: receiver }, routeLabels: {} };
      group.alerts.push(alert);
      groups.set(id, group);
    }
  }
  const keyOf = ({ labels, receiver }: AlertGroup): string => JSON.stringify([Object.entries(labels), receiver.name]);
  return [...groups.values()]
    .filter((group) => keepsMuted || group.alerts.some(({ status }) => status.state !== 'suppressed'))
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

export const silenceToWire = (silence: Silence, state: SilenceState): GettableSilence => ({
  id: silence.id,
  status: { state },
  updatedAt: written(silence.updatedAtMs),
  annotations: { ...silence.annotations },
  comment: silence.comment,
  createdBy: silence.createdBy,
  endsAt: written(silence.endsAtMs),
  matchers: silence.matchers.map(({ name, op, value }) => ({
    isEqual: op === '=' || op === '=~',
    isRegex: op === '=~' || op === '!~',
    name,
    value,
  })),
  startsAt: written(silence.startsAtMs),
});

/** Whether a silence has matchers such as these. Source: alertmanager api/v2/api.go CheckSilenceMatchesFilterLabels. */
export function keepsSilence(matchers: readonly Matcher[], silence: Silence): boolean {
  const patterns = new Map(silence.matchers.map(({ name, value }) => [name, value]));
  return matchers.every(({ name, matches }) => matches(patterns.get(name) ?? ''));
}

export function draftFrom(posted: {
  readonly id?: string | undefined;
  readonly matchers: readonly WireMatcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}): Result<SilenceDraft, string> {
  const matchers: Matcher[] = [];
  for (const wire of posted.matchers) {
    if (wire.name === '') return err('invalid matcher: a label name is not empty');
    if (!(wire.name + wire.value).isWellFormed()) return err('invalid matcher: not valid UTF-8');
    const made = matcher(wire.name, opOf(wire), wire.value);
    if (!made.ok) return err(`invalid matcher: ${made.error}`);
    matchers.push(made.value);
  }
  const starts = instantOf(posted.startsAt);
  const ends = instantOf(posted.endsAt);
  if (!starts.ok) return err(`startsAt: ${starts.error}`);
  if (!ends.ok) return err(`endsAt: ${ends.error}`);
  if (starts.value === undefined || ends.value === undefined) return err('a silence has a start and an end');
  return ok({
    id: posted.id === '' ? undefined : posted.id,
    matchers,
    startsAtMs: epochMs(starts.value),
    endsAtMs: epochMs(ends.value),
    createdBy: posted.createdBy,
    comment: posted.comment,
    annotations: posted.annotations ?? {},
  });
}
