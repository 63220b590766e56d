import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { AlertChange, NotifyFn } from '../notify/contract.ts';
import type { Breath } from '../platform/breath.ts';
import type { Bus } from '../platform/bus.ts';
import type { AlertTransitionRow } from '../platform/db/migrations/0005-alerts.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Actor } from '../platform/http/contract.ts';
import { pageOf, parseCursor } from '../platform/http/cursor.ts';
import { createKeyedTurns, createTurns } from '../platform/turns.ts';
import {
  type Acknowledgements,
  type AlertSteps,
  type Alerting,
  type AlertState,
  type AlertView,
  type Evaluation,
  type HistoryStep,
  SEVERITIES,
  SYSTEM,
  type Severity,
} from './contract.ts';
import { type AlertRecord, type Transition, decide, stateOf, withHeldBack } from './evaluate.ts';
import { FLAPPING, FlapBook, type Flapping, type Identity } from './flapping.ts';
import { type Action, decideHandling } from './handle.ts';
import { NOTIFY_REASON } from './told.ts';
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
  urgentPageAt,
} from './search.ts';
import { type StoredQuery, searchStored } from './stored-search.ts';
import {
  acknowledgementsOf,
  changesSince,
  deleteAlerts,
  findAlert,
  insertAlerts,
  insertTransitions,
  listAlerts,
  loadOpen,
  transitionsOf,
  updateAlerts,
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
  /** Lets others have the event loop between the parts of a storm. */
  readonly yieldNow?: Breath;
  /** Why alerts about a service are kept from people at an instant (planned maintenance); absent where nothing keeps them. */
  readonly holdBack?: (service: string, atMs: EpochMs) => string | undefined;
  /** Which problems alerts are in; absent where alerts are not correlated. */
  readonly problems?: {
    /** Of one that is open or ended lately. */
    of(alertId: string): string | undefined;
    ofAlerts(alertIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  };
  /** Why an alert cannot be escalated by hand, in words; absent where nothing escalates. */
  readonly refuseEscalation?: (alert: AlertView, policy: string | undefined) => string | undefined;
};

/** `total`: how many there are, where the page was asked for by its place. */
export type AlertPage = { readonly items: readonly AlertView[]; readonly next: string | null; readonly total?: number };
/** `state`: `open` is any of them. */
export type OpenQuery = AlertSearch & { readonly state: 'open' | AlertState };
export type CountQuery = AlertSearch & { readonly state: 'open' | 'all' | AlertState };
export type ListQuery = AlertSearch & {
  readonly status: 'open' | 'all' | AlertState;
  /** `urgency` is an order of open alerts. */
  readonly order?: Order;
  readonly cursor: string | undefined;
  /** By urgency: where the page begins, counted from the first, instead of a cursor. */
  readonly offset?: number | undefined;
  readonly limit: number;
};
/** What became of one action on one of many alerts; `changed` false when it was so before. */
export type Acted =
  | { readonly id: string; readonly ok: true; readonly changed: boolean; readonly alert: AlertView }
  | { readonly id: string; readonly ok: false; readonly refused: AppError };

/** Alerts that are counted and grouped where those that ended are among them: the newest. */
export const MAX_COUNTED = 10_000;

/** Steps of one transaction: it holds the database for some ten milliseconds. Others have their turn before the rest of a storm. */
const MAX_TRANSITIONS_PER_COMMIT = 500;
/** How often one evaluation is decided anew because others were faster; the last time nobody gets between. */
const MAX_TRIES = 4;

/** `more`: other steps of the same evaluation follow in transactions of their own. */
type Cause = { readonly atMs: EpochMs; readonly actor: string; readonly more?: boolean };

/** Loads the open alerts, so that a restart changes nothing, and keeps them in memory beside the database. */
export async function createAlerting(deps: AlertingDeps): Promise<AlertingService> {
  const service = new AlertingService(deps);
  await service.load();
  await service.loadFlapping();
  return service;
}

/** Commands and evaluations run one after another, so that what a decision read is what its write replaces. */
export class AlertingService implements Alerting, AlertSteps, Acknowledgements {
  readonly #deps: AlertingDeps;
  readonly #open = new OpenBook();
  readonly #flaps = new FlapBook();
  readonly #transitions: Counter;
  readonly #serially = createTurns();
  readonly #byRule = createKeyedTurns();

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
    return this.#byRule(evaluation.rule.id, () => this.#apply(evaluation));
  }

  openOf(ruleId: string): readonly AlertView[] {
    const nowMs = this.#deps.clock.now();
    return Array.from(this.#open.ofRule(ruleId).values(), (record) => this.#viewOf(record, nowMs));
  }

  open(): readonly AlertView[] {
    const nowMs = this.#deps.clock.now();
    return Array.from(this.#open.newestFirst(), (record) => this.#viewOf(record, nowMs));
  }

  awaiting(): readonly AlertView[] {
    const nowMs = this.#deps.clock.now();
    const waiting: AlertView[] = [];
    for (const record of this.#open.records()) {
      if (!record.dashboardOnly && stateOf(record, nowMs) === 'firing') waiting.push(this.#viewOf(record, nowMs));
    }
    return waiting;
  }

  append(trx: Transaction<Database>, steps: readonly HistoryStep[]): Promise<void> {
    const { ids } = this.#deps;
    return insertTransitions(
      trx,
      steps.map(({ alert, atMs, kind, reason, detail }) => ({
        id: ids.uuid(),
        alert_id: alert.id,
        rule: alert.rule,
        fingerprint: alert.fingerprint,
        at_ms: atMs,
        kind,
        reason,
        actor: SYSTEM,
        detail: JSON.stringify({ severity: alert.severity, ...detail }),
      })),
    );
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
    const { status, order, cursor, offset, limit } = query;
    if (status === 'all' || status === 'resolved') {
      const records = await this.#stored({ ...query, status, after: parseCursor(cursor) }, limit + 1);
      return pageOf(await this.#viewsOf(records), limit, ({ starts_at_ms: atMs, id }) => ({ atMs, id }));
    }
    const nowMs = this.#deps.clock.now();
    const matches = this.#matching({ ...query, state: status }, nowMs);
    if (order === 'urgency') {
      const open = this.#open.newestFirst();
      const page = offset === undefined ? urgentPage(open, { matches, cursor, limit }) : urgentPageAt(open, { matches, offset, limit });
      return { ...page, items: page.items.map((record) => this.#viewOf(record, nowMs)) };
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

  /** How many alerts a search finds. */
  async counts(query: CountQuery): Promise<AlertCounts> {
    const { records, matches } = await this.#sought(query);
    return countAlerts(records, this.#deps.clock.now(), matches);
  }

  /** The alerts that a search finds, by what they have in common. */
  async groups(query: CountQuery, by: Grouping): Promise<readonly AlertGroup[]> {
    const { records, matches, problemOf } = await this.#sought(query, by === 'problem');
    return groupAlerts(records, { by, nowMs: this.#deps.clock.now(), matches, problemOf });
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

  /** Another process on the same database may have been faster (a unique key, a revision): what it wrote is read, and the decision made again. */
  async #apply(evaluation: Evaluation): Promise<void> {
    if (evaluation.found.kind === 'unknown') return;
    for (let tries = 1; ; tries++) {
      const isLast = tries === MAX_TRIES;
      try {
        if (await this.#applyOnce(evaluation, isLast ? Number.POSITIVE_INFINITY : MAX_TRANSITIONS_PER_COMMIT)) return;
      } catch (thrown) {
        if (isLast) throw thrown;
        await this.#serially(() => this.load());
      }
    }
  }

  /**
   * Some steps at a time, each time in a turn of its own: whoever asks meanwhile does not wait for all of a storm. False when
   * somebody handled one of these alerts before its turn came, so that its step is still to be decided.
   */
  async #applyOnce(evaluation: Evaluation, perCommit: number): Promise<boolean> {
    let decided: readonly Transition[] | undefined;
    let done = 0;
    let overtaken = false;
    do {
      await this.#serially(async () => {
        decided ??= byService(this.#decide(evaluation));
        const some = decided.slice(done, done + perCommit);
        done += perCommit;
        const current = some.filter(({ before, after }) => {
          const open = this.#open.ofRule(after.rule).get(after.fingerprint);
          return open?.id === before?.id && open?.revision === before?.revision;
        });
        overtaken ||= current.length < some.length;
        const more = done < decided.length;
        if (current.length > 0) await this.#commit(current, { atMs: evaluation.atMs, actor: SYSTEM, more });
      });
      await this.#deps.yieldNow?.();
    } while (decided !== undefined && done < decided.length);
    return !overtaken;
  }

  #decide(evaluation: Evaluation): readonly Transition[] {
    const { ids, holdBack } = this.#deps;
    const judged = holdBack === undefined ? evaluation : withHeldBack(evaluation, holdBack);
    const { transitions, refreshed } = decide(this.#open.ofRule(evaluation.rule.id), judged, () => ids.uuid());
    for (const record of refreshed) this.#open.keep(record);
    return transitions;
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
      const policy = action.kind === 'escalate' ? action.policy : undefined;
      const refusal = action.kind === 'escalate' ? this.#refusalOf(this.#viewOf(record, nowMs), policy) : undefined;
      if (refusal !== undefined) {
        decided.push({ id, ok: false, refused: new AppError('conflict', 'alert_action_refused', refusal) });
        continue;
      }
      if (!changed) decided.push({ id, ok: true, changed, alert: this.#viewOf(record, nowMs) });
      else decided.push({ id, place: transitions.push({ kind, reason, before: record, after, policy }) - 1 });
    }
    const saved = transitions.length === 0 ? [] : await this.#commit(transitions, { atMs: nowMs, actor: actor.name });
    return decided.map((one): Acted => {
      if (!('place' in one)) return one;
      const record = saved[one.place];
      if (record === undefined) throw new Error(`BUG: expected ${saved.length} saved alerts to hold number ${one.place}`);
      return { id: one.id, ok: true, changed: true, alert: this.#viewOf(record, nowMs) };
    });
  }

  #refusalOf(alert: AlertView, policy: string | undefined): string | undefined {
    const { refuseEscalation } = this.#deps;
    return refuseEscalation === undefined ? 'there are no escalation policies' : refuseEscalation(alert, policy);
  }

  /** One transaction: rows, steps, outbox. Memory and spectators follow only when it is durable. */
  async #commit(transitions: readonly Transition[], cause: Cause): Promise<readonly AlertRecord[]> {
    const { db, notify, afterCommit, clock } = this.#deps;
    const saved = await db.kysely.transaction().execute(async (trx) => {
      const records = await saveAll(trx, transitions);
      const rows = transitions.map((transition) => this.#rowOf(transition, cause));
      await insertTransitions(trx, rows);
      await notify(trx, this.#changesOf(transitions, records, cause.actor), clock.now(), { more: cause.more ?? false });
      return records;
    });
    transitions.forEach((transition, index) => this.#settle(transition, saved[index] ?? transition.after, cause.atMs));
    const nowMs = clock.now();
    afterCommit(saved.map((record) => this.#viewOf(record, nowMs)));
    return saved;
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

  #rowOf({ kind, reason, after }: Transition, { atMs, actor }: Cause): AlertTransitionRow {
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

  #stored(query: StoredQuery, limit: number): Promise<readonly AlertRecord[]> {
    const problemsOf = async (ids: readonly string[]) => (await this.#deps.problems?.ofAlerts(ids)) ?? new Map<string, string>();
    return searchStored({ db: this.#deps.db.kysely, open: this.#open, problemsOf }, query, limit);
  }

  /** Open alerts are decided on in memory; where ended ones are asked for the newest `MAX_COUNTED` have been. */
  async #sought({ state, ...search }: CountQuery, withProblems = false) {
    if (state !== 'all' && state !== 'resolved')
      return {
        records: this.#open.records(),
        matches: this.#matching({ ...search, state }, this.#deps.clock.now()),
        problemOf: this.#problemOf,
      };
    const records = await this.#stored({ ...search, status: state }, MAX_COUNTED);
    const known = withProblems ? await this.#deps.problems?.ofAlerts(records.map(({ id }) => id)) : undefined;
    return { records, matches: () => true, problemOf: (id: string) => known?.get(id) };
  }

  #matching({ state, ...search }: OpenQuery, nowMs: EpochMs): (record: AlertRecord) => boolean {
    return (record) => (state === 'open' || stateOf(record, nowMs) === state) && matchesSearch(record, search, this.#problemOf);
  }

  #changesOf(transitions: readonly Transition[], records: readonly AlertRecord[], actor: string): readonly AlertChange[] {
    const nowMs = this.#deps.clock.now();
    return transitions.flatMap(({ kind, after, policy }, index) => {
      const reason = NOTIFY_REASON[kind];
      const announced = after.firedAtMs !== null && (!after.dashboardOnly || kind === 'escalated');
      if (reason === undefined || !announced) return [];
      const asked = kind === 'escalated' ? { asked: { by: actor, policy } } : {};
      return [{ alert: this.#viewOf(records[index] ?? after, nowMs), reason, cooldownMs: after.cooldownMs, ...asked }];
    });
  }

  readonly #problemOf = (alertId: string): string | undefined => this.#deps.problems?.of(alertId);

  #viewOf(record: AlertRecord, nowMs: number): AlertView {
    const problem = this.#problemOf(record.id) ?? null;
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

/** Alerts of one service stand together, because they mostly go out together: a part of a storm then touches few groups. */
const byService = (transitions: readonly Transition[]): readonly Transition[] =>
  transitions.length <= MAX_TRANSITIONS_PER_COMMIT
    ? transitions
    : [...Map.groupBy(transitions, ({ after }) => after.service).values()].flat();

/** Many at a time, in the transitions' order; each is about an alert of its own. A comment changes no alert. */
async function saveAll(trx: Transaction<Database>, transitions: readonly Transition[]): Promise<readonly AlertRecord[]> {
  const saved = new Map(transitions.map(({ after }) => [after.id, after]));
  const stored = transitions.filter(({ kind }) => kind !== 'commented');
  const dropped = stored.filter(({ kind }) => kind === 'dropped');
  const kept = stored.filter(({ kind }) => kind !== 'dropped');
  await deleteAlerts(
    trx,
    dropped.map(({ after }) => after.id),
  );
  await insertAlerts(
    trx,
    kept.flatMap(({ before, after }) => (before === null ? [after] : [])),
  );
  const updated = await updateAlerts(
    trx,
    kept.flatMap(({ before, after }) => (before === null ? [] : [after])),
  );
  for (const record of updated) saved.set(record.id, record);
  return transitions.map(({ after }) => saved.get(after.id) ?? after);
}

const notFound = (id: string): AppError => new AppError('not_found', 'alert_not_found', `there is no alert ${id}`);
