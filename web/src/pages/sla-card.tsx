import { Link } from '@tanstack/react-router';
import type { SlaView } from '../api/wire.ts';
import { Attained, PromisedTarget } from '../components/attained.tsx';
import { BudgetBar } from '../components/budget-bar.tsx';
import { lengthText, windowText } from '../figures/length.ts';
import { t } from '../language/t.ts';
import { SlaMark } from '../states/state-mark.tsx';

/** One SLA: what was attained, what was promised, what is left. */
export function SlaCard({ sla }: { readonly sla: SlaView }) {
  return (
    <article className="panel sla-card">
      <header>
        <Link to="/slas/$id" params={{ id: sla.id }} data-row="">
          {sla.name === '' ? sla.id : sla.name}
        </Link>
        <SlaMark status={sla.status} young={sla.young} />
      </header>
      <div className="sla-figure">
        <Attained of={sla} size="large" />
        <PromisedTarget of={sla} />
      </div>
      <BudgetBar budget={sla.budget} status={sla.status} exhaustsAtMs={sla.exhausts_at_ms} compact />
      {sla.young ? (
        <p className="label">
          {t('watched for {length} of {window}', {
            length: lengthText(sla.observed_ms),
            window: windowText(sla.window.to_at_ms - sla.window.from_at_ms),
          })}
        </p>
      ) : null}
    </article>
  );
}
