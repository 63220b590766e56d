import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { AlertChange, NotifyFn, NotifyReason } from '../notify/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { AlertTransitionRow } from '../platform/db/migrations/0005-alerts.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import { pageOf, parseCursor } from '../platform/http/cursor.ts';
import { createTurns } from '../platform/turns.ts';
import {
  type Acknowledgements,
  type Alerting,
  type AlertState,
  type AlertView,
  type Evaluation,
  SEVERITIES,
  type Severity,
} from './contract.ts';
import { type AlertRecord, type Transition, type TransitionKind, decide, withHeldBack } from './evaluate.ts';
import { type Action, decideHandling } from './handle.ts';
import {
  acknowledgementsOf,
  type AlertFilter,
  deleteAlert,
  findAlert,
  insertAlert,
  insertTransitions,
  listAlerts,
  loadOpen,
  transitionsOf,
  updateAlert,
} from './store.ts';
import { newestFirst, viewOf } from './view.ts';

export type AlertingDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly notify: NotifyFn;
  readonly metrics: SelfMetrics;
  /** Told after each commit that may have put something into the outbox, with the alerts that it changed as they are now. */
  readonly afterCommit: (changed: readonly AlertView[]) => void;
  /** Why alerts about a service are kept from people at an instant (planned maintenance); absent where nothing keeps them. */
  readonly holdBack?: (service: string, atMs: EpochMs) => string | undefined;
};

export type AlertPage = { readonly items: readonly AlertView[]; readonly next: string | null };
export type ListQuery = Omit<AlertFilter, 'after' | 'status'> & {
  readonly status: 'open' | 'all' | AlertState;
  readonly cursor: string | undefined;
};

/** Who acts in the history when no person does. */
const SYSTEM = 'nines';

/** Loads the open alerts, so that a restart changes nothing, and keeps them in memory beside the database. */
export async function createAlerting(deps: AlertingDeps): Promise<AlertingService> {
  const service = new AlertingService(deps);
  await service.load();
  return service;
}

/** Commands and evaluations run one after another, so that what a decision read is what its write replaces. */
export class AlertingService implements Alerting, Acknowledgements {
  readonly #deps: AlertingDeps;
  /** Open alerts by rule and fingerprint; always equal to what the database has, but for newer values. */
  #open = new Map<string, Map<string, AlertRecord>>();
  readonly #transitions: Counter;
  readonly #serially = createTurns();

