import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS } from '@nines/base/units.ts';

/**
 * Recurrence rules of RFC 5545 as far as they are about days: FREQ from DAILY to YEARLY with INTERVAL, COUNT, UNTIL, BYDAY (with ordinals in
 * a month), BYMONTHDAY and BYMONTH. Weeks begin on Monday. The time of the day is the start's.
 */
export type Rrule = {
  readonly freq: 'DAILY' | 'WEEKLY' | 'MONTHLY' | 'YEARLY';
  readonly interval: number;
  /** Of the first occurrence. */
  readonly startWallMs: number;
  readonly byDay: readonly { readonly nth: number; readonly weekday: number }[];
  readonly byMonthDay: readonly number[];
  readonly byMonth: readonly number[];
  /** No occurrence begins after this day. */
  readonly lastDay: number;
};

const FREQS = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const;
const WEEKDAYS = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA'];
/** Occurrences that a rule may count to, and days looked at for them: a century. */
const MAX_COUNT = 10_000;
const MAX_DAYS = 36_525;
const MAX_INTERVAL = 1_000;

/** Reads `FREQ=MONTHLY;BYDAY=1SU`, which begins at a wall clock (as if it were UTC). The error names the part that is wrong. */
export function parseRrule(text: string, startWallMs: number): Result<Rrule, string> {
  const parts = new Map<string, string>();
  for (const part of text
    .trim()
    .toUpperCase()
    .replace(/^RRULE:/, '')
    .split(';')) {
    const [name = '', value] = part.split('=');
    if (value === undefined || value === '' || parts.has(name))
      return err(`not a recurrence rule: "${text}" (write for example FREQ=WEEKLY;BYDAY=SU)`);
    parts.set(name, value);
  }
  const unknown = [...parts.keys()].find((name) => !KNOWN.has(name));
  if (unknown !== undefined) return err(`recurrence rules know no ${unknown} here (known are ${[...KNOWN].join(', ')})`);
  if (parts.get('WKST') !== undefined && parts.get('WKST') !== 'MO') return err('weeks begin on Monday: WKST can only be MO');
  const freq = FREQS.find((known) => known === parts.get('FREQ'));
  if (freq === undefined) return err(`FREQ must be one of ${FREQS.join(', ')}`);
  const fields = fieldsOf(parts);
  if (!fields.ok) return fields;
  const fault = contradiction(freq, fields.value);
  if (fault !== undefined) return err(fault);
  return bounded({ freq, startWallMs, ...fields.value }, parts);
}

const KNOWN: ReadonlySet<string> = new Set(['FREQ', 'INTERVAL', 'COUNT', 'UNTIL', 'BYDAY', 'BYMONTHDAY', 'BYMONTH', 'WKST']);

type Fields = Pick<Rrule, 'interval' | 'byDay' | 'byMonthDay' | 'byMonth'>;

function fieldsOf(parts: ReadonlyMap<string, string>): Result<Fields, string> {
  const interval = Number(parts.get('INTERVAL') ?? 1);
  if (!Number.isInteger(interval) || interval < 1 || interval > MAX_INTERVAL) return err(`INTERVAL must be between 1 and ${MAX_INTERVAL}`);
  const byDay = (parts.get('BYDAY')?.split(',') ?? []).map((day) => {
    const read = /^([+-]?[1-5])?(SU|MO|TU|WE|TH|FR|SA)$/.exec(day);
    return read === null ? undefined : { nth: Number(read[1] ?? 0), weekday: WEEKDAYS.indexOf(read[2] ?? '') };
  });
  const byMonthDay = (parts.get('BYMONTHDAY')?.split(',') ?? []).map(Number);
  const byMonth = (parts.get('BYMONTH')?.split(',') ?? []).map(Number);
  const days = byDay.filter((day) => day !== undefined);
  if (days.length < byDay.length) return err(`BYDAY cannot be "${parts.get('BYDAY')}" (write for example MO,WE or 1SU or -1FR)`);
  if (byMonthDay.some((day) => !Number.isInteger(day) || day === 0 || Math.abs(day) > 31))
    return err('BYMONTHDAY must be 1 to 31, or -31 to -1 from the end');
  if (byMonth.some((month) => !Number.isInteger(month) || month < 1 || month > 12)) return err('BYMONTH must be 1 to 12');
  return ok({ interval, byDay: days, byMonthDay, byMonth });
}

function contradiction(freq: Rrule['freq'], { byDay, byMonthDay, byMonth }: Fields): string | undefined {
  const hasOrdinal = byDay.some(({ nth }) => nth !== 0);
  if (hasOrdinal && (freq === 'DAILY' || freq === 'WEEKLY')) return `BYDAY with a number needs FREQ=MONTHLY or YEARLY, not ${freq}`;
  if (hasOrdinal && freq === 'YEARLY' && byMonth.length === 0) return 'BYDAY with a number and FREQ=YEARLY needs BYMONTH';
  if (freq === 'WEEKLY' && byMonthDay.length > 0) return 'BYMONTHDAY and FREQ=WEEKLY contradict each other';
  return undefined;
}

