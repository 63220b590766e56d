import type uPlot from 'uplot';
import { tickText } from '../figures/instant.ts';
import { type UnitKind, quantityText } from '../figures/quantity.ts';
import type { View } from '../timeline/view.ts';
import { lonelyPoints } from './align.ts';

/** A named line at a value: a limit, a target. */
export type Threshold = { readonly value: number; readonly name: string };
/** A stretch of time behind the lines: an incident, a deployment, maintenance. */
export type Band = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: 'down' | 'degraded' | 'maintenance';
  readonly name: string;
};

export type PlotSettings = {
  readonly names: readonly string[];
  readonly kind: UnitKind;
  readonly view: View;
  readonly thresholds: readonly Threshold[];
  readonly bands: readonly Band[];
  readonly compact: boolean;
  readonly width: number;
  readonly height: number;
  /** Called with the position of the cursor in the data, or null when it left. */
  readonly onCursor: (index: number | null) => void;
  readonly onZoom: ((view: View) => void) | null;
};

/** Eight colours, then the first again: more than eight lines in one chart tell nobody anything. */
export const seriesColour = (index: number): string => `var(--series-${(index % 8) + 1})`;

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
/** Canvas cannot read `var(…)`. */
const resolveColour = (colour: string): string => token(colour.slice(4, -1));
const FONT = '12px "Inter Variable", system-ui, sans-serif';

function drawBands(plot: uPlot, bands: readonly Band[]): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.globalAlpha = 0.14;
  for (const band of bands) {
    const left = Math.max(bbox.left, plot.valToPos(band.fromMs, 'x', true));
    const right = Math.min(bbox.left + bbox.width, Math.max(left + 1, plot.valToPos(band.toMs, 'x', true)));
    if (right <= left) continue;
    ctx.fillStyle = token(`--${band.state}`);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

function drawThresholds(plot: uPlot, thresholds: readonly Threshold[]): void {
  const { ctx, bbox } = plot;
  const ratio = bbox.width / Math.max(1, plot.over.clientWidth);
  ctx.save();
  ctx.strokeStyle = token('--ink-faint');
  ctx.fillStyle = token('--ink-faint');
  ctx.lineWidth = ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.font = FONT.replace('12px', `${Math.round(12 * ratio)}px`);
  ctx.textAlign = 'right';
  for (const { value, name } of thresholds) {
    const y = Math.round(plot.valToPos(value, 'y', true));
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.fillText(name, bbox.left + bbox.width, y - 4 * ratio);
  }
  ctx.restore();
}

function yRange(settings: PlotSettings): uPlot.Range.Function {
  return (_plot, _low, high) => {
    const limits = settings.thresholds.map((threshold) => threshold.value);
    const top = Math.max(high ?? 0, ...limits.filter((limit) => limit <= (high ?? 0) * 4));
    if (settings.kind === 'percent' && settings.compact) return [0, 100];
    return [0, top <= 0 || !Number.isFinite(top) ? 1 : top * 1.12];
  };
}

function axes(settings: PlotSettings): uPlot.Axis[] {
  const ink = token('--ink-faint');
  const shared = { font: FONT, stroke: ink, grid: { stroke: token('--line'), width: 1 }, ticks: { show: false } };
  if (settings.compact) return [{ show: false }, { show: false }];
  return [
    {
      ...shared,
      grid: { show: false },
      space: 80,
      size: 28,
      values: (_plot, splits) => splits.map((split) => tickText(split, (splits[1] ?? split) - (splits[0] ?? split))),
    },
    { ...shared, size: 72, space: 36, gap: 8, values: (_plot, splits) => splits.map((split) => quantityText(split, settings.kind)) },
  ];
}

function seriesOf(name: string, index: number, compact: boolean): uPlot.Series {
  const colour = resolveColour(seriesColour(index));
  return {
    label: name,
    stroke: colour,
    width: 1.5,
    fill: compact ? `color-mix(in srgb, ${colour} 12%, transparent)` : null,
    points: { show: true, size: 4, fill: colour, filter: (plot, column) => lonelyPoints([...(plot.data[column] ?? [])]) },
  } as uPlot.Series;
}

/** All that uPlot is told. Lines are thin, gaps stay gaps, the scale starts at zero, the axis names the unit. */
export function plotOptions(settings: PlotSettings): uPlot.Options {
  const { view, compact, onZoom } = settings;
  return {
    width: settings.width,
    height: settings.height,
    ms: 1,
    padding: compact ? [2, 0, 0, 0] : [12, 8, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 6 },
      drag: { x: onZoom !== null, y: false, setScale: false },
    },
    scales: { x: { time: true, range: [view.fromMs, view.toMs] }, y: { range: yRange(settings) } },
    axes: axes(settings),
    series: [{}, ...settings.names.map((name, index) => seriesOf(name, index, compact))],
    hooks: {
      drawClear: [(plot) => drawBands(plot, settings.bands)],
      draw: [(plot) => drawThresholds(plot, settings.thresholds)],
      setCursor: [(plot) => settings.onCursor(plot.cursor.idx ?? null)],
      setSelect: [
        (plot) => {
          if (onZoom === null || plot.select.width < 4) return;
          onZoom({
            fromMs: Math.round(plot.posToVal(plot.select.left, 'x')),
            toMs: Math.round(plot.posToVal(plot.select.left + plot.select.width, 'x')),
          });
        },
      ],
    },
  };
}
