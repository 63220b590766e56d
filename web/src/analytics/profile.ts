import { t } from '../language/t.ts';

/** How a series usually stands by hour of the day and by day of the week, from its seasonal part. Pure; in the reader's time zone. */

export type Slot = { readonly name: string; readonly value: number };
type SeasonalPoints = readonly { readonly at_ms: number; readonly season: number }[];

const HOURS = 24;
const DAYS = [t('Mon'), t('Tue'), t('Wed'), t('Thu'), t('Fri'), t('Sat'), t('Sun')] as const;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Mean of each slot; none when a slot has no point. */
function means(points: SeasonalPoints, count: number, slotOf: (at: Date) => number): readonly number[] | undefined {
  const sums = Array.from({ length: count }, () => 0);
  const counts = Array.from({ length: count }, () => 0);
  for (const { at_ms: atMs, season } of points) {
    const slot = slotOf(new Date(atMs));
    sums[slot] = (sums[slot] ?? 0) + season;
    counts[slot] = (counts[slot] ?? 0) + 1;
  }
  if (counts.includes(0)) return undefined;
  return sums.map((sum, slot) => sum / (counts[slot] ?? 1));
}

/** Twenty-four slots, midnight first; undefined where points are too far apart to tell hours. */
export function byHour(points: SeasonalPoints): readonly Slot[] | undefined {
  return means(points, HOURS, (at) => at.getHours())?.map((value, hour) => ({ name: `${String(hour).padStart(2, '0')}:00`, value }));
}

/** Seven slots, Monday first; undefined with less than a week. */
export function byWeekday(points: SeasonalPoints): readonly Slot[] | undefined {
  const lengthMs = (points.at(-1)?.at_ms ?? 0) - (points[0]?.at_ms ?? 0);
  if (lengthMs < 7 * DAY_MS - HOUR_MS) return undefined;
  return means(points, DAYS.length, (at) => (at.getDay() + 6) % 7)?.map((value, day) => ({ name: DAYS[day] ?? '', value }));
}

/** Where the profile is highest and lowest. */
export function extremes(slots: readonly Slot[]): { readonly highest: Slot; readonly lowest: Slot } | undefined {
  const [first] = slots;
  if (first === undefined) return undefined;
  return {
    highest: slots.reduce((best, slot) => (slot.value > best.value ? slot : best), first),
    lowest: slots.reduce((best, slot) => (slot.value < best.value ? slot : best), first),
  };
}
