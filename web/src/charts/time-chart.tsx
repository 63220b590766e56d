import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { exactInstant } from '../figures/instant.ts';
import { type UnitKind, quantityText } from '../figures/quantity.ts';
import type { ExploreSearch } from '../explore/search.ts';
import { t } from '../language/t.ts';
import type { View } from '../timeline/view.ts';
import { useNowStep } from '../shell/now.ts';
import { type ChartSeries, type Columns, alignSeries, stacked, summarise } from './align.ts';
import { type Band, type Look, type PlotSettings, type Threshold, plotOptions, seriesColour } from './plot-options.ts';
import { plotMarkup } from './plot-vectors.ts';
import { drawnAs } from './vectors.ts';

type Props = {
  readonly title: string;
  readonly kind: UnitKind;
  readonly view: View;
  /** How often the series has a value; a longer pause is drawn as a gap. */
  readonly stepMs: number;
  readonly series: readonly ChartSeries[];
  readonly thresholds?: readonly Threshold[];
  readonly bands?: readonly Band[];
  readonly height?: number;
  /** Without axes and heading, for a card that names the figure itself. */
  readonly compact?: boolean;
  /** Why there is nothing to see, when there is nothing. */
  readonly empty: string;
  /** The PromQL behind the lines, shown on request. */
  readonly expr?: string;
  /** The same, each by itself, where they are several. */
  readonly exprs?: readonly string[];
  readonly onZoom?: (view: View) => void;
  readonly look?: Look;
  /** Charts with the same word share one cursor. */
  readonly sync?: string;
  /** The title stands elsewhere already; what the lines are called stays. */
  readonly untitled?: boolean;
};

const NOTHING: readonly never[] = [];
/** Two values missing in a row is a gap; one may have come late. */
const GAP_STEPS = 2.5;

/** Anything over time: one uPlot chart with its title, readout, gaps, limits and words for those who cannot see it. */
export function TimeChart(props: Props) {
  const { title, kind, empty, series, stepMs, compact = false, height = compact ? 56 : 220 } = props;
  const { ref, width } = useElementSize<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const [chosen, setOnly] = useState<string | null>(null);
  const only = series.length > 1 && series.some(({ name }) => name === chosen) ? chosen : null;
  const columns = useMemo(() => alignSeries(series, stepMs * GAP_STEPS), [series, stepMs]);
  const hasPoints = columns[0].length > 0;
  const label = useMemo(() => chartLabel({ title, series, kind, empty }), [title, series, kind, empty]);
  return (
    <figure className={compact ? 'chart chart-compact' : 'chart'}>
      {compact ? null : <ChartHead {...props} columns={columns} at={at} only={only} onOnly={setOnly} />}
      <div ref={ref} className="chart-plot" style={{ height }} role="img" aria-label={label}>
        {hasPoints && width > 0 ? <Plot {...props} columns={columns} only={only} width={width} height={height} onCursor={setAt} /> : null}
        {hasPoints ? null : <p className="chart-empty">{props.empty}</p>}
      </div>
      {compact || props.expr === undefined ? null : (
        <details className="chart-query">
          <summary>{t('Query')}</summary>
          <pre>{props.expr}</pre>
          <Link to="/explore" search={exploreOf(props.exprs ?? [props.expr], props.view)}>
            {t('Explore it')}
          </Link>
        </details>
      )}
    </figure>
  );
}

const exploreOf = (exprs: readonly string[], { fromMs, toMs }: View): ExploreSearch => ({
  panels: exprs.map((q) => ({ q })),
  from: Math.floor(fromMs),
  to: Math.ceil(toMs),
});

/** More lines than these nobody listens to. */
const MOST_TOLD = 8;

function chartLabel({ title, series, kind, empty }: Pick<Props, 'title' | 'series' | 'kind' | 'empty'>): string {
  const parts: string[] = [];
  for (const { name, points } of series) {
    const summary = parts.length < MOST_TOLD ? summarise(points) : undefined;
    if (summary === undefined) continue;
    parts.push(
      t('{name}: last {last}, lowest {min}, highest {max}', {
        name,
        last: quantityText(summary.last, kind),
        min: quantityText(summary.low, kind),
        max: quantityText(summary.high, kind),
      }),
    );
  }
  return parts.length === 0 ? `${title}: ${empty}` : `${title}. ${parts.join('; ')}`;
}

