import type { Call, Extended } from '../ast.ts';
import { PromqlFailure } from '../promql-error.ts';
import { interpolate } from '../select.ts';
import type { Samples } from '../windows.ts';
import type { Kernel } from './kernel.ts';

/**
 * Windows that look beyond their edges. Anchored ones begin with the last sample at or before their left edge; smoothed ones
 * take the straight line between the samples around each edge. Neither extrapolates.
 */
const ALLOWED: Readonly<Record<Extended, readonly string[]>> = {
  anchored: ['changes', 'delta', 'increase', 'rate', 'resets'],
  smoothed: ['delta', 'increase', 'rate'],
};

/** One window's value from the samples it sees, or undefined. `from` and `to` bound indexes into the series, `[from, to)`. */
type Compute = (
  samples: Samples,
  window: { readonly from: number; readonly to: number; readonly startMs: number; readonly endMs: number },
) => number | undefined;

export function extendedKernel(extended: Extended, call: Call, lookbackMs: number): Kernel {
  const allowed = ALLOWED[extended];
  if (!allowed.includes(call.func))
    throw new PromqlFailure(
      'execution',
      `${extended} modifier can only be used with: ${allowed.join(', ')} - not with ${call.func}`,
      call.position,
    );
  const counter = call.func !== 'delta';
  const compute = extended === 'smoothed' ? smoothed(counter, lookbackMs) : anchored(call.func, lookbackMs);
  const perSecond = call.func === 'rate';
  return (samples, { count, rangeMs, ends, lo, hi }, out, has) => {
    let present = 0;
    for (let i = 0; i < count; i++) {
      const endMs = ends[i] as number;
      const value = compute(samples, { from: lo[i] as number, to: hi[i] as number, startMs: endMs - rangeMs, endMs });
      has[i] = value === undefined ? 0 : 1;
      if (value === undefined) continue;
      out[i] = perSecond ? value / (rangeMs / 1000) : value;
      present++;
    }
    return present;
  };
}

function anchored(func: string, lookbackMs: number): Compute {
  return ({ times, values }, { from, to, startMs }) => {
    if (to === from) return undefined;
    const first = from > 0 && (times[from - 1] as number) > startMs - lookbackMs ? from - 1 : from;
    let changes = 0;
    let resets = 0;
    let lost = 0;
    for (let i = first + 1; i < to; i++) {
      const before = values[i - 1] as number;
      const value = values[i] as number;
      if (value !== before && (value === value || before === before)) changes++;
      if (value >= before) continue;
      resets++;
      lost += before;
    }
    if (func === 'changes') return changes;
    if (func === 'resets') return resets;
    return (values[to - 1] as number) - (values[first] as number) + (func === 'delta' ? 0 : lost);
  };
}

function smoothed(counter: boolean, lookbackMs: number): Compute {
  return (samples, { from, to, startMs, endMs }) => {
    const { times, values } = samples;
    const before = from > 0 && (times[from - 1] as number) > startMs - lookbackMs;
    const after = to < times.length && (times[to] as number) <= endMs + lookbackMs;
    // Without a sample inside, the window must lie between two samples.
    if (to === from && !(before && after)) return undefined;
    const left = before ? interpolate(samples, from, startMs, counter) : (values[from] as number);
    const right = after ? interpolate(samples, to, endMs, counter) : (values[to - 1] as number);
    let change = right - left;
    if (!counter) return change;
    let last = left;
    for (let i = from; i < to; i++) {
      if ((values[i] as number) < last) change += last;
      last = values[i] as number;
    }
    return right < last ? change + last : change;
  };
}
