/** Figures of panels: one number out of many, shares, buckets, correlation, hours by weekdays, and what a limit says. Pure. */
import { type Quantity, type UnitKind, quantity } from '@nines/base/quantity.ts';

export type Threshold = {
  readonly at: number;
  readonly severity: 'warning' | 'critical';
  /** Which side of it is bad. */
  readonly side: 'above' | 'below';
  readonly name?: string | undefined;
};
export type Reducer = 'last' | 'mean' | 'max' | 'min' | 'sum' | 'change';
export type ChartSeries = { readonly name: string; readonly points: readonly (readonly [atMs: number, value: number])[] };
export type NamedSeries = ChartSeries & { readonly labels: Readonly<Record<string, string>>; readonly query: number };

/** One number of the values; undefined without any. `change` is last minus first. */
export function reduced(points: ChartSeries['points'], how: Reducer): number | undefined {
  const values = points.map(([, value]) => value).filter((value) => Number.isFinite(value));
  const [first, last] = [values[0], values[values.length - 1]];
  if (first === undefined || last === undefined) return undefined;
  const sum = values.reduce((a, b) => a + b, 0);
  switch (how) {
    case 'last':
      return last;
    case 'mean':
      return sum / values.length;
    case 'max':
      return values.reduce((a, b) => Math.max(a, b));
    case 'min':
      return values.reduce((a, b) => Math.min(a, b));
    case 'sum':
      return sum;
    case 'change':
      return last - first;
  }
}

/** The worst limit that the value is beyond. */
export function crossed(value: number, thresholds: readonly Threshold[]): Threshold | undefined {
  const beyond = thresholds.filter(({ at, side }) => (side === 'above' ? value >= at : value <= at));
  return beyond.find(({ severity }) => severity === 'critical') ?? beyond[0];
}

const limitName = ({ severity, side, name }: Threshold): string => (name ? name : `${severity} ${side === 'above' ? 'from' : 'up to'}`);
/** `critical from 95 %`. */
export const limitText = (one: Threshold, unit: UnitKind): string => `${limitName(one)} ${unitText(one.at, unit)}`;

/** A value in its unit, with as many decimals as asked. */
export function unitQuantity(value: number, unit: UnitKind, decimals?: number): Quantity {
  const auto = quantity(value, unit);
  if (decimals === undefined) return auto;
  return { number: (value * scaleOf(value, Number(auto.number))).toFixed(decimals), unit: auto.unit };
}

/** By how much the unit's own text was scaled: 1536 bytes shown as 1.50 → about 1/1024, exactly. */
function scaleOf(value: number, shown: number): number {
  if (value === 0 || shown === 0 || !Number.isFinite(shown)) return 1;
  const rough = shown / value;
  const exact = [1, 100, 1e3, 1e6, 1e-3, 1e-6, 1e-9, 1e-12, 1e-15, 2 ** -10, 2 ** -20, 2 ** -30, 2 ** -40, 2 ** -50];
  return exact.reduce((best, one) => (Math.abs(Math.log(one / rough)) < Math.abs(Math.log(best / rough)) ? one : best), 1);
}

export function unitText(value: number, unit: UnitKind, decimals?: number): string {
  const { number, unit: name } = unitQuantity(value, unit, decimals);
  return name === '' ? number : `${number} ${name}`;
}

export type Slice = {
  readonly name: string;
  readonly value: number;
  readonly share: number;
  /** Which of the colours is its own: by its place among the parts, whatever becomes of its size. */
  readonly hue: number;
};
const MAX_SLICES = 6;

/** The greatest first; more than six end in one that holds the others, called what `othersText` says. Nothing below zero has a share. */
export function slicesOf(
  parts: readonly { readonly name: string; readonly value: number }[],
  othersText = (count: number): string => `${count} others`,
): readonly Slice[] {
  const sorted = parts
    .map(({ name, value }, hue) => ({ name, value, hue }))
    .filter(({ value }) => value > 0)
    .sort((a, b) => b.value - a.value);
  const total = sorted.reduce((sum, { value }) => sum + value, 0);
  const shown = sorted.length > MAX_SLICES ? sorted.slice(0, MAX_SLICES - 1) : sorted;
  const rest = sorted.slice(shown.length);
  const others =
    rest.length === 0
      ? []
      : [{ name: othersText(rest.length), value: rest.reduce((sum, { value }) => sum + value, 0), hue: MAX_SLICES - 1 }];
  // Of many parts two that are shown could have places eight apart: among them the order decides.
  const places = parts.length <= MAX_SLICES ? undefined : shown.map(({ hue }) => hue).sort((a, b) => a - b);
  return [...shown.map((one) => ({ ...one, hue: places?.indexOf(one.hue) ?? one.hue })), ...others].map((one) => ({
    ...one,
    share: one.value / total,
  }));
}

