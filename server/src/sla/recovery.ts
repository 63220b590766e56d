import { lengthInWords } from '@nines/base/length-words.ts';
import { epochMs } from '@nines/base/units.ts';
import type { Budget } from '@nines/maths/slo/budget.ts';
import type { SlaVerdict } from '@nines/maths/slo/status.ts';
import type { LedgerInterval, Span } from '@nines/maths/slo/types.ts';
import { unionSpans, without } from '@nines/maths/slo/window.ts';

/**
 * A promise about the mean time to recovery. Outages that ended in the window count with their whole length, without time that is taken
 * out; one that goes on counts once it alone is longer than promised. The budget is the promised length times the outages.
 */
export type Recovery = {
  /** What is promised. */
  readonly withinMs: number;
  readonly outages: number;
  readonly meanMs: number | null;
  readonly budget: Budget;
  /** Promised time, and what was needed beyond it: `good / (good + bad)` is the promise over the mean, 1 at most. */
  readonly counted: { readonly goodMs: number; readonly badMs: number };
};

export function recoveryOf(
  intervals: readonly LedgerInterval[],
  window: Span,
  terms: { readonly withinMs: number; readonly takenOut: readonly Span[] },
): Recovery {
  const lengths = unionSpans(intervals.filter(({ state }) => state === 'down')).flatMap((outage) => {
    if (outage.toMs <= window.fromMs || outage.fromMs >= window.toMs) return [];
    const toMs = epochMs(Math.min(outage.toMs, window.toMs));
    const lengthMs = without([{ fromMs: outage.fromMs, toMs }], terms.takenOut).reduce((sum, one) => sum + one.toMs - one.fromMs, 0);
    const isOver = outage.toMs < window.toMs;
    return lengthMs > 0 && (isOver || lengthMs > terms.withinMs) ? [lengthMs] : [];
  });
  const spentMs = lengths.reduce((sum, length) => sum + length, 0);
  const totalMs = lengths.length * terms.withinMs;
  return {
    withinMs: terms.withinMs,
    outages: lengths.length,
    meanMs: lengths.length === 0 ? null : spentMs / lengths.length,
    budget: { totalMs, spentMs, remainingMs: totalMs - spentMs },
    counted: { goodMs: totalMs, badMs: Math.max(0, spentMs - totalMs) },
  };
}

/** The verdict in words about recovery. */
export function recoveryVerdict(verdict: SlaVerdict, { withinMs, outages, meanMs }: Recovery): SlaVerdict {
  if (meanMs === null) return verdict.status === 'met' ? { ...verdict, reason: 'the service had no outage' } : verdict;
  const many = outages === 1 ? 'one outage took' : `${outages} outages took`;
  const mean = outages === 1 ? '' : ' in the mean';
  return { ...verdict, reason: `${many} ${lengthInWords(Math.round(meanMs))}${mean}, ${lengthInWords(withinMs)} are allowed` };
}
