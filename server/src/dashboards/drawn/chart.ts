import { limitText, unitText } from '@nines/maths/dashboards/figures.ts';
import { FAINT, INK_OF, LINE, seriesColour } from './colours.ts';
import { type Mark, type Point, box } from './marks.ts';
import type { Line, Shown } from './shown.ts';
import { clockText } from './show.ts';

type Chart = Extract<Shown, { kind: 'lines' }>;
type Size = { readonly width: number; readonly height: number };

const LEFT = 52;
const FOOT = 16;
const LEGEND_ROW = 14;
const MAX_LEGEND_ROWS = 4;
const TEXT = 9;
const TICKS = 4;
const MOST_TICKS = 20;
/** What the text of an instant takes with its distance. */
const TIME_WIDTH = 48;
/** About what a letter of the legend takes. */
const LETTER = 5;

/** Figures further out than this overflow when they are added; what is drawn ends here. */
const MOST = 1e300;
const within = (value: number): number => Math.min(MOST, Math.max(-MOST, value));

/** Lines, areas or bars over time with their axes, limits and names. */
export function drawChart(chart: Chart, size: Size): readonly Mark[] {
  const legend = legendOf(chart.lines, size);
  const plot = { x: LEFT, y: 4, width: Math.max(10, size.width - LEFT - 4), height: Math.max(10, size.height - FOOT - legend.height - 8) };
  const lines = chart.look.stack ? stacked(chart.lines) : chart.lines.map((line) => ({ ...line, base: undefined }));
  const scale = scaleOf(chart, lines);
  const { fromMs, toMs } = chart.span;
  const x = (atMs: number): number => plot.x + ((atMs - fromMs) / Math.max(1, toMs - fromMs)) * plot.width;
  const y = (value: number): number => plot.y + plot.height * (1 - Math.min(1, Math.max(0, scale.share(value))));
  return [
    ...axes(chart, { ...plot, x, y, ticks: scale.ticks }),
    // What is on top of a stack is drawn first, so that it stands behind.
    ...[...lines.entries()]
      .reverse()
      .flatMap(([i, line]) => drawLine(chart, { line, colour: seriesColour(i), x, y, plot, bars: lines.length })),
    ...chart.thresholds.flatMap((one): Mark[] => {
      const at = y(one.at);
      if (at <= plot.y || at >= plot.y + plot.height) return [];
      const colour = INK_OF[one.severity];
      return [
        {
          mark: 'line',
          points: [
            [plot.x, at],
            [plot.x + plot.width, at],
          ],
          colour,
          width: 1,
          dashed: true,
        },
        { mark: 'text', text: limitText(one, chart.unit), at: [plot.x + plot.width, at - 2], size: 8, colour, anchor: 'end' },
      ];
    }),
    ...legend.marks,
  ];
}

type Stacked = Line & { readonly base: ReadonlyMap<number, number> | undefined };

function stacked(lines: readonly Line[]): readonly Stacked[] {
  const sums = new Map<number, number>();
  return lines.map(({ name, points }) => {
    const base = new Map(sums);
    const moved = points.map(([atMs, value]): readonly [number, number] => {
      const sum = within((sums.get(atMs) ?? 0) + (Number.isFinite(value) ? value : 0));
      sums.set(atMs, sum);
      return [atMs, sum];
    });
    return { name, points: moved, base };
  });
}

function scaleOf({ look, thresholds }: Chart, lines: readonly Line[]) {
  const values = [...lines.flatMap(({ points }) => points.map(([, value]) => value)), ...thresholds.map(({ at }) => at)]
    .filter((value) => Number.isFinite(value) && (!look.log || value > 0))
    .map(within);
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const most = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (look.log) {
    const [low, high] = [
      Math.floor(Math.log10(values.length === 0 ? 1 : least)),
      Math.ceil(Math.log10(values.length === 0 ? 10 : most) + 1e-9),
    ];
    const decades = Math.max(1, Math.ceil((high - low) / MOST_TICKS));
    const ticks = Array.from({ length: Math.floor(Math.max(1, high - low) / decades) + 1 }, (_, i) => 10 ** (low + i * decades));
    return { ticks, share: (value: number) => (Math.log10(Math.max(value, Number.MIN_VALUE)) - low) / Math.max(1, high - low) };
  }
  const step = niceStep(
    ((look.max ?? (values.length === 0 ? 1 : most)) - (look.min ?? Math.min(0, values.length === 0 ? 0 : least))) / TICKS,
  );
  const low = look.min ?? Math.floor(Math.min(0, values.length === 0 ? 0 : least) / step) * step;
  const high = Math.max(low + step, look.max ?? Math.ceil((values.length === 0 ? 1 : most) / step) * step);
  // Between figures that are very large or very close lies no other number: one step is all there is.
  const ticks = Array.from({ length: Math.min(MOST_TICKS, Math.round((high - low) / step) || 0) + 1 }, (_, i) => low + i * step);
  return { ticks, share: (value: number) => (high > low ? (value - low) / (high - low) : 0.5) };
}

/** 1, 2 or 5 times a power of ten, at least `rough`. */
function niceStep(rough: number): number {
  if (!(rough > 0) || !Number.isFinite(rough)) return 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  return ([1, 2, 5, 10].find((one) => one * power >= rough * 0.999_999) ?? 10) * power;
}

