/** When something is used up, in words and as a place on a scale of time. Pure. */
import type { CapacityRow } from '@nines/server/analytics/contract.ts';
import { byName } from '../figures/list.ts';
import { decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { type UnitText, differenceText } from './units.ts';

export type Standing = 'filling' | CapacityRow['state'];

/** What a line is filed under: what has a day to name is filling. */
export const standingOf = ({ state, days }: CapacityRow): Standing => (days === null ? state : 'filling');

export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  filling: t('Filling'),
  grows: t('Grows'),
  steady: t('Steady'),
  shrinks: t('Shrinks'),
  unclear: t('Unclear'),
  refused: t('Cannot be told'),
};

/** A length in days as people say it, rounded as the sentences of insights are: hours below two days, weeks from three, months above three, years above two. */
export function daysText(days: number): string {
  if (days < 2) return `${Math.max(1, Math.round(days * 24))} h`;
  if (days < 20.5) return t('{count, plural, one {# day} other {# days}}', { count: Math.round(days) });
  if (days < 92) return t('{count, plural, one {# week} other {# weeks}}', { count: Math.round(days / 7) });
  return days < 731
    ? t('{count, plural, one {# month} other {# months}}', { count: Math.round(days / 30.44) })
    : t('{count, plural, one {# year} other {# years}}', { count: Math.round(days / 365.25) });
}

/** `9 days to 3 weeks`; to a tenth of a day or hour where both ends read alike. */
function betweenText(lower: number, upper: number): string {
  const [from, to] = [daysText(lower), daysText(upper)];
  if (from !== to) return t('{from} to {to}', { from, to });
  const tenths = (value: number): string => decimalText(value.toFixed(1));
  return upper < 2
    ? t('{from} to {to} h', { from: tenths(lower * 24), to: tenths(upper * 24) })
    : t('{from} to {to} days', { from: tenths(lower), to: tenths(upper) });
}

/** `in 12 days`, and the interval; why there is none. */
export function fullIn({ days, days_lower: lower, days_upper: upper, value, limit, side }: CapacityRow): {
  readonly when: string;
  readonly between: string;
} {
  if (days === null) return { when: '–', between: '' };
  if (days === 0) {
    const isFull = value !== null && limit !== null && (side === 'above' ? value >= limit : value <= limit);
    return { when: isFull ? t('now') : t('in less than 1 h'), between: '' };
  }
  const between =
    lower === null ? '' : upper === null ? t('{from} to perhaps never', { from: daysText(lower) }) : betweenText(lower, upper);
  return { when: t('in {length}||days', { length: daysText(days) }), between };
}

export const paceText = ({ per_day: perDay, state }: CapacityRow, text: UnitText): string =>
  perDay === null
    ? '–'
    : state === 'steady' || state === 'unclear'
      ? t('no trend')
      : t('{amount} a day', { amount: differenceText(perDay, text) });

/** Days from one hour to two years, as a share of the scale's length; beyond is at its ends. */
const FIRST_DAYS = 1 / 24;
const LAST_DAYS = 730;
export function placeOf(days: number): number {
  const held = Math.min(LAST_DAYS, Math.max(FIRST_DAYS, days));
  return Math.log(held / FIRST_DAYS) / Math.log(LAST_DAYS / FIRST_DAYS);
}
export const SCALE_TICKS = [
  { days: 1, name: t('1 d||day') },
  { days: 7, name: t('1 w||week') },
  { days: 30, name: t('1 mo||month') },
  { days: 365, name: t('1 y||year') },
] as const;

/** The most urgent first: what is full soonest, then what leaks, then what grows; what cannot be told last. */
const ORDER: Readonly<Record<Standing, number>> = { filling: 0, grows: 1, unclear: 2, steady: 3, shrinks: 4, refused: 5 };
export function byUrgency(one: CapacityRow, other: CapacityRow): number {
  const days = (one.days ?? Number.POSITIVE_INFINITY) - (other.days ?? Number.POSITIVE_INFINITY);
  // Two that are never full differ by no number.
  if (Number.isFinite(days) ? days !== 0 : one.days !== other.days) return days;
  const leaks = Number(other.leak?.state === 'leaks') - Number(one.leak?.state === 'leaks');
  return leaks || ORDER[standingOf(one)] - ORDER[standingOf(other)] || byName(one.name, other.name);
}
