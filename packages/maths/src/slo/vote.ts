import type { EpochMs } from '@nines/base/units.ts';
import { mergeHistories, unknownFrom } from './combine.ts';
import type { Evidence, State, Transition, UnknownReason } from './types.ts';

/**
 * From what several locations saw of one check to the check's history. At every instant the locations that know something vote:
 *
 * | the voices say                                        | the check is |
 * | ----------------------------------------------------- | ------------ |
 * | fewer than the quorum know anything                   | unknown      |
 * | at least the quorum is down                           | down         |
 * | some are down, or at least the quorum is not well     | degraded     |
 * | otherwise                                             | up           |
 *
 * A location that is silent, cut off or away has no voice: it is never counted as down. What it saw meanwhile and tells later changes
 * the vote of the time in which it saw it.
 */
export type LocatedVoice = { readonly location: string; readonly transitions: readonly Transition[] };

export type VoteVerdict = {
  readonly state: State;
  /** Present exactly when `state` is `unknown`. */
  readonly unknownReason?: UnknownReason;
  /** How the vote went, in words: `2 of 3 say down (tokyo, berlin), 2 are needed`. */
  readonly reason: string;
};

/** What one location says; undefined: it never said anything. */
export type Ballot = { readonly location: string; readonly says: Pick<Transition, 'state' | 'unknownReason'> | undefined };

/** How the locations decide. Null when none of them has ever said anything. `quorum` is 1 to the number of locations. */
export function decideVote(ballots: readonly Ballot[], quorum: number): VoteVerdict | null {
  if (ballots.every(({ says }) => says === undefined)) return null;
  const saying = (...states: readonly State[]): readonly string[] =>
    ballots.filter(({ says }) => says !== undefined && states.includes(says.state)).map(({ location }) => location);
  const known = saying('up', 'degraded', 'down');
  const needed = `${quorum} ${quorum === 1 ? 'is' : 'are'} needed`;
  if (known.length < quorum) {
    const reasons = ballots.flatMap(({ says }) => says?.unknownReason ?? []);
    const spoke = known.length === 0 ? 'no location says anything' : `only ${known.join(', ')} of ${ballots.length} says anything`;
    const { unknownReason } = unknownFrom(reasons.length === 0 ? ['no_data'] : reasons, []);
    return { state: 'unknown', ...(unknownReason === undefined ? {} : { unknownReason }), reason: `${spoke}, ${needed}` };
  }
  const down = saying('down');
  const counted = (who: readonly string[], what: string): string =>
    `${who.length} of ${known.length} ${who.length === 1 ? 'says' : 'say'} ${what} (${who.join(', ')}), ${needed}`;
  if (down.length >= quorum) return { state: 'down', reason: counted(down, 'down') };
  if (down.length > 0) return { state: 'degraded', reason: counted(down, 'down') };
  const unwell = saying('degraded');
  if (unwell.length >= quorum) return { state: 'degraded', reason: counted(unwell, 'degraded') };
  return { state: 'up', reason: counted(saying('up'), 'up') };
}

/**
 * The check's history from what its locations saw, from the first instant that any of them remembers. A change carries the bounds of the
 * attempts that made it and the vote of every location as evidence, under the check's own id.
 */
export function voteFrom(check: string, voices: readonly LocatedVoice[], quorum: number): readonly Transition[] {
  const firsts = voices.flatMap(({ transitions }) => transitions[0]?.atMs ?? []);
  if (firsts.length === 0) return [];
  return mergeHistories(
    voices.map((voice) => voice.transitions),
    Math.min(...firsts) as EpochMs,
    (states, atMs) => {
      const verdict = decideVote(
        voices.map(({ location }, i) => ({ location, says: states[i] })),
        quorum,
      );
      if (verdict === null) return null;
      const { reason, ...rest } = verdict;
      const seen = voices.flatMap(({ location }, i) => evidenceOf(check, location, states[i]));
      return { ...rest, deciders: [], evidence: rest.state === 'unknown' ? [] : [{ check, atMs, detail: reason }, ...seen] };
    },
  );
}

/** What a location saw when it came to say what it says: `tokyo: connection refused`. */
const evidenceOf = (check: string, location: string, state: Transition | undefined): readonly Evidence[] =>
  (state?.evidence ?? []).slice(0, 1).map(({ atMs, detail }) => ({ check, atMs, detail: `${location}: ${detail}` }));
