import type { EpochMs } from '@nines/base/units.ts';
import type { Impact } from '@nines/maths/slo/combine.ts';
import type { Transition } from '@nines/maths/slo/types.ts';
import { voteFrom } from '@nines/maths/slo/vote.ts';
import type { CheckState } from './evaluate.ts';

/** Whose voice a history is, and how many of the check's voices must agree. */
export type VoiceOf = { readonly check: string; readonly location: string; readonly quorum: number };

/** What the ledger keeps a history of: a check, or what one location sees of it. Ids of checks contain no "@". */
export const subjectOf = (check: string, location: string | undefined): string => (location === undefined ? check : `${check}@${location}`);

/** A check as its service hears it, and the start of its newest attempt anywhere. */
export type Heard = {
  readonly check: string;
  readonly impact: Impact;
  readonly transitions: readonly Transition[];
  readonly lastAtMs: EpochMs | null;
};

/** The checks among these states; the locations of one check are heard as their vote. Those that left have no voice in it any more. */
export function heardOf(states: readonly (CheckState | undefined)[]): readonly Heard[] {
  const present = states.filter((state) => state !== undefined);
  const votes = Map.groupBy(present, (state) => state.vote?.check ?? state.rules.check);
  return [...votes].flatMap(([check, group]) => {
    const voices = group.filter((state) => state.vote !== undefined);
    const alone = group.filter((state) => state.vote === undefined);
    const heard = alone.map((state) => heardAs(check, state.history.transitions, [state]));
    const quorum = (voices.find((state) => state.active) ?? voices[0])?.vote?.quorum;
    if (quorum === undefined) return heard;
    const located = voices.map((state) => ({ location: state.vote?.location ?? '', transitions: state.history.transitions }));
    return [...heard, heardAs(check, voteFrom(check, located, quorum), voices)];
  });
}

function heardAs(check: string, transitions: readonly Transition[], states: readonly CheckState[]): Heard {
  const last = Math.max(...states.map(({ history }) => history.lastAtMs ?? 0));
  return { check, impact: states[0]?.impact ?? 'down', transitions, lastAtMs: last === 0 ? null : (last as EpochMs) };
}
