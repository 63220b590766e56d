import { type Result, err, ok } from '@nines/base/result.ts';
import { epochMs } from '@nines/base/units.ts';
import { type CounterSeries, type SliceCounts, countEvents } from '@nines/maths/slo/counters.ts';
import type { SliceRun } from '@nines/maths/slo/slices.ts';
import { holds } from '@nines/maths/slo/slices.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { type Expr, type VectorSelector, unwrap } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { type SampleReader, type SlicedColumns, joinRuns } from './judge.ts';
import type { CountersSpec, SlicedSpec } from './spec.ts';

/** One counter of a sum: its selector as text, and whether it is taken away. */
export type CounterTerm = { readonly selector: string; readonly sign: 1 | -1 };

/** How far before its span a read reaches, so that the first rise in it is known. A counter that was silent for longer begins anew. */
const REACH_MS = 10 * 60_000;

/**
 * The counters that an expression adds up: selectors, sums and differences of them, with or without `rate` or `increase` around, as their exact
 * rise replaces those. `or vector(0)` is passed over. Anything else is refused in words.
 */
export function counterTerms(query: string): Result<readonly CounterTerm[], string> {
  const parsed = parseExpr(query);
  if (!parsed.ok) return err(parsed.error.message);
  return termsOf(parsed.value, { query, sign: 1 });
}

type Step = { readonly query: string; readonly sign: 1 | -1 };
const FUNCTIONS: ReadonlySet<string> = new Set(['rate', 'increase', 'irate']);

function termsOf(written: Expr, step: Step): Result<readonly CounterTerm[], string> {
  const expr = unwrap(written);
  const text = step.query.slice(expr.position.from, expr.position.to);
  switch (expr.kind) {
    case 'selector':
      return selectorOf(expr, step);
    case 'call': {
      const [range] = expr.args;
      if (FUNCTIONS.has(expr.func) && range?.kind === 'matrix') return selectorOf(range.selector, step);
      break;
    }
    case 'aggregate':
      if (expr.op !== 'sum') break;
      if (expr.grouping.length > 0 || expr.without)
        return err(`"${text}" gives several series where one is needed; write sum(…) without labels`);
      return termsOf(expr.expr, step);
    case 'binary':
      if (expr.op === 'or' && isZero(expr.right)) return termsOf(expr.left, step);
      if (expr.op === '+' || expr.op === '-') {
        const left = termsOf(expr.left, step);
        const right = termsOf(expr.right, { ...step, sign: (expr.op === '+' ? step.sign : -step.sign) as 1 | -1 });
        if (!left.ok) return left;
        return right.ok ? ok([...left.value, ...right.value]) : right;
      }
      break;
    default:
  }
  return err(`"${text}" is no counter: write a selector, or sums and differences of selectors`);
}

function selectorOf(selector: VectorSelector, { query, sign }: Step): Result<readonly CounterTerm[], string> {
  const text = query.slice(selector.position.from, selector.position.to);
  if (selector.at !== undefined || selector.offset !== undefined) return err(`"${text}" is read when it happens: leave out @ and offset`);
  return ok([{ selector: text, sign }]);
}

const isZero = (expr: Expr): boolean => {
  const inner = unwrap(expr);
  const [zero] = inner.kind === 'call' && inner.func === 'vector' ? inner.args : [];
  return zero?.kind === 'number' && zero.value === 0;
};

/** Judges the slices of `span` by how much counters rose in them. */
export async function judgeCounters(
  spec: SlicedSpec & { readonly counters: CountersSpec },
  readSamples: SampleReader,
  at: { readonly span: Span; readonly outages: readonly Span[]; readonly signal?: AbortSignal },
): Promise<readonly SliceRun[]> {
  const { counters } = spec;
  const read = async (query: string | null): Promise<SliceCounts | undefined> =>
    query === null ? undefined : riseOf(query, spec.slice_ms, { readSamples, ...at });
  const [good, bad, total] = [await read(counters.good), await read(counters.bad), await read(counters.total)];
  const runs: SliceRun[] = [];
  for (let i = 0; i < (total?.events.length ?? 0); i++) {
    const fromMs = epochMs(at.span.fromMs + i * spec.slice_ms);
    const all = total?.events[i] ?? 0;
    const failed = Math.min(all, Math.max(0, bad === undefined ? all - (good?.events[i] ?? all) : (bad.events[i] ?? 0)));
    joinRuns(runs, verdictOf(spec, { fromMs, all, failed, isSampled: total?.isSampled[i] === 1 }), spec);
  }
  return runs;
}

