import { decimalToNumber } from '@nines/base/decimal.ts';
import { formatDuration } from '@nines/base/duration.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { SLA_STATUSES } from '@nines/maths/slo/status.ts';
import { type Labels, labelsOf } from '@nines/model/labels.ts';
import { type SlaEvaluation, isInEvents } from './evaluate.ts';

export type FigureSample = { readonly labels: Labels; readonly atMs: number; readonly value: number };

/**
 * The figures of an SLA as samples, so that they can be charted, compared and alerted on like any other series. What is not
 * known now has no sample. Ratios are 0 to 1, lengths in seconds.
 */
export function figuresOf(evaluation: SlaEvaluation, ofService: Readonly<Record<string, string>> = {}): readonly FigureSample[] {
  const { terms, budget, inTime, attained, verdict, burn, window } = evaluation;
  const { id, service } = terms.spec;
  const samples: FigureSample[] = [];
  const add = (name: string, value: number | null, more: Readonly<Record<string, string>> = {}): void => {
    if (value === null) return;
    const labels = labelsOf({ ...ofService, __name__: name, job: 'nines', sla: id, service, ...more });
    samples.push({ labels, atMs: window.toMs, value });
  };
  add('sla_target_ratio', decimalToNumber(terms.target));
  add('sla_attained_ratio', attained);
  add('sla_error_budget_seconds', inTime.totalMs / SECOND_MS);
  add('sla_error_budget_spent_seconds', inTime.spentMs / SECOND_MS);
  if (isInEvents(terms)) {
    add('sla_error_budget_events', budget.totalMs);
    add('sla_error_budget_spent_events', budget.spentMs);
  }
  for (const status of SLA_STATUSES) add('sla_status', verdict.status === status ? 1 : 0, { status });
  for (const pair of burn) add('sla_burn_rate', pair.rate, { long: formatDuration(pair.longMs), short: formatDuration(pair.shortMs) });
  return samples;
}