  constructor(deps: AlertingDeps) {
    this.#deps = deps;
    this.#transitions = deps.metrics.counter('nines_alert_transitions_total', 'Steps in the life of alerts, by kind.');
    for (const severity of SEVERITIES) {
      deps.metrics.watch(`nines_alerts_firing_${severity}`, `Alerts of severity ${severity} that fire.`, () => this.#firing(severity));
    }
  }

  async load(): Promise<void> {
    const records = await loadOpen(this.#deps.db.kysely);
    this.#open = new Map();
    for (const record of records) this.#keep(record);
  }

  apply(evaluation: Evaluation): Promise<void> {
    return this.#serially(() => this.#orAfresh(() => this.#apply(evaluation)));
  }

  openOf(ruleId: string): readonly AlertView[] {
    const nowMs = this.#deps.clock.now();
    return [...(this.#open.get(ruleId)?.values() ?? [])].map((record) => viewOf(record, nowMs));
  }

  open(): readonly AlertView[] {
    return [...this.#open.keys()].flatMap((rule) => this.openOf(rule)).sort(newestFirst);
  }

  /** At most `limit` alerts that ended at or after that instant, newest start first. */
  async resolvedSince(atMs: number, limit: number): Promise<readonly AlertView[]> {
    const any = { severities: [], rule: undefined, service: undefined, toMs: undefined, after: undefined };
    const records = await listAlerts(this.#deps.db.kysely, { ...any, status: 'resolved', fromMs: atMs, limit });
    const nowMs = this.#deps.clock.now();
    return records.map((record) => viewOf(record, nowMs));
  }

  /** One page, newest start first. Open alerts come from memory, where their values are fresh. */
  async list(query: ListQuery): Promise<AlertPage> {
    const after = parseCursor(query.cursor);
    const { status } = query;
    const page = { ...query, limit: query.limit + 1, after };
    const found = status === 'all' || status === 'resolved' ? await this.#listStored({ ...page, status }) : this.#listOpen(page);
    return pageOf(found, query.limit, ({ starts_at_ms, id }) => ({ atMs: starts_at_ms, id }));
  }

  /** One alert with its steps, oldest first. `AppError` `alert_not_found`. */
  async get(id: string): Promise<{ readonly alert: AlertView; readonly transitions: readonly AlertTransitionRow[] }> {
    const record = this.#find(id) ?? (await findAlert(this.#deps.db.kysely, id));
    if (record === undefined) throw notFound(id);
    return { alert: viewOf(record, this.#deps.clock.now()), transitions: await transitionsOf(this.#deps.db.kysely, id) };
  }

  acknowledgements(asked: Parameters<Acknowledgements['acknowledgements']>[0]): Promise<readonly number[]> {
    return acknowledgementsOf(this.#deps.db.kysely, { ...asked, knownAtMs: asked.knownAtMs ?? this.#deps.clock.now() });
  }

  /** Applies one action of one actor to one alert. `AppError` `alert_not_found`, `alert_action_refused`. */
  act(id: string, action: Action, actor: Actor): Promise<AlertView> {
    return this.#serially(() =>
      this.#orAfresh(
        () => this.#act(id, action, actor),
        (thrown) => thrown instanceof AppError && thrown.code !== 'revision_conflict',
      ),
    );
  }

  #firing(severity: Severity): number {
    let count = 0;
    for (const alerts of this.#open.values()) {
      for (const record of alerts.values()) if (record.condition === 'firing' && record.severity === severity) count++;
    }
    return count;
  }

  /** Another process on the same database may have been faster (a unique key, a revision): what it wrote is read, and the decision made again. */
  async #orAfresh<T>(run: () => Promise<T>, isFinal: (thrown: unknown) => boolean = () => false): Promise<T> {
    try {
      return await run();
    } catch (thrown) {
      if (isFinal(thrown)) throw thrown;
      await this.load();
      return run();
    }
  }

  async #apply(evaluation: Evaluation): Promise<void> {
    const { rule, atMs, found } = evaluation;
    if (found.kind === 'unknown') return;
    const { ids, holdBack } = this.#deps;
    const judged = holdBack === undefined ? evaluation : withHeldBack(evaluation, holdBack);
    const decision = decide(this.#open.get(rule.id) ?? new Map(), judged, () => ids.uuid());
    for (const record of decision.refreshed) this.#keep(record);
    if (decision.transitions.length > 0) await this.#commit(decision.transitions, { atMs, actor: SYSTEM });
  }

  async #act(id: string, action: Action, actor: Actor): Promise<AlertView> {
    const { clock, db } = this.#deps;
    const nowMs = clock.now();
    const record = this.#find(id) ?? (await findAlert(db.kysely, id));
    if (record === undefined) throw notFound(id);
    const handled = decideHandling(record, action, { by: actor.name, nowMs });
    if (!handled.ok) throw new AppError('conflict', 'alert_action_refused', handled.error);
    const { changed, kind, reason, after } = handled.value;
    if (!changed) return viewOf(record, nowMs);
    const saved = await this.#commit([{ kind, reason, before: record, after }], { atMs: nowMs, actor: actor.name });
    return viewOf(saved[0] ?? after, nowMs);
  }

  /** One transaction: rows, steps, outbox. Memory and spectators follow only when it is durable. */
  async #commit(transitions: readonly Transition[], cause: { atMs: EpochMs; actor: string }): Promise<readonly AlertRecord[]> {
    const { db, notify, afterCommit, clock } = this.#deps;
    const saved = await db.kysely.transaction().execute(async (trx) => {
      const records: AlertRecord[] = [];
      for (const transition of transitions) records.push(await this.#save(trx, transition));
      await insertTransitions(
        trx,
        transitions.map((transition) => this.#rowOf(transition, cause)),
      );
      await notify(trx, changesOf(transitions, records, clock.now()), clock.now());
      return records;
    });
    transitions.forEach((transition, index) => this.#settle(transition, saved[index] ?? transition.after, cause.atMs));
    const nowMs = clock.now();
    afterCommit(saved.map((record) => viewOf(record, nowMs)));
    return saved;
  }

  async #save(trx: Transaction<Database>, { kind, before, after }: Transition): Promise<AlertRecord> {
    if (kind === 'commented') return after;
    if (kind === 'dropped') {
      await deleteAlert(trx, after.id);
      return after;
    }
    if (before !== null) return updateAlert(trx, after);
    await insertAlert(trx, after);
    return after;
  }

  #settle(transition: Transition, record: AlertRecord, atMs: EpochMs): void {
    const { kind, reason } = transition;
    const { bus, logger, clock } = this.#deps;
    this.#transitions.add(1, { kind });
    if (kind === 'dropped' || record.condition === 'resolved') this.#forget(record);
    else this.#keep(record);
    logger.info(`alert ${kind}`, { alert: record.id, rule: record.rule, service: record.service, reason });
    bus.publish({ topic: 'alerts', type: `alert.${kind}`, atMs, data: viewOf(record, clock.now()) });
  }

  #rowOf({ kind, reason, after }: Transition, { atMs, actor }: { atMs: EpochMs; actor: string }): AlertTransitionRow {
    const detail = { severity: after.severity, value: Number.isFinite(after.value) ? after.value : String(after.value) };
    return {
      id: this.#deps.ids.uuid(),
      alert_id: after.id,
      rule: after.rule,
      fingerprint: after.fingerprint,
      at_ms: atMs,
      kind,
      reason,
      actor,
      detail: JSON.stringify(kind === 'snoozed' ? { ...detail, until_ms: after.handling.snoozedUntilMs } : detail),
    };
  }

  async #listStored(filter: AlertFilter): Promise<readonly AlertView[]> {
    const nowMs = this.#deps.clock.now();
    const records = await listAlerts(this.#deps.db.kysely, filter);
    return records.map((record) => viewOf(this.#find(record.id) ?? record, nowMs));
  }

  #listOpen(filter: Omit<AlertFilter, 'status'> & Pick<ListQuery, 'status'>): readonly AlertView[] {
    const { status, severities, rule, service, fromMs, toMs, after, limit } = filter;
    const keeps = (view: AlertView): boolean =>
      (status === 'open' || view.state === status) &&
      (severities.length === 0 || severities.includes(view.severity)) &&
      (rule === undefined || view.rule === rule || view.kind === rule) &&
      (service === undefined || view.service === service) &&
      (fromMs === undefined || view.ends_at_ms === null || view.ends_at_ms > fromMs) &&
      (toMs === undefined || view.starts_at_ms < toMs) &&
      (after === undefined || view.starts_at_ms < after.atMs || (view.starts_at_ms === after.atMs && view.id < after.id));
    return this.open().filter(keeps).slice(0, limit);
  }

  #find(id: string): AlertRecord | undefined {
    for (const alerts of this.#open.values()) {
      for (const record of alerts.values()) if (record.id === id) return record;
    }
    return undefined;
  }

  #keep(record: AlertRecord): void {
    const ofRule = this.#open.get(record.rule);
    if (ofRule === undefined) this.#open.set(record.rule, new Map([[record.fingerprint, record]]));
    else ofRule.set(record.fingerprint, record);
  }

  #forget(record: AlertRecord): void {
    const ofRule = this.#open.get(record.rule);
    if (ofRule?.get(record.fingerprint)?.id === record.id) ofRule.delete(record.fingerprint);
    if (ofRule?.size === 0) this.#open.delete(record.rule);
  }
}

const notFound = (id: string): AppError => new AppError('not_found', 'alert_not_found', `there is no alert ${id}`);

/** What notify hears of each step; steps that mean nothing to a receiver are left out. */
const NOTIFY_REASON: Readonly<Record<TransitionKind, NotifyReason | undefined>> = {
  pending: undefined,
  fired: 'fired',
  kept: undefined,
  returned: undefined,
  resolved: 'resolved',
  dropped: undefined,
  severity_changed: 'escalated',
  held_back: 'updated',
  released: 'updated',
  acknowledged: 'updated',
  suppressed: 'updated',
  snoozed: 'updated',
  assigned: 'updated',
  commented: undefined,
};

function changesOf(transitions: readonly Transition[], records: readonly AlertRecord[], nowMs: number): readonly AlertChange[] {
  return transitions.flatMap(({ kind, after }, index) => {
    const reason = NOTIFY_REASON[kind];
    const announced = after.firedAtMs !== null && !after.dashboardOnly;
    if (reason === undefined || !announced) return [];
    return [{ alert: viewOf(records[index] ?? after, nowMs), reason, cooldownMs: after.cooldownMs }];
  });
}
