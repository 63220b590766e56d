import { Anatomy } from '../causes.ts';
import { Correlator } from '../correlate.ts';
import { LabelKnowledge } from '../labels.ts';
import type { Outage } from './outages.ts';

export type Score = { pairs: number; found: number; right: number; causes: number; named: number };

/** Pairs of alerts that belong together: how many are found, how many of those found are right; and whether the cause is among the first three. */
export function judgeOutage({ topology, signals, truth, causes }: Outage): Score {
  const correlator = new Correlator(topology);
  const labels = new LabelKnowledge();
  const of = new Map<string, string>();
  const anatomies = new Map<string, Anatomy>();
  let ids = 0;
  for (const signal of signals) {
    const joined = correlator.add(signal, () => `p${++ids}`);
    of.set(signal.alertId, joined.problem);
    const anatomy = anatomies.get(joined.problem) ?? new Anatomy(joined.problem, signal.seenAtMs);
    anatomies.set(joined.problem, anatomy);
    anatomy.add(signal, labels.linksOf(signal.labels));
    for (const absorbed of joined.absorbed) {
      const other = anatomies.get(absorbed);
      if (other !== undefined) anatomy.absorb(other);
      anatomies.delete(absorbed);
    }
  }
  const sizes = (key: (alert: string) => string): number => {
    const counts = new Map<string, number>();
    for (const { alertId } of signals) counts.set(key(alertId), (counts.get(key(alertId)) ?? 0) + 1);
    return [...counts.values()].reduce((sum, n) => sum + (n * (n - 1)) / 2, 0);
  };
  const group = (alert: string): string => truth.get(alert) ?? alert;
  const problem = (alert: string): string => correlator.rootOf(of.get(alert) ?? '');
  let named = 0;
  for (const [outage, cause] of causes) {
    const counts = new Map<string, number>();
    for (const { alertId } of signals) if (group(alertId) === outage) counts.set(problem(alertId), (counts.get(problem(alertId)) ?? 0) + 1);
    const [largest] = [...counts].sort((a, b) => b[1] - a[1]);
    const suggested = anatomies.get(largest?.[0] ?? '')?.causes(topology) ?? [];
    if (suggested.some(({ subject }) => subject === cause)) named++;
  }
  return {
    pairs: sizes(group),
    found: sizes(problem),
    right: sizes((alert) => `${group(alert)} ${problem(alert)}`),
    causes: causes.size,
    named,
  };
}

/** Over all outages: precision, recall and F1 of pairs, and the share of causes named. */
export function totals(scores: readonly Score[]): {
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
  readonly named: number;
} {
  const sum = (pick: (score: Score) => number): number => scores.reduce((total, score) => total + pick(score), 0);
  const precision =
    sum((s) => s.right) /
    Math.max(
      1,
      sum((s) => s.found),
    );
  const recall =
    sum((s) => s.right) /
    Math.max(
      1,
      sum((s) => s.pairs),
    );
  return {
    precision,
    recall,
    f1: (2 * precision * recall) / (precision + recall),
    named:
      sum((s) => s.named) /
      Math.max(
        1,
        sum((s) => s.causes),
      ),
  };
}
