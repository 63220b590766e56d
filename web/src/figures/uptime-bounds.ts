/** How exactly an uptime is known: from the bounds of the outages it counts. Pure; instants and lengths in milliseconds. */

export type Outage = {
  readonly from_at_ms: number;
  readonly to_at_ms: number | null;
  /** The true start lies within, both ends inclusive. */
  readonly from_bounds_at_ms: readonly [number, number];
  readonly to_bounds_at_ms: readonly [number, number] | null;
};
export type UptimeWindow = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly ratio: number | null;
  readonly buckets: { readonly up_ms: number; readonly degraded_ms: number; readonly down_ms: number };
};

/**
 * The uptimes that the evidence allows, `[low, high]`, both inclusive and around the ratio. Each outage may have been longer
 * or shorter by the width of its bounds; what is known altogether stays the same. Null when nothing is known.
 */
export function uptimeBounds(window: UptimeWindow, outages: readonly Outage[]): readonly [number, number] | null {
  const { ratio, buckets } = window;
  const known = buckets.up_ms + buckets.degraded_ms + buckets.down_ms;
  if (ratio === null || known === 0) return null;
  let longer = 0;
  let shorter = 0;
  for (const outage of outages) {
    const to = outage.to_at_ms ?? window.to_at_ms;
    if (to <= window.from_at_ms || outage.from_at_ms >= window.to_at_ms) continue;
    const [fromLow, fromHigh] = clip(outage.from_bounds_at_ms, window);
    const [toLow, toHigh] = clip(outage.to_bounds_at_ms ?? [to, to], window);
    const from = Math.max(outage.from_at_ms, window.from_at_ms);
    const end = Math.min(to, window.to_at_ms);
    longer += Math.max(0, from - fromLow) + Math.max(0, toHigh - end);
    shorter += Math.min(end - from, Math.max(0, fromHigh - from) + Math.max(0, end - toLow));
  }
  const ratioAt = (downMs: number): number => Math.min(1, Math.max(0, (known - downMs) / known));
  return [Math.min(ratio, ratioAt(buckets.down_ms + longer)), Math.max(ratio, ratioAt(buckets.down_ms - shorter))];
}

function clip([low, high]: readonly [number, number], window: UptimeWindow): readonly [number, number] {
  const into = (atMs: number): number => Math.min(window.to_at_ms, Math.max(window.from_at_ms, atMs));
  return [into(low), into(high)];
}
