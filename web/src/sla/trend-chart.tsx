import type { SignedStatement } from '../api/wire.ts';
import { exactInstant } from '../figures/instant.ts';
import { percentText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { SlaMark } from '../states/state-mark.tsx';

/** The periods before and this one: attained, and how much of the budget was spent, as a bar that is full at the whole of it. */
export function TrendChart({ statement }: { readonly statement: SignedStatement }) {
  const { trend, period, calendar, attained, status, budget } = statement;
  const points = [
    ...trend,
    {
      ...period,
      name: calendar.name,
      attained,
      status,
      spent_ms: budget.spent_ms,
      total_ms: budget.total_ms,
      events: budget.unit === 'events' ? budget : null,
    },
  ];
  return (
    <div className="panel">
      <div className="table-scroll" role="region" aria-label={t('Period by period')} tabIndex={0}>
        <table className="table">
          <caption className="sr-only">{t('Attained and spent, period by period, the newest last')}</caption>
          <thead>
            <tr>
              <th scope="col">{t('Period')}</th>
              <th scope="col">{t('Verdict')}</th>
              <th scope="col" className="numeric">
                {t('Attained')}
              </th>
              <th scope="col">{t('Spent')}</th>
            </tr>
          </thead>
          <tbody>
            {points.map((point) => (
              <tr key={point.from_at_ms}>
                <td className={point.name === null ? 'wrap' : 'nowrap'}>{point.name ?? exactInstant(point.from_at_ms, point.to_at_ms)}</td>
                <td>
                  <SlaMark status={point.status} young={false} />
                </td>
                <td className="numeric">{point.attained === null ? '–' : t('{figure} %', { figure: percentText(point.attained, 3) })}</td>
                <td>
                  <Spent {...(point.events ?? { spent: point.spent_ms, total: point.total_ms })} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {trend.length === 0 ? <p className="soft panel-pad">{t('The periods before were not watched.')}</p> : null}
    </div>
  );
}

function Spent({ spent, total }: { readonly spent: number; readonly total: number }) {
  const share = total === 0 ? (spent > 0 ? 1 : 0) : spent / total;
  const text = share > 10 ? t('over 10 ×') : t('{figure} %', { figure: Math.floor(share * 100) });
  return (
    <span className="spent">
      <span className="budget-track" aria-hidden="true">
        <span className="budget-spent" style={{ width: `${Math.min(1, share) * 100}%` }} />
      </span>
      <span className="nowrap">{text}</span>
    </span>
  );
}
