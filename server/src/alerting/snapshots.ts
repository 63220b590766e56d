import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { SampleQuery, SelfMetrics } from '../collect/contract.ts';
import type { Bus, Fact } from '../platform/bus.ts';
import type { AlertSnapshotRow } from '../platform/db/migrations/0036-alert-history.ts';
import type { Database } from '../platform/db/schema.ts';
import { appendEvent, listEvents } from '../platform/records/events.ts';
import type { AlertView, RuleReads } from './contract.ts';
import { findSnapshot, saveSnapshots } from './history-store.ts';
import { type Change, type Excerpt, type SnapshotWire, snapshotSchema } from './history-wire.ts';
import { EXCERPT_MS, EXCERPT_STEP_MS, type Question, changeOf, excerptsOf, readsToAsk, relatedTo, restartsOf } from './snapshot.ts';
import type { TopProcesses } from './top-processes.ts';

/** Snapshots of one minute; in a storm the alerts beyond it get none, and are counted. */
const MAX_PER_MINUTE = 200;
/** Snapshots that are saved together. */
const SAVED_AT_ONCE = 20;
/** Changes that a snapshot names. */
const MAX_CHANGES = 20;
const MAX_CHANGES_READ = 500;
/** A snapshot larger than this keeps only what the rule reads. */
const MAX_CHARS = 64_000;
/** Kind of the events that say that something was changed. */
const CHANGE = 'change';

export type SnapshotDeps = {
  readonly sql: Kysely<Database>;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly metrics: SelfMetrics;
  readonly query: Pick<SampleQuery, 'range' | 'instant'>;
  readonly readsOf: (ruleId: string) => RuleReads | undefined;
  /** The processes of this machine, for alerts about it. */
  readonly topProcesses: TopProcesses;
  /** The value of the label `instance` of this machine's own series. */
  readonly instance: string;
};

/**
 * Keeps what was to be seen when an alert fired, one alert after another and after the alert's own transaction: a page never
 * waits for a picture. Changes are kept as events, so that the hour before an alert is known after a restart too.
 */
export class Snapshots implements AsyncDisposable {
  readonly #deps: SnapshotDeps;
  readonly #waiting: AlertView[] = [];
  readonly #stopping = new AbortController();
  readonly #subscription: Disposable;
  readonly #left: { add(n: number): void };
  #minute = { beganMs: Number.NEGATIVE_INFINITY, taken: 0 };
  #working: Promise<void> | undefined;

  constructor(deps: SnapshotDeps) {
    this.#deps = deps;
    this.#left = deps.metrics.counter('nines_alert_snapshots_left_out_total', 'Alerts that fired in a storm and got no snapshot.');
    this.#subscription = deps.bus.subscribe((fact) => this.#hear(fact));
  }

  async find(alertId: string): Promise<SnapshotWire | undefined> {
    const text = await findSnapshot(this.#deps.sql, alertId);
    return text === undefined ? undefined : snapshotSchema.parse(JSON.parse(text));
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#working;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription[Symbol.dispose]();
    this.#waiting.length = 0;
    this.#stopping.abort(new Error('the server is stopping'));
    await this.#working;
  }

  #hear(fact: Fact): void {
    if (fact.type === 'alert.fired') this.#take(fact.data as AlertView);
    const change = changeOf(fact);
    if (change === undefined) return;
    const { sql, ids, clock, logger } = this.#deps;
    const event = { kind: CHANGE, dedupKey: ids.uuid(), atMs: change.at_ms, data: change };
    appendEvent(sql, event, { ids, nowMs: clock.now() }).catch((thrown: unknown) =>
      logger.warn('a change was not kept', { change: change.text, error: messageOf(thrown) }),
    );
  }

