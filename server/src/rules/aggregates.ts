/**
 * Streaming aggregates: recording rules whose value is kept up as samples come, instead of asked from the store. Each is a group
 * of one recording rule that is evaluated by the code of every other group; only its query is answered from what is kept. What
 * the state cannot tell (a late sample, native histograms, too many series) is asked from the store, so that an aggregate is
 * always what the recording rule would be.
 */
import { bitsOf, isStale } from '@nines/model/stale.ts';
import { NO_SERIES, type Queryable } from '@nines/model/storage.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { PartState } from '@nines/promql/streaming/part-state.ts';
import { type ReadSeries, StreamedExpr } from '@nines/promql/streaming/streamed-expr.ts';
import type { Committed, SelfMetrics } from '../collect/contract.ts';
import { planAggregate } from './aggregate-plan.ts';
import type { AggregateConfig } from './config.ts';
import type { RuleQuery } from './context.ts';
import type { RuleGroup } from './rule-file.ts';
import { WakeIndex } from '@nines/model/wake-index.ts';

export type AggregatesDeps = {
  readonly queryable: Pick<Queryable, 'select'>;
  readonly query: RuleQuery;
  readonly labelsOfRef: (ref: number) => Labels;
  /** Gives other work its turn when one is due. */
  readonly yieldNow: () => Promise<void> | undefined;
  readonly metrics: SelfMetrics;
};

/** One aggregate as a group of rules, and what answers its query. */
export type Aggregate = { readonly group: RuleGroup; readonly kept: StreamedExpr; readonly query: RuleQuery };

/** Where aggregates are written, as `/api/v1/rules` shows the file of a group. */
export const AGGREGATES_FILE = 'rules.aggregates';
/** How much further than now a reading goes: samples may be ten minutes ahead. */
const AHEAD_MS = 11 * 60_000;

export class Aggregates {
  readonly #deps: AggregatesDeps;
  /** By what they are made of: after a reload the same aggregate goes on with what it kept. */
  #kept: ReadonlyMap<string, StreamedExpr> = new Map();
  #parts: readonly PartState[] = [];
  #index: WakeIndex;
  readonly #sample = { atMs: 0, value: 0, stale: false };