/** A grid of cells: rows from bottom to top, columns from left to right; null where nothing is known. */
export type Cells = {
  readonly rows: readonly string[];
  readonly columns: readonly string[];
  readonly values: readonly (readonly (number | null)[])[];
  /** Values lie between these; -1 to 1 for correlation. */
  readonly range: readonly [low: number, high: number];
};

const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));
const local = (atMs: number): readonly [number, number] => [new Date(atMs).getDay(), new Date(atMs).getHours()];
const WEEKDAYS = ['Sunday', 'Saturday', 'Friday', 'Thursday', 'Wednesday', 'Tuesday', 'Monday'];

const extent = (values: readonly (readonly (number | null)[])[]): readonly [number, number] => {
  const known = values.flat().filter((value) => value !== null);
  return known.length === 0 ? [0, 1] : [known.reduce((a, b) => Math.min(a, b)), known.reduce((a, b) => Math.max(a, b))];
};

/** The mean of each hour of each weekday, by the reader's clock unless another is given. */
export function hoursByWeekdays(
  series: readonly ChartSeries[],
  clock: (atMs: number) => readonly [day: number, hour: number] = local,
): Cells {
  const sums = WEEKDAYS.map(() => HOURS.map(() => ({ sum: 0, count: 0 })));
  for (const { points } of series)
    for (const [atMs, value] of points) {
      if (!Number.isFinite(value)) continue;
      const [day, hour] = clock(atMs);
      const cell = sums[(7 - day) % 7]?.[hour];
      if (cell === undefined) continue;
      cell.sum += value;
      cell.count++;
    }
  const values = sums.map((row) => row.map(({ sum, count }) => (count === 0 ? null : sum / count)));
  return { rows: WEEKDAYS, columns: HOURS, values, range: extent(values) };
}

/** Pearson's r of each pair over the instants that both have; null with fewer than three. */
export function correlations(series: readonly ChartSeries[]): Cells {
  const maps = series.map(({ points }) => new Map(points.filter(([, value]) => Number.isFinite(value))));
  const names = series.map(({ name }) => name);
  const values = maps.map((one) => maps.map((other) => pearson(one, other))).reverse();
  return { rows: [...names].reverse(), columns: names, values, range: [-1, 1] };
}

function pearson(one: ReadonlyMap<number, number>, other: ReadonlyMap<number, number>): number | null {
  const pairs = [...one].flatMap(([atMs, x]) => {
    const y = other.get(atMs);
    return y === undefined ? [] : [[x, y] as const];
  });
  if (pairs.length < 3) return null;
  const mean = (pick: (pair: readonly [number, number]) => number) => pairs.reduce((sum, pair) => sum + pick(pair), 0) / pairs.length;
  const [meanX, meanY] = [mean(([x]) => x), mean(([, y]) => y)];
  let [xy, xx, yy] = [0, 0, 0];
  for (const [x, y] of pairs) {
    xy += (x - meanX) * (y - meanY);
    xx += (x - meanX) ** 2;
    yy += (y - meanY) ** 2;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

const boundOf = ({ labels }: NamedSeries): number => {
  const le = labels['le'];
  return le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le ?? Number.NaN);
};

/** Buckets by their upper bound over time: how much each holds beyond the one below. Series without `le` are rows as they are. */
export function histogramCells(series: readonly NamedSeries[], columnText: (atMs: number) => string): Cells {
  const instants = [...new Set(series.flatMap(({ points }) => points.map(([atMs]) => atMs)))].sort((a, b) => a - b);
  const buckets = series.length > 0 && series.every((one) => !Number.isNaN(boundOf(one)));
  const ordered = buckets ? [...series].sort((a, b) => boundOf(a) - boundOf(b)) : series;
  const maps = ordered.map(({ points }) => new Map(points));
  const values = maps.map((map, row) =>
    instants.map((atMs) => {
      const value = map.get(atMs);
      if (value === undefined || !Number.isFinite(value)) return null;
      return buckets && row > 0 ? Math.max(0, value - (maps[row - 1]?.get(atMs) ?? 0)) : value;
    }),
  );
  const rows = ordered.map((one) => (buckets ? `≤ ${one.labels['le'] ?? ''}` : one.name));
  return { rows, columns: instants.map(columnText), values, range: [0, extent(values)[1]] };
}
