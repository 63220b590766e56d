import { lengthText, shortLengthText } from '../figures/length.ts';
import type { SlaView } from '../api/wire.ts';
import { t } from '../language/t.ts';
import { useNow } from '../shell/now.ts';

type Budget = SlaView['budget'];
type Props = { readonly budget: Budget; readonly status: string; readonly exhaustsAtMs: number | null; readonly compact?: boolean };

/** Bar colour follows the verdict: a budget is drawn in a state's colour only when the contract is in trouble. */
const CLASS_BY_STATUS: Readonly<Record<string, string>> = { at_risk: 'budget-risk', breached: 'budget-breached' };

/** A budget in its own unit: events where those are what is promised, otherwise time. */
function inUnit(budget: Budget): { readonly total: number; readonly spent: number; readonly text: (amount: number) => string } {
  if (budget.unit === 'ms') return { total: budget.total_ms, spent: budget.spent_ms, text: lengthText };
  const text = (events: number): string => t('{events, plural, one {# event} other {# events}}', { events });
  return { total: budget.total, spent: budget.spent, text };
}

/** The error budget as one bar: spent, left, and when it ends at the present rate. */
export function BudgetBar({ budget, status, exhaustsAtMs, compact = false }: Props) {
  const now = useNow();
  const { total, spent, text } = inUnit(budget);
  const spentShare = total <= 0 ? (spent > 0 ? 1 : 0) : Math.min(1, spent / total);
  const percent = Math.floor(spentShare * 100);
  const over = spent > total;
  const left = over ? t('overspent by {amount}', { amount: text(spent - total) }) : t('{amount} left', { amount: text(total - spent) });
  const lasts = exhaustsAtMs !== null && exhaustsAtMs > now && !over ? shortLengthText(exhaustsAtMs - now) : null;
  return (
    <div className={`budget ${CLASS_BY_STATUS[status] ?? ''}`}>
      <div
        className="budget-track"
        role="meter"
        aria-label={t('Error budget spent')}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        aria-valuetext={t('{percent} % of {total} spent, {left}', { percent, total: text(total), left })}
      >
        <div className="budget-spent" style={{ width: `${Math.max(spentShare * 100, spentShare > 0 ? 1 : 0)}%` }} />
      </div>
      <div className="budget-words">
        <span>{compact ? left : t('{spent} of {total} spent', { spent: text(spent), total: text(total) })}</span>
        <span className={over ? 'strong' : ''}>
          {compact ? (lasts === null ? '' : t('gone in {length} at the present rate', { length: lasts })) : left}
        </span>
      </div>
      {compact || lasts === null ? null : (
        <div className="budget-words">{t('The budget is gone in {length} at the present rate.', { length: lasts })}</div>
      )}
    </div>
  );
}
