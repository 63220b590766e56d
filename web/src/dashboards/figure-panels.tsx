import { useMemo } from 'react';
import type { Panel, PanelOf } from '../api/dashboards.ts';
import { TimeChart } from '../charts/time-chart.tsx';
import type { UnitKind } from '../figures/quantity.ts';
import { lengthText, windowText } from '../figures/length.ts';
import { StateShape } from '../states/state-mark.tsx';
import { useBoard, useReport } from './context.ts';
import { EmptyPanel } from './empty-panel.tsx';
import { type Cells, type NamedSeries, correlations, crossed, histogramCells, reduced } from '@nines/maths/dashboards/figures.ts';
import { limitText, unitQuantity, unitText, weekOf } from './figure-text.ts';
import { GaugeArc } from './gauge.tsx';
import { Heatmap } from './heatmap.tsx';
import { PieChart } from './pie.tsx';
import { BarRows } from './bar-rows.tsx';
import { SeriesTable } from './series-table.tsx';
import { type Figures, useFigures } from './use-figures.ts';
import { type Rows, rowsOfSeries, rowsOfValues } from './export.ts';
import { tickText } from '../figures/instant.ts';
import { decimalText } from '../figures/percent.ts';
import { t } from '../language/t.ts';

type Props<Kind extends Panel['kind']> = { readonly panel: PanelOf<Kind>; readonly height: number };

/** Tells the frame of what a panel of series shows. */
function useSeriesReport(figures: Figures, rows: () => Rows): void {
  const { pending, error, updatedAtMs, arrivals, exprs, stamp } = figures;
  useReport({ pending, error, updatedAtMs, arrivals, exprs, rows }, `${stamp} ${pending}`);
}

/** What stands in place of a picture while there is nothing to draw. */
function Nothing({ figures }: { readonly figures: Figures }) {
  if (figures.error !== null) return null;
  return figures.pending ? <p className="chart-empty">{t('Reading …')}</p> : <EmptyPanel exprs={figures.exprs} />;
}

export function LinePanel({ panel, height }: Props<'line'>) {
  const figures = useFigures(panel.source);
  useSeriesReport(figures, () => rowsOfSeries(figures.series));
  const look = useMemo(
    () => ({ stack: panel.stack, fill: panel.fill, log: panel.scale === 'log', min: panel.min, max: panel.max }),
    [panel.stack, panel.fill, panel.scale, panel.min, panel.max],
  );
  return <SeriesChart panel={panel} figures={figures} look={look} height={height} />;
}

export function BarPanel({ panel, height }: Props<'bar'>) {
  const figures = useFigures(panel.source);
  const values = valuesOf(figures.series, panel.reduce);
  useSeriesReport(figures, () => (panel.by === 'time' ? rowsOfSeries(figures.series) : rowsOfValues(values)));
  const look = useMemo(() => ({ bars: true, stack: panel.stack, min: panel.min, max: panel.max }), [panel.stack, panel.min, panel.max]);
  if (panel.by === 'time') return <SeriesChart panel={panel} figures={figures} look={look} height={height} />;
  if (values.length === 0) return <Nothing figures={figures} />;
  return <BarRows values={values} panel={panel} />;
}

type ChartProps = {
  readonly panel: PanelOf<'line' | 'bar'>;
  readonly figures: Figures;
  readonly look: NonNullable<Parameters<typeof TimeChart>[0]['look']>;
  readonly height: number;
};

/** Lines of what the heading of a chart takes. */
const HEAD_PX = 28;

function SeriesChart({ panel, figures, look, height }: ChartProps) {
  const board = useBoard();
  const thresholds = useMemo(
    () => panel.thresholds.map((one) => ({ value: one.at, name: limitText(one, panel.unit) })),
    [panel.thresholds, panel.unit],
  );
  if (figures.series.length === 0) return <Nothing figures={figures} />;
  return (
    <>
      <TimeChart
        title={panel.title}
        untitled
        kind={panel.unit satisfies UnitKind}
        view={board.view}
        stepMs={figures.stepMs}
        series={figures.series}
        thresholds={thresholds}
        bands={board.bands}
        height={Math.max(96, height - HEAD_PX)}
        empty=""
        look={look}
        sync={board.id}
        onZoom={board.onZoom}
      />
      {figures.left > 0 ? (
        <p className="faint small">
          {t('{count, plural, one {# more series is} other {# more series are}} not drawn: narrow the query, or show the top ones.', {
            count: figures.left,
          })}
        </p>
      ) : null}
    </>
  );
}

export type NamedValue = { readonly name: string; readonly value: number; readonly labels: Readonly<Record<string, string>> };

function valuesOf(series: readonly NamedSeries[], how: PanelOf<'card'>['reduce']): readonly NamedValue[] {
  return series.flatMap(({ name, labels, points }) => {
    const value = reduced(points, how);
    return value === undefined ? [] : [{ name, value, labels }];
  });
}

