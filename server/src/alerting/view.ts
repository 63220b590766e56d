import { labelsToRecord } from '@nines/model/labels.ts';
import type { AlertView } from './contract.ts';
import { type AlertRecord, stateOf } from './evaluate.ts';

/** What is known of an alert beside its record: the problem that it is in, and since when it flaps. */
export type About = { readonly problem: string | null; readonly flappingSinceMs: number | null };
const NOTHING: About = { problem: null, flappingSinceMs: null };

/** The record as the API shows it at `nowMs` (a snooze that has ended no longer suppresses). */
export function viewOf(record: AlertRecord, nowMs: number, { problem, flappingSinceMs }: About = NOTHING): AlertView {
  const { handling } = record;
  return {
    id: record.id,
    fingerprint: record.fingerprint,
    kind: record.kind,
    rule: record.rule,
    alertname: record.alertname,
    state: stateOf(record, nowMs),
    condition: record.condition,
    severity: record.severity,
    labels: labelsToRecord(record.labels),
    annotations: record.annotations,
    value: record.value,
    active_at_ms: record.activeSinceMs,
    starts_at_ms: record.startsAtMs,
    keep_firing_since_ms: record.keepFiringSinceMs,
    ends_at_ms: record.endsAtMs,
    acknowledged_by: handling.acknowledgedBy,
    acknowledged_at_ms: handling.acknowledgedAtMs,
    suppressed_by: handling.suppressedBy,
    suppressed_at_ms: handling.suppressedAtMs,
    snoozed_until_ms: handling.snoozedUntilMs,
    snoozed_until_resolved: handling.snoozedUntilResolved,
    assigned_to: handling.assignedTo,
    held_back: record.heldBack,
    generator_url: record.generatorUrl,
    service: record.service,
    problem,
    flapping_since_ms: flappingSinceMs,
  } satisfies AlertView;
}

/** Newest start first, then by id, as every list of alerts is sorted. */
export const newestFirst = (a: AlertView, b: AlertView): number => b.starts_at_ms - a.starts_at_ms || (a.id < b.id ? 1 : -1);

/** Longest label or annotation in a list and in a live fact, and where one alert is looked at. Rules and senders may write a megabyte. */
export const LISTED_CHARS = 500;
export const DETAILED_CHARS = 20_000;

/** The view with texts of at most `maxChars`; what was cut says how long it was. */
export function cutView(view: AlertView, maxChars: number): AlertView {
  const { labels, annotations } = view;
  const short = isShort(labels, maxChars) && isShort(annotations, maxChars);
  return short ? view : { ...view, labels: cutAll(labels, maxChars), annotations: cutAll(annotations, maxChars) };
}

type Texts = Readonly<Record<string, string>>;

const isShort = (texts: Texts, maxChars: number): boolean => Object.values(texts).every(({ length }) => length <= maxChars);
const cutAll = (texts: Texts, maxChars: number): Texts =>
  Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, cutText(text, maxChars)]));
const cutText = (text: string, maxChars: number): string =>
  text.length <= maxChars ? text : `${text.slice(0, maxChars).toWellFormed()}… (${text.length} characters)`;