  constructor(deps: AggregatesDeps) {
    this.#deps = deps;
    this.#index = new WakeIndex([], deps.labelsOfRef);
    const sum = (of: (kept: StreamedExpr) => number): number => [...this.#kept.values()].reduce((total, kept) => total + of(kept), 0);
    const ofParts = (of: (part: PartState) => number) => () => sum(({ parts }) => parts.reduce((total, part) => total + of(part), 0));
    const { metrics } = deps;
    metrics.watch(
      'nines_aggregate_series',
      'Series that streaming aggregates keep state of.',
      ofParts(({ series }) => series),
    );
    metrics.watch(
      'nines_aggregate_bytes',
      'Memory that the state of streaming aggregates takes, indexes left out.',
      ofParts(({ bytes }) => bytes),
    );
    metrics.watch('nines_aggregate_values_total', 'Values of streaming aggregates.', () => sum(({ values }) => values.asked), 'counter');
    metrics.watch(
      'nines_aggregate_queries_total',
      'Values of streaming aggregates that were asked from the store: native histograms, too many series.',
      () => sum(({ values }) => values.unknown),
      'counter',
    );
    metrics.watch(
      'nines_aggregate_readings_total',
      'Readings of the store to build state: at the start, after late samples, to forget series that ended.',
      () => sum(({ readings }) => readings),
      'counter',
    );
  }

  configure(configs: readonly AggregateConfig[], lookbackMs: number): readonly Aggregate[] {
    const kept = new Map<string, StreamedExpr>();
    const taken = new Map<string, number>();
    const made = configs.map((config, index): Aggregate => {
      const planned = planAggregate(config, lookbackMs);
      if (!planned.ok) throw new Error(`BUG: expected an aggregate that was checked, found: ${planned.error}`);
      const { expr, interval, query_offset, max_series } = config;
      const key = JSON.stringify([expr, interval, query_offset, max_series, lookbackMs]);
      const before = kept.get(key) ?? this.#kept.get(key);
      // Two with the same expression read alike, but each tells its own value of every interval.
      const isShared = kept.has(key);
      const state =
        before !== undefined && !isShared
          ? before
          : new StreamedExpr(planned.value.streamed, { intervalMs: interval, delayMs: query_offset, maxSeries: max_series, lookbackMs });
      kept.set(isShared ? `${key}#${index}` : key, state);
      const times = (taken.get(config.record) ?? 0) + 1;
      taken.set(config.record, times);
      const name = times === 1 ? config.record : `${config.record}#${times}`;
      return { group: groupOf(config, { name, expr: planned.value.expr }), kept: state, query: this.#queryOf(state, interval) };
    });
    this.#kept = kept;
    this.#parts = [...kept.values()].flatMap(({ parts }) => parts);
    this.#index = new WakeIndex(
      this.#parts.map(({ part }) => ({ selectors: [part.matchers] })),
      this.#deps.labelsOfRef,
    );
    return made;
  }

  /** Called after each durable commit. */
  committed({ batch, outcome }: Committed): void {
    if (this.#parts.length === 0) return;
    const { seriesCount, samplesFrom, times, values, histograms } = batch;
    const bits = bitsOf(values);
    const refused = new Set(outcome.refused.map(({ series }) => series));
    const isListed = outcome.refused.length === outcome.refusedCount;
    for (let series = 0; series < seriesCount; series++) {
      const ref = outcome.refs[series] ?? NO_SERIES;
      if (ref === NO_SERIES) continue;
      for (const listener of this.#index.listenersOf(ref)) {
        const part = this.#parts[listener];
        if (part === undefined) continue;
        // Which of its samples were stored is read from the store.
        if (!isListed || refused.has(series)) part.lose();
        const to = samplesFrom[series + 1] ?? 0;
        for (let i = samplesFrom[series] ?? 0; i < to; i++) {
          const sample = this.#sample;
          sample.atMs = Math.floor(times[i] ?? 0);
          sample.value = values[i] ?? 0;
          sample.stale = isStale(bits, i);
          if (histograms?.[i] !== undefined) part.addHistogram(sample.atMs);
          part.add(ref, sample, this.#deps.labelsOfRef);
        }
      }
    }
  }

  #queryOf(kept: StreamedExpr, intervalMs: number): RuleQuery {
    const { query, queryable, yieldNow } = this.#deps;
    return async (expr, atMs, options) => {
      const read: ReadSeries = async (matchers, afterMs) => {
        const range = { fromMs: afterMs + 1, toMs: atMs + AHEAD_MS };
        const selection = await queryable.select(matchers, range, { signal: options.signal, reuse: true, yieldNow });
        return inTurns(selection, yieldNow);
      };
      const found = await kept.valueAt(atMs / intervalMs, read);
      return found.kind === 'known' ? found.elements : query(expr, atMs, options);
    };
  }
}

async function* inTurns<T>(items: Iterable<T>, yieldNow: () => Promise<void> | undefined): AsyncGenerator<T> {
  for (const item of items) {
    yield item;
    await yieldNow();
  }
}

function groupOf(
  config: AggregateConfig,
  { name, expr }: { readonly name: string; readonly expr: RuleGroup['rules'][number]['expr'] },
): RuleGroup {
  const labels = Object.entries(config.labels).map(
    ([label, text]) => [label, { source: text, nodes: [{ kind: 'text' as const, text }] }] as const,
  );
  return {
    file: AGGREGATES_FILE,
    name,
    intervalMs: config.interval,
    limit: config.limit,
    queryOffsetMs: config.query_offset,
    labels: {},
    rules: [
      {
        kind: 'recording',
        record: config.record,
        expr,
        exprText: config.expr,
        labels: Object.fromEntries(labels),
        place: AGGREGATES_FILE,
      },
    ],
  };
}
