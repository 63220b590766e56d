/** Which periods of the calendar a contract is stated for. Pure. */
import { type PeriodUnit, periodAt } from '@nines/maths/calendar/period.ts';
import type { SlaView } from '../api/wire.ts';
import { t } from '../language/t.ts';

export type Period = { readonly name: string; readonly zone: string; readonly fromMs: number; readonly toMs: number };

/** A contract of the calendar is stated by its own period, any other by the month. */
export function statedBy({ calendar }: Pick<SlaView, 'calendar'>): { readonly unit: PeriodUnit; readonly zone: string } {
  if (calendar === null) return { unit: 'month', zone: 'UTC' };
  return { unit: calendar.every === 1 ? calendar.calendar : 'month', zone: calendar.zone };
}

/** The periods that `[fromMs, toMs)` touches, oldest first, at most `most` of them. */
export function periodsTouched(
  sla: Pick<SlaView, 'calendar'>,
  span: { readonly fromMs: number; readonly toMs: number },
  most = 3,
): readonly Period[] {
  const { unit, zone } = statedBy(sla);
  const periods: Period[] = [];
  for (let atMs = span.fromMs; atMs < span.toMs && periods.length < most; ) {
    const { name, fromMs, toMs } = periodAt(atMs, unit, zone);
    periods.push({ name, zone, fromMs, toMs });
    atMs = toMs;
  }
  return periods;
}

/** The period that runs and those before it, newest first. */
export function recentPeriods(sla: Pick<SlaView, 'calendar'>, nowMs: number, count: number): readonly Period[] {
  const { unit, zone } = statedBy(sla);
  const periods: Period[] = [];
  for (let atMs = nowMs; periods.length < count; ) {
    const { name, fromMs, toMs } = periodAt(atMs, unit, zone);
    periods.push({ name, zone, fromMs, toMs });
    atMs = fromMs - 1;
  }
  return periods;
}

/** `month`, `2 months`: what stands behind "each". */
export function periodsText(unit: PeriodUnit, every: number): string {
  switch (unit) {
    case 'day':
      return t('{every, plural, one {day} other {# days}}', { every });
    case 'week':
      return t('{every, plural, one {week} other {# weeks}}', { every });
    case 'month':
      return t('{every, plural, one {month} other {# months}}', { every });
    case 'quarter':
      return t('{every, plural, one {quarter} other {# quarters}}', { every });
    case 'year':
      return t('{every, plural, one {year} other {# years}}', { every });
  }
}

/** A period in a choice; the one that runs is not over. */
export const periodLabel = (name: string, runs: boolean): string => (runs ? t('{name}, so far', { name }) : name);