type Plot = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
type Scales = { readonly x: (atMs: number) => number; readonly y: (value: number) => number };

function axes({ unit, span }: Chart, plot: Omit<Plot, 'x' | 'y'> & Scales & { readonly ticks: readonly number[] }): readonly Mark[] {
  const lengthMs = span.toMs - span.fromMs;
  const marks = Math.max(1, Math.min(TICKS, Math.floor(plot.width / TIME_WIDTH)));
  const times = Array.from({ length: marks + 1 }, (_, i) => span.fromMs + (lengthMs * i) / marks);
  const [left, right, foot] = [LEFT, LEFT + plot.width, 4 + plot.height];
  return [
    ...plot.ticks.flatMap((value): Mark[] => [
      {
        mark: 'line',
        points: [
          [left, plot.y(value)],
          [right, plot.y(value)],
        ],
        colour: LINE,
        width: 0.7,
      },
      { mark: 'text', text: unitText(value, unit), at: [left - 4, plot.y(value) + 3], size: TEXT, colour: FAINT, anchor: 'end' },
    ]),
    ...times.map((atMs, i): Mark => {
      const anchor = i === 0 ? 'start' : i === marks ? 'end' : 'middle';
      return { mark: 'text', text: clockText(atMs, lengthMs), at: [plot.x(atMs), foot + 12], size: TEXT, colour: FAINT, anchor };
    }),
  ];
}

type Drawn = Scales & { readonly line: Stacked; readonly colour: string; readonly plot: Plot; readonly bars: number };

function drawLine({ look, gapMs }: Chart, { line, colour, x, y, plot }: Drawn): readonly Mark[] {
  const foot = plot.y + plot.height;
  if (look.bars) {
    const width = Math.max(1, Math.min(24, plot.width / Math.max(1, line.points.length) - 1));
    return line.points.flatMap(([atMs, value]): Mark[] =>
      Number.isFinite(value)
        ? [{ mark: 'area', points: box(x(atMs) - width / 2, y(value), width, Math.max(0, foot - y(value))), colour }]
        : [],
    );
  }
  return runs(line, gapMs).flatMap((run): Mark[] => {
    const points = run.map(([atMs, value]): Point => [x(atMs), y(value)]);
    const [first, last] = [points[0], points.at(-1)];
    if (first === undefined || last === undefined) return [];
    const below =
      line.base === undefined
        ? [[last[0], foot] as const, [first[0], foot] as const]
        : run.toReversed().map(([atMs]): Point => [x(atMs), y(line.base?.get(atMs) ?? 0)]);
    // One value alone is a dot.
    const single: readonly Point[] =
      points.length === 1
        ? [
            [first[0] - 1.5, first[1]],
            [first[0] + 1.5, first[1]],
          ]
        : points;
    return [
      ...(look.fill || look.stack
        ? [{ mark: 'area' as const, points: [...points, ...below], colour, opacity: look.stack ? 0.6 : 0.15 }]
        : []),
      { mark: 'line', points: single, colour, width: points.length === 1 ? 3 : 1.3 },
    ];
  });
}

/** A line in pieces: what is no number, and a long pause, is a gap. */
function runs({ points }: Line, gapMs: number): readonly (readonly (readonly [number, number])[])[] {
  const found: (readonly [number, number])[][] = [];
  let lastMs = Number.NEGATIVE_INFINITY;
  for (const point of points) {
    if (!Number.isFinite(point[1])) {
      lastMs = Number.NEGATIVE_INFINITY;
      continue;
    }
    if (point[0] - lastMs > gapMs) found.push([]);
    found.at(-1)?.push(point);
    lastMs = point[0];
  }
  return found;
}

function legendOf(lines: readonly Line[], { width, height }: Size): { readonly marks: readonly Mark[]; readonly height: number } {
  const placed: { readonly x: number; readonly row: number; readonly text: string; readonly colour: string }[] = [];
  let [x, row] = [LEFT, 0];
  for (const [i, { name }] of lines.entries()) {
    const most = Math.max(8, Math.floor((width - LEFT - 20) / LETTER));
    const text = name.length > most ? `${name.slice(0, most - 1)}…` : name;
    const taken = 14 + text.length * LETTER;
    if (x > LEFT && x + taken > width) [x, row] = [LEFT, row + 1];
    if (row === MAX_LEGEND_ROWS - 1 && i < lines.length - 1 && x + taken + 70 > width) {
      placed.push({ x, row, text: `and ${lines.length - i} more`, colour: 'none' });
      break;
    }
    placed.push({ x, row, text, colour: seriesColour(i) });
    x += taken + 8;
  }
  const rows = (placed.at(-1)?.row ?? 0) + 1;
  const top = height - rows * LEGEND_ROW;
  const marks = placed.flatMap((one): Mark[] => {
    const y = top + one.row * LEGEND_ROW + 9;
    const word: Mark = { mark: 'text', text: one.text, at: [one.x + (one.colour === 'none' ? 0 : 11), y], size: TEXT, colour: FAINT };
    return one.colour === 'none' ? [word] : [{ mark: 'area', points: box(one.x, y - 7, 8, 8), colour: one.colour }, word];
  });
  return { marks, height: rows * LEGEND_ROW };
}
