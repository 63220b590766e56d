/**
 * Query answers PromQL over HTTP in Prometheus' exact shapes, so that Grafana and every other client of Prometheus work
 * unchanged. It parses parameters, lets the engine evaluate, and encodes; it knows no series and decides nothing.
 * Every answer is bounded: points per series, samples, time, concurrent queries. Never writes.
 */
import { SECOND_MS } from '@nines/base/units.ts';
import { DEFAULT_LIMITS, type Engine } from '@nines/promql/engine.ts';
import type { Queryable } from '@nines/model/storage.ts';
import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import type { ExemplarSource, MetadataBook, SelfMetrics } from '../collect/contract.ts';

/** Points per series of a range query. Source: prometheus web/api/v1/api.go, queryRange. */
export const MAX_POINTS = 11_000;
/** Longest time one query may take, and the default. Source: prometheus --query.timeout. */
export const MAX_TIMEOUT_MS = 120_000;
/** Queries evaluated at a time; the others wait in order. Source: prometheus --query.max-concurrency. */
export const MAX_CONCURRENT = 20;
/** Queries that may wait. More than these would only time out together. */
export const MAX_WAITING = 200;

/** The section `promql`: what queries and rules may use, and how much of it. */
export const promqlConfig = z
  .strictObject({
    /** Functions, aggregations and modifiers that Prometheus keeps behind feature flags. */
    experimental: z.boolean().default(false),
    /** Metric names are dropped at the end of a query instead of at each function. Prometheus' `promql-delayed-name-removal`. */
    delayed_name_removal: z.boolean().default(false),
    /** How old the newest sample of a series may be to still count. */
    lookback: duration({ minMs: SECOND_MS }).prefault('5m'),
    /** Samples that one query may hold in memory. */
    max_samples: z.int().min(1).default(DEFAULT_LIMITS.maxSamples),
  })
  .prefault({});

/** What the engine makes of the section. */
export const engineSettings = (promql: z.output<typeof promqlConfig>) => ({
  limits: { maxSamples: promql.max_samples, lookbackMs: promql.lookback },
  features: { experimentalFunctions: promql.experimental, delayedNameRemoval: promql.delayed_name_removal },
});

export type QueryDeps = {
  readonly engine: Engine;
  readonly queryable: Queryable;
  readonly exemplars: ExemplarSource;
  /** Types and help of what is exported. */
  readonly metadata: Pick<MetadataBook, 'get'>;
  readonly clock: Clock;
  /** Added to series that other Prometheus servers read, where they lack them. */
  readonly externalLabels: () => Readonly<Record<string, string>>;
  /** How old a newest sample may be for `/federate`. */
  readonly lookbackMs: number;
  /** How long samples are kept at the longest, where that is known. */
  readonly keptMs?: number;
  /** Gives other work its turn when one is due (see platform/breath.ts). */
  readonly yieldNow: () => Promise<void> | undefined;
  readonly metrics?: SelfMetrics;
  /** Version of the product, for `status/buildinfo`. */
  readonly version: string;
};

const hintView = z.object({
  /** What is missing and what was found instead, in a sentence. */
  says: z.string(),
  /** The whole query with the likely mistake put right. */
  instead: z.string().nullable(),
});
/** `GET /api/metrics/explain`: what each part of a query gives at an instant. */
export const explanationView = z.object({
  at_ms: z.number(),
  /** In the order of the text, a node before its parts; `parent` is the place in this list, null for the whole. */
  nodes: z.array(
    z.object({
      parent: z.int().nullable(),
      kind: z.string(),
      text: z.string(),
      type: z.enum(['scalar', 'vector', 'matrix', 'string']),
      /** Series or elements at the instant; null when it was not evaluated. */
      results: z.int().nullable(),
      /** The value of a number or a text. */
      value: z.string().nullable(),
      /** Why this part alone fails. */
      error: z.string().nullable(),
      /** What happens here, in sentences. */
      says: z.array(z.string()),
    }),
  ),
  /** Nodes left out of a very long query. */
  left_out: z.int(),
  /** Why the whole gives nothing; empty when it gives something, or when nothing can be said. */
  hints: z.array(hintView),
});
export type ExplanationView = z.output<typeof explanationView>;
