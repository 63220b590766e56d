import type { PanelOf } from '../api/dashboards.ts';
import { crossed } from '@nines/maths/dashboards/figures.ts';
import { t } from '../language/t.ts';
import { limitText, unitText } from './figure-text.ts';

type Props = {
  readonly values: readonly { readonly name: string; readonly value: number }[];
  readonly panel: PanelOf<'bar'>;
};

/** One bar for each series from zero, the greatest first. */
export function BarRows({ values, panel }: Props) {
  const { unit, decimals, thresholds } = panel;
  const shown = [...values].sort((a, b) => b.value - a.value).slice(0, panel.top);
  const most = Math.max(panel.max ?? 0, ...shown.map(({ value }) => Math.abs(value))) || 1;
  return (
    <>
      <ul className="bar-rows">
        {shown.map(({ name, value }) => {
          const limit = crossed(value, thresholds);
          return (
            <li key={name}>
              <span className="wrap">{name}</span>
              <span className="bar-track" aria-hidden="true">
                <span className={limit?.severity ?? ''} style={{ width: `${(Math.abs(value) / most) * 100}%` }} />
              </span>
              <b title={limit === undefined ? undefined : limitText(limit, unit)}>{unitText(value, unit, decimals)}</b>
            </li>
          );
        })}
      </ul>
      {values.length > shown.length ? (
        <p className="faint small">{t('the greatest {count} of {all}', { count: shown.length, all: values.length })}</p>
      ) : null}
    </>
  );
}
