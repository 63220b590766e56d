import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs, SECOND_MS } from '@nines/base/units.ts';
import type { Evidence } from '@nines/maths/slo/types.ts';
import type { Kysely } from 'kysely';
import type { Evaluation } from '../alerting/contract.ts';
import type { Recorder } from '../availability/contract.ts';
import type { Maintenance } from '../maintenance/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import { appendEvent } from '../platform/records/events.ts';
import { createTurns } from '../platform/turns.ts';
import type { ServiceCatalogue } from '../services/contract.ts';
import { evaluationOf } from './alert.ts';
import {
  type RecoveryAction,
  type RecoveryActionView,
  type RecoveryConfig,
  type RecoveryRun,
  RECOVERY_CODES,
  runToWire,
} from './contract.ts';
import { type Decision, decide, decideAsked, exhausted, type Situation } from './evaluate.ts';
import { describe, type Perform } from './perform.ts';
import * as store from './store.ts';
import { type VerifyDeps, whyNotHelped } from './verify.ts';

/** How often `step` is to be called. */
export const RECOVERY_STEP_MS = SECOND_MS;
/** Actions that run at once. */
const MAX_RUNNING = 5;
/** What is kept of the words about a run. */
const MAX_DETAIL_CHARS = 2_000;

export type RecoveryDeps = Pick<VerifyDeps, 'unmet' | 'askCheck'> & {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly ledger: Pick<Recorder, 'currentOfCheck' | 'flapping'>;
  readonly maintenance: Maintenance;
  readonly services: Pick<ServiceCatalogue, 'list'>;
  /** Tells alerting what did not help. */
  readonly alert: (evaluation: Evaluation) => Promise<void>;
  readonly perform: Perform;
};

/** Who asks for a run, and what they say about it. */
export type Asked = { readonly by: string; readonly reason: string; readonly dryRun: boolean };

/** Runs actions while their checks are down, and knows what came of it. */
export class Recovery {
  readonly #deps: RecoveryDeps;
  readonly #alone = createTurns();
  readonly #stopping = new AbortController();
  readonly #running = new Map<string, Promise<void>>();
  /** By check. */
  readonly #outages = new Map<string, store.Outage>();
  /** By outage, oldest first. */
  readonly #runs = new Map<string, RecoveryRun[]>();
  #lastEnds = new Map<string, EpochMs>();
  #config: RecoveryConfig = { commands: [], actions: [] };
  /** The alerts that alerting was told of last. */
  #told: string | undefined;

  constructor(deps: RecoveryDeps) {
    this.#deps = deps;
  }

  /** Reads what was done before. What was under way when the process ended is said to be interrupted. To be called once. */
  async load(): Promise<void> {
    const { db, clock, logger } = this.#deps;
    for (const run of await store.unendedRuns(db)) {
      const detail = 'the server ended while it ran: nobody knows what came of it';
      await store.endRun(db, { ...run, status: 'interrupted', endedAtMs: clock.now(), detail });
      logger.warn('a recovery action was interrupted', { action: run.action, check: run.check });
    }
    for (const outage of await store.openOutages(db)) {
      this.#outages.set(outage.check, outage);
      this.#runs.set(outage.id, [...(await store.runsOfOutage(db, outage.id))]);
    }
    this.#lastEnds = new Map(await store.lastEnds(db));
  }

  configure(config: RecoveryConfig): void {
    this.#config = config;
  }

