import type { EpochMs, Ms } from '@nines/base/units.ts';
import type { Evidence, Transition, UnknownReason } from './types.ts';

/**
 * From the attempts of one check to its history. An attempt speaks for the time from its own start until the next attempt's,
 * but no longer than its validity; what nobody speaks for is unknown. The history is a pure function of the attempts.
 */

/** How one check's results are to be read. */
export type CheckRules = {
  readonly check: string;
  readonly intervalMs: Ms;
  readonly timeoutMs: Ms;
  /** `n` failing of the last `of` attempts confirm an outage; one good attempt ends it. */
  readonly confirm: { readonly n: number; readonly of: number };
  /** Results may arrive this much after their attempts: history is kept at hand for as long. Default 0. */
  readonly lateMs?: Ms;
};

/** One attempt that could be decided; void ones never come here. */
export type Attempt = {
  /** Its start: the instant of the result. */
  readonly atMs: EpochMs;
  /** Its end, not before `atMs`: the state seen held at some instant in between. */
  readonly endMs: EpochMs;
  readonly seen: 'up' | 'degraded' | 'down';
  readonly detail: string;
  /** Its start and end may lie this much earlier or later: another machine's clock timed it. Default 0. */
  readonly uncertaintyMs?: number;
};

type Remembered = Attempt & { readonly previousAtMs: EpochMs | null };

/** What must be remembered of a check between attempts. Immutable. */
export type CheckHistory = {
  /** The newest transitions, ascending; older ones may have been dropped by `forgetBefore`. */
  readonly transitions: readonly Transition[];
  readonly lastAtMs: EpochMs | null;
  /** Exclusive end of what the last attempt speaks for. */
  readonly knownUntilMs: EpochMs | null;
  /** The last attempts, at most `of`, since the last gap or the end of the last outage. */
  readonly recent: readonly Remembered[];
};

export const EMPTY_HISTORY: CheckHistory = { transitions: [], lastAtMs: null, knownUntilMs: null, recent: [] };

/** What a change did: transitions at and after `changedFromMs` are new, those that stood there before are superseded. Null: nothing changed. */
export type HistoryStep = { readonly history: CheckHistory; readonly changedFromMs: EpochMs | null };

/** How long a result speaks: its interval and what a next attempt may be late by or take (semantics: interval + max(timeout, interval / 2)). */
export const validityMs = (rules: Pick<CheckRules, 'intervalMs' | 'timeoutMs'>): number =>
  rules.intervalMs + Math.max(rules.timeoutMs, Math.floor(rules.intervalMs / 2));

/** Whether what was known has run out at `nowMs` and nobody has written that down yet. */
export const hasLapsed = (history: CheckHistory, nowMs: EpochMs): boolean =>
  history.knownUntilMs !== null && nowMs >= history.knownUntilMs && history.transitions.at(-1)?.state !== 'unknown';

/** Writes down that nothing is known from `knownUntilMs` on. No change when an unknown already stands there. */
export function lapse(history: CheckHistory, reason: UnknownReason): HistoryStep {
  const { knownUntilMs } = history;
  if (knownUntilMs === null || history.transitions.at(-1)?.state === 'unknown') return { history, changedFromMs: null };
  return {
    history: { ...history, transitions: append(history.transitions, unknownAt(knownUntilMs, reason)) },
    changedFromMs: knownUntilMs,
  };
}

/**
 * Makes the time from `atMs` on unknown for `reason`, whatever stood there: a check was paused, or the monitor was away. An
 * instant before the newest transition counts as that transition's. Attempts before it confirm nothing after it.
 */
export function cutOff(history: CheckHistory, atMs: EpochMs, reason: UnknownReason): HistoryStep {
  const last = history.transitions.at(-1);
  if (last === undefined || (last.state === 'unknown' && last.unknownReason === reason)) return { history, changedFromMs: null };
  const fromMs = Math.max(atMs, last.atMs) as EpochMs;
  const kept = history.transitions.filter((transition) => transition.atMs < fromMs);
  return {
    history: { ...history, transitions: append(kept, unknownAt(fromMs, reason)), recent: [], knownUntilMs: fromMs },
    changedFromMs: fromMs,
  };
}

const unknownAt = (atMs: EpochMs, unknownReason: UnknownReason): Transition => ({
  atMs,
  state: 'unknown',
  unknownReason,
  lowMs: atMs,
  highMs: atMs,
  evidence: [],
});

