import type { WhatIfView } from '../api/wire.ts';
import { ProvenDigits } from '../components/proven-digits.tsx';
import { lengthText } from '../figures/length.ts';
import { decimalText, targetText } from '../figures/percent.ts';
import { t } from '../language/t.ts';
import { SlaMark } from '../states/state-mark.tsx';

type Figures = WhatIfView['actual'];
type Row = readonly [name: string, cell: (figures: Figures) => React.ReactNode, key: (figures: Figures) => unknown];

const money = (figures: Figures): string => {
  if (figures.credit_share === null) return t('none agreed');
  return figures.credit_share === '0'
    ? t('nothing owed')
    : t('{figure} % of the fee', { figure: targetText(Number(figures.credit_share)) });
};
const amount = ({ budget }: Figures, part: 'spent' | 'total' | 'remaining'): string => {
  const [events, ms] = [budget.unit === 'events' ? budget[part] : null, budget[`${part}_ms`]];
  return events === null ? lengthText(ms) : t('{events, plural, one {# event} other {# events}}', { events });
};

const ROWS: readonly Row[] = [
  [t('Verdict'), ({ status }) => <SlaMark status={status} young={false} />, ({ status }) => status],
  [
    t('Attained'),
    ({ attained, attained_bounds: bounds }) => <ProvenDigits attained={attained} bounds={bounds} />,
    ({ attained }) => attained,
  ],
  [t('Target'), ({ target }) => t('{figure} %', { figure: targetText(target) }), ({ target }) => target],
  [t('Bad'), (figures) => amount(figures, 'spent'), ({ budget }) => budget.spent_ms],
  [t('Allowed'), (figures) => amount(figures, 'total'), ({ budget }) => budget.total_ms],
  [t('Left'), (figures) => amount(figures, 'remaining'), ({ budget }) => budget.remaining_ms],
  [t('Excluded'), ({ buckets }) => lengthText(buckets.excluded_ms), ({ buckets }) => buckets.excluded_ms],
  [t('Out of hours'), ({ buckets }) => lengthText(buckets.out_of_hours_ms), ({ buckets }) => buckets.out_of_hours_ms],
  [t('Unknown'), ({ buckets }) => lengthText(buckets.unknown_ms), ({ buckets }) => buckets.unknown_ms],
  [t('Credit'), money, ({ credit_share: share }) => share],
];

/** Two verdicts about the same time, side by side; what differs stands out. */
export function CompareFigures({ view, names }: { readonly view: WhatIfView; readonly names: readonly [actual: string, other: string] }) {
  const { actual, what_if: other } = view;
  return (
    <div className="panel">
      <div className="table-scroll" role="region" aria-label={t('{one} beside {other}', { one: names[0], other: names[1] })} tabIndex={0}>
        <table className="table compare">
          <caption className="sr-only">{t('{one} beside {other}', { one: names[0], other: names[1] })}</caption>
          <thead>
            <tr>
              <th scope="col">
                <span className="sr-only">{t('Figure')}</span>
              </th>
              <th scope="col">{names[0]}</th>
              <th scope="col">{names[1]}</th>
            </tr>
          </thead>
          <tbody>
            {ROWS.map(([name, cell, key]) => (
              <tr key={name} className={key(actual) === key(other) ? undefined : 'differs'}>
                <th scope="row">{name}</th>
                <td>{cell(actual)}</td>
                <td>{cell(other)}</td>
              </tr>
            ))}
            {actual.credits.map((credit, i) => {
              const then = other.credits[i];
              const owed = (one: typeof then) =>
                one === undefined || one.amount === null ? t('no fee is known') : `${decimalText(one.amount)} ${one.currency}`;
              return (
                <tr key={credit.customer} className={owed(credit) === owed(then) ? undefined : 'differs'}>
                  <th scope="row">{t('Owed to {name}', { name: credit.name })}</th>
                  <td>{owed(credit)}</td>
                  <td>{owed(then)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </div>
  );
}
