import type { EpochMs } from '@nines/base/units.ts';

/**
 * Flapping: a check that changes its state so often that the single change says nothing any more. The measure is that of Nagios and
 * Icinga: the share of changes among the last states, newer ones weighing more, with one limit to enter and a lower one to leave, so that a
 * share at the edge does not itself flap. What is counted are the states that the check was judged to have, not its raw results.
 */

/** In percent of the changes that are possible, 0 to 100; `leave` is not above `enter`. */
export type FlapLimits = { readonly enter: number; readonly leave: number };

export type SteadyState = 'up' | 'degraded' | 'down';

export type FlapHistory = {
  /** The states after the last decided attempts, oldest first, at most `FLAP_WINDOW`. */
  readonly states: readonly SteadyState[];
  /** The attempt that began it; null while the check is steady. */
  readonly sinceMs: EpochMs | null;
};

/** States that are looked at, as in Nagios: 20 changes at most lie between them. */
export const FLAP_WINDOW = 21;
/** The oldest change weighs this, the newest `2 - OLDEST_WEIGHT`; together they weigh as many as there are. */
const OLDEST_WEIGHT = 0.8;

export const STEADY: FlapHistory = { states: [], sinceMs: null };

/**
 * The weighted share of changes, in percent. A window that is not full yet is read as if the check had been before it what it was
 * first: too little is known to say that it flaps.
 */
export function changePercent(states: readonly SteadyState[]): number {
  const possible = FLAP_WINDOW - 1;
  const missing = FLAP_WINDOW - states.length;
  let weight = 0;
  for (let i = 1; i < states.length; i++) {
    if (states[i] === states[i - 1]) continue;
    const place = missing + i - 1;
    weight += OLDEST_WEIGHT + (place * 2 * (1 - OLDEST_WEIGHT)) / (possible - 1);
  }
  return (weight / possible) * 100;
}

/** What a new state means, and why. `changed` tells that flapping began or ended with it. */
export type FlapDecision = { readonly history: FlapHistory; readonly changed: 'began' | 'ended' | null; readonly reason: string };

/** Takes the state after one decided attempt in. */
export function noteState(
  before: FlapHistory,
  seen: { readonly state: SteadyState; readonly atMs: EpochMs },
  limits: FlapLimits,
): FlapDecision {
  const states = [...before.states, seen.state].slice(-FLAP_WINDOW);
  const percent = changePercent(states);
  const flaps = before.sinceMs === null ? percent >= limits.enter : percent > limits.leave;
  const sinceMs = flaps ? (before.sinceMs ?? seen.atMs) : null;
  const changed = (before.sinceMs === null) === (sinceMs === null) ? null : flaps ? 'began' : 'ended';
  return { history: { states, sinceMs }, changed, reason: reasonOf(percent, { flaps, limits }) };
}

function reasonOf(percent: number, { flaps, limits }: { readonly flaps: boolean; readonly limits: FlapLimits }): string {
  const share = `${Math.round(percent)} % of its last ${FLAP_WINDOW} states were changes`;
  return flaps ? `${share}; it is steady again at ${limits.leave} %` : `${share}; it flaps from ${limits.enter} %`;
}
