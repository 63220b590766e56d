/** Where the points of a burn-down stand. Pure; instants in Unix milliseconds, places in pixels. */

type Points = readonly { readonly at_ms: number; readonly remaining: number }[];
type Data = { readonly from_at_ms: number; readonly to_at_ms: number; readonly total: number; readonly points: Points };

export type Scales = {
  readonly x: (atMs: number) => number;
  readonly y: (remaining: number) => number;
  readonly atMs: (x: number) => number;
  readonly left: number;
  readonly bottom: number;
};

/** Room for the words of the vertical axis and for those below. */
const LEFT_PX = 88;
const RIGHT_PX = 4;
const TOP_PX = 8;
const BOTTOM_PX = 28;

function extent({ total, points }: Data): readonly [low: number, high: number] {
  const low = Math.min(0, ...points.map(({ remaining }) => remaining));
  const high = Math.max(total, 1);
  return [low, high];
}

export function scalesOf(data: Data, size: { readonly width: number; readonly height: number }): Scales {
  const [low, high] = extent(data);
  const right = size.width - RIGHT_PX;
  const bottom = size.height - BOTTOM_PX;
  const length = Math.max(1, data.to_at_ms - data.from_at_ms);
  return {
    left: LEFT_PX,
    bottom,
    x: (atMs) => LEFT_PX + ((atMs - data.from_at_ms) / length) * (right - LEFT_PX),
    y: (remaining) => TOP_PX + ((high - remaining) / (high - low)) * (bottom - TOP_PX),
    atMs: (x) => data.from_at_ms + ((x - LEFT_PX) / (right - LEFT_PX)) * length,
  };
}

/** Closer than this two words of the vertical axis would touch. */
const LEAST_APART_PX = 18;

/** None, the whole, the deepest and the half, as far as their words do not touch; none and the whole come first. */
export function levels(data: Data, { y }: Pick<Scales, 'y'>): readonly number[] {
  const [low] = extent(data);
  return [0, data.total, low, data.total / 2].reduce<readonly number[]>(
    (kept, level) => (kept.some((one) => Math.abs(y(one) - y(level)) < LEAST_APART_PX) ? kept : [...kept, level]),
    [],
  );
}

export const pathOf = (points: Points, { x, y }: Scales): string =>
  points.map(({ at_ms, remaining }, i) => `${i === 0 ? 'M' : 'L'}${x(at_ms).toFixed(1)} ${y(remaining).toFixed(1)}`).join('');

/** The point next to an instant. */
export function nearest(points: Points, atMs: number): Points[number] | undefined {
  return points.reduce<Points[number] | undefined>(
    (best, point) => (best === undefined || Math.abs(point.at_ms - atMs) < Math.abs(best.at_ms - atMs) ? point : best),
    undefined,
  );
}