function append(transitions: readonly Transition[], next: Transition): readonly Transition[] {
  const last = transitions.at(-1);
  return last !== undefined && last.state === next.state && last.unknownReason === next.unknownReason
    ? transitions
    : [...transitions, next];
}

const seenAt = (attempt: Remembered, rules: CheckRules, evidence: readonly Attempt[]): Transition => ({
  atMs: attempt.atMs,
  state: attempt.seen,
  lowMs: ((attempt.previousAtMs ?? attempt.atMs) - (attempt.uncertaintyMs ?? 0)) as EpochMs,
  highMs: (attempt.endMs + (attempt.uncertaintyMs ?? 0)) as EpochMs,
  evidence: evidence.map(({ atMs, detail }): Evidence => ({ check: rules.check, atMs, detail })),
});

/**
 * Takes one attempt in. Attempts come in the order of their starts; one that is not newer than the last is ignored (a clock
 * that stepped back must not write the same time twice). A failing attempt below confirmation leaves the state as it was, or
 * unknown where nothing was known; the attempt that confirms moves the outage back to the first failing attempt that counted,
 * whatever stood there. A gap in what is known ends the counting. `gapReason` names a gap that this attempt closes.
 */
export function applyAttempt(
  history: CheckHistory,
  attempt: Attempt,
  options: { rules: CheckRules; gapReason?: UnknownReason },
): HistoryStep {
  const { rules } = options;
  const { lastAtMs, knownUntilMs } = history;
  if (lastAtMs !== null && attempt.atMs <= lastAtMs) return { history, changedFromMs: null };
  // A lapse may have been written while this attempt was under way; the attempt's start decides, not the moment it arrived.
  let transitions: readonly Transition[] = history.transitions.filter((transition) => transition.atMs < attempt.atMs);
  let changedFromMs = transitions.length < history.transitions.length ? attempt.atMs : null;
  const gap = knownUntilMs !== null && attempt.atMs > knownUntilMs;
  if (gap && transitions.at(-1)?.state !== 'unknown') {
    transitions = append(transitions, unknownAt(knownUntilMs, options.gapReason ?? 'no_data'));
    changedFromMs = knownUntilMs;
  }
  const current: Remembered = { ...attempt, previousAtMs: lastAtMs };
  const recent = [...(gap ? [] : history.recent), current].slice(-rules.confirm.of);
  const decided = decide(transitions, recent, { current, rules });
  const known = (attempt.atMs + validityMs(rules)) as EpochMs;
  const fromMs =
    decided.changedFromMs === null ? changedFromMs : (Math.min(decided.changedFromMs, changedFromMs ?? Number.MAX_SAFE_INTEGER) as EpochMs);
  return {
    history: { transitions: decided.transitions, lastAtMs: attempt.atMs, knownUntilMs: known, recent: decided.recent },
    changedFromMs: fromMs,
  };
}

type Decided = {
  readonly transitions: readonly Transition[];
  readonly recent: readonly Remembered[];
  readonly changedFromMs: EpochMs | null;
};

function decide(
  transitions: readonly Transition[],
  recent: readonly Remembered[],
  { current, rules }: { readonly current: Remembered; readonly rules: CheckRules },
): Decided {
  const state = transitions.at(-1)?.state;
  if (current.seen !== 'down') {
    if (state === current.seen) return { transitions, recent, changedFromMs: null };
    const next = append(transitions, seenAt(current, rules, [current]));
    return { transitions: next, recent: state === 'down' ? [] : recent, changedFromMs: current.atMs };
  }
  if (state === 'down') return { transitions, recent, changedFromMs: null };
  const failing = recent.filter((attempt) => attempt.seen === 'down');
  const first = failing[0];
  if (first !== undefined && failing.length >= rules.confirm.n) {
    const kept = transitions.filter((transition) => transition.atMs < first.atMs);
    return { transitions: append(kept, seenAt(first, rules, failing)), recent, changedFromMs: first.atMs };
  }
  if (state !== undefined) return { transitions, recent, changedFromMs: null };
  return { transitions: [unknownAt(current.atMs, 'no_data')], recent, changedFromMs: current.atMs };
}

/** Drops transitions that were over before `beforeMs`; the one in force then stays, so that the state at every later instant is known. */
export function forgetBefore(history: CheckHistory, beforeMs: EpochMs): CheckHistory {
  const keepFrom = history.transitions.findLastIndex((transition) => transition.atMs <= beforeMs);
  return keepFrom <= 0 ? history : { ...history, transitions: history.transitions.slice(keepFrom) };
}
