import { lengthInWords } from '@nines/base/length-words.ts';
import type { Budget } from './budget.ts';
import type { BurnReading } from './burn.ts';
import type { ExactRatio } from './exact.ts';
import type { Tally } from './tally.ts';

export const SLA_STATUSES = ['met', 'at_risk', 'breached', 'unknown'] as const;
export type SlaStatus = (typeof SLA_STATUSES)[number];

/** A verdict with its reason in words, for people and for the log. */
export type SlaVerdict = {
  readonly status: SlaStatus;
  readonly code: 'budget_spent' | 'budget_low' | 'burning' | 'nothing_counted' | 'too_much_unknown' | 'within_budget';
  readonly reason: string;
};

/** At risk from three quarters of the budget. */
const AT_RISK_NUMERATOR = 3;
const AT_RISK_DENOMINATOR = 4;

export type StatusInputs = {
  readonly budget: Budget;
  readonly counted: Tally;
  readonly burn: readonly BurnReading[];
  /** Above this share of unknown time since monitoring began, nothing is said. */
  readonly maxUnknown: ExactRatio;
  /** Says so much of the budget in words; milliseconds by default. */
  readonly inWords?: (amount: number) => string;
};

/**
 * The status of an SLA, in this order: breached, at risk, unknown, met. A budget that is overspent stays breached
 * however little is known of the rest, because more knowledge cannot un-spend it. A budget of nothing of which nothing was
 * spent is not at risk.
 */
export function statusOf(inputs: StatusInputs): SlaVerdict {
  const { budget, counted, inWords = lengthInWords } = inputs;
  if (budget.spentMs > budget.totalMs) {
    return {
      status: 'breached',
      code: 'budget_spent',
      reason: `${inWords(budget.spentMs)} bad of ${inWords(budget.totalMs)} allowed`,
    };
  }
  if (budget.spentMs > 0 && budget.spentMs * AT_RISK_DENOMINATOR >= budget.totalMs * AT_RISK_NUMERATOR) {
    return {
      status: 'at_risk',
      code: 'budget_low',
      reason: `${inWords(budget.spentMs)} of ${inWords(budget.totalMs)} of the budget is spent`,
    };
  }
  const burning = inputs.burn.find((pair) => pair.firing === true);
  if (burning !== undefined) {
    const rate = (burning.rate ?? 0).toFixed(1);
    return {
      status: 'at_risk',
      code: 'burning',
      reason: `the budget burns at ${rate} times the allowed rate over ${lengthInWords(burning.longMs)}, above ${burning.factor}`,
    };
  }
  if (counted.goodMs + counted.badMs === 0) {
    return { status: 'unknown', code: 'nothing_counted', reason: 'no counted time in the window' };
  }
  if (unknownExceeds(inputs)) {
    return { status: 'unknown', code: 'too_much_unknown', reason: 'too much of the time since monitoring began is unknown' };
  }
  return { status: 'met', code: 'within_budget', reason: `${inWords(budget.remainingMs)} of the budget is left` };
}

function unknownExceeds({ counted, maxUnknown }: StatusInputs): boolean {
  const { unknownMs, ofMs } = unknownShareOf(counted);
  return BigInt(unknownMs) * maxUnknown.denominator > BigInt(ofMs) * maxUnknown.numerator;
}

/** Unknown time since monitoring began, and all time since then that a contract does not take out. */
export function unknownShareOf({ buckets, notYetMonitoredMs }: Pick<Tally, 'buckets' | 'notYetMonitoredMs'>): {
  readonly unknownMs: number;
  readonly ofMs: number;
} {
  const unknownMs = buckets.unknownMs - notYetMonitoredMs;
  return { unknownMs, ofMs: buckets.upMs + buckets.degradedMs + buckets.downMs + unknownMs };
}
