/** A chart as vectors: what uPlot drew on its canvas, in the same places and colours. */
import type uPlot from 'uplot';
import { lonelyPoints } from './align.ts';
import { type PlotSettings, fillShare, seriesColour, token } from './plot-options.ts';
import { markupText, place } from './vectors.ts';

type Box = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };
type Column = readonly (number | null | undefined)[];

const TEXT_PX = 12;

/** SVG with the origin in the upper left corner of the chart's canvas. */
export function plotMarkup(plot: uPlot, settings: PlotSettings): string {
  const ratio = plot.ctx.canvas.width / Math.max(1, plot.ctx.canvas.clientWidth);
  const { left, top, width, height } = plot.bbox;
  const box: Box = { left: left / ratio, top: top / ratio, width: width / ratio, height: height / ratio };
  const inside = [bands(plot, settings, box), lines(plot, settings), limits(plot, settings, box)].join('');
  // A drawing within a drawing ends at its edges.
  const clipped = `<svg x="${place(box.left)}" y="${place(box.top)}" width="${place(box.width)}" height="${place(box.height)}">${inside}</svg>`;
  return `${settings.compact ? '' : axes(plot, box)}${clipped}`;
}

const text = (words: string, x: number, y: number, { anchor, colour }: { readonly anchor: string; readonly colour: string }): string =>
  `<text x="${place(x)}" y="${place(y)}" font-size="${TEXT_PX}" text-anchor="${anchor}" fill="${colour}">${markupText(words)}</text>`;

/** What uPlot keeps of the axes that it drew; its types do not tell. */
type DrawnAxis = { readonly _splits?: readonly number[] | null; readonly _values?: readonly (string | number | null)[] | null };

function axes(plot: uPlot, box: Box): string {
  const [ink, line] = [token('--ink-faint'), token('--line')];
  const ticksOf = (at: number): readonly (readonly [value: number, words: string])[] => {
    const { _splits: splits, _values: words } = (plot.axes[at] ?? {}) as DrawnAxis;
    return (splits ?? []).map((value, i) => [value, String(words?.[i] ?? '')] as const);
  };
  const foot = box.top + box.height;
  const times = ticksOf(0).map(([value, words]) =>
    text(words, box.left + plot.valToPos(value, 'x'), foot + 5 + TEXT_PX, { anchor: 'middle', colour: ink }),
  );
  const values = ticksOf(1).flatMap(([value, words]) => {
    const y = box.top + plot.valToPos(value, 'y');
    if (y < box.top - 1 || y > foot + 1) return [];
    const grid = `<path d="M${place(box.left)} ${place(y)}H${place(box.left + box.width)}" stroke="${line}" fill="none"/>`;
    return [grid, text(words, box.left - 8, y + TEXT_PX / 3, { anchor: 'end', colour: ink })];
  });
  return [...values, ...times].join('');
}

function bands(plot: uPlot, settings: PlotSettings, { width, height }: Box): string {
  return settings.bands
    .map((band) => {
      const left = plot.valToPos(band.fromMs, 'x');
      const right = Math.max(left + 1, plot.valToPos(band.toMs, 'x'));
      if (right < 0 || left > width) return '';
      const [from, to] = [Math.max(0, left), Math.min(width, right)];
      const colour = token(band.state === 'deployment' ? '--ink-soft' : `--${band.state}`);
      const rest = `height="${place(height)}" fill="${colour}"`;
      const stretch = `<rect x="${place(from)}" y="0" width="${place(to - from)}" ${rest} fill-opacity="0.14"/>`;
      if (band.state !== 'deployment' || left < 0) return stretch;
      const flag = `<path d="M${place(left)} ${place(height - 8)}l5 8h-10Z" fill="${colour}" fill-opacity="0.7"/>`;
      return `${stretch}<rect x="${place(left)}" y="0" width="1" ${rest} fill-opacity="0.7"/>${flag}`;
    })
    .join('');
}

function limits(plot: uPlot, { thresholds }: PlotSettings, { width, height }: Box): string {
  const ink = token('--ink-faint');
  return thresholds
    .map(({ value, name }) => {
      const y = plot.valToPos(value, 'y');
      if (y < 0 || y > height) return '';
      const line = `<path d="M0 ${place(y)}H${place(width)}" stroke="${ink}" stroke-dasharray="5 4" fill="none"/>`;
      return line + text(name, width, y - 4, { anchor: 'end', colour: ink });
    })
    .join('');
}

