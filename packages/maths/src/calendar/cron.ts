import { type Result, err, ok } from '@nines/base/result.ts';
import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';

/**
 * Five fields of cron: minute, hour, day of the month, month, day of the week. As in Vixie's cron, a day matches when either of the two day
 * fields does if both are restricted (do not begin with `*`), otherwise when both do.
 */
export type Cron = {
  /** Wall clock times of a day in milliseconds, ascending. */
  readonly timesMs: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** Sunday is 0. */
  readonly weekdays: ReadonlySet<number>;
  readonly anyOfDays: boolean;
};

type Field = { readonly name: string; readonly min: number; readonly max: number; readonly names?: readonly string[] };
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const FIELDS: readonly Field[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day of the month', min: 1, max: 31 },
  { name: 'month', min: 1, max: 12, names: MONTHS },
  { name: 'day of the week', min: 0, max: 7, names: WEEKDAYS },
];
const SHORT: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

/** Reads `30 2 * * sun`, `0-59/15 8-18 * * 1-5` or `@daily`. The error says which field is wrong. */
export function parseCron(text: string): Result<Cron, string> {
  const written = text.trim().toLowerCase();
  const fields = (SHORT[written] ?? written).split(/\s+/);
  if (fields.length !== FIELDS.length) {
    return err(`not a cron expression: "${text}" (write five fields, minute hour day month weekday, for example "30 2 * * sun")`);
  }
  const sets: ReadonlySet<number>[] = [];
  for (const [i, field] of FIELDS.entries()) {
    const values = valuesOf(fields[i] ?? '', field);
    if (values === undefined) return err(`not a cron expression: "${text}": the ${field.name} cannot be "${fields[i]}"`);
    sets.push(values);
  }
  const [minutes = new Set(), hours = new Set(), days = new Set(), months = new Set(), weekdays = new Set()] = sets;
  const timesMs = [...hours].flatMap((hour) => [...minutes].map((minute) => (hour * 60 + minute) * MINUTE_MS)).sort((a, b) => a - b);
  const cron: Cron = {
    timesMs,
    days,
    months,
    weekdays: new Set([...weekdays].map((day) => day % 7)),
    anyOfDays: !(fields[2]?.startsWith('*') ?? false) && !(fields[4]?.startsWith('*') ?? false),
  };
  // 30 February never comes. Within eight years every day of the calendar does, but for leap days around 2100.
  for (let day = 0; day < 8 * 366; day++) if (cronMatchesDay(cron, day)) return ok(cron);
  return err(`the cron expression "${text}" never comes: the calendar has no such day`);
}

function valuesOf(text: string, field: Field): ReadonlySet<number> | undefined {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const parts = /^(\*|[a-z0-9]+)(?:-([a-z0-9]+))?(?:\/(\d{1,2}))?$/.exec(part);
    if (parts === null) return undefined;
    const [, first = '', second, step] = parts;
    const from = first === '*' ? field.min : numberOf(first, field);
    const open = first === '*' || step !== undefined;
    const to = second === undefined ? (open ? field.max : from) : numberOf(second, field);
    const by = Number(step ?? 1);
    if (from === undefined || to === undefined || (first === '*' && second !== undefined) || from > to || by === 0) return undefined;
    for (let value = from; value <= to; value += by) values.add(value);
  }
  return values;
}

function numberOf(text: string, { min, max, names }: Field): number | undefined {
  const named = names?.indexOf(text) ?? -1;
  const value = named >= 0 ? named + min : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

/** Whether it comes on a day, counted from 1970-01-01. */
export function cronMatchesDay({ days, months, weekdays, anyOfDays }: Cron, day: number): boolean {
  const date = new Date(day * DAY_MS);
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const [ofMonth, ofWeek] = [days.has(date.getUTCDate()), weekdays.has(date.getUTCDay())];
  return anyOfDays ? ofMonth || ofWeek : ofMonth && ofWeek;
}
