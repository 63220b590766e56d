import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import type { SelectRange } from '@nines/model/storage.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { Census, Store } from '@nines/tsdb/contract.ts';
import { LIMITS } from '@nines/tsdb/head/limits.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { Sql } from '../platform/records/contract.ts';
import { appendEvent } from '../platform/records/events.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import type { CardinalityView, DeletionView } from './contract.ts';
import { limitViews, seriesHealth } from './limits.ts';

/** Samples that a dry run counts at most: some seconds of reading. */
const MAX_COUNTED_SAMPLES = 50_000_000;
/** Series counted before others get a turn: some 10 ms. */
const SERIES_PER_TURN = 200;

export type SeriesDeps = {
  readonly store: Pick<Store, 'cardinality' | 'deleteSeries' | 'compact' | 'select'>;
  readonly sql: Sql;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly metrics: SelfMetrics;
};

/** A selector with the text it was written as. */
export type Selector = { readonly text: string; readonly matchers: readonly Matcher[] };
/** Both ends inclusive, in milliseconds; an open end is undefined. */
export type Span = { readonly fromMs: number | undefined; readonly toMs: number | undefined };
export type Deletion = { readonly selectors: readonly Selector[]; readonly span: Span; readonly all: boolean };

export class SeriesService {
  readonly #deps: SeriesDeps;

  constructor(deps: SeriesDeps) {
    this.#deps = deps;
    const report = () => deps.store.cardinality.report(deps.clock.now());
    deps.metrics.watch('nines_series_limit', 'Series the store may hold.', () => report().limits.series);
    deps.metrics.watch('nines_series_new_total', 'Series that were new.', () => report().newSeries, 'counter');
  }

  health(): ReturnType<typeof seriesHealth> {
    const nowMs = this.#deps.clock.now();
    return seriesHealth(this.#deps.store.cardinality.report(nowMs), nowMs);
  }

  /** Limits and their use, and the largest metrics among the series that `matchers` select. */
  async cardinality(matchers: readonly Matcher[], limit: number): Promise<CardinalityView> {
    const { store, clock } = this.#deps;
    const nowMs = clock.now();
    const report = store.cardinality.report(nowMs);
    const metrics = await store.cardinality.metrics(matchers, limit, nowMs);
    const [largest] = matchers.length === 0 ? metrics : await store.cardinality.metrics([], 1, nowMs);
    const last = report.lastRefusal;
    return {
      series: report.series,
      new_in_minute: report.newInMinute,
      new_in_hour: report.newInHour,
      limits: [...limitViews(report, largest ?? { series: 0, newInMinute: 0 })],
      last_refusal:
        last === undefined
          ? null
          : { at_ms: last.atMs, setting: LIMITS[last.refusal.limit].setting, metric: last.refusal.metric, detail: last.refusal.detail },
      metrics: metrics.map((metric) => ({
        name: metric.name,
        series: metric.series,
        new_in_minute: metric.newInMinute,
        new_in_hour: metric.newInHour,
        refused_samples: metric.refusedSamples,
      })),
    };
  }

  census(limit: number): Promise<Census> {
    return this.#deps.store.cardinality.census(limit);
  }

  /** What `remove` would remove. Removes nothing. */
  async count(deletion: Deletion): Promise<DeletionView> {
    const { store, clock } = this.#deps;
    this.#refuseEverything(deletion);
    const counted = { series: 0, samples: 0 };
    let walked = 0;
    for (const { matchers } of deletion.selectors) {
      for (const { times } of await store.select(matchers, rangeOf(deletion.span))) {
        counted.series++;
        counted.samples += times.length;
        if (counted.samples > MAX_COUNTED_SAMPLES) return viewOf(deletion, counted, { dryRun: true, complete: false });
        if (++walked % SERIES_PER_TURN === 0) await clock.sleep(0);
      }
    }
    return viewOf(deletion, counted, { dryRun: true, complete: true });
  }

  /**
   * Removes samples for good; durable when it resolves. Throws `AppError` when that would be every series, unless `all` says so, and when nobody
   * could tell afterwards who did it.
   */
  async remove(deletion: Deletion, actor: Actor): Promise<DeletionView> {
    const { store, ids, logger } = this.#deps;
    this.#refuseEverything(deletion);
    const selectors = deletion.selectors.map(({ text }) => text);
    const who = { actor: actor.name === '' ? actor.id : actor.name, actor_kind: actor.kind };
    const id = ids.uuid();
    const what = { deletion: id, ...who, selectors, from_ms: deletion.span.fromMs ?? null, to_ms: deletion.span.toMs ?? null };
    // Before anything goes: a deletion that leaves no trace would be the one that nobody can explain.
    await this.#audit('series.deletion', id, what).catch((thrown: unknown) => {
      const message = `Nothing was deleted: who deletes what could not be written down (${messageOf(thrown)}).`;
      throw new AppError('unavailable', 'audit_unavailable', message, { cause: thrown });
    });
    logger.info('a deletion of series begins', what);
    const removed = { series: 0, samples: 0 };
    for (const { matchers } of deletion.selectors) {
      const report = await store.deleteSeries(matchers, rangeOf(deletion.span));
      removed.series += report.series;
      removed.samples += report.samples;
    }
    logger.info('series were deleted', { ...what, ...removed });
    // It is done and its beginning is on record: that the count is not is no reason to call it failed.
    await this.#audit('series.deleted', id, { ...what, ...removed }).catch((thrown: unknown) =>
      logger.error('how much a deletion removed could not be written down', { deletion: id, error: messageOf(thrown) }),
    );
    return viewOf(deletion, removed, { dryRun: false, complete: true });
  }

  async #audit(kind: string, id: string, data: unknown): Promise<void> {
    const { sql, ids, clock } = this.#deps;
    const nowMs = clock.now();
    await appendEvent(sql, { kind, dedupKey: id, atMs: nowMs, data, retentionClass: 'audit' }, { ids, nowMs });
  }

  /** Gives back what deletions and late samples left behind on the disk. */
  async tidy(): Promise<void> {
    await this.#deps.store.compact(this.#deps.clock.now());
  }

  #refuseEverything({ selectors, all }: Deletion): void {
    if (all) return;
    const { cardinality } = this.#deps.store;
    const total = cardinality.report(this.#deps.clock.now()).series;
    const whole = selectors.find(({ matchers }) => total > 1 && cardinality.matching(matchers) >= total);
    if (whole === undefined) return;
    const message = `${whole.text} selects every series of the store (${total}); narrow it, or add all=true if that is what you mean`;
    throw new AppError('bad_input', 'deletes_everything', message, { field: 'all' });
  }
}

const rangeOf = ({ fromMs, toMs }: Span): SelectRange => ({
  fromMs: fromMs ?? Number.NEGATIVE_INFINITY,
  toMs: toMs ?? Number.POSITIVE_INFINITY,
});

const viewOf = (
  { span }: Deletion,
  counted: { readonly series: number; readonly samples: number },
  { dryRun, complete }: { readonly dryRun: boolean; readonly complete: boolean },
): DeletionView => ({ dry_run: dryRun, ...counted, complete, from_ms: span.fromMs ?? null, to_ms: span.toMs ?? null });

/** A plain selector such as `up{job="node"}`, or what is wrong with it. */
export function parseSelector(text: string): Result<Selector, string> {
  const parsed = parseExpr(text);
  if (!parsed.ok) return err(parsed.error.message);
  const expr = parsed.value;
  if (expr.kind !== 'selector' || expr.at !== undefined || expr.offset !== undefined) return err(`"${text}" is no series selector`);
  return ok({ text, matchers: expr.matchers });
}
