import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { BusinessHours, DayStretch } from '@nines/maths/calendar/hours.ts';
import { parsePeriod, unknownZone } from '@nines/maths/calendar/period.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { z } from 'zod';

/** Hours of the week as people write them. */

export const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type Weekday = (typeof WEEKDAYS)[number];
const MAX_STRETCHES = 24;
const MAX_HOLIDAYS = 2_000;

/** Hours in their stored form, without the zone whose clocks they mean: every weekday that has any. */
export type WeeklyHoursSpec = {
  readonly weekly: Readonly<Partial<Record<Weekday, readonly string[]>>>;
  /** `2026-12-25`, whole days of the zone. */
  readonly holidays: readonly string[];
};
export type HoursSpec = WeeklyHoursSpec & { readonly zone: string };

export const zone = z
  .string()
  .max(100)
  .refine(isZone, { error: ({ input }) => unknownZone(String(input)) });

/** `09:00-17:30`; the end may be `24:00`. */
function parseStretch(text: string): DayStretch | undefined {
  const parts = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts.slice(1).map(Number);
  const [fromMs, toMs] = [fromHour * HOUR_MS + fromMinute * MINUTE_MS, toHour * HOUR_MS + toMinute * MINUTE_MS];
  return fromMinute < 60 && toMinute < 60 && fromMs < toMs && toMs <= DAY_MS ? { fromMs, toMs } : undefined;
}

const stretches = z
  .array(z.string())
  .min(1)
  .max(MAX_STRETCHES)
  .superRefine((texts, context) => {
    const read = texts.map((text, index) => ({ ...parseStretch(text), text, index }));
    for (const { fromMs, text, index } of read) {
      const message = `not hours: "${text}" (write for example 09:00-17:30, the end after the beginning; a night is two days' hours)`;
      if (fromMs === undefined) context.addIssue({ code: 'custom', message, path: [index] });
    }
    const sorted = read.sort((a, b) => (a.fromMs ?? 0) - (b.fromMs ?? 0));
    const overlap = sorted.find(({ fromMs }, i) => i > 0 && (fromMs ?? 0) < (sorted[i - 1]?.toMs ?? 0));
    if (overlap !== undefined) {
      const message = `the hours "${overlap.text}" overlap others of the day`;
      context.addIssue({ code: 'custom', message, path: [overlap.index] });
    }
  });

const holiday = z.string().superRefine((text, context) => {
  const period = parsePeriod(text, 'UTC');
  const message = !period.ok
    ? period.error
    : period.value.unit === 'day'
      ? undefined
      : `not a day: "${text}" (write for example 2026-12-25)`;
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

const fields = {
  weekly: z.partialRecord(z.enum(WEEKDAYS), stretches),
  holidays: z.array(holiday).max(MAX_HOLIDAYS).default([]),
};
const hasHours = ({ weekly }: { readonly weekly: object }): boolean => Object.keys(weekly).length > 0;
const NO_HOURS = { message: 'no day of the week has hours', path: ['weekly'] };

/** Hours that say whose clocks they mean. */
export const hoursSchema = z
  .strictObject({ zone, ...fields })
  .refine(hasHours, NO_HOURS)
  .transform((hours): HoursSpec => hours as HoursSpec);

/** Hours of something that has a zone already. */
export const weeklyHoursSchema = z
  .strictObject(fields)
  .refine(hasHours, NO_HOURS)
  .transform((hours): WeeklyHoursSpec => hours as WeeklyHoursSpec);

/** The same, ready to reckon with. */
export const businessHours = ({ zone: clocks, weekly, holidays }: HoursSpec): BusinessHours => ({
  zone: clocks,
  weekly: WEEKDAYS.map((day) => (weekly[day] ?? []).flatMap((text) => parseStretch(text) ?? [])),
  holidays: new Set(holidays.map((day) => Math.floor(Date.parse(`${day}T00:00:00Z`) / DAY_MS))),
});
