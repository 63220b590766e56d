import { SECOND_MS, epochMs } from '@nines/base/units.ts';
import { type SliceRun, extendRun, holds, reduceSlice } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { SlicedSpec } from './spec.ts';

/** Samples of one series; times ascending, staleness markers left out. */
export type SlicedColumns = { readonly labels?: Labels; readonly times: ArrayLike<number>; readonly values: ArrayLike<number> };

/** Reads what a query gave in `[fromMs, toMs)`. A plain selector gives its samples; anything else its values at each `stepMs`. */
export type SampleReader = (
  query: string,
  range: Span & { readonly stepMs: number },
  signal?: AbortSignal,
) => Promise<readonly SlicedColumns[]>;

/** A query that is no plain selector is looked at 60 times per slice, but not more often than every second nor seldomer than every 15 s. */
const POINTS_PER_SLICE = 60;
const MIN_STEP_MS = SECOND_MS;
const MAX_STEP_MS = 15 * SECOND_MS;

export const stepFor = (sliceMs: number): number =>
  Math.min(sliceMs, Math.max(MIN_STEP_MS, Math.min(MAX_STEP_MS, Math.floor(sliceMs / POINTS_PER_SLICE))));

/**
 * Judges the slices of `span`, which begins and ends on slice boundaries: good is up, bad is down, empty is unknown. Samples
 * taken while the service was down are left out, unless the contract measures them: an answer that failed in 2 ms is not a
 * fast answer. The samples of all series of a slice are judged together.
 */
export function judgeSlices(
  spec: SlicedSpec,
  seen: { readonly series: readonly SlicedColumns[]; readonly outages: readonly Span[] },
  span: Span,
): readonly SliceRun[] {
  const slices = collect(spec, seen, span);
  let runs: SliceRun[] = [];
  slices.forEach((values, index) => {
    const value = reduceSlice(sampled(spec, values), spec.reduce);
    const fromMs = epochMs(span.fromMs + index * spec.slice_ms);
    runs = joinRuns(
      runs,
      {
        fromMs,
        toMs: epochMs(fromMs + spec.slice_ms),
        state: value === null ? 'unknown' : holds(value, spec.condition, spec.threshold) ? 'up' : 'down',
        samples: values.length,
        worst: value,
        last: value,
        ...shareOf(spec, { value, samples: values.length }),
      },
      spec,
    );
  });
  return runs;
}

/** Of a ratio of samples, each is 1 where it is good and 0 where it is not. */
const sampled = ({ samples }: SlicedSpec, values: readonly number[]): readonly number[] =>
  samples === undefined ? values : values.map((value) => (holds(value, samples.condition, samples.threshold) ? 1 : 0));

/** What a ratio without counters keeps of a slice: its samples, or its good milliseconds where the value is the share of errors. */
function shareOf(spec: SlicedSpec, seen: { readonly value: number | null; readonly samples: number }): Pick<SliceRun, 'good' | 'total'> {
  const { value } = seen;
  if (spec.kind !== 'ratio' || value === null) return {};
  const goodShare = Math.min(1, Math.max(0, spec.samples === undefined ? 1 - value : value));
  const total = spec.budgeting === 'occurrences' ? seen.samples : spec.slice_ms;
  return { good: Math.round(total * goodShare), total };
}

/** Appends `next` to `runs` (which it may change), joined to the last one when it says the same. */
export function joinRuns(runs: SliceRun[], next: SliceRun, spec: SlicedSpec): SliceRun[] {
  const last = runs.at(-1);
  const joined = last === undefined ? undefined : extendRun(last, next, spec.condition);
  if (joined === undefined) runs.push(next);
  else runs[runs.length - 1] = joined;
  return runs;
}

function collect(
  spec: SlicedSpec,
  seen: { readonly series: readonly SlicedColumns[]; readonly outages: readonly Span[] },
  span: Span,
): readonly number[][] {
  const count = Math.floor((span.toMs - span.fromMs) / spec.slice_ms);
  const slices: { atMs: number; value: number }[][] = Array.from({ length: count }, () => []);
  const outages = spec.while_down === 'measure' ? [] : seen.outages;
  for (const { times, values } of seen.series) {
    let outage = 0;
    for (let i = 0; i < times.length; i++) {
      const atMs = times[i] ?? Number.NaN;
      const value = values[i] ?? Number.NaN;
      while (outage < outages.length && (outages[outage]?.toMs ?? 0) <= atMs) outage++;
      const down = (outages[outage]?.fromMs ?? Number.POSITIVE_INFINITY) <= atMs;
      if (!down && !Number.isNaN(value)) slices[Math.floor((atMs - span.fromMs) / spec.slice_ms)]?.push({ atMs, value });
    }
  }
  // Only the last value depends on the order, and only several series can be out of it.
  if (seen.series.length > 1) for (const slice of slices) slice.sort((a, b) => a.atMs - b.atMs);
  return slices.map((slice) => slice.map(({ value }) => value));
}
