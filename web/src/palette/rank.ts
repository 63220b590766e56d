/** How well texts answer what somebody types, and the best answers of many. Pure. */

export type Ranked = {
  readonly id: string;
  readonly word: string;
  /** What else it is found by. */
  readonly also?: string | undefined;
};

const EXACT = 100;
const BEGINS = 80;
const WORD_BEGINS = 60;
const HOLDS = 40;
const LETTERS = 15;
/** What was opened lately comes first among equals. */
const RECENT = 12;
/** A match in what a thing is also found by counts less than one in its name. */
const ALSO = 0.6;

/** 0: `text` does not hold the letters of `typed` in their order. Both in lower case. */
function scoreOf(typed: string, text: string): number {
  if (text === typed) return EXACT;
  if (text.startsWith(typed)) return BEGINS;
  const at = text.indexOf(typed);
  if (at > 0) return /[\p{L}\p{N}]/u.test(text[at - 1] ?? '') ? HOLDS : WORD_BEGINS;
  if (typed.length < 3) return 0;
  let from = -1;
  let gaps = 0;
  for (const letter of typed) {
    const found = text.indexOf(letter, from + 1);
    if (found < 0) return 0;
    if (from >= 0) gaps += found - from - 1;
    from = found;
  }
  // Letters that are strewn over a long text are no answer.
  return gaps > typed.length * 2 ? 0 : LETTERS - gaps;
}

/** 0: not every word that was typed is found. */
export function rankOf(query: string, { word, also = '' }: Omit<Ranked, 'id'>): number {
  const typed = query
    .toLowerCase()
    .split(/\s+/)
    .filter((one) => one !== '');
  const [name, other] = [word.toLowerCase(), also.toLowerCase()];
  let sum = 0;
  for (const one of typed) {
    const score = Math.max(scoreOf(one, name), scoreOf(one, other) * ALSO);
    if (score <= 0) return 0;
    sum += score;
  }
  // Of two that hold it, the shorter says it more exactly.
  return sum - Math.min(name.length, 100) / 20;
}

/** The best `most`, the best first; without a query what was opened lately, then the others in their order. */
export function best<Entry extends Ranked>(
  query: string,
  entries: readonly Entry[],
  { recent, most }: { readonly recent: readonly string[]; readonly most: number },
): readonly Entry[] {
  const lately = new Map(recent.map((id, place) => [id, place]));
  if (query.trim() === '') {
    const byPlace = (a: Entry, b: Entry) => (lately.get(a.id) ?? recent.length) - (lately.get(b.id) ?? recent.length);
    return entries.toSorted(byPlace).slice(0, most);
  }
  return entries
    .flatMap((entry) => {
      const rank = rankOf(query, entry);
      return rank === 0 ? [] : [{ entry, rank: rank + (lately.has(entry.id) ? RECENT : 0) }];
    })
    .sort((a, b) => b.rank - a.rank)
    .slice(0, most)
    .map(({ entry }) => entry);
}
