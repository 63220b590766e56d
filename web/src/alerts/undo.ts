/** What can be done to alerts from the pages, and how it is undone. Pure. */
import type { AlertView } from '../api/wire.ts';

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
  acknowledge: 'acknowledged',
  unacknowledge: 'no longer acknowledged',
  suppress: 'suppressed',
  unsuppress: 'no longer suppressed',
  snooze: 'snoozed',
  unsnooze: 'no longer snoozed',
  resolve: 'resolved',
  escalate: 'escalated',
  assign: 'assigned',
  comment: 'commented',
};

/** `3 alerts acknowledged`. */
export function doneText(action: AlertAction, count: number): string {
  const done = action.name === 'assign' && action.assignee === null ? 'given back' : DONE[action.name];
  const to = action.name === 'assign' && action.assignee !== null ? ` to ${action.assignee}` : '';
  return `${count} ${count === 1 ? 'alert' : 'alerts'} ${done}${to}`;
}
