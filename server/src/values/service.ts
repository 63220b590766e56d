import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import { formatScope } from '@nines/model/scope.ts';
import type { Queryable } from '@nines/model/storage.ts';
import type { Engine } from '@nines/promql/engine.ts';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { Actor, StreamFollower, StreamReader } from '../platform/http/contract.ts';
import type { Subscriber } from './audiences.ts';
import { Catalogue } from './catalogue.ts';
import { type FollowView, type Followed, MAX_QUERIES, MAX_QUERIES_OF_ONE } from './contract.ts';
import { Outlet } from './outlet.ts';
import { Schedule } from './schedule.ts';
import type { SharedQuery } from './shared-query.ts';

/** Longest time one evaluation may take. */
const TIMEOUT_MS = 10 * SECOND_MS;
const ENDED = Buffer.from('data: {"topic":"values","type":"values.ended","data":[]}\n\n');

export type ValuesDeps = {
  readonly engine: Engine;
  readonly queryable: Queryable;
  readonly clock: Clock;
  readonly metrics: SelfMetrics;
  readonly labelsOfRef: (ref: number) => Labels;
  /** Processor time of this process so far. */
  readonly processorMs: () => number;
  /** Whether somebody may ask for metrics now. */
  readonly mayRead: (actor: Actor) => boolean;
  /** Different queries that are followed at a time. */
  readonly most?: number;
  /** Of them, those of one person or token. */
  readonly each?: number;
};

/** Evaluates what is followed, once for all, and sends what changed. To be told of streams. */
export class Values implements StreamFollower, AsyncDisposable {
  readonly #deps: ValuesDeps;
  readonly #subscribers = new Map<StreamReader, Subscriber>();
  readonly #catalogue: Catalogue;
  readonly #outlet: Outlet;
  readonly #schedule: Schedule;
  readonly #evaluations: Counter;
  readonly #stopping = new AbortController();

  constructor(deps: ValuesDeps) {
    this.#deps = deps;
    const { metrics, clock, processorMs, most = MAX_QUERIES } = deps;
    this.#catalogue = new Catalogue({ ...deps, most });
    this.#outlet = new Outlet(clock, metrics);
    this.#schedule = new Schedule({
      clock,
      processorMs,
      queries: () => this.#catalogue.all(),
      evaluate: (query) => this.#evaluate(query),
      onIdle: () => this.#outlet.flush(),
    });
    const help = 'Different queries that are followed, each evaluated once for all who follow it.';
    metrics.watch('nines_live_queries', help, () => this.#catalogue.size);
    this.#evaluations = metrics.counter('nines_live_evaluations_total', 'Evaluations of followed queries, by what they gave.');
  }

  /** Replaces what a stream follows. Each key that is new is told everything that is known of its query, as soon as it is. */
  follow(reader: StreamReader, wanted: readonly Followed[]): FollowView {
    const before = this.#subscribers.get(reader);
    const followed = new Map<string, SharedQuery>();
    const awaited = new Set<string>();
    const { scope } = reader.actor;
    const own = this.#followedBy(reader);
    const { each = MAX_QUERIES_OF_ONE } = this.#deps;
    const queries = wanted.map(({ key, expr, step_ms: stepMs }) => {
      const query = followed.has(key)
        ? new AppError('bad_input', 'duplicate_key', `the key "${key}" stands twice`)
        : this.#catalogue.take(expr, stepMs, scope);
      if (query instanceof AppError) return { key, query: null, error: { code: query.code, message: query.message } };
      if (!own.has(query) && own.size >= each) {
        this.#catalogue.release(query);
        const message = `you follow ${each} different queries already; close some pages`;
        return { key, query: null, error: { code: 'too_many_queries', message } };
      }
      own.add(query);
      followed.set(key, query);
      if (before?.followed.get(key) !== query || before.awaited.has(key)) awaited.add(key);
      return { key, query: query.id, error: null };
    });
    // Taken before they are released, so that what stays is not begun anew.
    if (before !== undefined) this.ended(reader);
    if (followed.size > 0) {
      const subscriber = { reader, wanted, scope: formatScope(scope), followed, awaited, behind: before?.behind ?? false };
      this.#subscribers.set(reader, subscriber);
      this.#outlet.place(subscriber);
      this.#schedule.arm();
    }
    return { queries };
  }

  /** What the same person or token follows on other streams. Where there is no authentication all are one, and only the whole is bounded. */
  #followedBy(reader: StreamReader): Set<SharedQuery> {
    const { kind, id } = reader.actor;
    const found = new Set<SharedQuery>();
    if (kind !== 'user' && kind !== 'token') return found;
    for (const [other, { followed }] of this.#subscribers) {
      if (other === reader || other.actor.kind !== kind || other.actor.id !== id) continue;
      for (const query of followed.values()) found.add(query);
    }
    return found;
  }

  /** Samples of these series were stored. */
  committed(refs: Uint32Array): void {
    if (this.#catalogue.size === 0) return;
    const woken = this.#catalogue.wokenBy(refs);
    if (woken.size > 0) this.#schedule.wake(woken);
  }

  examined(reader: StreamReader): void {
    const subscriber = this.#subscribers.get(reader);
    if (subscriber === undefined) return;
    if (!this.#deps.mayRead(reader.actor)) {
      this.ended(reader);
      reader.send(ENDED);
    } else if (formatScope(reader.actor.scope) !== subscriber.scope) {
      this.ended(reader);
      this.follow(reader, subscriber.wanted);
    }
  }

  ended(reader: StreamReader): void {
    const subscriber = this.#subscribers.get(reader);
    if (subscriber === undefined) return;
    this.#subscribers.delete(reader);
    this.#outlet.remove(subscriber);
    for (const query of subscriber.followed.values()) this.#catalogue.release(query);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort(new Error('the server is stopping'));
    await this.#schedule[Symbol.asyncDispose]();
    this.#outlet[Symbol.dispose]();
  }

  async #evaluate(query: SharedQuery): Promise<void> {
    const { clock, engine, queryable } = this.#deps;
    const { arrivedMs, isKnown } = query;
    query.arrivedMs = undefined;
    const late = new AbortController();
    using _timer = clock.after(TIMEOUT_MS, () => late.abort(Object.assign(new Error('query timed out'), { name: 'TimeoutError' })));
    const signal = AbortSignal.any([late.signal, this.#stopping.signal]);
    const item = await query.evaluate(clock.now(), { engine, queryable, signal });
    this.#evaluations.add(1, { outcome: query.isFailing ? 'failed' : 'values' });
    // Whoever follows what was never known gets all of it, not what changed.
    if (item !== undefined && isKnown && query.followers > 0) this.#outlet.add({ query, item, arrivedMs });
  }
}
