import { lengthText, shortLengthText } from '../figures/length.ts';
import type { SlaView } from '../api/wire.ts';
import { useNow } from '../shell/now.ts';

type Budget = SlaView['budget'];
type Props = { readonly budget: Budget; readonly status: string; readonly exhaustsAtMs: number | null; readonly compact?: boolean };

/** Bar colour follows the verdict: a budget is drawn in a state's colour only when the contract is in trouble. */
const CLASS_BY_STATUS: Readonly<Record<string, string>> = { at_risk: 'budget-risk', breached: 'budget-breached' };

/** The error budget as one bar: spent, left, and when it ends at the present rate. */
export function BudgetBar({ budget, status, exhaustsAtMs, compact = false }: Props) {
  const now = useNow();
  const spentShare = budget.total_ms <= 0 ? (budget.spent_ms > 0 ? 1 : 0) : Math.min(1, budget.spent_ms / budget.total_ms);
  const percent = Math.floor(spentShare * 100);
  const over = budget.remaining_ms < 0;
  const left = over ? `overspent by ${lengthText(-budget.remaining_ms)}` : `${lengthText(budget.remaining_ms)} left`;
  const ends =
    exhaustsAtMs !== null && exhaustsAtMs > now && !over ? `gone in ${shortLengthText(exhaustsAtMs - now)} at the present rate` : null;
  return (
    <div className={`budget ${CLASS_BY_STATUS[status] ?? ''}`}>
      <div
        className="budget-track"
        role="meter"
        aria-label="Error budget spent"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={`${percent} % of ${lengthText(budget.total_ms)} spent, ${left}`}
      >
        <div className="budget-spent" style={{ width: `${Math.max(spentShare * 100, spentShare > 0 ? 1 : 0)}%` }} />
      </div>
      <div className="budget-words">
        <span>{compact ? left : `${lengthText(budget.spent_ms)} of ${lengthText(budget.total_ms)} spent`}</span>
        <span className={over ? 'strong' : ''}>{compact ? (ends ?? '') : left}</span>
      </div>
      {compact || ends === null ? null : <div className="budget-words">{`The budget is ${ends}.`}</div>}
    </div>
  );
}
