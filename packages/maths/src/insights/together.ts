import { correlate } from '../stats/correlation.ts';
import { calendarPeriods } from '../stats/season.ts';
import { type Examined, HOUR_MS, hourAt, nothing, type Outcome, unasked } from './examined.ts';

export type TogetherFinding = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly spearman: number;
  readonly pearson: number;
  /** Hours by which the second follows the first; negative when it comes before. */
  readonly lagHours: number;
  readonly effective: number;
};

/** Hours that both must have in common, and that are looked at. */
const NEEDED = 7 * 24;
const LOOKED_AT = 21 * 24;
const MAX_LAG_HOURS = 3;
const LEAST_RANK = 0.6;

/** Whether two series change together, seasons and common trends taken out. */
export function findTogether(x: Examined, y: Examined): Outcome<TogetherFinding> {
  const startMs = Math.max(x.startMs, y.startMs);
  const endMs = Math.min(hourAt(x, x.values.length), hourAt(y, y.values.length));
  const count = Math.min(LOOKED_AT, Math.round((endMs - startMs) / HOUR_MS));
  if (count < NEEDED) return unasked('short_history');
  const part = (series: Examined): Float64Array => {
    const to = Math.round((endMs - series.startMs) / HOUR_MS);
    return series.values.subarray(to - count, to);
  };
  const periods = calendarPeriods(HOUR_MS, count).map(({ length }) => length);
  const found = correlate(part(x), part(y), { maxLag: MAX_LAG_HOURS, periods });
  if (!found.ok) return unasked(found.error.reason);
  const { spearman, pearson, lag, effective, p } = found.value;
  if (Math.abs(spearman) < LEAST_RANK) return nothing('not_related');
  return { p, found: { fromMs: endMs - count * HOUR_MS, toMs: endMs - HOUR_MS, spearman, pearson, lagHours: lag, effective } };
}
