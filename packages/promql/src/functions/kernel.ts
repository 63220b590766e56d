import type { Samples, Windows } from '../windows.ts';

/**
 * A range function over one series: writes a value per step into `out` and 1 or 0 into `has`, returns at how many steps there
 * is a value.
 */
export type Kernel = (samples: Samples, windows: Windows, out: Float64Array, has: Uint8Array) => number;

/** One window of a series: samples `[lo, hi)`, at step `step`. */
export type WindowFunction = (samples: Samples, lo: number, hi: number, step: number) => number;

/** A kernel that looks at each window by itself; windows of fewer than `least` samples give nothing. */
export function perWindow(least: number, compute: WindowFunction): Kernel {
  return (samples, { count, lo, hi }, out, has) => {
    let present = 0;
    for (let i = 0; i < count; i++) {
      const from = lo[i] as number;
      const to = hi[i] as number;
      if (to - from < least) {
        has[i] = 0;
        continue;
      }
      out[i] = compute(samples, from, to, i);
      has[i] = 1;
      present++;
    }
    return present;
  };
}
