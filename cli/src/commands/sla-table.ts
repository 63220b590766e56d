import { lengthInWords } from '@nines/base/length-words.ts';
import { provenDigits } from '@nines/maths/slo/digits.ts';
import { ratioInWords, recoveryFigures } from '@nines/maths/slo/promise-words.ts';
import type { SlaView } from '@nines/server/sla/contract.ts';
import type { Format, Table } from '../output.ts';

export type ListedSla = Pick<
  SlaView,
  'id' | 'service' | 'status' | 'young' | 'attained' | 'attained_bounds' | 'target' | 'objective' | 'budget'
>;

/** SLAs as a table: in words for people, in exact numbers for programs (`csv`). */
export function slaTable(items: readonly ListedSla[], format: Format): Table {
  return format === 'csv' ? numbers(items) : words(items);
}

function words(items: readonly ListedSla[]): Table {
  const rows = items.map((item) => {
    const recovery = recoveryFigures(item);
    const { unit } = item.budget;
    const [total, left] = unit === 'events' ? [item.budget.total, item.budget.remaining] : [item.budget.total_ms, item.budget.remaining_ms];
    const amount = (of: number): string => (unit === 'events' ? `${of} events` : lengthInWords(of));
    return [
      item.id,
      item.service,
      `${item.status.replace('_', ' ')}${item.young ? ', young' : ''}`,
      attainedText(item),
      recovery === undefined ? ratioInWords(item.target) : `at most ${lengthInWords(recovery.withinMs)}`,
      left < 0 ? `${amount(-left)} over ${amount(total)}` : `${amount(left)} of ${amount(total)} left`,
    ];
  });
  return { columns: ['id', 'service', 'status', 'attained', 'target', 'budget'], rows };
}

/** Truncated, with no more digits than the evidence supports and one in doubt, as on the pages. */
function attainedText(item: ListedSla): string {
  const recovery = recoveryFigures(item);
  if (recovery !== undefined) return recovery.meanMs === null ? 'no outage' : lengthInWords(recovery.meanMs);
  if (item.attained === null) return '-';
  const { proven, doubtful } = provenDigits(item.attained, item.attained_bounds ?? [item.attained, item.attained]);
  return `${proven}${doubtful} %`;
}

const NUMBERS = ['id', 'service', 'status', 'attained', 'target', 'spent_ms', 'total_ms', 'spent_events', 'total_events', 'young'] as const;

function numbers(items: readonly ListedSla[]): Table {
  const rows = items.map((item) => [
    item.id,
    item.service,
    item.status,
    item.attained === null ? '' : String(item.attained),
    String(item.target),
    String(item.budget.spent_ms),
    String(item.budget.total_ms),
    ...(item.budget.unit === 'events' ? [String(item.budget.spent), String(item.budget.total)] : ['', '']),
    item.young ? 'yes' : 'no',
  ]);
  return { columns: NUMBERS, rows };
}