export function CardPanel({ panel, height }: Props<'card'>) {
  const board = useBoard();
  const figures = useFigures(panel.source);
  const spanMs = board.view.toMs - board.view.fromMs;
  const before = useFigures(panel.source, { beforeMs: spanMs, enabled: panel.compare === 'period' });
  const values = valuesOf(figures.series, panel.reduce);
  useSeriesReport(figures, () => rowsOfValues(values));
  const [only] = values;
  if (only === undefined) return <Nothing figures={figures} />;
  const past = valuesOf(before.series, panel.reduce).find(({ name }) => name === only.name);
  const lines = figures.series.slice(0, 1);
  return (
    <div className="card-body">
      <CardFigure value={only.value} panel={panel} />
      {panel.compare === 'none' ? null : <Compared now={only.value} before={past?.value} panel={panel} spanMs={spanMs} />}
      {values.length > 1 ? (
        <p className="faint small">{t('{name}; {count} more in the table of values', { name: only.name, count: values.length - 1 })}</p>
      ) : null}
      {panel.sparkline ? (
        <TimeChart
          title={panel.title}
          kind={panel.unit}
          view={board.view}
          stepMs={figures.stepMs}
          series={lines}
          height={Math.max(32, height - 92)}
          compact
          look={SPARK}
          empty=""
        />
      ) : null}
    </div>
  );
}
const SPARK = { fill: false };

/** The figure with the word of the limit it is beyond: never colour alone. */
function CardFigure({ value, panel }: { readonly value: number; readonly panel: PanelOf<'card'> }) {
  const { number, unit } = unitQuantity(value, panel.unit, panel.decimals);
  const limit = crossed(value, panel.thresholds);
  return (
    <p className="card-figure">
      <b>{number}</b> <small>{unit}</small>
      {limit === undefined ? null : (
        <span className="mark small">
          <StateShape state={limit.severity === 'critical' ? 'down' : 'degraded'} />
          {limitText(limit, panel.unit)}
        </span>
      )}
    </p>
  );
}

type ComparedProps = {
  readonly now: number;
  readonly before: number | undefined;
  readonly panel: PanelOf<'card'>;
  readonly spanMs: number;
};

function Compared({ now, before, panel, spanMs }: ComparedProps) {
  if (before === undefined)
    return <p className="faint small">{t('nothing known of the {length} before', { length: windowText(spanMs) })}</p>;
  const change = now - before;
  const said = { change: unitText(Math.abs(change), panel.unit, panel.decimals), length: lengthText(Math.round(spanMs / 1000) * 1000) };
  const words =
    change === 0
      ? t('as in the {length} before', { length: said.length })
      : change > 0
        ? t('{change} more than in the {length} before', said)
        : t('{change} less than in the {length} before', said);
  return <p className="faint small">{words}</p>;
}

export function GaugePanel({ panel, height }: Props<'gauge'>) {
  const figures = useFigures(panel.source);
  const values = valuesOf(figures.series, panel.reduce);
  useSeriesReport(figures, () => rowsOfValues(values));
  if (values.length === 0) return <Nothing figures={figures} />;
  return (
    <div className="gauges">
      {values.slice(0, 12).map((one) => (
        <GaugeArc
          key={one.name}
          {...one}
          panel={panel}
          named={values.length > 1}
          height={values.length > 1 ? Math.min(height, 128) : height}
        />
      ))}
    </div>
  );
}

export function PiePanel({ panel }: Props<'pie'>) {
  const figures = useFigures(panel.source);
  const values = valuesOf(figures.series, panel.reduce);
  useSeriesReport(figures, () => rowsOfValues(values));
  if (values.length === 0) return <Nothing figures={figures} />;
  const asked = panel.source.from === 'promql' ? panel.source.queries.filter(({ hidden }) => hidden !== true) : [];
  const left = new Set(figures.series.flatMap(({ query, name }) => (asked[query]?.rest === true ? [name] : [])));
  const parts = values.map((one) => ({ ...one, isRest: left.has(one.name) }));
  return <PieChart parts={parts} hollow={panel.hollow} text={(value) => unitText(value, panel.unit, panel.decimals)} title={panel.title} />;
}

export function HeatmapPanel({ panel, height }: Props<'heatmap'>) {
  const board = useBoard();
  const figures = useFigures(panel.source);
  const spanMs = board.view.toMs - board.view.fromMs;
  const cells = useMemo(() => cellsOf(panel, figures.series, spanMs), [panel, figures.series, spanMs]);
  useSeriesReport(figures, () => [
    ['name', ...cells.columns],
    ...cells.values.map((row, at) => [cells.rows[at] ?? '', ...row.map((value) => value ?? '')]),
  ]);
  if (figures.series.length === 0) return <Nothing figures={figures} />;
  const text = (value: number) =>
    panel.mode === 'correlation' ? `r = ${decimalText(value.toFixed(2))}` : unitText(value, panel.unit, panel.decimals);
  return <Heatmap cells={cells} height={height} text={text} title={panel.title} signed={panel.mode === 'correlation'} />;
}

function cellsOf(panel: PanelOf<'heatmap'>, series: readonly NamedSeries[], spanMs: number): Cells {
  if (panel.mode === 'hour_by_weekday') return weekOf(series);
  if (panel.mode === 'correlation') return correlations(series.slice(0, 24));
  return histogramCells(series, (atMs) => tickText(atMs, spanMs / 12));
}

export function SeriesTablePanel({ panel }: Props<'table'>) {
  const figures = useFigures(panel.source);
  useSeriesReport(figures, () => rowsOfValues(valuesOf(figures.series, panel.reduce)));
  if (figures.series.length === 0) return <Nothing figures={figures} />;
  return <SeriesTable panel={panel} series={figures.series} />;
}
