/** What a posted alert means: its span, when it ends by itself, and what it is beside an earlier one. Pure. */
import { parseInstant } from '@nines/base/instant.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { type EpochMs, type Ms, epochMs } from '@nines/base/units.ts';
import { type Labels, labelsOf } from '@nines/model/labels.ts';
import { entering } from '@nines/model/scope.ts';
import { FULL_SCOPE, type Scope } from '@nines/model/storage.ts';
import { MAX_LABELS, MAX_TEXT_CHARS, type PostableAlert } from './contract.ts';

export type Received = {
  readonly labels: Labels;
  readonly annotations: Readonly<Record<string, string>>;
  readonly generatorUrl: string;
  readonly startsAtMs: EpochMs;
  /** When it ends unless its sender says more; an instant that has passed means that it ended. */
  readonly endsAtMs: EpochMs;
  /** The end is ours (`resolve_timeout`), because the sender gave none. */
  readonly isTimeout: boolean;
  readonly updatedAtMs: EpochMs;
};

/** Who sent an alert with a scope: which labels it gets and may have, and whether it may speak of a service. */
export type AlertSender = { readonly scope: Scope; readonly isForeign: (service: string) => boolean };

/** Source: alertmanager api/v2/api.go postAlertsHandler, types.Alert.Validate. A refusal is a sentence. */
export function judgePosted(
  posted: PostableAlert,
  at: { readonly nowMs: EpochMs; readonly resolveTimeoutMs: Ms; readonly sender?: AlertSender },
): Result<Received, string> {
  const labels = Object.fromEntries(Object.entries(posted.labels).filter(([, value]) => value !== ''));
  if (Object.keys(labels).length === 0) return err('at least one label pair required');
  const annotations = posted.annotations ?? {};
  for (const [what, texts] of [
    ['label', labels],
    ['annotation', annotations],
  ] as const) {
    const fault = faultOf(texts);
    if (fault !== undefined) return err(`invalid ${what} set: ${fault}`);
  }
  const starts = instantOf(posted.startsAt);
  if (!starts.ok) return err(`startsAt: ${starts.error}`);
  const ends = instantOf(posted.endsAt);
  if (!ends.ok) return err(`endsAt: ${ends.error}`);
  const startsAtMs = starts.value ?? ends.value ?? at.nowMs;
  const endsAtMs = ends.value ?? epochMs(at.nowMs + at.resolveTimeoutMs);
  if (endsAtMs < startsAtMs) return err('start time must be before end time');
  const entered = entering(at.sender?.scope ?? FULL_SCOPE, labelsOf(labels));
  if (!entered.ok) return entered;
  const { service } = labels;
  if (service !== undefined && at.sender?.isForeign(service) === true) return err(`the service "${service}" is not this sender's`);
  return ok({
    labels: entered.value,
    annotations,
    generatorUrl: posted.generatorURL ?? '',
    startsAtMs,
    endsAtMs,
    isTimeout: ends.value === undefined,
    updatedAtMs: at.nowMs,
  });
}

function faultOf(texts: Readonly<Record<string, string>>): string | undefined {
  const entries = Object.entries(texts);
  if (entries.length > MAX_LABELS) return `${entries.length} entries, ${MAX_LABELS} at most`;
  for (const [name, value] of entries) {
    if (name === '') return 'invalid name ""';
    const text = name + value;
    if (!text.isWellFormed() || text.includes('\u0000')) return `${JSON.stringify(name)} holds what is no text`;
    if (text.length > MAX_TEXT_CHARS) return `${JSON.stringify(name.slice(0, 100))} is longer than ${MAX_TEXT_CHARS} characters`;
  }
  return undefined;
}

/** Undefined for what is absent or Go's zero time. */
export function instantOf(text: string | undefined): Result<EpochMs | undefined, string> {
  if (text === undefined || text === '' || text.startsWith('0001-01-01T00:00:00')) return ok(undefined);
  return text.includes('T') || text.includes('t') ? parseInstant(text) : err(`not an RFC 3339 instant: "${text}"`);
}

/** The newer word about one label set, with what still holds of the older one. Source: alertmanager types.Alert.Merge, provider/mem. */
export function mergeReceived(before: Received | undefined, after: Received): Received {
  if (before === undefined || !overlaps(before, after)) return after;
  const startsAtMs = epochMs(Math.min(before.startsAtMs, after.startsAtMs));
  const later = before.endsAtMs > after.endsAtMs;
  const wasOver = before.endsAtMs <= after.updatedAtMs;
  const isOver = after.endsAtMs <= after.updatedAtMs;
  const keepsEnd = later && (isOver ? wasOver : !before.isTimeout);
  return { ...after, startsAtMs, ...(keepsEnd ? { endsAtMs: before.endsAtMs, isTimeout: false } : {}) };
}

const overlaps = (before: Received, after: Received): boolean =>
  (after.endsAtMs > before.startsAtMs && after.endsAtMs < before.endsAtMs) ||
  (after.startsAtMs >= before.startsAtMs && after.startsAtMs < before.endsAtMs);
