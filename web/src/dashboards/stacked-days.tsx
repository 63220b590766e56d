import type { AlertStatisticsWire } from '../api/alerts.ts';
import { tickText } from '../figures/instant.ts';
import { t } from '../language/t.ts';

const STACK = ['emergency', 'critical', 'warning', 'info'] as const;

/** How many alerts fired in each stretch, by severity: the worst below. */
export function StackedDays({ statistics }: { readonly statistics: AlertStatisticsWire }) {
  const { by_time: times, step_ms: stepMs } = statistics;
  const totals = times.map((one) => STACK.reduce((sum, severity) => sum + one[severity], 0));
  const most = Math.max(1, ...totals);
  const every = Math.max(1, Math.ceil(times.length / 8));
  return (
    <ol className="stacked-days" aria-label={t('Alerts over time, at most {most} at once', { most })}>
      {times.map((one, at) => (
        <li key={one.at_ms}>
          <span className="stacked-count">{totals[at] === 0 ? '' : totals[at]}</span>
          <span className="stacked-bar" aria-hidden="true">
            {STACK.map((severity) => (
              <span key={severity} className={severity} style={{ height: `${(one[severity] / most) * 100}%` }} />
            ))}
          </span>
          <span className="faint stacked-tick">{at % every === 0 ? tickText(one.at_ms, stepMs) : ''}</span>
        </li>
      ))}
    </ol>
  );
}
