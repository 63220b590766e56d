/** Where things stand in a picture of a series. Pure; instants in Unix milliseconds, places in pixels. */

export type At = readonly [atMs: number, value: number | null];
export type Between = readonly [atMs: number, lower: number, upper: number];
export type Extent = { readonly fromMs: number; readonly toMs: number; readonly low: number; readonly high: number };
export type Frame = { readonly width: number; readonly height: number; readonly left: number; readonly bottom: number };
export type Scales = {
  readonly x: (atMs: number) => number;
  readonly y: (value: number) => number;
  readonly atMs: (x: number) => number;
};

const TOP_PX = 16;
const RIGHT_PX = 8;

export function scalesOf({ fromMs, toMs, low, high }: Extent, { width, height, left, bottom }: Frame): Scales {
  const right = width - RIGHT_PX;
  const span = Math.max(1, toMs - fromMs);
  const floor = height - bottom;
  return {
    x: (atMs) => left + ((atMs - fromMs) / span) * (right - left),
    y: (value) => TOP_PX + ((high - value) / (high - low)) * (floor - TOP_PX),
    atMs: (x) => fromMs + ((x - left) / (right - left)) * span,
  };
}

const ROUND = [1, 2, 2.5, 5, 10] as const;

/** A round distance that divides `span` into about `count` parts. */
export function roundStep(span: number, count: number): number {
  const wanted = span / count;
  const power = 10 ** Math.floor(Math.log10(wanted));
  return power * (ROUND.find((one) => one * power >= wanted * 0.999) ?? 10);
}

/** A band far wider than what it belongs to does not press that flat: so many of its spans are shown to either side. */
const BAND_SPANS = 1;
/** What begins this near to zero, as a share of its height, is shown from zero. */
const NEAR_ZERO = 0.4;

export type Shown = {
  readonly lines: readonly (readonly At[])[];
  readonly bands: readonly (readonly Between[])[];
  readonly limit?: number;
};

/** The values a picture spans, ending at round figures, and those figures. */
export function valuesOf(
  { lines, bands, limit }: Shown,
  count: number,
): { readonly low: number; readonly high: number; readonly ticks: readonly number[] } {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  const hold = (value: number): void => {
    low = Math.min(low, value);
    high = Math.max(high, value);
  };
  for (const line of lines) for (const [, value] of line) if (value !== null && Number.isFinite(value)) hold(value);
  if (low > high) [low, high] = [0, 1];
  const span = high - low || Math.abs(high) || 1;
  const [least, most] = [low - BAND_SPANS * span, high + BAND_SPANS * span];
  for (const band of bands)
    for (const [, lower, upper] of band) {
      hold(Math.max(least, lower));
      hold(Math.min(most, upper));
    }
  // A limit far away would press the line flat: its name says where it is.
  if (limit !== undefined && limit <= most && limit >= least) hold(limit);
  if (low >= 0 && low <= NEAR_ZERO * high) low = 0;
  if (low === high) [low, high] = low === 0 ? [0, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  const step = roundStep(high - low, count);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  return { low: ticks[0] ?? low, high: ticks.at(-1) ?? high, ticks };
}

const place = (value: number): string => value.toFixed(1);

/** A line with gaps where values are missing, or further apart than `gapMs`. */
export function linePath(points: readonly At[], { x, y }: Scales, gapMs: number): string {
  let path = '';
  let before: number | undefined;
  for (const [atMs, value] of points) {
    if (value === null || !Number.isFinite(value)) {
      before = undefined;
      continue;
    }
    const joined = before !== undefined && atMs - before <= gapMs;
    path += `${joined ? 'L' : 'M'}${place(x(atMs))} ${place(y(value))}`;
    // A value alone between gaps is a dot.
    if (!joined) path += 'h0';
    before = atMs;
  }
  return path;
}

export function bandPath(points: readonly Between[], { x, y }: Scales): string {
  if (points.length === 0) return '';
  const over = points.map(([atMs, , upper]) => `${place(x(atMs))} ${place(y(upper))}`);
  const under = points.map(([atMs, lower]) => `${place(x(atMs))} ${place(y(lower))}`).reverse();
  return `M${over.join('L')}L${under.join('L')}Z`;
}

/** The point next to an instant, no further than `withinMs` from it; by halving, points are in order. */
export function nearestPoint<P extends readonly [number, ...unknown[]]>(
  points: readonly P[],
  atMs: number,
  withinMs: number,
): P | undefined {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((points[middle]?.[0] ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  const near = [points[low - 1], points[low]].filter((point) => point !== undefined);
  const [best] = near.sort((a, b) => Math.abs(a[0] - atMs) - Math.abs(b[0] - atMs));
  return best !== undefined && Math.abs(best[0] - atMs) <= withinMs ? best : undefined;
}

/** The value of a straight line through its neighbours; null outside of the points. */
export function between(points: readonly At[], atMs: number): number | null {
  const after = points.findIndex(([at]) => at >= atMs);
  const [left, right] = [points[Math.max(0, after - 1)], points[after]];
  if (right?.[1] === undefined || right[1] === null || left?.[1] === undefined || left[1] === null) return null;
  if (right[0] === left[0] || atMs < left[0]) return right[0] === atMs ? right[1] : null;
  return left[1] + ((right[1] - left[1]) * (atMs - left[0])) / (right[0] - left[0]);
}
