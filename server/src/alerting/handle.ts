/** What people do to alerts, as pure decisions: the record, the action and the instant give the new record or a refusal. */
import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS, type EpochMs } from '@nines/base/units.ts';
import { type AlertRecord, type TransitionKind, resolve } from './evaluate.ts';

/** What a person does, with the words they left for the history. */
export type Action =
  | { readonly kind: 'acknowledge'; readonly comment: string | undefined }
  | { readonly kind: 'unacknowledge' | 'unsuppress' | 'unsnooze'; readonly comment: string | undefined }
  | { readonly kind: 'suppress'; readonly comment: string | undefined }
  | { readonly kind: 'snooze'; readonly until: EpochMs | 'resolved'; readonly comment: string | undefined }
  | { readonly kind: 'resolve'; readonly comment: string | undefined }
  | { readonly kind: 'assign'; readonly assignee: string | null; readonly comment: string | undefined }
  /** Tells the next level of the alert's escalation now; `policy` names one where none applies. */
  | { readonly kind: 'escalate'; readonly policy: string | undefined; readonly comment: string | undefined }
  | { readonly kind: 'comment'; readonly comment: string };

/** `changed` false: the alert was in this state before, and nothing is written. */
export type Handled = {
  readonly changed: boolean;
  readonly kind: TransitionKind;
  readonly reason: string;
  readonly after: AlertRecord;
};

/** Longest snooze: a quarter is a holiday; more is a rule that should be changed. */
const MAX_SNOOZE_MS = 92 * DAY_MS;

/** Refusals are sentences for the person who acted. A comment is taken at any time, everything else only while the alert is open. */
export function decideHandling(
  record: AlertRecord,
  action: Action,
  { by, nowMs }: { by: string; nowMs: EpochMs },
): Result<Handled, string> {
  if (action.kind === 'comment') return ok({ changed: true, kind: 'commented', reason: action.comment, after: record });
  if (record.condition === 'resolved') return err('the alert is resolved already');
  const { handling } = record;
  const reason = action.comment ?? `by ${by}`;
  const same = (kind: TransitionKind): Result<Handled, string> => ok({ changed: false, kind, reason, after: record });
  const change = (kind: TransitionKind, next: Partial<AlertRecord['handling']>): Result<Handled, string> =>
    ok({ changed: true, kind, reason, after: { ...record, handling: { ...handling, ...next } } });
  switch (action.kind) {
    case 'acknowledge':
      if (handling.acknowledgedAtMs !== null) return same('acknowledged');
      return change('acknowledged', { acknowledgedBy: by, acknowledgedAtMs: nowMs });
    case 'suppress':
      if (handling.suppressedAtMs !== null) return same('suppressed');
      return change('suppressed', { suppressedBy: by, suppressedAtMs: nowMs });
    case 'unacknowledge':
      if (handling.acknowledgedAtMs === null) return same('unacknowledged');
      return change('unacknowledged', { acknowledgedBy: null, acknowledgedAtMs: null });
    case 'unsuppress':
      if (handling.suppressedAtMs === null) return same('unsuppressed');
      return change('unsuppressed', { suppressedBy: null, suppressedAtMs: null });
    case 'unsnooze':
      if (handling.snoozedUntilMs === null && !handling.snoozedUntilResolved) return same('unsnoozed');
      return change('unsnoozed', { snoozedUntilMs: null, snoozedUntilResolved: false });
    case 'snooze':
      if (action.until === 'resolved') return change('snoozed', { snoozedUntilMs: null, snoozedUntilResolved: true });
      if (action.until <= nowMs) return err('the end of the snooze lies in the past');
      if (action.until - nowMs > MAX_SNOOZE_MS) return err('a snooze lasts 92 days at most; change the rule or snooze until resolved');
      return change('snoozed', { snoozedUntilMs: action.until, snoozedUntilResolved: false });
    case 'assign':
      return change('assigned', { assignedTo: action.assignee });
    case 'escalate':
      if (record.condition !== 'firing') return err('the alert does not fire yet');
      return change('escalated', {});
    case 'resolve':
      return ok({ changed: true, kind: 'resolved', reason: action.comment ?? `resolved by ${by}`, after: resolve(record, nowMs) });
  }
}