function lines(plot: uPlot, settings: PlotSettings): string {
  const [times, ...columns] = plot.data as unknown as readonly [readonly number[], ...Column[]];
  const xs = times.map((atMs) => plot.valToPos(atMs, 'x'));
  const y = (value: number): number => plot.valToPos(value, 'y');
  const { min = 0, max = 1 } = plot.scales['y'] ?? {};
  // Areas and bars stand on zero where the scale has it.
  const foot = y(Math.min(Math.max(0, min), max));
  const share = fillShare(settings) / 100;
  return columns
    .map((column, at) => {
      if (plot.series[at + 1]?.show !== true) return '';
      const colour = token(seriesColour(at).slice(4, -1));
      const look = { colour, share };
      if (settings.look?.bars === true) return bars(xs, column, { y, foot, ...look });
      const below = settings.look?.stack === true && at > 0 ? columns[at - 1] : undefined;
      return line(xs, column, { y, foot, below, ...look });
    })
    .join('');
}

type Looks = { readonly y: (value: number) => number; readonly foot: number; readonly colour: string; readonly share: number };

const isThere = (value: number | null | undefined): value is number => value !== null && value !== undefined;

function line(
  xs: readonly number[],
  column: Column,
  { y, foot, below, colour, share }: Looks & { readonly below: Column | undefined },
): string {
  const at = (i: number, value: number): string => `${place(xs[i] ?? 0)} ${place(y(value))}`;
  let [stroke, area] = ['', ''];
  for (const [from, to] of runsOf(column)) {
    const run = column.slice(from, to).map((value, i) => at(from + i, value ?? 0));
    stroke += `M${run.join('L')}`;
    const floor = Array.from({ length: to - from }, (_, i) => {
      const value = below?.[to - 1 - i];
      return isThere(value) ? at(to - 1 - i, value) : `${place(xs[to - 1 - i] ?? 0)} ${place(foot)}`;
    });
    // A straight floor needs its two ends alone.
    area += `M${run.join('L')}L${(below === undefined ? [floor[0], floor.at(-1)] : floor).join('L')}Z`;
  }
  if (stroke === '') return '';
  const dots = lonelyPoints([...column]).map(
    (i) => `<circle cx="${place(xs[i] ?? 0)}" cy="${place(y(column[i] ?? 0))}" r="2" fill="${colour}"/>`,
  );
  const filled = share === 0 ? '' : `<path d="${area}" fill="${colour}" fill-opacity="${share}" stroke="none"/>`;
  return `${filled}<path d="${stroke}" fill="none" stroke="${colour}" stroke-width="1.5"/>${dots.join('')}`;
}

/** Where values follow each other, `[from, to)`. */
function runsOf(column: Column): readonly (readonly [from: number, to: number])[] {
  const runs: (readonly [number, number])[] = [];
  let from = -1;
  for (let i = 0; i <= column.length; i++) {
    const there = i < column.length && isThere(column[i]);
    if (there && from < 0) from = i;
    if (!there && from >= 0) {
      runs.push([from, i]);
      from = -1;
    }
  }
  return runs;
}

/** Bars take most of their step, and stay bars when there are few. */
const BAR_SHARE = 0.8;
const WIDEST_BAR_PX = 48;

function bars(xs: readonly number[], column: Column, { y, foot, colour, share }: Looks): string {
  const there = xs.filter((_, i) => isThere(column[i]));
  const step = there.reduce((least, x, i) => (i === 0 ? least : Math.min(least, x - (there[i - 1] ?? x))), Number.POSITIVE_INFINITY);
  const width = Math.max(1, Math.min(WIDEST_BAR_PX, step * BAR_SHARE));
  const path = column.map((value, i) => {
    if (!isThere(value)) return '';
    const [left, top] = [(xs[i] ?? 0) - width / 2, y(value)];
    return `M${place(left)} ${place(top)}h${place(width)}V${place(foot)}h${place(-width)}Z`;
  });
  return `<path d="${path.join('')}" fill="${colour}" fill-opacity="${share}" stroke="${colour}" stroke-width="1"/>`;
}
