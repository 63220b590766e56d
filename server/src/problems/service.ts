import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { AlertView, Severity } from '../alerting/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { ProblemAlertRow } from '../platform/db/migrations/0038-problems.ts';
import type { Database } from '../platform/db/schema.ts';
import { pageOfSeen, parseCursor } from '../platform/http/cursor.ts';
import { startLoop } from '../platform/loop.ts';
import { createTurns } from '../platform/turns.ts';
import { Anatomy } from './causes.ts';
import { PROBLEM_CODES, type ProblemAlertView, type Problems, type ProblemView } from './contract.ts';
import { Correlator, type Signal, TRACES_KEPT_MS, type Topology } from './correlate.ts';
import { LabelKnowledge } from './labels.ts';
import {
  alertsOfProblem,
  findProblem,
  listProblems,
  type ProblemFilter,
  problemsOfAlerts,
  purgeProblems,
  recentAlerts,
  saveChanges,
  toAlertView,
} from './store.ts';

/** How often what was observed is saved, told and ranked. */
const PROBLEMS_STEP_MS = 1_000;
const MAX_SERVICES_SHOWN = 100;
/** Alerts of one problem in one answer. */
const MAX_ALERTS_SHOWN = 1_000;
/** Problems told to spectators one by one in one step; they read the list again when there were more. */
const MAX_FACTS = 200;
const MAX_TITLE_CHARS = 200;

export type ProblemsDeps = {
  readonly sql: Kysely<Database>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly ids: Ids;
  readonly bus: Bus;
  readonly topology: Topology;
  /** Told after problems changed and the change is durable. */
  readonly onChanged?: (changed: readonly ProblemView[]) => void;
};

type Member = { readonly problem: string; severity: Severity; open: boolean };
type Pending = {
  joined: ProblemAlertRow[];
  merged: { kept: string; absorbed: string }[];
  ended: { alert: string; atMs: number }[];
  touched: Set<string>;
};

const nothing = (): Pending => ({ joined: [], merged: [], ended: [], touched: new Set() });

/**
 * Correlates alerts as they change, in memory and at once; what follows is saved a moment later. A crash in between loses nothing: at
 * start every open alert that is in no problem is correlated anew.
 */
export class ProblemService implements Problems {
  readonly #deps: ProblemsDeps;
  readonly #correlator: Correlator;
  readonly #labels = new LabelKnowledge();
  /** Open problems, and those that ended lately. */
  readonly #problems = new Map<string, Anatomy>();
  readonly #members = new Map<string, Member>();
  readonly #alone = createTurns();
  #views = new Map<string, ProblemView>();
  #pending = nothing();

  constructor(deps: ProblemsDeps) {
    this.#deps = deps;
    this.#correlator = new Correlator(deps.topology);
  }

