import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { AlertChange, NotifyFn, NotifyReason } from '../notify/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { AlertTransitionRow } from '../platform/db/migrations/0005-alerts.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import { type Cursor, pageOf, parseCursor } from '../platform/http/cursor.ts';
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
import { type AlertRecord, type Transition, type TransitionKind, decide, stateOf, withHeldBack } from './evaluate.ts';
import { FLAPPING, FlapBook, type Flapping, type Identity } from './flapping.ts';
import { type Action, decideHandling } from './handle.ts';
import { OpenBook } from './open-book.ts';
import {
  type AlertCounts,
  type AlertGroup,
  type AlertSearch,
  type Grouping,
  type Order,
  countAlerts,
  groupAlerts,
  matchesSearch,
  urgentPage,
} from './search.ts';
import {
  acknowledgementsOf,
  type AlertFilter,
  changesSince,
  deleteAlert,
  findAlert,
  insertAlert,
  insertTransitions,
  listAlerts,
  loadOpen,
  transitionsOf,
  updateAlert,
} from './store.ts';
import { LISTED_CHARS, cutView, viewOf } from './view.ts';

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
  /** Which problems alerts are in; absent where alerts are not correlated. */
  readonly problems?: {
    /** Of one that is open or ended lately. */
    of(alertId: string): string | undefined;
    ofAlerts(alertIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  };
};

export type AlertPage = { readonly items: readonly AlertView[]; readonly next: string | null };
/** `state`: `open` is any of them. */
export type OpenQuery = AlertSearch & { readonly state: 'open' | AlertState };
export type ListQuery = AlertSearch & {
  readonly status: 'open' | 'all' | AlertState;
  /** `urgency` is an order of open alerts. */
  readonly order?: Order;
  readonly cursor: string | undefined;
  readonly limit: number;
};
/** What became of one action on one of many alerts; `changed` false when it was so before. */
export type Acted =
  | { readonly id: string; readonly ok: true; readonly changed: boolean; readonly alert: AlertView }
  | { readonly id: string; readonly ok: false; readonly refused: AppError };

/** Stored alerts that are read at a time when a search decides what the database cannot. */
const SCANNED_AT_A_TIME = 1_000;

/** Who acts in the history when no person does. */
export const SYSTEM = 'nines';

/** Loads the open alerts, so that a restart changes nothing, and keeps them in memory beside the database. */
export async function createAlerting(deps: AlertingDeps): Promise<AlertingService> {
  const service = new AlertingService(deps);
  await service.load();
  await service.loadFlapping();
  return service;
}

