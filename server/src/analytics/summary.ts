import { ascending, meanOf } from '@nines/maths/stats/numbers.ts';
import { quantileOf } from '@nines/maths/stats/robust.ts';
import type { QueryView } from './contract.ts';

/** What can be said of a series at once, in any thread; `expected` is how many points its window has. */
export function summaryOf(points: readonly (readonly [number, number])[], expected: number): QueryView['series'][number]['summary'] {
  const values = points.map(([, value]) => value);
  const sorted = ascending(values);
  return {
    count: values.length,
    missing: Math.max(0, expected - values.length),
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    mean: meanOf(values),
    median: quantileOf(sorted, 0.5),
    p95: quantileOf(sorted, 0.95),
    last: values.at(-1) ?? 0,
  };
}