  /** Reads what is open or ended lately, and takes in what alerts did meanwhile. To be called once, before anything else. */
  async load(open: readonly AlertView[]): Promise<void> {
    const rows = await recentAlerts(this.#deps.sql, this.#deps.clock.now() - TRACES_KEPT_MS);
    for (const row of rows) this.#restore(row);
    const firing = new Set(open.map(({ id }) => id));
    const nowMs = this.#deps.clock.now();
    for (const [id, member] of this.#members) if (member.open && !firing.has(id)) this.#end(id, nowMs);
    const missed = open.filter(({ id, condition }) => condition === 'firing' && !this.#members.has(id));
    for (const alert of missed.sort((a, b) => a.starts_at_ms - b.starts_at_ms || (a.id < b.id ? -1 : 1))) {
      this.#join(alert, Math.max(alert.starts_at_ms, alert.active_at_ms));
    }
    await this.step(nowMs);
  }

  /** Reads what was, with the alerts that are open now, and saves and tells what is observed from now on. */
  async run(open: readonly AlertView[]): Promise<AsyncDisposable> {
    const { clock, logger } = this.#deps;
    await this.load(open);
    const loop = startLoop({ clock, logger, name: 'problems', everyMs: PROBLEMS_STEP_MS, step: (nowMs) => this.step(nowMs) });
    return {
      [Symbol.asyncDispose]: async () => {
        await loop[Symbol.asyncDispose]();
        await this.step(clock.now());
      },
    };
  }

  /** Takes alerts as they are now. Never waits, never throws for what an alert holds. */
  observe(changed: readonly AlertView[]): void {
    const nowMs = this.#deps.clock.now();
    for (const alert of changed) {
      const member = this.#members.get(alert.id);
      if (member === undefined) {
        if (alert.condition === 'firing') this.#join(alert, nowMs);
      } else if (member.open && alert.condition === 'resolved') this.#end(alert.id, alert.ends_at_ms ?? nowMs);
      else if (member.severity !== alert.severity) this.#raise(member, alert.severity);
    }
  }

  of(alertId: string): string | undefined {
    const member = this.#members.get(alertId);
    return member === undefined ? undefined : this.#correlator.rootOf(member.problem);
  }

  /** The problems of alerts, also of those that ended long ago. */
  async ofAlerts(alertIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const known = alertIds.flatMap((id): [string, string][] => {
      const problem = this.of(id);
      return problem === undefined ? [] : [[id, problem]];
    });
    const unknown = alertIds.filter((id) => !this.#members.has(id));
    return new Map([...known, ...(await problemsOfAlerts(this.#deps.sql, unknown))]);
  }

  get(id: string): ProblemView | undefined {
    return this.#views.get(this.#correlator.rootOf(id));
  }

  open(): readonly ProblemView[] {
    return [...this.#views.values()]
      .filter(({ state }) => state === 'open')
      .sort((a, b) => b.last_at_ms - a.last_at_ms || (a.id < b.id ? 1 : -1));
  }

  /** One problem, also one of long ago or one that was absorbed, with its alerts. `AppError` `problem_not_found`. */
  async detail(id: string): Promise<{ readonly problem: ProblemView; readonly alerts: readonly ProblemAlertView[] }> {
    const problem = await this.#saved(id);
    if (problem === undefined) throw new AppError('not_found', PROBLEM_CODES.notFound, `there is no problem ${id}`);
    return { problem, alerts: await this.#alertsIn(problem.merged_into ?? id) };
  }

  async alertsOf(id: string): Promise<readonly ProblemAlertView[]> {
    return this.#alertsIn((await this.#saved(id))?.merged_into ?? id);
  }

  /** As it stands in the database. An alert names its problem at once: one that waits to be saved is saved before it is looked for. */
  async #saved(id: string): Promise<ProblemView | undefined> {
    if (this.#pending.touched.has(id) || (this.#problems.has(id) && !this.#views.has(id))) await this.step(this.#deps.clock.now());
    return findProblem(this.#deps.sql, id);
  }

  async #alertsIn(id: string): Promise<readonly ProblemAlertView[]> {
    return (await alertsOfProblem(this.#deps.sql, id, MAX_ALERTS_SHOWN)).map(toAlertView);
  }

  /** `sees`: whether whoever asks may know of a problem; of all of them when absent. */
  async list(
    query: Omit<ProblemFilter, 'after'> & {
      readonly cursor: string | undefined;
      readonly sees?: ((problem: ProblemView) => boolean) | undefined;
    },
  ) {
    return pageOfSeen({
      limit: query.limit,
      after: parseCursor(query.cursor),
      cursorOf: ({ opened_at_ms: atMs, id }: ProblemView) => ({ atMs, id }),
      sees: query.sees,
      fetch: (limit, after) => listProblems(this.#deps.sql, { ...query, limit, after }),
    });
  }

  async began({ fromMs, toMs, limit }: { readonly fromMs: number; readonly toMs: number; readonly limit: number }) {
    const any = { status: 'all', minAlerts: 1, service: undefined, after: undefined } as const;
    const found = await listProblems(this.#deps.sql, { ...any, fromMs, toMs, limit });
    return found.filter(({ opened_at_ms: atMs }) => atMs >= fromMs);
  }

  /** Removes at most `limit` problems that were over before `beforeMs`, and returns how many. */
  purge(beforeMs: number, limit: number): Promise<number> {
    return this.#alone(() => purgeProblems(this.#deps.sql, beforeMs, limit));
  }

  /** Saves and tells what was observed, and forgets what is long over. */
  step(nowMs: EpochMs): Promise<void> {
    return this.#alone(async () => {
      const pending = this.#pending;
      if (pending.touched.size === 0) return this.#forget(nowMs);
      this.#pending = nothing();
      const absorbed = pending.merged.map(({ kept, absorbed: id }) => this.#absorbedView(id, this.#correlator.rootOf(kept), nowMs));
      const views = [...pending.touched].flatMap((id) => {
        const anatomy = this.#problems.get(id);
        return anatomy === undefined ? [] : [this.#viewOf(anatomy)];
      });
      const changed = [...absorbed, ...views];
      try {
        await this.#deps.sql.transaction().execute((trx) => saveChanges(trx, { ...pending, problems: changed }));
      } catch (thrown) {
        this.#putBack(pending);
        throw thrown;
      }
      for (const { id } of absorbed) this.#views.delete(id);
      for (const view of views) this.#views.set(view.id, view);
      this.#publish(changed, nowMs);
      this.#deps.onChanged?.(changed);
    });
  }

  #join(alert: AlertView, seenAtMs: number): void {
    const signal = signalOf(alert, seenAtMs);
    const joined = this.#correlator.add(signal, () => this.#deps.ids.uuid());
    const { problem } = joined;
    const anatomy = this.#problems.get(problem) ?? new Anatomy(problem, signal.seenAtMs);
    this.#problems.set(problem, anatomy);
    anatomy.add(signal, this.#labels.linksOf(signal.labels));
    for (const absorbed of joined.absorbed) this.#absorb(anatomy, absorbed);
    this.#members.set(alert.id, { problem, severity: signal.severity, open: true });
    this.#pending.joined.push({
      alert_id: alert.id,
      problem_id: problem,
      alertname: signal.alertname,
      severity: signal.severity,
      service: signal.service,
      labels: JSON.stringify(signal.labels),
      active_at_ms: signal.atMs,
      joined_at_ms: signal.seenAtMs,
      ended_at_ms: null,
      because: joined.because,
    });
    this.#pending.touched.add(problem);
  }

  #absorb(kept: Anatomy, absorbed: string): void {
    const other = this.#problems.get(absorbed);
    if (other !== undefined) kept.absorb(other);
    this.#problems.delete(absorbed);
    this.#pending.merged.push({ kept: kept.id, absorbed });
    this.#pending.touched.delete(absorbed);
  }

  #end(alertId: string, atMs: number): void {
    const member = this.#members.get(alertId);
    if (member === undefined) return;
    member.open = false;
    const problem = this.#correlator.rootOf(member.problem);
    this.#problems.get(problem)?.end(atMs);
    this.#pending.ended.push({ alert: alertId, atMs });
    this.#pending.touched.add(problem);
  }

  #raise(member: Member, severity: Severity): void {
    member.severity = severity;
    const problem = this.#correlator.rootOf(member.problem);
    this.#problems.get(problem)?.raise(severity);
    this.#pending.touched.add(problem);
  }

  #restore(row: ProblemAlertRow): void {
    const signal: Signal = {
      alertId: row.alert_id,
      service: row.service,
      alertname: row.alertname,
      severity: row.severity as Severity,
      labels: JSON.parse(row.labels) as Record<string, string>,
      atMs: row.active_at_ms,
      seenAtMs: row.joined_at_ms,
    };
    this.#correlator.restore(signal, row.problem_id);
    const anatomy = this.#problems.get(row.problem_id) ?? new Anatomy(row.problem_id, signal.seenAtMs);
    this.#problems.set(row.problem_id, anatomy);
    anatomy.add(signal, this.#labels.linksOf(signal.labels));
    if (row.ended_at_ms !== null) anatomy.end(row.ended_at_ms);
    const open = row.ended_at_ms === null;
    this.#members.set(row.alert_id, { problem: row.problem_id, severity: signal.severity, open });
    this.#pending.touched.add(row.problem_id);
  }

  #viewOf(anatomy: Anatomy): ProblemView {
    const causes = anatomy.causes(this.#deps.topology);
    const services = anatomy.services(MAX_SERVICES_SHOWN);
    return {
      id: anatomy.id,
      state: anatomy.resolvedAtMs === null ? 'open' : 'resolved',
      title: titleOf(anatomy, causes[0]?.subject ?? '', services.length),
      severity: anatomy.severityWord(),
      opened_at_ms: anatomy.openedAtMs,
      last_at_ms: anatomy.lastAtMs,
      resolved_at_ms: anatomy.resolvedAtMs,
      merged_into: null,
      alerts: anatomy.alerts,
      alerts_open: anatomy.open,
      services: [...services],
      causes: [...causes],
    };
  }

  /** An absorbed problem keeps what it last was; it may never have been saved. */
  #absorbedView(id: string, kept: string, nowMs: number): ProblemView {
    const last = this.#views.get(id);
    const anew = {
      id,
      title: '',
      severity: 'info',
      opened_at_ms: nowMs,
      last_at_ms: nowMs,
      alerts: 0,
      alerts_open: 0,
      services: [],
      causes: [],
    } as const;
    return { ...anew, services: [], causes: [], ...last, state: 'merged', resolved_at_ms: nowMs, merged_into: kept, alerts_open: 0 };
  }

  #putBack(pending: Pending): void {
    const since = this.#pending;
    this.#pending = {
      joined: [...pending.joined, ...since.joined],
      merged: [...pending.merged, ...since.merged],
      ended: [...pending.ended, ...since.ended],
      touched: new Set([...pending.touched, ...since.touched]),
    };
  }

  #publish(changed: readonly ProblemView[], atMs: EpochMs): void {
    const { bus } = this.#deps;
    if (changed.length > MAX_FACTS) bus.publish({ topic: 'problems', type: 'problems.changed', atMs, data: { count: changed.length } });
    else for (const data of changed) bus.publish({ topic: 'problems', type: 'problem.changed', atMs, data });
  }

  #forget(nowMs: number): void {
    const gone = new Set<string>();
    for (const [id, anatomy] of this.#problems) {
      if (anatomy.resolvedAtMs === null || anatomy.resolvedAtMs > nowMs - TRACES_KEPT_MS) continue;
      this.#problems.delete(id);
      this.#views.delete(id);
      gone.add(id);
    }
    if (gone.size === 0) return;
    for (const [alertId, { problem }] of this.#members) if (gone.has(this.#correlator.rootOf(problem))) this.#members.delete(alertId);
    this.#correlator.forget(gone);
  }
}

const signalOf = (alert: AlertView, seenAtMs: number): Signal => ({
  alertId: alert.id,
  service: alert.service,
  alertname: alert.alertname,
  severity: alert.severity,
  labels: alert.labels,
  atMs: alert.active_at_ms,
  seenAtMs,
});

function titleOf(anatomy: Anatomy, subject: string, services: number): string {
  const alerts = `${anatomy.alerts} ${anatomy.alerts === 1 ? 'alert' : 'alerts'}`;
  const what = subject.replace(/^host=/, '');
  const words = services > 1 ? `${what}: ${alerts} on ${services} services` : `${what}: ${alerts}`;
  return words.slice(0, MAX_TITLE_CHARS);
}
