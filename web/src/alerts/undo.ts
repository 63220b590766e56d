/** What can be done to alerts from the pages, and how it is undone. Pure. */
import type { AlertView } from '../api/wire.ts';
import { t } from '../language/t.ts';

export type AlertAction =
  | { readonly name: 'acknowledge' | 'unacknowledge' | 'suppress' | 'unsuppress' | 'unsnooze' | 'resolve' }
  /** By the policy that took the alert, or by this one where none did. */
  | { readonly name: 'escalate'; readonly policy?: string }
  | { readonly name: 'snooze'; readonly for: string }
  | { readonly name: 'snooze'; readonly until: string }
  | { readonly name: 'assign'; readonly assignee: string | null }
  | { readonly name: 'comment'; readonly comment: string };

/** An action on some alerts. */
export type Step = { readonly action: AlertAction; readonly ids: readonly string[] };

/** The steps that take an action back from alerts as they were before it; none where nothing can. */
export function undoOf(action: AlertAction, before: readonly AlertView[]): readonly Step[] {
  const of = (undo: AlertAction, those: readonly AlertView[]): readonly Step[] =>
    those.length === 0 ? [] : [{ action: undo, ids: those.map(({ id }) => id) }];
  switch (action.name) {
    case 'acknowledge':
      return of(
        { name: 'unacknowledge' },
        before.filter((one) => one.acknowledged_at_ms === null),
      );
    case 'unacknowledge':
      return of(
        { name: 'acknowledge' },
        before.filter((one) => one.acknowledged_at_ms !== null),
      );
    case 'suppress':
      return of(
        { name: 'unsuppress' },
        before.filter((one) => one.suppressed_at_ms === null),
      );
    case 'snooze':
      return [
        ...of(
          { name: 'unsnooze' },
          before.filter((one) => !isSnoozed(one)),
        ),
        ...of(
          { name: 'snooze', until: 'resolved' },
          before.filter((one) => one.snoozed_until_resolved),
        ),
        ...before
          .filter((one) => !one.snoozed_until_resolved && one.snoozed_until_ms !== null)
          .flatMap((one) => of({ name: 'snooze', until: new Date(one.snoozed_until_ms ?? 0).toISOString() }, [one])),
      ];
    case 'assign': {
      const people = [...new Set(before.map((one) => one.assigned_to))];
      return people
        .filter((person) => person !== action.assignee)
        .flatMap((person) =>
          of(
            { name: 'assign', assignee: person },
            before.filter((one) => one.assigned_to === person),
          ),
        );
    }
    default:
      return [];
  }
}

const isSnoozed = (one: AlertView): boolean => one.snoozed_until_resolved || one.snoozed_until_ms !== null;

const DONE: Readonly<Record<AlertAction['name'], string>> = {
  acknowledge: t('acknowledged'),
  unacknowledge: t('no longer acknowledged'),
  suppress: t('suppressed'),
  unsuppress: t('no longer suppressed'),
  snooze: t('snoozed'),
  unsnooze: t('no longer snoozed'),
  resolve: t('resolved'),
  escalate: t('escalated'),
  assign: t('assigned'),
  comment: t('commented'),
};

/** `3 alerts acknowledged`. */
export function doneText(action: AlertAction, count: number): string {
  const alerts = t('{count, plural, one {# alert} other {# alerts}}', { count });
  if (action.name !== 'assign') return t('{alerts} {done}', { alerts, done: DONE[action.name] });
  return action.assignee === null
    ? t('{alerts} given back', { alerts })
    : t('{alerts} assigned to {name}', { alerts, name: action.assignee });
}
