import { unitText } from '@nines/maths/dashboards/figures.ts';
import type { UnitKind } from '@nines/base/quantity.ts';
import { drawChart } from './chart.ts';
import { BELOW, FAINT, HUES, INK, INK_OF, LINE, SOFT, STATE_NAMES, seriesColour } from './colours.ts';
import { type Drawing, type Mark, type Point, box, ringPart } from './marks.ts';
import { clockText } from './show.ts';
import type { Item, Shown } from './shown.ts';

/** What is drawn as a picture; tables and words are set as such. */
export type Pictured = Exclude<Shown, { kind: 'table' | 'words' | 'nothing' }>;
type Size = { readonly width: number; readonly height: number };

/** A picture of the figures at a size. Pure: the same figures are the same marks. */
export const draw = (shown: Pictured, size: Size): Drawing => ({ ...size, marks: marksOf(shown, size) });

function marksOf(shown: Pictured, size: Size): readonly Mark[] {
  switch (shown.kind) {
    case 'figure':
      return figure(shown, size);
    case 'lines':
      return drawChart(shown, size);
    case 'bars':
      return bars(shown, size);
    case 'pie':
      return pie(shown, size);
    case 'gauge':
      return gauge(shown, size);
    case 'cells':
      return cells(shown, size);
    case 'strips':
      return strips(shown, size);
  }
}

const word = (
  text: string,
  at: Point,
  style: { readonly size: number; readonly colour?: string; readonly bold?: boolean; readonly anchor?: 'start' | 'middle' | 'end' },
): Mark => ({
  mark: 'text',
  text,
  at,
  colour: SOFT,
  ...style,
});

function figure({ text, unit, note, colour = INK, spark }: Extract<Shown, { kind: 'figure' }>, { width, height }: Size): readonly Mark[] {
  const size = Math.max(16, Math.min(34, height * 0.35, (1.5 * width) / Math.max(4, text.length + unit.length)));
  const base = Math.min(height - 20, size + 8);
  const unitX = 2 + text.length * size * 0.6 + 6;
  const values = spark.filter(([, value]) => Number.isFinite(value));
  const numbers = values.map(([, value]) => value);
  const [low, high] = [
    numbers.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY),
    numbers.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  ];
  const [top, foot] = [base + 20, height - 2];
  const x = (i: number): number => (i / Math.max(1, values.length - 1)) * width;
  const y = (value: number): number => (high === low ? (top + foot) / 2 : foot - ((value - low) / (high - low)) * (foot - top));
  return [
    word(text, [2, base], { size, colour, bold: true }),
    ...(unit === '' ? [] : [word(unit, [unitX, base], { size: Math.max(9, size * 0.45) })]),
    ...(note === '' ? [] : [word(note, [2, base + 14], { size: 9, colour: FAINT })]),
    ...(values.length < 2 || foot - top < 8
      ? []
      : [{ mark: 'line' as const, points: numbers.map((value, i): Point => [x(i), y(value)]), colour: seriesColour(0), width: 1.2 }]),
  ];
}

/** A count has no digits behind its point. */
const valueText = (value: number, unit: UnitKind): string =>
  unit === 'number' && Number.isInteger(value) ? String(value) : unitText(value, unit);

const ROW = 18;
const colourOf = ({ colour }: Item, i: number): string => colour ?? seriesColour(i);

function bars({ items, unit }: Extract<Shown, { kind: 'bars' }>, { width, height }: Size): readonly Mark[] {
  const most = Math.max(Number.MIN_VALUE, ...items.map(({ value }) => Math.abs(value)));
  const shown = items.slice(0, Math.max(1, Math.floor(height / ROW)));
  const [left, right] = [width * 0.35, width * 0.82];
  return shown.flatMap((one, i): Mark[] => {
    const y = i * ROW + 4;
    return [
      word(cut(one.name, left - 6), [0, y + 10], { size: 9 }),
      { mark: 'area', points: box(left, y, right - left, 12), colour: LINE },
      { mark: 'area', points: box(left, y, (right - left) * (Math.abs(one.value) / most), 12), colour: colourOf(one, 0) },
      word(valueText(one.value, unit), [width, y + 10], { size: 9, colour: INK, anchor: 'end' }),
    ];
  });
}

/** As much of a name as about fits. */
export const cut = (text: string, width: number, letter = 5): string => {
  const most = Math.max(3, Math.floor(width / letter));
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
};

function pie({ items, unit, hollow }: Extract<Shown, { kind: 'pie' }>, { width, height }: Size): readonly Mark[] {
  const total = items.reduce((sum, { value }) => sum + value, 0);
  const outer = Math.max(10, Math.min(height / 2 - 4, width / 4));
  const radii = { outer, inner: hollow ? outer * 0.6 : 0 };
  const middle: Point = [outer + 4, height / 2];
  let from = 0;
  const parts = items.flatMap((one, i): Mark[] => {
    const to = from + (total === 0 ? 0 : one.value / total);
    const points = ringPart(middle, radii, from, to);
    from = to;
    return [{ mark: 'area', points, colour: colourOf(one, i) }];
  });
  const left = 2 * outer + 20;
  const top = Math.max(10, height / 2 - (items.length * ROW) / 2 + 8);
  const names = items.flatMap((one, i): Mark[] => {
    const y = top + i * ROW;
    return [
      { mark: 'area', points: box(left, y - 7, 8, 8), colour: colourOf(one, i) },
      word(`${cut(one.name, width - left - 80)}: ${valueText(one.value, unit)}`, [left + 13, y], { size: 9 }),
    ];
  });
  return [...parts, ...names];
}