async function riseOf(
  query: string,
  sliceMs: number,
  at: { readonly span: Span; readonly readSamples: SampleReader; readonly outages: readonly Span[]; readonly signal?: AbortSignal },
): Promise<SliceCounts> {
  const terms = counterTerms(query);
  if (!terms.ok) throw new Error(terms.error);
  const span = { fromMs: epochMs(at.span.fromMs - REACH_MS), toMs: at.span.toMs };
  let sum: SliceCounts | undefined;
  for (const { selector, sign } of terms.value) {
    const series = (await at.readSamples(selector, { ...span, stepMs: sliceMs }, at.signal)).map(toCounter);
    const counts = countEvents(series, at.span, sliceMs);
    const before = sum;
    sum = {
      events: counts.events.map((events, i) => (before?.events[i] ?? 0) + sign * events),
      isSampled: counts.isSampled.map((isSampled, i) => isSampled | (before?.isSampled[i] ?? 0)),
    };
  }
  return sum ?? countEvents([], at.span, sliceMs);
}

function toCounter({ labels, times, values }: SlicedColumns): CounterSeries {
  const target = ['job', 'instance'].map((name) => (labels === undefined ? '' : labelOf(labels, name))).join('\0');
  const kept = Array.from(times as ArrayLike<number>).flatMap((time, i) =>
    Number.isNaN(values[i] ?? Number.NaN) ? [] : [[time, values[i] ?? 0] as const],
  );
  return { target, times: kept.map(([time]) => time), values: kept.map(([, value]) => value) };
}

function labelOf(labels: readonly string[], name: string): string {
  for (let i = 0; i + 1 < labels.length; i += 2) if (labels[i] === name) return labels[i + 1] ?? '';
  return '';
}

/** What a slice says; one that nothing was sampled in is unknown, one without events is good unless events are what is promised. */
function verdictOf(
  spec: SlicedSpec & { readonly counters: CountersSpec },
  {
    fromMs,
    all,
    failed,
    isSampled,
  }: { readonly fromMs: number; readonly all: number; readonly failed: number; readonly isSampled: boolean },
): SliceRun {
  const span = { fromMs: epochMs(fromMs), toMs: epochMs(fromMs + spec.slice_ms) };
  if (!isSampled) return { ...span, state: 'unknown', samples: 0, worst: null, last: null };
  const value = valueOf(spec, { all, failed });
  const isGood =
    (spec.kind !== 'throughput' && all < Math.max(1, spec.counters.min_events)) || holds(value, spec.condition, spec.threshold);
  return {
    ...span,
    state: isGood ? 'up' : 'down',
    samples: Math.round(all),
    worst: value,
    last: value,
    ...countsOf(spec, { all, failed }),
  };
}

function valueOf({ kind, slice_ms: sliceMs }: SlicedSpec, { all, failed }: { readonly all: number; readonly failed: number }): number {
  if (kind === 'throughput') return (all * 1_000) / sliceMs;
  if (all === 0) return kind === 'error_rate' ? 0 : 1;
  return kind === 'error_rate' ? failed / all : (all - failed) / all;
}

/** What a ratio keeps of a slice: whole events, or milliseconds where each slice counts alike. */
function countsOf(spec: SlicedSpec, { all, failed }: { readonly all: number; readonly failed: number }): Pick<SliceRun, 'good' | 'total'> {
  if (spec.kind !== 'ratio' || all === 0) return {};
  if (spec.budgeting === 'ratio_timeslices')
    return { good: spec.slice_ms - Math.round((spec.slice_ms * failed) / all), total: spec.slice_ms };
  const total = Math.round(all);
  return { good: total - Math.min(total, Math.round(failed)), total };
}