  /** Begins what is due, and tells people what did not help. */
  step(nowMs: EpochMs): Promise<void> {
    return this.#alone(async () => {
      await this.#endOutages(nowMs);
      for (const action of this.#config.actions) {
        const decision = decide(action, this.#situation(action, nowMs));
        if (decision.kind === 'run') await this.#begin(action, decision, { by: '', reason: decision.detail, dryRun: action.dry_run });
      }
      await this.#escalate(nowMs);
    });
  }

  /** Runs an action because a person asks for it; resolves as soon as it has begun. `AppError` `recovery_action_not_found`, `recovery_held`. */
  run(id: string, asked: Asked): Promise<RecoveryRun> {
    return this.#alone(async () => {
      const action = this.#config.actions.find((one) => one.id === id);
      if (action === undefined) throw new AppError('not_found', RECOVERY_CODES.notFound, `there is no recovery action "${id}"`);
      const decision = decideAsked(action, this.#situation(action, this.#deps.clock.now()), asked.dryRun);
      if (decision.kind === 'hold') {
        throw new AppError('conflict', RECOVERY_CODES.held, decision.detail, { details: { reason: decision.reason } });
      }
      return this.#begin(action, decision, { ...asked, dryRun: asked.dryRun || action.dry_run });
    });
  }

  /** Every action with what would be decided now. */
  async actions(filter: { readonly check?: string | undefined } = {}): Promise<readonly RecoveryActionView[]> {
    const nowMs = this.#deps.clock.now();
    const chosen = this.#config.actions.filter(({ check }) => filter.check === undefined || check === filter.check);
    return Promise.all(
      chosen.map(async (action): Promise<RecoveryActionView> => {
        const decision = decide(action, this.#situation(action, nowMs));
        const [last] = await store.listRuns(this.#deps.db, { action: action.id, limit: 1 });
        return {
          id: action.id,
          kind: action.kind,
          check: action.check,
          service: this.#serviceOf(action.check)?.id ?? null,
          does: describe(action),
          dry_run: action.dry_run,
          automatic: action.automatic,
          decision: {
            kind: decision.kind,
            reason: decision.reason,
            detail: decision.detail,
            until_ms: decision.kind === 'hold' ? (decision.untilMs ?? null) : null,
          },
          last: last === undefined ? null : runToWire(last),
        };
      }),
    );
  }

  /** Newest first. */
  runs(filter: store.RunFilter): Promise<readonly RecoveryRun[]> {
    return store.listRuns(this.#deps.db, filter);
  }

  /** `AppError` `recovery_run_not_found`. */
  async get(id: string): Promise<RecoveryRun> {
    const found = await store.findRun(this.#deps.db, id);
    if (found === undefined) throw new AppError('not_found', RECOVERY_CODES.runNotFound, `there is no run "${id}"`);
    return found;
  }

  /** What was done about a service in `[fromMs, toMs)`, as evidence of its downtime, oldest first. */
  async evidence(service: string, fromMs: EpochMs, toMs: EpochMs): Promise<readonly Evidence[]> {
    const runs = await store.listRuns(this.#deps.db, { service, fromMs, toMs, limit: MAX_EVIDENCE });
    return runs.toReversed().map((run) => ({ check: run.check, atMs: run.startedAtMs, detail: `recovery ${run.action}: ${run.detail}` }));
  }

  /** Nothing begins any more; what is under way is stopped and said to be interrupted. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the server is stopping'));
    await this.#alone(async () => undefined);
    await Promise.allSettled(this.#running.values());
  }

  #serviceOf(check: string): ReturnType<ServiceCatalogue['list']>[number] | undefined {
    return this.#deps.services.list().find(({ checks }) => checks.includes(check));
  }

  #runsOf(check: string): readonly RecoveryRun[] {
    const outage = this.#outages.get(check);
    return outage === undefined ? [] : (this.#runs.get(outage.id) ?? []);
  }

  #situation({ id, check }: RecoveryAction, nowMs: EpochMs): Situation {
    const { ledger, maintenance } = this.#deps;
    const service = this.#serviceOf(check)?.id;
    const [window] = service === undefined ? [] : maintenance.occurrences({ service, fromMs: nowMs, toMs: epochMs(nowMs + 1) });
    return {
      nowMs,
      state: ledger.currentOfCheck(check),
      isFlapping: ledger.flapping(check) !== null,
      maintenance: window && `maintenance "${window.name}" until ${new Date(window.toMs).toISOString()}`,
      runs: this.#runsOf(check),
      lastEndedAtMs: this.#lastEnds.get(id),
      isRunning: this.#running.has(check),
      isBusy: this.#running.size >= MAX_RUNNING,
    };
  }

  /** An outage that something was done about is over when the check is seen up; what is unknown ends nothing. */
  async #endOutages(nowMs: EpochMs): Promise<void> {
    for (const { id, check } of this.#outages.values()) {
      const { state } = this.#deps.ledger.currentOfCheck(check);
      const isTied = this.#config.actions.some((action) => action.check === check);
      if (isTied && state !== 'up' && state !== 'degraded') continue;
      await store.endOutage(this.#deps.db, id, nowMs);
      this.#outages.delete(check);
      this.#runs.delete(id);
    }
  }

  /** Kept before anything is done, with its entry in the audit trail: what cannot be recorded is not done. */
  async #begin(action: RecoveryAction, decision: Decision & { readonly kind: 'run' }, asked: Asked): Promise<RecoveryRun> {
    if (this.#stopping.signal.aborted) throw new AppError('unavailable', 'recovery_stopping', 'the server is stopping');
    const { db, clock, ids, ledger } = this.#deps;
    const nowMs = clock.now();
    const state = ledger.currentOfCheck(action.check);
    const open = this.#outages.get(action.check);
    const made =
      open === undefined && state.state === 'down' ? { id: ids.uuid(), check: action.check, fromAtMs: state.sinceMs } : undefined;
    const outage = open ?? made;
    const run: RecoveryRun = {
      id: ids.uuid(),
      action: action.id,
      kind: action.kind,
      check: action.check,
      service: this.#serviceOf(action.check)?.id ?? '',
      outage: outage?.id ?? null,
      tryNumber: decision.tryNumber,
      status: 'running',
      dryRun: asked.dryRun,
      by: asked.by,
      why: asked.reason,
      startedAtMs: nowMs,
      endedAtMs: null,
      detail: '',
      output: '',
      outputCut: false,
    };
    await db.transaction().execute(async (trx) => {
      if (made !== undefined) await store.insertOutage(trx, made);
      await store.insertRun(trx, run);
      await appendEvent(trx, auditOf('recovery.began', run, nowMs), { ids, nowMs });
    });
    if (outage !== undefined) {
      this.#outages.set(action.check, outage);
      this.#runs.set(outage.id, [...(this.#runs.get(outage.id) ?? []), run]);
    }
    const ended = this.#carryOut(action, run).finally(() => this.#running.delete(action.check));
    this.#running.set(action.check, ended);
    return run;
  }

  async #carryOut(action: RecoveryAction, run: RecoveryRun): Promise<void> {
    const { logger } = this.#deps;
    try {
      const found = await this.#outcomeOf(action, run).catch((thrown: unknown) => ({
        status: this.#stopping.signal.aborted ? ('interrupted' as const) : ('failed' as const),
        detail: messageOf(thrown),
      }));
      await this.#end({ ...run, ...found, detail: found.detail.slice(0, MAX_DETAIL_CHARS), endedAtMs: this.#deps.clock.now() });
    } catch (thrown) {
      logger.error('what came of a recovery action could not be kept', { action: action.id, error: messageOf(thrown) });
    }
  }

  async #outcomeOf(action: RecoveryAction, run: RecoveryRun): Promise<Partial<RecoveryRun> & Pick<RecoveryRun, 'status' | 'detail'>> {
    const { clock, ledger, perform, unmet, askCheck } = this.#deps;
    const { signal } = this.#stopping;
    const { commands } = this.#config;
    const env = { NINES_ACTION: run.action, NINES_CHECK: run.check, NINES_SERVICE: run.service, NINES_TRY: String(run.tryNumber) };
    const done = await perform(action, { clock, nowMs: run.startedAtMs, commands, env, dryRun: run.dryRun, signal });
    const { output, outputCut, did } = done;
    if (run.dryRun) return { status: 'dry_run', detail: did, output, outputCut };
    if (!done.ok) return { status: 'failed', detail: did, output, outputCut };
    const stateOf = (check: string) => ledger.currentOfCheck(check).state;
    const why = await whyNotHelped(action, { clock, signal, unmet, askCheck, stateOf, commands, freedBytes: done.freedBytes ?? 0 });
    const status = why === undefined ? 'helped' : 'not_helped';
    return { status, detail: why === undefined ? `${did}; the check is ${stateOf(run.check)}` : `${did}; ${why}`, output, outputCut };
  }

  async #end(run: RecoveryRun): Promise<void> {
    const { db, bus, ids, logger } = this.#deps;
    const endedAtMs = run.endedAtMs ?? run.startedAtMs;
    await db.transaction().execute(async (trx) => {
      await store.endRun(trx, run);
      await appendEvent(trx, auditOf('recovery.ended', run, endedAtMs), { ids, nowMs: endedAtMs });
    });
    const kept = this.#runs.get(run.outage ?? '');
    kept?.splice(
      kept.findIndex(({ id }) => id === run.id),
      1,
      run,
    );
    if (!run.dryRun || run.by === '') this.#lastEnds.set(run.action, endedAtMs);
    logger.info('a recovery action ended', { action: run.action, check: run.check, status: run.status, detail: run.detail });
    bus.publish({ topic: 'checks', type: 'recovery.ended', atMs: endedAtMs, data: runToWire(run) });
    await store.dropOldRuns(db);
  }

  async #escalate(nowMs: EpochMs): Promise<void> {
    const all = [...this.#outages.keys()].flatMap((check) => {
      const found = exhausted(check, this.#config.actions, this.#runsOf(check));
      const service = this.#serviceOf(check);
      return found === undefined || service === undefined ? [] : [{ exhausted: found, service }];
    });
    const told = JSON.stringify(all.map(({ exhausted: one }) => [one.check, one.tried.map(({ id }) => id)]));
    if (told === this.#told) return;
    await this.#deps.alert(evaluationOf(all, nowMs));
    this.#told = told;
  }
}

/** Runs that one downtime lists. */
const MAX_EVIDENCE = 100;

const auditOf = (kind: string, run: RecoveryRun, atMs: EpochMs) => {
  const { output: _output, ...data } = run;
  return { kind, dedupKey: run.id, atMs, data, retentionClass: 'audit' as const };
};
