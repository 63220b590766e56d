import { LOCALE } from '../figures/instant.ts';

/** The stretch of days that a calendar of shifts shows, in the reader's time zone. Pure. */

export const VIEWS = ['week', 'month'] as const;
export type CalendarViewName = (typeof VIEWS)[number];

export type Shown = {
  readonly fromMs: number;
  readonly toMs: number;
  /** Midnights from the first day on, the end included. */
  readonly midnights: readonly number[];
  /** First days of the stretches before and after, as addresses carry them. */
  readonly earlier: string;
  readonly later: string;
};

const two = (value: number): string => String(value).padStart(2, '0');
const dayText = (date: Date): string => `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;

/** The week (from Monday) or the month in which a day lies; without a readable day the one of `nowMs`. Days of 23 and 25 hours are as they are. */
export function shownAround(view: CalendarViewName, day: string | undefined, nowMs: number): Shown {
  const [, year, month, date] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(day ?? '') ?? [];
  const now = new Date(nowMs);
  const inside =
    year === undefined
      ? new Date(now.getFullYear(), now.getMonth(), now.getDate())
      : new Date(Number(year), Number(month) - 1, Number(date));
  const first =
    view === 'week'
      ? new Date(inside.getFullYear(), inside.getMonth(), inside.getDate() - ((inside.getDay() + 6) % 7))
      : new Date(inside.getFullYear(), inside.getMonth(), 1);
  const moved = (by: number): Date =>
    view === 'week'
      ? new Date(first.getFullYear(), first.getMonth(), first.getDate() + 7 * by)
      : new Date(first.getFullYear(), first.getMonth() + by, 1);
  const toMs = moved(1).getTime();
  const midnights: number[] = [];
  for (let at = first; at.getTime() <= toMs; at = new Date(at.getFullYear(), at.getMonth(), at.getDate() + 1)) midnights.push(at.getTime());
  return { fromMs: first.getTime(), toMs, midnights, earlier: dayText(moved(-1)), later: dayText(moved(1)) };
}

/** Where a bar lies between the ends of what is shown, in percent. */
export function placeOf(
  bar: { readonly from_at_ms: number; readonly to_at_ms: number },
  { fromMs, toMs }: Pick<Shown, 'fromMs' | 'toMs'>,
): { readonly left: string; readonly width: string } {
  const share = (atMs: number): number => ((Math.min(Math.max(atMs, fromMs), toMs) - fromMs) / (toMs - fromMs)) * 100;
  return { left: `${share(bar.from_at_ms)}%`, width: `${share(bar.to_at_ms) - share(bar.from_at_ms)}%` };
}

const dayAndClock = new Intl.DateTimeFormat(LOCALE, {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});

/** `Mon 16 Nov 09:00`, in the reader's time zone: shifts begin at minutes of weekdays. */
export const shiftInstant = (atMs: number): string => dayAndClock.format(atMs).replaceAll(',', '');
