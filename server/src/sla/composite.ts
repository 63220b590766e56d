import { epochMs } from '@nines/base/units.ts';
import type { SliceRun } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { joinRuns } from './judge.ts';
import type { SlicedSpec } from './spec.ts';

/**
 * Several indicators under one target. Of events: the bad ones of each part times its weight, of the events of all. Of slices: one is bad
 * when it is bad in any part. Of slices with their shares of errors: the shortfalls of the parts times their weights are added up (95 %
 * and 95 % are 90 %). What is unknown of a part is unknown of the whole, unless another part decides. Source: OpenSLO v1, composite SLOs.
 */
export function combineParts(spec: SlicedSpec, parts: readonly (readonly SliceRun[])[], span: Span): readonly SliceRun[] {
  const runs: SliceRun[] = [];
  const cursors = parts.map(() => 0);
  for (let fromMs: number = span.fromMs; fromMs < span.toMs; fromMs += spec.slice_ms) {
    const slices = parts.map((part, i) => {
      while ((part[cursors[i] ?? 0]?.toMs ?? Number.POSITIVE_INFINITY) <= fromMs) cursors[i] = (cursors[i] ?? 0) + 1;
      return part[cursors[i] ?? 0];
    });
    joinRuns(runs, { fromMs: epochMs(fromMs), toMs: epochMs(fromMs + spec.slice_ms), ...combined(spec, slices) }, spec);
  }
  return runs;
}

type Verdict = Omit<SliceRun, 'fromMs' | 'toMs'>;
const UNKNOWN: Verdict = { state: 'unknown', samples: 0, worst: null, last: null };

function combined(spec: SlicedSpec, slices: readonly (SliceRun | undefined)[]): Verdict {
  const known = slices.filter((slice) => slice !== undefined && slice.state !== 'unknown');
  const samples = known.reduce((sum, slice) => sum + (slice?.samples ?? 0), 0);
  if (spec.budgeting === 'timeslices') {
    const isBad = known.some((slice) => slice?.state === 'down');
    if (!isBad && known.length < slices.length) return UNKNOWN;
    const value = isBad ? 0 : 1;
    return { state: isBad ? 'down' : 'up', samples, worst: value, last: value };
  }
  if (known.length < slices.length) return UNKNOWN;
  const weights = spec.parts?.map(({ weight }) => weight) ?? [];
  const { good, total } = spec.budgeting === 'occurrences' ? eventsOf(slices, weights) : shareOf(spec, slices, weights);
  if (total === 0) return { state: 'up', samples, worst: 1, last: 1 };
  const value = good / total;
  return { state: value >= spec.threshold ? 'up' : 'down', samples, worst: value, last: value, good, total };
}

type Counted = { readonly good: number; readonly total: number };

function eventsOf(slices: readonly (SliceRun | undefined)[], weights: readonly number[]): Counted {
  let [bad, total] = [0, 0];
  slices.forEach((slice, i) => {
    bad += (weights[i] ?? 1) * ((slice?.total ?? 0) - (slice?.good ?? 0));
    total += slice?.total ?? 0;
  });
  return { good: total - Math.min(total, Math.round(bad)), total };
}

function shareOf({ slice_ms: sliceMs }: SlicedSpec, slices: readonly (SliceRun | undefined)[], weights: readonly number[]): Counted {
  let shortfall = 0;
  slices.forEach((slice, i) => {
    const { good, total } = slice ?? {};
    // A slice without events falls short of nothing.
    if (good !== undefined && total !== undefined && total > 0) shortfall += (weights[i] ?? 1) * (1 - good / total);
  });
  return { good: Math.round(sliceMs * Math.max(0, 1 - shortfall)), total: sliceMs };
}
