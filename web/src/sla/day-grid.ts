/** The weeks of a calendar of days. Pure; days are named `2026-11-21`, weeks begin on Monday. */
import type { DayView } from '../api/wire.ts';
import { shortLengthText } from '../figures/length.ts';
import { t } from '../language/t.ts';

export type Week = { readonly monday: string; readonly days: readonly (DayView | null)[] };

const DAY_MS = 86_400_000;
/** The name as an instant, for reckoning with names alone: no zone is involved. */
const nameMs = (name: string): number => Date.parse(`${name}T00:00:00Z`);
/** Monday is 0. */
const weekday = (name: string): number => (new Date(nameMs(name)).getUTCDay() + 6) % 7;

/** Days, ascending, in rows of seven; places before the first and after the last are null. */
export function weeksOf(days: readonly DayView[]): readonly Week[] {
  const byMonday = Map.groupBy(days, ({ name }) => new Date(nameMs(name) - weekday(name) * DAY_MS).toISOString().slice(0, 10));
  return [...byMonday].map(([monday, ofWeek]) => ({
    monday,
    days: Array.from({ length: 7 }, (_, place) => ofWeek.find(({ name }) => weekday(name) === place) ?? null),
  }));
}

/** What stands in the square of a day: how long it was bad, where it was. */
export const dayFigure = ({ bad_ms: bad }: DayView): string => (bad === 0 ? '' : shortLengthText(bad));

/** How many days a calendar shows: the window and a week more, at least five weeks, at most thirteen. */
export function calendarDays(windowMs: number): number {
  return Math.min(91, Math.max(35, 7 * Math.ceil(windowMs / DAY_MS / 7 + 1)));
}

const WORDS: Readonly<Record<DayView['worst'], string>> = {
  up: t('up throughout'),
  degraded: 'degraded',
  down: 'down',
  unknown: t('partly unknown'),
  excluded: t('nothing promised'),
  unwatched: t('not yet monitored'),
};

export const worstWords = (worst: DayView['worst']): string => WORDS[worst];
