import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import type { Labels } from '@nines/model/labels.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import type { Alerting } from '../alerting/contract.ts';
import type { Ingest } from '../collect/contract.ts';

/** The instant vector of an expression; a scalar is one element without labels. Throws with the engine's message. */
export type RuleQuery = (expr: string, atMs: number, options: { readonly signal: AbortSignal }) => Promise<readonly RuleElement[]>;
/** With a native histogram `value` means nothing. */
export type RuleElement = { readonly labels: Labels; readonly value: number; readonly histogram?: Histogram };

/** Instants `fromMs`, `fromMs + stepMs` … up to `toMs`. */
export type Span = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };
export type RuleSeries = { readonly labels: Labels; readonly times: ArrayLike<number>; readonly values: ArrayLike<number> };
/** As a query at each instant of a span; native histograms are left out. */
export type RuleRange = (expr: string, span: Span, options: { readonly signal: AbortSignal }) => Promise<readonly RuleSeries[]>;

/** The instant vectors of a range, by instant. */
export function vectorsOf(series: readonly RuleSeries[]): ReadonlyMap<number, readonly RuleElement[]> {
  const vectors = new Map<number, RuleElement[]>();
  for (const { labels, times, values } of series) {
    for (let i = 0; i < times.length; i++) {
      const atMs = times[i] ?? 0;
      const element = { labels, value: values[i] ?? Number.NaN };
      const vector = vectors.get(atMs);
      if (vector === undefined) vectors.set(atMs, [element]);
      else vector.push(element);
    }
  }
  return vectors;
}

/** What a rule stores: a value, or that the series ended. */
export type RuleSample = { readonly labels: Labels; readonly atMs: number; readonly value: number | Histogram | 'stale' };
/** Resolves when the samples are durable. */
export type StoreSamples = (samples: readonly RuleSample[]) => Promise<void>;

export const storeThrough =
  (ingest: Ingest): StoreSamples =>
  async (samples) => {
    const builder = createBatchBuilder();
    for (const { labels, atMs, value } of samples) {
      if (value === 'stale') builder.addStale(labels, atMs);
      else if (typeof value === 'number') builder.add(labels, atMs, value);
      else builder.addHistogram(labels, atMs, value);
    }
    await ingest.append(builder.batch());
  };

/** What every rule is evaluated with. */
export type RuleContext = {
  readonly query: RuleQuery;
  readonly store: StoreSamples;
  readonly alerting: Alerting;
  readonly clock: Pick<Clock, 'now' | 'monotonic'>;
  readonly logger: Logger;
  readonly teamId: string;
  readonly externalUrl: string;
  /** `$externalLabels` of templates. */
  readonly externalLabels: Readonly<Record<string, string>>;
  /** When this process began to evaluate: what was open before and is not seen yet has not recovered. */
  readonly startedAtMs: number;
  /** Told how each evaluation of a rule went; `message` is empty when it went well. */
  readonly noteHealth?: (id: string, found: { readonly message: string; readonly place: string; readonly atMs: number }) => void;
};

/** What rules over figures are evaluated with besides. */
export type FigureContext = RuleContext & { readonly range: RuleRange };

/** What the last evaluation of a rule was like, for `/api/v1/rules`. */
export type Health = {
  health: 'unknown' | 'ok' | 'err';
  lastError: string;
  /** The rule works, but not all of it: a template of its last alerts failed. */
  fault: string;
  /** Why it decided nothing of some series at its last evaluation; empty when it decided all. */
  undecided: string;
  evaluationMs: number;
  evaluatedAtMs: number | null;
};

export const newHealth = (): Health => ({
  health: 'unknown',
  lastError: '',
  fault: '',
  undecided: '',
  evaluationMs: 0,
  evaluatedAtMs: null,
});

/** Most elements of one rule when the rule names no limit: beyond it a rule matches what its author did not mean. */
export const MAX_ELEMENTS = 10_000;
/** How far back a sample may lie to count as present. Source: prometheus --query.lookback-delta. */
export const LOOKBACK_MS = 5 * MINUTE_MS;
