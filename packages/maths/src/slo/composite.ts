import type { EpochMs } from '@nines/base/units.ts';
import { mergeHistories, unknownFrom, type Verdict } from './combine.ts';
import type { State, Transition } from './types.ts';

/**
 * A service that consists of others. It works while members of at least the weight `atLeast` work; a degraded member works. So series (all of
 * them), parallel (any of them), k of n and weighted are one rule: every weight 1 and `atLeast` n, 1 or k, or weights of their own.
 *
 * Three-valued: a member of which nothing is known may or may not work. What holds either way is known, all else is unknown.
 *
 * | weight of members                                   | the composite is |
 * | --------------------------------------------------- | ---------------- |
 * | up alone reaches `atLeast`                          | up               |
 * | up and degraded reach it                            | degraded         |
 * | up, degraded and unknown together do not            | down             |
 * | otherwise                                           | unknown          |
 *
 * In a series every member must be up for it to be up: one degraded member makes it degraded.
 */
export type CompositeRule = {
  /** At least one, none twice. Weights are positive integers. */
  readonly members: readonly { readonly id: string; readonly weight: number }[];
  /** From 1 to the sum of the weights. */
  readonly atLeast: number;
};

/** What a composite is when its members, in the order of the rule, are in these states; undefined: its monitoring has not begun. */
export function composeStates(states: readonly (Transition | undefined)[], { members, atLeast }: CompositeRule): Verdict {
  const those = (...wanted: readonly State[]): number[] =>
    states
      .keys()
      .toArray()
      .filter((i) => wanted.includes(states[i]?.state ?? 'unknown'));
  const weightOf = (indices: readonly number[]): number => indices.reduce((sum, i) => sum + (members[i]?.weight ?? 0), 0);
  const [up, degraded, unknown] = [those('up'), those('degraded'), those('unknown')];
  if (weightOf(up) >= atLeast) return { state: 'up', deciders: up };
  if (weightOf([...up, ...degraded]) >= atLeast) return { state: 'degraded', deciders: degraded };
  if (weightOf([...up, ...degraded, ...unknown]) < atLeast) return { state: 'down', deciders: those('down') };
  return unknownFrom(
    unknown.map((i) => states[i]?.unknownReason ?? 'not_yet_monitored'),
    unknown,
  );
}

/**
 * The composite's history from `fromMs` on, from those of its members in the order of the rule. Its monitoring begins when that of every member
 * has; `begun` says that it had before, for a rule that replaces another.
 */
export function composeFrom(
  histories: readonly (readonly Transition[])[],
  rule: CompositeRule,
  { fromMs, begun }: { readonly fromMs: EpochMs; readonly begun: boolean },
): Transition[] {
  const startMs = begun ? fromMs : Math.max(fromMs, ...histories.map((history) => history[0]?.atMs ?? Number.POSITIVE_INFINITY));
  if (startMs === Number.POSITIVE_INFINITY) return [];
  const named = histories.map((history, i) => ofMember(history, rule.members[i]?.id ?? ''));
  return mergeHistories(named, startMs as EpochMs, (states) => composeStates(states, rule));
}

/** The evidence of a member says whose it is. */
const ofMember = (history: readonly Transition[], member: string): readonly Transition[] =>
  history.map((transition) =>
    transition.evidence.length === 0
      ? transition
      : { ...transition, evidence: transition.evidence.map((one) => ({ ...one, service: one.service ?? member })) },
  );
