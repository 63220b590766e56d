import type { IntervalView } from '../api/wire.ts';
import { exactInstant } from '../figures/instant.ts';
import { lengthText } from '../figures/length.ts';
import { fromServer } from '../language/server-text.ts';
import { t } from '../language/t.ts';
import { type MarkState, STATE_WORDS, unknownWhy } from '../states/words.ts';

/** What a time line shows: the ledger's intervals, or stretches that a contract takes out. */
export type Stretch = Omit<IntervalView, 'state'> & { readonly state: MarkState };

/** Why the interval is what it is, in a few words: the evidence of the first check, or why nothing is known. */
export function whyText(interval: Stretch): string {
  if (interval.state === 'unknown') return unknownWhy(interval.unknown_reason);
  const first = interval.evidence?.[0];
  if (first === undefined) return '';
  return first.detail === '' ? first.check : `${first.check}: ${fromServer(first.detail)}`;
}

/** One interval as a sentence: state, since, how long, why. `nowMs` decides whether the year is named. */
export function intervalSentence(interval: Stretch, nowMs: number): string {
  const length = lengthText(interval.to_at_ms - interval.from_at_ms);
  const why = whyText(interval);
  const said = { state: STATE_WORDS[interval.state], from: exactInstant(interval.from_at_ms, nowMs), length };
  return why === '' ? t('{state} from {from} for {length}', said) : t('{state} from {from} for {length}: {why}', { ...said, why });
}