/** Commands and evaluations run one after another, so that what a decision read is what its write replaces. */
export class AlertingService implements Alerting, Acknowledgements {
  readonly #deps: AlertingDeps;
  readonly #open = new OpenBook();
  readonly #flaps = new FlapBook();
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
    this.#open.replace(await loadOpen(this.#deps.db.kysely));
  }

  /** Reads which alerts fired and resolved lately. To be called once. */
  async loadFlapping(): Promise<void> {
    const changes = await changesSince(this.#deps.db.kysely, this.#deps.clock.now() - FLAPPING.windowMs);
    for (const change of changes) this.#flaps.note(change, epochMs(change.at_ms));
  }

  /** Undefined while the alert is steady. */
  flapping(alert: Identity, atMs: number): Flapping | undefined {
    return this.#flaps.of(alert, atMs);
  }

  apply(evaluation: Evaluation): Promise<void> {
    return this.#serially(() => this.#orAfresh(() => this.#apply(evaluation)));
  }

  openOf(ruleId: string): readonly AlertView[] {
    const nowMs = this.#deps.clock.now();
    return Array.from(this.#open.ofRule(ruleId).values(), (record) => this.#viewOf(record, nowMs));
  }

  open(): readonly AlertView[] {
    const nowMs = this.#deps.clock.now();
    return Array.from(this.#open.newestFirst(), (record) => this.#viewOf(record, nowMs));
  }

  /** At most `limit` alerts that ended at or after that instant, newest start first. */
  async resolvedSince(atMs: number, limit: number): Promise<readonly AlertView[]> {
    const any = { severities: [], rule: undefined, service: undefined, toMs: undefined, after: undefined };
    const records = await listAlerts(this.#deps.db.kysely, { ...any, status: 'resolved', fromMs: atMs, limit });
    const nowMs = this.#deps.clock.now();
    return records.map((record) => this.#viewOf(record, nowMs));
  }

  /** One page. Open alerts come from memory, where their values are fresh. */
  async list(query: ListQuery): Promise<AlertPage> {
    const { status, order, cursor, limit } = query;
    if (status === 'all' || status === 'resolved') return this.#listStored({ ...query, status, after: parseCursor(cursor) });
    const nowMs = this.#deps.clock.now();
    const matches = this.#matching({ ...query, state: status }, nowMs);
    if (order === 'urgency') {
      const page = urgentPage(this.#open.newestFirst(), { matches, cursor, limit });
      return { items: page.items.map((record) => this.#viewOf(record, nowMs)), next: page.next };
    }
    const after = parseCursor(cursor);
    const found: AlertView[] = [];
    for (const record of this.#open.newestFirst()) {
      if (found.length > limit) break;
      const { startsAtMs, id } = record;
      const beyond = after === undefined || startsAtMs < after.atMs || (startsAtMs === after.atMs && id < after.id);
      if (beyond && matches(record)) found.push(this.#viewOf(record, nowMs));
    }
    return pageOf(found, limit, ({ starts_at_ms: atMs, id }) => ({ atMs, id }));
  }

  /** How many open alerts a search finds. */
  counts(query: OpenQuery): AlertCounts {
    const nowMs = this.#deps.clock.now();
    return countAlerts(this.#open.records(), nowMs, this.#matching(query, nowMs));
  }

  /** The open alerts that a search finds, by what they have in common. */
  groups(query: OpenQuery, by: Grouping): readonly AlertGroup[] {
    const nowMs = this.#deps.clock.now();
    return groupAlerts(this.#open.records(), { by, nowMs, matches: this.#matching(query, nowMs) });
  }

  /** One alert with its steps, oldest first. `AppError` `alert_not_found`. */
  async get(id: string): Promise<{ readonly alert: AlertView; readonly transitions: readonly AlertTransitionRow[] }> {
    const record = await this.#find(id);
    if (record === undefined) throw notFound(id);
    const [alert = this.#viewOf(record, this.#deps.clock.now())] = await this.#viewsOf([record]);
    return { alert, transitions: await transitionsOf(this.#deps.db.kysely, id) };
  }

  acknowledgements(asked: Parameters<Acknowledgements['acknowledgements']>[0]): Promise<readonly number[]> {
    return acknowledgementsOf(this.#deps.db.kysely, { ...asked, knownAtMs: asked.knownAtMs ?? this.#deps.clock.now() });
  }

  /** Applies one action of one actor to one alert. `AppError` `alert_not_found`, `alert_action_refused`. */
  async act(id: string, action: Action, actor: Actor): Promise<AlertView> {
    const [acted] = await this.actOnMany([id], action, actor);
    if (acted === undefined) throw new Error(`BUG: expected an answer about ${id}, found none`);
    if (!acted.ok) throw acted.refused;
    return acted.alert;
  }

  /** Applies one action to each of these alerts, in one transaction. One that is refused does not stop the others. */
  actOnMany(ids: readonly string[], action: Action, actor: Actor): Promise<readonly Acted[]> {
    return this.#serially(() => this.#orAfresh(() => this.#actOnMany([...new Set(ids)], action, actor)));
  }

  #firing(severity: Severity): number {
    let count = 0;
    for (const record of this.#open.records()) if (record.condition === 'firing' && record.severity === severity) count++;
    return count;
  }

  /** Another process on the same database may have been faster (a unique key, a revision): what it wrote is read, and the decision made again. */
  async #orAfresh<T>(run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch {
      await this.load();
      return run();
    }
  }

  async #apply(evaluation: Evaluation): Promise<void> {
    const { rule, atMs, found } = evaluation;
    if (found.kind === 'unknown') return;
    const { ids, holdBack } = this.#deps;
    const judged = holdBack === undefined ? evaluation : withHeldBack(evaluation, holdBack);
    const decision = decide(this.#open.ofRule(rule.id), judged, () => ids.uuid());
    for (const record of decision.refreshed) this.#open.keep(record);
    if (decision.transitions.length > 0) await this.#commit(decision.transitions, { atMs, actor: SYSTEM });
  }

  async #actOnMany(ids: readonly string[], action: Action, actor: Actor): Promise<readonly Acted[]> {
    const nowMs = this.#deps.clock.now();
    const transitions: Transition[] = [];
    const decided: (Acted | { readonly id: string; readonly place: number })[] = [];
    for (const id of ids) {
      const record = await this.#find(id);
      if (record === undefined) {
        decided.push({ id, ok: false, refused: notFound(id) });
        continue;
      }
      const handled = decideHandling(record, action, { by: actor.name, nowMs });
      if (!handled.ok) {
        decided.push({ id, ok: false, refused: new AppError('conflict', 'alert_action_refused', handled.error) });
        continue;
      }
      const { changed, kind, reason, after } = handled.value;
      if (!changed) decided.push({ id, ok: true, changed, alert: this.#viewOf(record, nowMs) });
      else decided.push({ id, place: transitions.push({ kind, reason, before: record, after }) - 1 });
    }
    const saved = transitions.length === 0 ? [] : await this.#commit(transitions, { atMs: nowMs, actor: actor.name });
    return decided.map((one): Acted => {
      if (!('place' in one)) return one;
      const record = saved[one.place];
      if (record === undefined) throw new Error(`BUG: expected ${saved.length} saved alerts to hold number ${one.place}`);
      return { id: one.id, ok: true, changed: true, alert: this.#viewOf(record, nowMs) };
    });
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
      await notify(trx, this.#changesOf(transitions, records), clock.now());
      return records;
    });
    transitions.forEach((transition, index) => this.#settle(transition, saved[index] ?? transition.after, cause.atMs));
    const nowMs = clock.now();
    afterCommit(saved.map((record) => this.#viewOf(record, nowMs)));
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
    if (kind === 'fired' || kind === 'resolved') this.#flaps.note(record, clock.now());
    if (kind === 'dropped' || record.condition === 'resolved') this.#open.forget(record);
    else this.#open.keep(record);
    logger.info(`alert ${kind}`, { alert: record.id, rule: record.rule, service: record.service, reason });
    bus.publish({ topic: 'alerts', type: `alert.${kind}`, atMs, data: cutView(this.#viewOf(record, clock.now()), LISTED_CHARS) });
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

  /** What the database cannot decide is decided here, some rows at a time. */
  async #listStored(
    query: Omit<ListQuery, 'status'> & { readonly status: 'all' | 'resolved'; readonly after: Cursor | undefined },
  ): Promise<AlertPage> {
    const { kysely } = this.#deps.db;
    const { text, matchers, assigned, limit, severities, rule, service, fromMs, toMs, status } = query;
    const bySql = text === undefined && matchers === undefined && assigned === undefined;
    const filter: Omit<AlertFilter, 'after'> = {
      status,
      severities,
      rule,
      service,
      fromMs,
      toMs,
      limit: bySql ? limit + 1 : SCANNED_AT_A_TIME,
    };
    const found: AlertRecord[] = [];
    for (let after = query.after; found.length <= limit; ) {
      const rows = await listAlerts(kysely, { ...filter, after });
      for (const row of rows) {
        const record = this.#open.find(row.id) ?? row;
        if (matchesSearch(record, query)) found.push(record);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length < filter.limit || bySql) break;
      after = { atMs: last.startsAtMs, id: last.id };
    }
    const views = await this.#viewsOf(found);
    return pageOf(views, limit, ({ starts_at_ms: atMs, id }) => ({ atMs, id }));
  }

  #matching({ state, ...search }: OpenQuery, nowMs: EpochMs): (record: AlertRecord) => boolean {
    return (record) => (state === 'open' || stateOf(record, nowMs) === state) && matchesSearch(record, search);
  }

  #changesOf(transitions: readonly Transition[], records: readonly AlertRecord[]): readonly AlertChange[] {
    const nowMs = this.#deps.clock.now();
    return transitions.flatMap(({ kind, after }, index) => {
      const reason = NOTIFY_REASON[kind];
      const announced = after.firedAtMs !== null && !after.dashboardOnly;
      if (reason === undefined || !announced) return [];
      return [{ alert: this.#viewOf(records[index] ?? after, nowMs), reason, cooldownMs: after.cooldownMs }];
    });
  }

  #viewOf(record: AlertRecord, nowMs: number): AlertView {
    const problem = this.#deps.problems?.of(record.id) ?? null;
    return viewOf(record, nowMs, { problem, flappingSinceMs: this.#flaps.of(record, nowMs)?.sinceMs ?? null });
  }

  /** Alerts that may have ended long ago: their problems are in the database. */
  async #viewsOf(records: readonly AlertRecord[]): Promise<readonly AlertView[]> {
    const nowMs = this.#deps.clock.now();
    const found = await this.#deps.problems?.ofAlerts(records.map(({ id }) => id));
    return records.map((record) => ({ ...this.#viewOf(record, nowMs), problem: found?.get(record.id) ?? null }));
  }

  /** Open or stored. */
  async #find(id: string): Promise<AlertRecord | undefined> {
    return this.#open.find(id) ?? findAlert(this.#deps.db.kysely, id);
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
  unacknowledged: 'updated',
  suppressed: 'updated',
  unsuppressed: 'updated',
  snoozed: 'updated',
  unsnoozed: 'updated',
  assigned: 'updated',
  commented: undefined,
};
