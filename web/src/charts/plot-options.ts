import uPlot from 'uplot';
import { tickText } from '../figures/instant.ts';
import { type UnitKind, quantityText } from '../figures/quantity.ts';
import type { View } from '../timeline/view.ts';
import { lonelyPoints } from './align.ts';

/** A named line at a value: a limit, a target. */
export type Threshold = { readonly value: number; readonly name: string };
/** A stretch of time behind the lines: an incident, maintenance. A deployment is a line where it began, with the stretch that it took. */
export type Band = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly state: 'down' | 'degraded' | 'maintenance' | 'deployment';
  readonly name: string;
};

/** How lines are drawn where that is not as everywhere: without it lines are thin and the scale begins at zero. */
export type Look = {
  readonly bars?: boolean;
  readonly stack?: boolean;
  readonly fill?: boolean;
  readonly log?: boolean;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
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
  readonly look?: Look | undefined;
  /** Charts with the same word share one cursor. */
  readonly sync?: string | undefined;
};

/** Eight colours, then the first again: more than eight lines in one chart tell nobody anything. */
export const seriesColour = (index: number): string => `var(--series-${(index % 8) + 1})`;

/** A colour of the theme, by the name of its variable. */
export const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
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
    if (band.state === 'deployment') {
      if (band.fromMs >= plot.posToVal(0, 'x')) drawDeployment(plot, left, band.toMs > band.fromMs ? right : left);
      continue;
    }
    ctx.fillStyle = token(`--${band.state}`);
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
  ctx.restore();
}

/** A line with a flag at its foot, which stands apart from bands without a colour of its own. */
function drawDeployment({ ctx, bbox, over }: uPlot, left: number, right: number): void {
  const ratio = bbox.width / Math.max(1, over.clientWidth);
  const [flag, foot] = [5 * ratio, bbox.top + bbox.height];
  ctx.save();
  ctx.fillStyle = token('--ink-soft');
  if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  ctx.globalAlpha = 0.7;
  ctx.fillRect(Math.round(left), bbox.top, Math.max(1, ratio), bbox.height);
  ctx.beginPath();
  ctx.moveTo(left, foot - flag * 1.6);
  ctx.lineTo(left + flag, foot);
  ctx.lineTo(left - flag, foot);
  ctx.fill();
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

/** Room above and below what is drawn. */
const ROOM = 0.06;

function lookRange({ look = {}, thresholds }: PlotSettings): uPlot.Range.Function {
  const zeroBased = look.bars === true || look.stack === true || look.fill === true;
  return (_plot, low, high) => {
    const [least, most] = [low ?? 0, high ?? 1];
    if (look.log === true) return uPlot.rangeLog(least > 0 ? least : 1e-3, most > 0 ? most : 1, 10, false);
    const near = thresholds.map(({ value }) => value).filter((value) => value <= most + (most - least) && value >= least - (most - least));
    const [bottom, top] = [Math.min(least, ...near, ...(zeroBased ? [0] : [])), Math.max(most, ...near, ...(zeroBased ? [0] : []))];
    const room = (top - bottom || Math.abs(top) || 1) * ROOM;
    const from = look.min ?? (zeroBased && bottom === 0 ? 0 : bottom - room);
    const to = look.max ?? top + room;
    return [from, to > from ? to : from + 1];
  };
}

function yRange(settings: PlotSettings): uPlot.Range.Function {
  if (settings.look !== undefined) return lookRange(settings);
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

/** Bars take most of their step, and stay bars when there are few. */
const BAR_SIZE = [0.8, 48] as const;

/** Of the colour of a line what fills the area below it, in percent. */
export function fillShare({ compact, look = {} }: PlotSettings): number {
  if (look.bars === true) return 70;
  if (look.stack === true) return 55;
  return compact || look.fill === true ? 12 : 0;
}

function seriesOf(name: string, index: number, settings: PlotSettings): uPlot.Series {
  const colour = resolveColour(seriesColour(index));
  const share = fillShare(settings);
  const { bars } = uPlot.paths;
  return {
    label: name,
    stroke: colour,
    width: 1.5,
    fill: share > 0 ? `color-mix(in srgb, ${colour} ${share}%, transparent)` : null,
    ...(settings.look?.bars === true && bars !== undefined ? { paths: bars({ size: [...BAR_SIZE] }) } : {}),
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
      ...(settings.sync === undefined ? {} : { sync: { key: settings.sync, setSeries: false, scales: ['x', null] } }),
    },
    scales: {
      x: { time: true, range: [view.fromMs, view.toMs] },
      y: { range: yRange(settings), distr: settings.look?.log === true ? 3 : 1 },
    },
    axes: axes(settings),
    series: [{}, ...settings.names.map((name, index) => seriesOf(name, index, settings))],
    // A stack fills between a line and the one below.
    bands: settings.look?.stack === true ? settings.names.slice(1).map((_, index) => ({ series: [index + 2, index + 1] })) : [],
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
