/** Intervals of wall-clock time in which routes rest, or in which alone they speak. Source: alertmanager timeinterval/timeinterval.go. */
import { isZone, wallClockMs } from '@nines/maths/calendar/zone.ts';
import { z } from 'zod';

/** Both ends included. */
type Range = { readonly begin: number; readonly end: number };

/** All fields that are given must hold; of each field one range is enough. A field that is given without ranges never holds. */
export type TimeInterval = {
  /** Minutes of the day, `end` excluded; 24:00 is 1440. */
  readonly times?: readonly Range[] | undefined;
  /** Sunday is 0. */
  readonly weekdays?: readonly Range[] | undefined;
  /** Negative days count from the end of the month, whose last day is -1. */
  readonly days_of_month?: readonly Range[] | undefined;
  readonly months?: readonly Range[] | undefined;
  readonly years?: readonly Range[] | undefined;
  /** An IANA name; `Local` is the server's. */
  readonly location: string;
};
export type NamedIntervals = { readonly name: string; readonly time_intervals: readonly TimeInterval[] };

const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const MONTHS = ['january', 'february', 'march', 'april', 'may', 'june', 'july', 'august', 'september', 'october', 'november', 'december'];
const MAX_DAY = 31;
/** Whether a range of days ends before it begins is judged by the shortest month. */
const SHORTEST_MONTH = 28;

const integer = (text: string): number | undefined => (/^[+-]?\d{1,9}$/.test(text) ? Number(text) : undefined);

type Kind = {
  readonly noun: string;
  readonly member: (text: string) => number | undefined;
  readonly fault?: (range: Range) => string | undefined;
};

/** `a`, or `a:b` with both ends included. */
const rangeOf = ({ noun, member, fault }: Kind) =>
  z.union([z.string(), z.number().transform(String)]).transform((text, context): Range => {
    const complain = (message: string): typeof z.NEVER => {
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    };
    const parts = text.toLowerCase().split(':');
    if (parts.length > 2) return complain(`"${text}" is no range of ${noun}s: write one, or two with a colon between them`);
    const ends = parts.map(member);
    const unread = ends.indexOf(undefined);
    const [begin, end = begin] = ends;
    if (unread >= 0 || begin === undefined || end === undefined) return complain(`"${parts[unread]}" is no ${noun}`);
    const wrong = fault?.({ begin, end }) ?? (fault === undefined && begin > end ? `"${text}" ends before it begins` : undefined);
    return wrong === undefined ? { begin, end } : complain(wrong);
  });

const weekday = rangeOf({
  noun: 'weekday',
  member: (text) => (WEEKDAYS.includes(text) ? WEEKDAYS.indexOf(text) : undefined),
});
const dayOfMonth = rangeOf({
  noun: 'day of the month',
  member: integer,
  fault: ({ begin, end }) => {
    const outside = [begin, end].find((day) => day === 0 || Math.abs(day) > MAX_DAY);
    if (outside !== undefined) return `${outside} is no day of the month: write 1 to 31, or -1 for the last day down to -31`;
    if (begin < 0 && end > 0) return 'a range that begins with a negative day ends with one';
    const early = (day: number): number => (day < 0 ? SHORTEST_MONTH + day : day);
    return early(begin) > early(end) ? `day ${end} is always before day ${begin}` : undefined;
  },
});
const month = rangeOf({
  noun: 'month',
  member: (text) => (MONTHS.includes(text) ? MONTHS.indexOf(text) + 1 : integer(text)),
});
const year = rangeOf({ noun: 'year', member: integer });

const minute = z
  .string()
  .regex(/^(?:(?:[01]\d|2[0-3]):[0-5]\d|24:00)$/, 'write a time as 09:30; the end of the day is 24:00')
  .transform((text) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3)));
const time = z.strictObject({ start_time: minute, end_time: minute }).transform(({ start_time: begin, end_time: end }, context): Range => {
  if (begin < end) return { begin, end };
  context.addIssue({ code: 'custom', message: 'the end must lie after the start; a span over midnight is written as two' });
  return z.NEVER;
});

const listOf = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((ranges) => ranges ?? undefined);

export const timeInterval = z.strictObject({
  times: listOf(time),
  weekdays: listOf(weekday),
  days_of_month: listOf(dayOfMonth),
  months: listOf(month),
  years: listOf(year),
  location: z
    .string()
    .default('UTC')
    .transform((name) => (name === '' ? 'UTC' : name))
    .refine(
      (name) => name === 'Local' || (/^[A-Za-z]/.test(name) && isZone(name)),
      'no such time zone: write a name of the IANA list, as Europe/Berlin, or Local',
    ),
});

/** One entry of `time_intervals`. */
export const namedIntervals = z.strictObject({ name: z.string().min(1), time_intervals: z.array(timeInterval).default([]) });

export const isWithin = (intervals: readonly TimeInterval[], atMs: number): boolean =>
  intervals.some((interval) => contains(interval, atMs));

function contains({ times, weekdays, days_of_month: days, months, years, location }: TimeInterval, atMs: number): boolean {
  const wall = new Date(wallClockMs(atMs, zoneOf(location)));
  const inside = (ranges: readonly Range[] | undefined, value: number): boolean =>
    ranges === undefined || ranges.some(({ begin, end }) => value >= begin && value <= end);
  const minuteOfDay = wall.getUTCHours() * 60 + wall.getUTCMinutes();
  return (
    inside(years, wall.getUTCFullYear()) &&
    inside(months, wall.getUTCMonth() + 1) &&
    inside(weekdays, wall.getUTCDay()) &&
    (days === undefined || days.some((range) => isDayWithin(range, wall))) &&
    (times === undefined || times.some(({ begin, end }) => minuteOfDay >= begin && minuteOfDay < end))
  );
}

const zoneOf = (location: string): string => (location === 'Local' ? new Intl.DateTimeFormat().resolvedOptions().timeZone : location);

/** A range that begins after the month's last day is empty in that month; every other one is cut to the month. */
function isDayWithin({ begin, end }: Range, wall: Date): boolean {
  const daysInMonth = new Date(Date.UTC(wall.getUTCFullYear(), wall.getUTCMonth() + 1, 0)).getUTCDate();
  const dayOf = (day: number): number => (day < 0 ? daysInMonth + day + 1 : day);
  return dayOf(begin) <= daysInMonth && wall.getUTCDate() >= dayOf(begin) && wall.getUTCDate() <= Math.min(dayOf(end), daysInMonth);
}

const twoDigits = (value: number): string => String(value).padStart(2, '0');
const clock = (minutes: number): string => `${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;

/** As Alertmanager writes it. */
export function writtenInterval({ times, weekdays, days_of_month: days, months, years, location }: TimeInterval): Record<string, unknown> {
  const ranges = (of: readonly Range[] | undefined, name: (value: number) => string): readonly string[] | undefined =>
    of?.map(({ begin, end }) => (begin === end ? name(begin) : `${name(begin)}:${name(end)}`));
  const written = {
    times: times?.map(({ begin, end }) => ({ start_time: clock(begin), end_time: clock(end) })),
    weekdays: ranges(weekdays, (value) => WEEKDAYS[value] ?? ''),
    days_of_month: ranges(days, String),
    months: ranges(months, (value) => MONTHS[value - 1] ?? String(value)),
    years: ranges(years, String),
    location,
  };
  return Object.fromEntries(Object.entries(written).filter(([, value]) => value !== undefined));
}