/** Of a turn, from lower left to lower right. */
const GAUGE_TURNS = 0.7;

function gauge(
  { value, unit, min, max, colour = seriesColour(0) }: Extract<Shown, { kind: 'gauge' }>,
  { width, height }: Size,
): readonly Mark[] {
  const outer = Math.max(12, Math.min(width / 2 - 6, height * 0.58));
  const middle: Point = [width / 2, outer + 4];
  const radii = { outer, inner: outer * 0.78 };
  const start = -GAUGE_TURNS / 2;
  const share = Math.min(1, Math.max(0, (value - min) / Math.max(Number.MIN_VALUE, max - min)));
  return [
    { mark: 'area', points: ringPart(middle, radii, start, start + GAUGE_TURNS), colour: LINE },
    ...(share > 0 ? [{ mark: 'area' as const, points: ringPart(middle, radii, start, start + GAUGE_TURNS * share), colour }] : []),
    word(unitText(value, unit), [middle[0], middle[1] + 6], {
      size: Math.max(11, outer * 0.28),
      colour: INK,
      bold: true,
      anchor: 'middle',
    }),
    word(`${unitText(min, unit)} to ${unitText(max, unit)}`, [middle[0], Math.min(height - 3, middle[1] + outer * 0.75)], {
      size: 8,
      colour: FAINT,
      anchor: 'middle',
    }),
  ];
}

function cells({ rows, columns, values, range: [low, high] }: Extract<Shown, { kind: 'cells' }>, { width, height }: Size): readonly Mark[] {
  const left = Math.min(120, width * 0.3);
  const [wide, tall] = [(width - left) / Math.max(1, columns.length), (height - 16) / Math.max(1, rows.length)];
  const colour = (value: number): string => {
    const share =
      low < 0 ? Math.abs(value) / Math.max(Number.MIN_VALUE, high, -low) : (value - low) / Math.max(Number.MIN_VALUE, high - low);
    const steps = low < 0 && value < 0 ? BELOW : HUES;
    return steps[Math.min(steps.length - 1, Math.max(0, Math.floor(share * steps.length)))] ?? LINE;
  };
  const everyColumn = Math.max(1, Math.ceil((columns.length * 44) / (width - left)));
  const everyRow = Math.max(1, Math.ceil(12 / tall));
  return [
    ...values.flatMap((row, r) =>
      row.flatMap((value, c): Mark[] =>
        value === null
          ? []
          : [{ mark: 'area', points: box(left + c * wide, height - 16 - (r + 1) * tall, wide + 0.2, tall + 0.2), colour: colour(value) }],
      ),
    ),
    ...rows.flatMap((name, r) =>
      r % everyRow === 0
        ? [word(cut(name, left - 4), [left - 4, height - 16 - r * tall - tall / 2 + 3], { size: 8, colour: FAINT, anchor: 'end' })]
        : [],
    ),
    ...columns.flatMap((name, c) =>
      c % everyColumn === 0 ? [word(cut(name, everyColumn * wide), [left + c * wide, height - 4], { size: 8, colour: FAINT })] : [],
    ),
  ];
}

function strips({ strips: found, span }: Extract<Shown, { kind: 'strips' }>, { width, height }: Size): readonly Mark[] {
  const left = Math.min(140, width * 0.3);
  const shown = found.slice(0, Math.max(1, Math.floor((height - 30) / ROW)));
  const scale = (width - left) / Math.max(1, span.toMs - span.fromMs);
  const foot = shown.length * ROW + 12;
  const states = ['up', 'degraded', 'down', 'unknown'] as const;
  const between = Math.min(70, (width - left) / states.length);
  return [
    ...shown.flatMap(({ name, intervals }, i): Mark[] => [
      word(cut(name, left - 6), [0, i * ROW + 13], { size: 9 }),
      ...intervals.map((one): Mark => {
        // An outage of a second in a month must be seen.
        const least = one.state === 'down' || one.state === 'degraded' ? 1 : 0;
        const wide = Math.max(least, (one.toMs - one.fromMs) * scale);
        return { mark: 'area', points: box(left + (one.fromMs - span.fromMs) * scale, i * ROW + 4, wide, 12), colour: INK_OF[one.state] };
      }),
    ]),
    word(clockText(span.fromMs, span.toMs - span.fromMs), [left, foot], { size: 8, colour: FAINT }),
    word(clockText(span.toMs, span.toMs - span.fromMs), [width, foot], { size: 8, colour: FAINT, anchor: 'end' }),
    ...states.flatMap((state, i): Mark[] => [
      { mark: 'area', points: box(left + i * between, foot + 5, 8, 8), colour: INK_OF[state] },
      word(STATE_NAMES[state], [left + i * between + 12, foot + 12], { size: 8, colour: FAINT }),
    ]),
  ];
}
