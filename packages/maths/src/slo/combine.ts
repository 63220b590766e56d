import type { EpochMs } from '@nines/base/units.ts';
import { type Evidence, type State, type Transition, UNKNOWN_REASONS, type UnknownReason } from './types.ts';

/**
 * From the histories of several checks to the history of their service.
 *
 * | the checks say                                                    | the service is |
 * | ----------------------------------------------------------------- | -------------- |
 * | a check of impact `down` is down                                  | down           |
 * | none is down, and one of impact `down` is unknown                 | unknown        |
 * | all of impact `down` are known, one is degraded, or one of impact `degraded` is degraded or down | degraded |
 * | otherwise, and at least one check is known                        | up             |
 * | no check is known                                                 | unknown        |
 *
 * Where `downAt` of the checks of impact `down` must be down for the service to be (never more than there are), it is unknown when those that
 * are unknown might make up the number, and degraded while some are down and they are too few.
 *
 * That is Kleene's logic for "all work": down OR unknown is down, up AND unknown is unknown. A check of impact `degraded`
 * cannot make a service down, so its silence hides nothing that matters and is passed over while another check is known. A
 * check that is paused, or that has never been attempted, has no voice.
 */
export type Impact = 'down' | 'degraded';

/** One check's voice: its impact and its history, ascending. */
export type Voice = { readonly impact: Impact; readonly transitions: readonly Transition[] };

export type Verdict = {
  readonly state: State;
  readonly unknownReason?: UnknownReason;
  readonly deciders: readonly number[];
  /** Instead of the evidence of those that decided. */
  readonly evidence?: readonly Evidence[];
};

/** Which of several unknowns names the whole: our own absence before a missing answer. */
const REASON_ORDER: readonly UnknownReason[] = ['monitor_down', 'clock_step', 'probe_isolated', 'no_data', 'paused', 'not_yet_monitored'];

/** Unknown, named by the gravest of the reasons. */
export function unknownFrom(reasons: readonly UnknownReason[], deciders: readonly number[]): Verdict {
  const unknownReason = REASON_ORDER.find((reason) => reasons.includes(reason)) ?? UNKNOWN_REASONS[0];
  return { state: 'unknown', unknownReason, deciders };
}

/** The service's state when the checks are in these (undefined: never attempted). Null when no check was ever attempted. */
export function combineStates(states: readonly (Transition | undefined)[], impacts: readonly Impact[], downAt = 1): Verdict | null {
  const indices = states.keys().toArray();
  const began = indices.filter((i) => states[i] !== undefined);
  if (began.length === 0) return null;
  const speaking = began.filter((i) => states[i]?.unknownReason !== 'paused');
  if (speaking.length === 0) return unknownFrom(['paused'], began);
  const is = (i: number, ...wanted: State[]): boolean => wanted.some((state) => states[i]?.state === state);
  const grave = speaking.filter((i) => impacts[i] === 'down');
  const needed = Math.min(downAt, Math.max(1, grave.length));
  const down = grave.filter((i) => is(i, 'down'));
  if (down.length >= needed) return { state: 'down', deciders: down };
  const silent = speaking.filter((i) => is(i, 'unknown'));
  const mightBeDown = grave.filter((i) => is(i, 'unknown'));
  const hiding = silent.length === speaking.length ? silent : down.length + mightBeDown.length >= needed ? mightBeDown : [];
  if (hiding.length > 0)
    return unknownFrom(
      hiding.flatMap((i) => states[i]?.unknownReason ?? []),
      hiding,
    );
  const degraded = speaking.filter((i) => is(i, 'degraded', 'down'));
  if (degraded.length > 0) return { state: 'degraded', deciders: degraded };
  return { state: 'up', deciders: speaking.filter((i) => is(i, 'up')) };
}

/** Evidence kept per transition; more checks than this failing at one instant say nothing new. */
const MAX_EVIDENCE = 16;

/**
 * The service's history from `fromMs` on: a transition at `fromMs` itself (when anything had begun by then), and one wherever
 * the combination changes. The first one carries the bounds of the check transition in force, which may lie earlier.
 */
export function combineFrom(voices: readonly Voice[], fromMs: EpochMs, downAt = 1): Transition[] {
  const impacts = voices.map((voice) => voice.impact);
  return mergeHistories(
    voices.map((voice) => voice.transitions),
    fromMs,
    (states) => combineStates(states, impacts, downAt),
  );
}

/** What several histories say together at one instant; a state is undefined where its history has not begun, the answer null where nothing has. */
export type Decide = (states: readonly (Transition | undefined)[], atMs: EpochMs) => Verdict | null;

/** One history of several, from `fromMs` on: `decide` is asked at `fromMs` and at every later instant at which one of them moves. */
export function mergeHistories(histories: readonly (readonly Transition[])[], fromMs: EpochMs, decide: Decide): Transition[] {
  const cursors = histories.map((transitions) => transitions.findLastIndex((transition) => transition.atMs <= fromMs));
  const instants = new Set<EpochMs>([fromMs]);
  for (const transitions of histories) for (const { atMs } of transitions) if (atMs > fromMs) instants.add(atMs);
  const merged: Transition[] = [];
  for (const atMs of [...instants].sort((a, b) => a - b)) {
    const states = histories.map((transitions, i) => {
      const next = transitions[(cursors[i] ?? -1) + 1];
      if (next !== undefined && next.atMs <= atMs) cursors[i] = (cursors[i] ?? -1) + 1;
      return transitions[cursors[i] ?? -1];
    });
    const verdict = decide(states, atMs);
    const last = merged.at(-1);
    if (verdict === null || (last?.state === verdict.state && last.unknownReason === verdict.unknownReason)) continue;
    merged.push(transitionOf(verdict, states, atMs));
  }
  return merged;
}

/** The one that moved at this instant knows the bounds; when silence made it, the instant is exact. */
function transitionOf(verdict: Verdict, states: readonly (Transition | undefined)[], atMs: EpochMs): Transition {
  const moved = states.filter((state) => state !== undefined && state.atMs === atMs && state.state !== 'unknown');
  const deciders = verdict.deciders.flatMap((i) => states[i] ?? []);
  const movers = verdict.state === 'up' ? deciders.filter((state) => state.atMs === atMs) : [];
  const seen = (movers.length > 0 ? movers : deciders).flatMap((state) => state.evidence);
  const evidence = (verdict.evidence ?? seen).slice(0, MAX_EVIDENCE);
  const lows = moved.map((state) => state?.lowMs ?? atMs);
  const highs = moved.map((state) => state?.highMs ?? atMs);
  return {
    atMs,
    state: verdict.state,
    ...(verdict.unknownReason === undefined ? {} : { unknownReason: verdict.unknownReason }),
    lowMs: Math.min(atMs, ...lows) as EpochMs,
    highMs: Math.max(atMs, ...highs) as EpochMs,
    evidence,
  };
}