function bounded(rule: Omit<Rrule, 'lastDay'>, parts: ReadonlyMap<string, string>): Result<Rrule, string> {
  const [count, until] = [parts.get('COUNT'), parts.get('UNTIL')];
  if (count !== undefined && until !== undefined) return err('COUNT and UNTIL exclude each other');
  const startDay = Math.floor(rule.startWallMs / DAY_MS);
  const open: Rrule = { ...rule, lastDay: Number.MAX_SAFE_INTEGER };
  if (until !== undefined) {
    const lastDay = untilDay(until, rule.startWallMs);
    if (lastDay === undefined)
      return err(`UNTIL cannot be "${until}" (write a day of the zone, 20261231, or its wall clock, 20261231T235959)`);
    if (lastDay < startDay) return err('UNTIL lies before the start');
    return ok({ ...open, lastDay });
  }
  const wanted = count === undefined ? 1 : Number(count);
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MAX_COUNT) return err(`COUNT must be between 1 and ${MAX_COUNT}`);
  let found = 0;
  for (let day = startDay; day <= startDay + MAX_DAYS; day++) {
    if (!rruleMatchesDay(open, day) || ++found < wanted) continue;
    return ok(count === undefined ? open : { ...open, lastDay: day });
  }
  return found === 0 ? err('the recurrence rule never comes: the calendar has no such day') : ok(open);
}

/** The last day on which an occurrence may begin. The rule's times are the zone's, so UNTIL is read as the zone's wall clock too. */
function untilDay(text: string, startWallMs: number): number | undefined {
  const read = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2}))?$/.exec(text);
  if (read === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 23, minute = 59, second = 59] = read
    .slice(1)
    .map((part) => (part === undefined ? undefined : Number(part)));
  const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
  if (new Date(wallMs).getUTCDate() !== day || month > 12 || hour > 23) return undefined;
  const timeMs = startWallMs - Math.floor(startWallMs / DAY_MS) * DAY_MS;
  return Math.floor((wallMs - timeMs) / DAY_MS);
}

/** Whether an occurrence begins on a day, counted from 1970-01-01. */
export function rruleMatchesDay(rule: Rrule, day: number): boolean {
  const startDay = Math.floor(rule.startWallMs / DAY_MS);
  if (day < startDay || day > rule.lastDay) return false;
  const [date, start] = [new Date(day * DAY_MS), new Date(startDay * DAY_MS)];
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(date.getUTCMonth() + 1)) return false;
  if (periodsBetween(rule.freq, start, date) % rule.interval !== 0) return false;
  if (rule.byMonthDay.length > 0 && !rule.byMonthDay.some((wanted) => isMonthDay(date, wanted))) return false;
  if (rule.byDay.length > 0) return rule.byDay.some((wanted) => isWeekday(date, wanted));
  return rule.byMonthDay.length > 0 || isLikeStart(rule, start, date);
}

/** What FREQ alone repeats of the start. */
function isLikeStart({ freq, byMonth }: Rrule, start: Date, date: Date): boolean {
  switch (freq) {
    case 'DAILY':
      return true;
    case 'WEEKLY':
      return date.getUTCDay() === start.getUTCDay();
    case 'MONTHLY':
      return date.getUTCDate() === start.getUTCDate();
    case 'YEARLY':
      return date.getUTCDate() === start.getUTCDate() && (byMonth.length > 0 || date.getUTCMonth() === start.getUTCMonth());
  }
}

function periodsBetween(freq: Rrule['freq'], start: Date, date: Date): number {
  const days = (date.getTime() - start.getTime()) / DAY_MS;
  const years = date.getUTCFullYear() - start.getUTCFullYear();
  switch (freq) {
    case 'DAILY':
      return days;
    case 'WEEKLY':
      return Math.floor((days + ((start.getUTCDay() + 6) % 7)) / 7);
    case 'MONTHLY':
      return years * 12 + date.getUTCMonth() - start.getUTCMonth();
    case 'YEARLY':
      return years;
  }
}

const daysOfMonth = (date: Date): number => new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();

const isMonthDay = (date: Date, wanted: number): boolean => date.getUTCDate() === (wanted > 0 ? wanted : daysOfMonth(date) + 1 + wanted);

function isWeekday(date: Date, { nth, weekday }: { readonly nth: number; readonly weekday: number }): boolean {
  if (date.getUTCDay() !== weekday) return false;
  if (nth === 0) return true;
  return nth > 0 ? Math.ceil(date.getUTCDate() / 7) === nth : Math.ceil((daysOfMonth(date) - date.getUTCDate() + 1) / 7) === -nth;
}