type HeadProps = Props & {
  readonly columns: Columns;
  readonly at: number | null;
  /** The one line that is drawn; null: all of them. */
  readonly only: string | null;
  readonly onOnly: (name: string | null) => void;
};

function ChartHead(props: HeadProps): ReactNode {
  const { columns, at, series, kind, only, onOnly } = props;
  const now = useNowStep(60_000);
  const index = at ?? columns[0].length - 1;
  const atMs = columns[0][index];
  return (
    <figcaption className="chart-head">
      {props.untitled === true ? null : <h3>{props.title}</h3>}
      <ul className="chart-names">
        {series.map((one, place) => {
          const value = columns[place + 1]?.[index];
          return (
            <li key={one.name} className={only !== null && only !== one.name ? 'chart-name-off' : undefined}>
              <i style={{ background: seriesColour(place) }} />
              {series.length < 2 ? (
                one.name
              ) : (
                <button
                  type="button"
                  className="chart-name"
                  aria-pressed={only === one.name}
                  title={only === one.name ? t('Show all lines') : t('Show this line alone')}
                  onClick={() => onOnly(only === one.name ? null : one.name)}
                >
                  {one.name}
                </button>
              )}
              <b>{value === null || value === undefined ? '–' : quantityText(value, kind)}</b>
            </li>
          );
        })}
        {atMs === undefined || at === null ? null : <li className="faint">{exactInstant(atMs, now)}</li>}
      </ul>
    </figcaption>
  );
}

type PlotProps = Props & {
  readonly columns: Columns;
  readonly only: string | null;
  readonly width: number;
  readonly height: number;
  readonly onCursor: (index: number | null) => void;
};

function Plot({ columns, only, width, height, onCursor, ...props }: PlotProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const scheme = useComputedColorScheme('light');
  const { kind, view, thresholds = NOTHING, bands = NOTHING, compact = false, onZoom = null, look, sync } = props;
  const names = props.series.map((one) => one.name).join('\n');
  const zoom = useRef(onZoom);
  zoom.current = onZoom;
  const zooms = onZoom !== null;
  const drawn = useMemo(() => (look?.stack === true && only === null ? stacked(columns) : columns), [columns, look, only]);

  // The colours of the canvas are read once per build, so a change of theme builds the plot again.
  useEffect(() => {
    if (host.current === null) return;
    const settings: PlotSettings = {
      names: names.split('\n'),
      kind,
      view,
      thresholds,
      bands,
      compact,
      width,
      height,
      onCursor,
      look,
      sync,
      onZoom: zooms ? (next) => zoom.current?.(next) : null,
    };
    const built = new uPlot(plotOptions(settings), mutableColumns(drawn), host.current);
    drawnAs(built.ctx.canvas, () => plotMarkup(built, settings));
    plot.current = built;
    return () => built.destroy();
    // Data and size alone are set on the living plot below.
  }, [names, kind, view.fromMs, view.toMs, thresholds, bands, compact, scheme, zooms, onCursor, look, sync]);
  // After the plot was built anew all lines are shown: this runs whenever that may have been.
  useEffect(() => {
    names.split('\n').forEach((name, index) => {
      const show = only === null || only === name;
      if (plot.current?.series[index + 1]?.show !== show) plot.current?.setSeries(index + 1, { show });
    });
  });
  useEffect(() => plot.current?.setSize({ width, height }), [width, height]);
  useEffect(() => plot.current?.setData(mutableColumns(drawn)), [drawn]);
  return <div ref={host} aria-hidden="true" />;
}

/** uPlot's type wants columns it may write to; it does not write. */
const mutableColumns = (columns: Columns): uPlot.AlignedData => columns as unknown as uPlot.AlignedData;
