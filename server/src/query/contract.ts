/**
 * Query answers PromQL over HTTP in Prometheus' exact shapes, so that Grafana and every other client of Prometheus work
 * unchanged. It parses parameters, lets the engine evaluate, and encodes; it knows no series and decides nothing.
 * Every answer is bounded: points per series, samples, time, concurrent queries. Never writes.
 */
import type { Engine } from '@nines/promql/engine.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Actor } from '../platform/http/contract.ts';

/** Points per series of a range query. Source: prometheus web/api/v1/api.go, queryRange. */
export const MAX_POINTS = 11_000;
/** Longest time one query may take, and the default. Source: prometheus --query.timeout. */
export const MAX_TIMEOUT_MS = 120_000;
/** Queries evaluated at a time; the others wait in order. Source: prometheus --query.max-concurrency. */
export const MAX_CONCURRENT = 20;
/** Queries that may wait. More than these would only time out together. */
export const MAX_WAITING = 200;
export type QueryDeps = {
  readonly engine: Engine;
  readonly queryable: Queryable;
  readonly clock: Clock;
  /** Gives other work its turn when one is due (see platform/breath.ts). */
  readonly yieldNow: () => Promise<void> | undefined;
  /** Version of the product, for `status/buildinfo`. */
  readonly version: string;
  /** What a reader may see. */
  readonly scopeOf: (actor: Actor) => Scope;
};
