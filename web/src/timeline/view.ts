/**
 * The visible stretch of a time line: zoom, pan, ticks, and where each exact interval is drawn. Pure; half-open
 * `[fromMs, toMs)` in Unix milliseconds, lengths in pixels as numbers.
 */

export type View = { readonly fromMs: number; readonly toMs: number };

/** A second is the smallest stretch worth looking at: checks run once per second at most. */
const SHORTEST_VIEW_MS = 1_000;
export const LONGEST_VIEW_MS = 90 * 86_400_000;

/** Keeps a view within `[limit.fromMs, limit.toMs)` and between the shortest and longest stretch. Length first, then place. */
export function clampView(view: View, limit: View): View {
  const longest = Math.min(LONGEST_VIEW_MS, limit.toMs - limit.fromMs);
  const length = Math.round(Math.min(longest, Math.max(SHORTEST_VIEW_MS, view.toMs - view.fromMs)));
  const fromMs = Math.round(Math.min(limit.toMs - length, Math.max(limit.fromMs, view.fromMs)));
  return { fromMs, toMs: fromMs + length };
}

/** Zooms by `factor` (below 1 is closer) while the instant `centreMs` stays where it is on the screen. */
export function zoomView(view: View, options: { readonly factor: number; readonly centreMs: number; readonly limit: View }): View {
  const { factor, centreMs, limit } = options;
  const fromMs = centreMs - (centreMs - view.fromMs) * factor;
  return clampView({ fromMs, toMs: fromMs + (view.toMs - view.fromMs) * factor }, limit);
}

/** Moves the view by a share of its own length; negative goes back in time. */
export function panView(view: View, share: number, limit: View): View {
  const byMs = (view.toMs - view.fromMs) * share;
  return clampView({ fromMs: view.fromMs + byMs, toMs: view.toMs + byMs }, limit);
}

export type Drawable = { readonly from_at_ms: number; readonly to_at_ms: number; readonly state: string };
export type Segment = { readonly index: number; readonly x: number; readonly width: number };

/** Narrower than this nobody sees an outage; quiet states may vanish below a pixel, troubles may not. */
const TROUBLE_MIN_PX = 2;
/** Painted last wins where minimum widths overlap. */
const PAINT_ORDER: Readonly<Record<string, number>> = { up: 0, unknown: 1, degraded: 2, down: 3 };

/**
 * Where the intervals of a time line stand on a strip of `widthPx`, in painting order: quiet states first, `down` last,
 * so that the shortest outage of ninety days is still seen. Intervals outside of the view are left out.
 */
export function segments(intervals: readonly Drawable[], view: View, widthPx: number): readonly Segment[] {
  const scale = widthPx / (view.toMs - view.fromMs);
  const drawn: Segment[] = [];
  intervals.forEach((interval, index) => {
    const fromMs = Math.max(interval.from_at_ms, view.fromMs);
    const toMs = Math.min(interval.to_at_ms, view.toMs);
    if (toMs <= fromMs) return;
    const trouble = interval.state === 'down' || interval.state === 'degraded';
    const width = Math.max((toMs - fromMs) * scale, trouble ? TROUBLE_MIN_PX : 0.5);
    drawn.push({ index, x: Math.min((fromMs - view.fromMs) * scale, widthPx - width), width });
  });
  const order = (segment: Segment) => PAINT_ORDER[intervals[segment.index]?.state ?? ''] ?? 0;
  return drawn.sort((a, b) => order(a) - order(b));
}

/** Index of the interval that holds `atMs`, by binary search over a partition; -1 when outside. */
export function intervalAt(intervals: readonly Drawable[], atMs: number): number {
  let low = 0;
  let high = intervals.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const interval = intervals[middle];
    if (interval === undefined) return -1;
    if (atMs < interval.from_at_ms) high = middle - 1;
    else if (atMs >= interval.to_at_ms) low = middle + 1;
    else return middle;
  }
  return -1;
}

const STEPS_MS = [
  1, 10, 100, 1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000, 3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000,
  86_400_000, 172_800_000, 604_800_000, 1_209_600_000, 2_592_000_000,
] as const;

export type Ticks = { readonly stepMs: number; readonly atMs: readonly number[] };

/** At most `most` round instants inside the view, aligned to the reader's clock by `offsetMs` (local minus UTC). */
export function ticksOf(view: View, most: number, offsetMs: number): Ticks {
  const length = view.toMs - view.fromMs;
  const stepMs = STEPS_MS.find((step) => length / step <= most) ?? STEPS_MS[STEPS_MS.length - 1] ?? 1;
  const atMs: number[] = [];
  for (let at = Math.ceil((view.fromMs + offsetMs) / stepMs) * stepMs - offsetMs; at < view.toMs; at += stepMs) atMs.push(at);
  return { stepMs, atMs };
}

/**
 * The step a range query should use: a round number of seconds that gives about `points` values over the view, and
 * never below `leastMs` (how often the series is written).
 */
export function queryStepMs(view: View, points: number, leastMs: number): number {
  const wanted = Math.max(leastMs, (view.toMs - view.fromMs) / points);
  return STEPS_MS.find((step) => step >= wanted && step >= 1_000) ?? 86_400_000;
}

const MINUTE_MS = 60_000;
/** The view in whole minutes around it: a stretch that moves on by a second asks for nothing new. */
export const minutesOf = ({ fromMs, toMs }: View): View => ({
  fromMs: Math.floor(fromMs / MINUTE_MS) * MINUTE_MS,
  toMs: Math.ceil(toMs / MINUTE_MS) * MINUTE_MS,
});
