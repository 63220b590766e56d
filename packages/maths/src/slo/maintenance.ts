import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { type PeriodUnit, periodAt } from '../calendar/period.ts';
import type { Span } from './types.ts';
import { unionSpans } from './window.ts';

/** One occurrence of planned maintenance: when it is in force, when it was to begin, and when people were told. */
export type PlannedSpan = Span & { readonly plannedFromMs: EpochMs; readonly announcedAtMs: EpochMs };

/** What a contract says of maintenance that it takes out. */
export type MaintenanceTerms = {
  /** Maintenance announced later than this before its planned start counts like any other time. */
  readonly noticeMs: number;
  /** At most this much in each period of a calendar is taken out, in the order of time; the rest counts. */
  readonly allowance?: { readonly lengthMs: number; readonly unit: PeriodUnit; readonly zone: string };
};

/**
 * The maintenance that a contract takes out, sorted and disjoint. Nothing from before its announcement is ever taken out. `planned` must
 * reach back to the start of the period in which the span of interest begins, or an allowance would be given twice.
 */
export function excludedMaintenance(planned: readonly PlannedSpan[], terms: MaintenanceTerms): readonly Span[] {
  const inTime = planned.filter((one) => terms.noticeMs === 0 || one.plannedFromMs - one.announcedAtMs >= terms.noticeMs);
  const spans = unionSpans(inTime.map((one) => ({ fromMs: epochMs(Math.max(one.fromMs, one.announcedAtMs)), toMs: one.toMs })));
  return terms.allowance === undefined ? spans : withinAllowance(spans, terms.allowance);
}

function withinAllowance(spans: readonly Span[], { lengthMs, unit, zone }: NonNullable<MaintenanceTerms['allowance']>): readonly Span[] {
  const taken: Span[] = [];
  let [periodToMs, leftMs] = [Number.NEGATIVE_INFINITY, 0];
  for (const span of spans) {
    for (let at: EpochMs = span.fromMs; at < span.toMs; ) {
      if (at >= periodToMs) {
        periodToMs = periodAt(at, unit, zone).toMs;
        leftMs = lengthMs;
      }
      const endMs = Math.min(span.toMs, periodToMs);
      const toMs = epochMs(Math.min(endMs, at + leftMs));
      if (at < toMs) taken.push({ fromMs: at, toMs });
      leftMs -= toMs - at;
      at = epochMs(endMs);
    }
  }
  return unionSpans(taken);
}
