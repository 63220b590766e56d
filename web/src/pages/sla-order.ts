import type { SlaView } from '../api/wire.ts';
import { byName } from '../figures/list.ts';

const ORDER: Readonly<Record<string, number>> = { breached: 0, at_risk: 1, unknown: 2, met: 3 };
const leftShare = ({ budget }: SlaView): number => (budget.total_ms <= 0 ? 0 : budget.remaining_ms / budget.total_ms);

/** Worst verdict first, then the least budget left. */
export function byBudget(a: SlaView, b: SlaView): number {
  return (ORDER[a.status] ?? 9) - (ORDER[b.status] ?? 9) || leftShare(a) - leftShare(b) || byName(a.id, b.id);
}
