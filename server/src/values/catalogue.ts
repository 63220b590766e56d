import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { Scope } from '@nines/model/storage.ts';
import { WakeIndex } from '@nines/model/wake-index.ts';
import type { Engine } from '@nines/promql/engine.ts';
import { printExpr } from '@nines/promql/print.ts';
import { selectorsOf } from '@nines/promql/selectors.ts';
import { SharedQuery } from './shared-query.ts';

/** Which series wake whom is worked out anew no more often; queries that came meanwhile are woken by any. */
const INDEX_GAP_MS = SECOND_MS;

type CatalogueDeps = {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly labelsOfRef: (ref: number) => Labels;
  readonly most: number;
};

/** The queries that somebody follows, each once. */
export class Catalogue {
  readonly #deps: CatalogueDeps;
  readonly #byIdentity = new Map<string, SharedQuery>();
  readonly #unindexed = new Set<SharedQuery>();
  #indexed: readonly SharedQuery[] = [];
  #index: WakeIndex;
  #indexedMs = Number.NEGATIVE_INFINITY;
  #ids = 0;

  constructor(deps: CatalogueDeps) {
    this.#deps = deps;
    this.#index = new WakeIndex([], deps.labelsOfRef);
  }

  get size(): number {
    return this.#byIdentity.size;
  }

  all(): Iterable<SharedQuery> {
    return this.#byIdentity.values();
  }

  /** The query of all who ask the same about the same series; to be released as often as it was taken. */
  take(text: string, stepMs: number | null, scope: Scope): SharedQuery | AppError {
    const { engine, most } = this.#deps;
    const parsed = engine.parse(text);
    if (!parsed.ok) return new AppError('bad_input', 'invalid_query', parsed.error.message);
    const seen = scope.matchers.map(({ name, op, value }) => [name, op, value]);
    const identity = JSON.stringify([printExpr(parsed.value), stepMs, seen]);
    let query = this.#byIdentity.get(identity);
    if (query === undefined) {
      if (this.size >= most)
        return new AppError('unavailable', 'too_many_queries', `${most} different queries are followed, no more are taken`);
      const selectors = selectorsOf(parsed.value).map(({ matchers }) => [...matchers, ...scope.matchers]);
      query = new SharedQuery(`q${++this.#ids}`, identity, { expr: parsed.value, stepMs, scope }, selectors);
      this.#byIdentity.set(identity, query);
      this.#unindexed.add(query);
    }
    query.followers++;
    return query;
  }

  release(query: SharedQuery): void {
    if (--query.followers > 0) return;
    this.#byIdentity.delete(query.identity);
    this.#unindexed.delete(query);
  }

  /** Queries that may read any of these series, of which samples were just stored. */
  wokenBy(refs: Uint32Array): ReadonlySet<SharedQuery> {
    const { clock } = this.#deps;
    if (this.#unindexed.size > 0 && clock.monotonic() - this.#indexedMs >= INDEX_GAP_MS) this.#reindex();
    const woken = new Set(this.#unindexed);
    const nowMs = clock.now();
    for (const number of this.#index.wokenBy(refs)) {
      const query = this.#indexed[number];
      if (query === undefined || query.followers === 0) continue;
      query.heard(nowMs);
      woken.add(query);
    }
    return woken;
  }

  #reindex(): void {
    this.#indexed = [...this.#byIdentity.values()];
    this.#index = new WakeIndex(this.#indexed, this.#deps.labelsOfRef);
    this.#unindexed.clear();
    this.#indexedMs = this.#deps.clock.monotonic();
  }
}
