import { lengthInWords as duration } from '@nines/base/length-words.ts';
import { truncatedPercent } from '@nines/maths/slo/digits.ts';
import { type RecoveryFigures, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import { type SlaSpec, recoverWithinMs } from '../spec.ts';
import type { CreditView } from './credit.ts';
import type { ExclusionStretchView, IssuedForm, Statement } from './statement.ts';

/** The words that the printed forms of a statement share. */

export const words = (text: string): string => text.replaceAll('_', ' ');

/** `2026-11-21 02:14:05.250`; milliseconds only where there are some. */
export function instant(atMs: number): string {
  const text = new Date(atMs).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, atMs % 1000 === 0 ? 19 : 23)}`;
}

/** At most three decimals, truncated. */
export const percent = (ratio: number | string): string => `${truncatedPercent(Number(ratio), 3).replace(/\.?0+$/, '')} %`;

/** The verdict in a sentence or two. */
export function sentence(statement: Statement): string {
  const { unknown, young, status_reason: reason, known_until_at_ms: until } = statement;
  const parts = [
    `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`,
    until === null ? '' : `Provisional: the period is not over, and the figures are those up to ${instant(until)}.`,
    young ? `The service was observed for ${duration(statement.observed_ms)} of this period.` : '',
    unknown.share === null || unknown.share === 0 ? '' : `${percent(unknown.share)} of the time since monitoring began is unknown.`,
  ];
  return parts.filter((part) => part !== '').join(' ');
}

/** What was promised: `target 99.9 %`, or a mean time to recovery. */
export function promiseWords(terms: Pick<SlaSpec, 'target' | 'indicator'>): string {
  const withinMs = recoverWithinMs(terms);
  return withinMs === undefined ? `target ${percent(terms.target)}` : `mean time to recovery of at most ${duration(withinMs)}`;
}

/** The figure without its doubt: a percentage, or the mean time that recovery took. */
export function attainedWords(about: RecoveryFigures & { readonly attained: number | null }): string {
  const recovery = recoveryFigures(about);
  if (recovery !== undefined) return recovery.meanMs === null ? 'no outage' : duration(recovery.meanMs);
  return about.attained === null ? '–' : `${truncatedPercent(about.attained, 5)} %`;
}

/** A number with its thousands apart. */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ' ');

/** So much of a budget: events, or a length. */
const amount = (of: number, unit: Statement['budget']['unit']): string =>
  unit === 'events' ? `${grouped(of)} ${of === 1 ? 'event' : 'events'}` : duration(of);

/** The budget in its own unit: what there was, what was spent, and what that leaves. */
export function budgetWords({ budget }: Pick<Statement, 'budget'>): {
  readonly spent: string;
  readonly total: string;
  readonly left: string;
  /** From 0 to 1. */
  readonly share: number;
} {
  const { spent, total } = inUnit(budget);
  const left = total - spent;
  return {
    spent: `${amount(spent, budget.unit)} spent`,
    total: amount(total, budget.unit),
    left: left < 0 ? `${amount(-left, budget.unit)} over` : `${amount(left, budget.unit)} left`,
    share: total === 0 ? Number(spent > 0) : Math.min(1, spent / total),
  };
}

/** The periods before and this one, each with the share of its budget that was spent, which may be above 1. */
export function trendShares(statement: Pick<Statement, 'trend' | 'calendar' | 'period' | 'status' | 'budget'>): readonly {
  readonly name: string;
  readonly status: Statement['status'];
  readonly share: number;
}[] {
  const { trend, calendar, period, status, budget } = statement;
  const now = { name: calendar.name, from_at_ms: period.from_at_ms, status, ...inUnit(budget) };
  const before = trend.map((point) => ({ ...point, ...(point.events ?? { spent: point.spent_ms, total: point.total_ms }) }));
  return [...before, now].map((point) => ({
    name: point.name ?? instant(point.from_at_ms).slice(0, 10),
    status: point.status,
    share: point.total === 0 ? Number(point.spent > 0) : point.spent / point.total,
  }));
}

const inUnit = (budget: Statement['budget']): { readonly spent: number; readonly total: number } =>
  budget.unit === 'events' ? { spent: budget.spent, total: budget.total } : { spent: budget.spent_ms, total: budget.total_ms };

/** Why a stretch is excluded, and who let it. */
export function exclusionWords({ by, exclusion }: ExclusionStretchView): readonly [reason: string, who: string] {
  if (by === 'maintenance') return ['planned maintenance, announced in time', 'the contract'];
  if (exclusion === null) return ['service down, not measured', 'the contract'];
  const note = exclusion.note === '' ? '' : `: ${exclusion.note}`;
  const who = `asked by ${exclusion.requested_by}, approved by ${exclusion.approved_by} at ${instant(exclusion.approved_at_ms)}`;
  return [`${words(exclusion.reason)}${note}`, who];
}

export function creditSentence(credit: CreditView): string {
  if (credit.below === null) return 'Nothing is owed: no tier of the contract was missed.';
  const share = `${percent(credit.share)} of the fee${credit.capped ? ', the cap' : ''}, because less than ${percent(credit.below)} was attained`;
  return credit.amount === null ? `${share}.` : `${credit.amount} ${credit.currency}: ${share}.`;
}

/** Which revision this is and what it replaces; empty for one that was not issued. */
export function revisionSentences({ revision }: IssuedForm): readonly string[] {
  if (revision === null) return [];
  if (revision.restates === null) return [`Revision ${revision.number}.`];
  return [
    `Revision ${revision.number}, which replaces the one before.`,
    ...revision.why.map((why) => `${why.charAt(0).toUpperCase()}${why.slice(1)}.`),
  ];
}
