import { bitsOf } from './stale.ts';
import type { SeriesColumns } from './storage.ts';

/** The floats of a series, for whoever has no use for native histograms; the same arrays when there are no others. */
export function floatsOf({ labels, times, values, histograms }: SeriesColumns): Pick<SeriesColumns, 'labels' | 'times' | 'values'> {
  if (histograms === undefined || histograms.every((one) => one === undefined)) return { labels, times, values };
  const kept = [...times.keys()].filter((i) => histograms[i] === undefined);
  const from = bitsOf(values);
  const some = new Float64Array(kept.length);
  const to = bitsOf(some);
  // Halves, as a double could lose the payload of a staleness marker.
  kept.forEach((i, at) => to.set(from.subarray(2 * i, 2 * i + 2), 2 * at));
  return { labels, times: Float64Array.from(kept, (i) => times[i] ?? 0), values: some };
}