  #take(alert: AlertView): void {
    const nowMs = this.#deps.clock.now();
    if (Math.abs(nowMs - this.#minute.beganMs) >= MINUTE_MS) this.#minute = { beganMs: nowMs, taken: 0 };
    if (this.#minute.taken >= MAX_PER_MINUTE) {
      this.#left.add(1);
      return;
    }
    this.#minute.taken++;
    this.#waiting.push(alert);
    this.#working ??= this.#work().finally(() => {
      this.#working = undefined;
    });
  }

  async #work(): Promise<void> {
    const { sql, logger } = this.#deps;
    // Not in the call that announces the alert.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const rows: AlertSnapshotRow[] = [];
      for (const alert of this.#waiting.splice(0, SAVED_AT_ONCE)) {
        try {
          const snapshot = await this.#look(alert);
          rows.push({ alert_id: alert.id, taken_at_ms: snapshot.taken_at_ms, data: textOf(snapshot) });
        } catch (thrown) {
          if (this.#stopping.signal.aborted) return;
          logger.warn('an alert got no snapshot', { alert: alert.id, error: messageOf(thrown) });
        }
      }
      await saveSnapshots(sql, rows).catch((thrown: unknown) => logger.warn('snapshots were not kept', { error: messageOf(thrown) }));
    }
  }

  async #look(alert: AlertView): Promise<SnapshotWire> {
    const { clock, readsOf, topProcesses, instance } = this.#deps;
    const atMs = clock.now();
    const reads = readsOf(alert.rule);
    const series = await this.#ask(readsToAsk(reads), alert, atMs);
    const related = await this.#ask(relatedTo(alert.labels), alert, atMs);
    const { runbook_url: runbook } = alert.annotations;
    return {
      taken_at_ms: atMs,
      series,
      threshold: reads?.threshold ?? null,
      related,
      changes: [...(await this.#changes(atMs)), ...(await this.#restarts(alert, atMs))].sort((a, b) => b.at_ms - a.at_ms),
      processes: alert.labels['instance'] === instance ? [...(await topProcesses(this.#stopping.signal))] : [],
      runbook: runbook ?? null,
    };
  }

  /** A query that fails leaves its place empty: the others still tell something. */
  async #ask(questions: readonly Question[], alert: AlertView, atMs: number): Promise<Excerpt[]> {
    const { query, logger } = this.#deps;
    const span = { fromMs: atMs - EXCERPT_MS, toMs: atMs };
    const found: Excerpt[] = [];
    for (const question of questions) {
      try {
        const answer = await query.range(question.expr, { ...span, stepMs: EXCERPT_STEP_MS }, { signal: this.#stopping.signal });
        found.push(...excerptsOf(question, answer, { alert, ...span }));
      } catch (thrown) {
        if (this.#stopping.signal.aborted) throw thrown;
        logger.info('a figure is missing in a snapshot', { alert: alert.id, query: question.expr, error: messageOf(thrown) });
      }
    }
    return found;
  }

  async #changes(atMs: number): Promise<readonly Change[]> {
    const filter = { kind: CHANGE, fromMs: atMs - EXCERPT_MS, toMs: atMs + 1, limit: MAX_CHANGES_READ };
    const events = await listEvents(this.#deps.sql, filter);
    return events.slice(-MAX_CHANGES).map(({ data }) => data as Change);
  }

  async #restarts(alert: AlertView, atMs: number): Promise<readonly Change[]> {
    const expr = restartsOf(alert.labels);
    if (expr === undefined) return [];
    const found = await this.#deps.query.instant(expr, atMs, { signal: this.#stopping.signal });
    return found
      .map(({ value }) => Math.round(value * 1000))
      .filter((startedAtMs) => startedAtMs > atMs - EXCERPT_MS && startedAtMs <= atMs)
      .slice(0, MAX_CHANGES)
      .map((startedAtMs) => ({ at_ms: startedAtMs, kind: 'process.started', text: `the process of ${alert.labels['instance']} started` }));
  }
}

function textOf(snapshot: SnapshotWire): string {
  const whole = JSON.stringify(snapshot);
  return whole.length <= MAX_CHARS ? whole : JSON.stringify({ ...snapshot, related: [], changes: snapshot.changes.slice(0, 5) });
}
