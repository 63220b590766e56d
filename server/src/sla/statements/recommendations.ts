import { lengthInWords } from '@nines/base/length-words.ts';
import { truncatedPercent } from '@nines/maths/slo/digits.ts';
import type { Statement } from './statement.ts';

/** Advice that follows from the figures, each with a stable code. */
export type Recommendation = { readonly code: string; readonly text: string };

type Figures = Omit<Statement, 'recommendations'>;
type Rule = (statement: Figures) => Recommendation | undefined;

/** One outage that spent this share of what was spent decided the period. */
const DECISIVE = 0.5;
const MANY_OUTAGES = 5;
const MUCH_UNKNOWN = 0.01;
/** A row of this many falling periods is no accident. */
const FALLING = 3;

/** What to do next, most urgent first. Pure: equal figures, equal advice. */
export const recommendationsFor = (statement: Figures): readonly Recommendation[] => RULES.flatMap((rule) => rule(statement) ?? []);

const percent = (ratio: number): string => `${truncatedPercent(ratio, 3).replace(/\.?0+$/, '')} %`;

const RULES: readonly Rule[] = [
  function decidedByOne({ downtimes, budget, period, known_until_at_ms: knownUntil }) {
    const endMs = knownUntil ?? period.to_at_ms;
    const lengths = downtimes.map((one) => ({
      one,
      ms: Math.min(one.to_at_ms ?? endMs, endMs) - Math.max(one.from_at_ms, period.from_at_ms),
    }));
    const longest = lengths.sort((a, b) => b.ms - a.ms)[0];
    if (longest === undefined || budget.spent_ms === 0 || longest.ms < DECISIVE * budget.spent_ms || downtimes.length < 2) return undefined;
    const when = new Date(longest.one.from_at_ms).toISOString();
    return {
      code: 'longest_outage',
      text: `The outage of ${when} alone lasted ${lengthInWords(longest.ms)} of the ${lengthInWords(budget.spent_ms)} that were bad; its cause comes first.`,
    };
  },
  function manyShort({ downtimes, status }) {
    if (downtimes.length < MANY_OUTAGES || status === 'met') return undefined;
    return {
      code: 'many_outages',
      text: `${downtimes.length} outages spent the budget together: look for what they share rather than at each.`,
    };
  },
  function unexplained({ downtimes }) {
    const open = downtimes.filter((one) => one.reason === 'unplanned_outage' && one.note === '').length;
    if (open === 0) return undefined;
    return {
      code: 'unexplained_outages',
      text: `${open} of ${downtimes.length} outages have no reason yet; give each its reason and a note.`,
    };
  },
  function withinDoubt({ attained_bounds: bounds, target }) {
    if (bounds === null || !(bounds[0] < target && target <= bounds[1])) return undefined;
    return {
      code: 'verdict_in_doubt',
      text: `The target lies within the doubt of the evidence, ${percent(bounds[0])} to ${percent(bounds[1])}: a shorter check interval would decide it.`,
    };
  },
  function unwatched({ unknown }) {
    if (unknown.share === null || unknown.share <= MUCH_UNKNOWN) return undefined;
    return {
      code: 'much_unknown',
      text: `${percent(unknown.share)} of the time was not seen: a second place to check from would close such gaps.`,
    };
  },
  function young({ young: isYoung, observed_ms: observed }) {
    return isYoung
      ? { code: 'young', text: `Monitoring covers ${lengthInWords(observed)} of the period; the next one will say more.` }
      : undefined;
  },
  function falling({ trend, attained }) {
    const row = [...trend.map((one) => one.attained), attained].slice(-FALLING - 1);
    const isFalling =
      row.length > FALLING && row.every((value, i) => value !== null && (i === 0 || value < (row[i - 1] ?? Number.NEGATIVE_INFINITY)));
    return isFalling ? { code: 'falling', text: `Attained fell in each of the last ${FALLING} periods.` } : undefined;
  },
];
