import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { PanelOf } from '../api/dashboards.ts';
import { widgetsQuery } from '../api/widgets.ts';
import { t } from '../language/t.ts';
import { useBoard, useReport } from './context.ts';
import { rowsOfSeries } from './export.ts';
import { useFigures } from './use-figures.ts';
import { WidgetFrame } from './widget-frame.tsx';

type Props = { readonly panel: PanelOf<'custom'>; readonly height: number };

/** Figures drawn by a script that an administrator registered. */
export function CustomPanel({ panel, height }: Props) {
  const { view } = useBoard();
  const figures = useFigures(panel.source);
  const { pending, error, updatedAtMs, exprs, stamp, series } = figures;
  useReport({ pending, error, updatedAtMs, exprs, rows: () => rowsOfSeries(series) }, `${stamp} ${pending}`);
  const known = useQuery(widgetsQuery()).data?.items;
  const widget = known?.find(({ id }) => id === panel.widget);
  if (panel.widget === '' || (known !== undefined && widget === undefined))
    return (
      <div className="chart-empty wrap">
        <div>
          <p>
            {panel.widget === ''
              ? t('Choose a widget. Administrators register them.')
              : t('There is no widget “{id}”: an administrator registers it.', { id: panel.widget })}
          </p>
          <p>
            <Link to="/settings/widgets">{t('Widgets')}</Link>
          </p>
        </div>
      </div>
    );
  if (widget === undefined) return null;
  const { unit, decimals, thresholds, options } = panel;
  return (
    <WidgetFrame
      key={widget.revision}
      title={panel.title === '' ? panel.widget : panel.title}
      src={`/api/widgets/${encodeURIComponent(panel.widget)}/frame`}
      data={{ series, view, unit, decimals, thresholds, options }}
      height={height}
    />
  );
}
