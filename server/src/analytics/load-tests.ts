import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { AuditEntry } from '../audit/contract.ts';
import type { CheckSpec } from '../checks/contract.ts';
import type { Database } from '../platform/db/schema.ts';
import { type Outbound, OutboundError } from '../platform/fetch/outbound.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { LoadTestConfig } from './config.ts';
import { LOAD_TEST_CODES, type LoadTestBody, type LoadTestView } from './contract.ts';
import { askOnce, runSteps } from './load-test-run.ts';
import { loadTarget, type LoadTarget } from './load-target.ts';
import { latestLoadTests, putLoadTest } from './load-test-store.ts';
import type { AskAnalytics } from './start.ts';

export type LoadTestsDeps = {
  readonly sql: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly ask: AskAnalytics;
  readonly outbound: Pick<Outbound, 'request'>;
  readonly audit: { append(entry: AuditEntry): Promise<unknown> };
  readonly checks: () => readonly CheckSpec[];
};

/** Who else is asked what happens when the load is as high again. */
const FACTOR = 2;
const LEVEL = 0.95;
const STOPPING = 'the server stops';

type Running = { view: LoadTestView; readonly abort: AbortController; ended: Promise<void> };

/** Load tests of checks that the configuration allows: one at a time, bounded, and stopped as soon as the target suffers. */
export class LoadTests {
  readonly #deps: LoadTestsDeps;
  #config: LoadTestConfig | undefined;
  #running: Running | undefined;
  #starting = false;

  constructor(deps: LoadTestsDeps) {
    this.#deps = deps;
  }

  /** What is no longer allowed ends. */
  configure(config: LoadTestConfig | undefined): void {
    this.#config = config;
    const running = this.#running;
    if (running !== undefined && config?.checks.includes(running.view.check) !== true)
      running.abort.abort('the configuration does not allow it any more');
  }

  async list(): Promise<{ running: LoadTestView | null; items: LoadTestView[] }> {
    return { running: this.#running?.view ?? null, items: await latestLoadTests(this.#deps.sql) };
  }

  /** Begins a test once the target has answered a single request as it should. `AppError` when it may not, or cannot. */
  async start(asked: LoadTestBody, by: Actor): Promise<LoadTestView> {
    const config = this.#config;
    const { target, limits } = this.#judged(asked, config);
    if (this.#starting || this.#running !== undefined)
      throw new AppError('conflict', LOAD_TEST_CODES.running, 'a load test is under way: wait for its end, or end it with DELETE');
    this.#starting = true;
    try {
      await this.#tryOnce(target);
      return this.#begin({ asked, by, target, limits });
    } finally {
      this.#starting = false;
    }
  }

  /** Ends the test under way and answers what it came to. */
  async abort({ check }: { readonly check?: string | undefined }, by: Actor): Promise<LoadTestView> {
    const running = this.#running;
    if (running === undefined || (check !== undefined && running.view.check !== check))
      throw new AppError('not_found', LOAD_TEST_CODES.none, `no load test${check === undefined ? '' : ` of ${check}`} is under way`);
    running.abort.abort(`${by.name} ended it`);
    await running.ended;
    return running.view;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#config = undefined;
    this.#running?.abort.abort(STOPPING);
    await this.#running?.ended;
  }

  #judged(asked: LoadTestBody, limits: LoadTestConfig | undefined): { target: LoadTarget; limits: LoadTestConfig } {
    const refuse = (message: string, field: string): never => {
      throw new AppError('forbidden', LOAD_TEST_CODES.notAllowed, message, { field });
    };
    if (limits === undefined)
      return refuse('load tests are off: name the checks that may be tested in analytics.load_test of the configuration', 'check');
    if (!limits.checks.includes(asked.check))
      return refuse(`the check ${asked.check} is not among those that analytics.load_test.checks allows to be tested`, 'check');
    const most = Math.max(...asked.steps);
    if (most > limits.max_concurrency) return refuse(`${most} at once are more than max_concurrency, ${limits.max_concurrency}`, 'steps');
    const seconds = asked.steps.length * asked.seconds;
    if (seconds > limits.max_seconds)
      return refuse(`${asked.steps.length} steps of ${asked.seconds} s take longer than max_seconds, ${limits.max_seconds}`, 'seconds');
    const spec = this.#deps.checks().find(({ check }) => check === asked.check);
    if (spec === undefined) throw new AppError('not_found', 'check_not_found', `there is no check "${asked.check}"`, { field: 'check' });
    return { target: loadTarget(spec), limits };
  }

  /** What is down already, or may not be asked, is left alone. */
  async #tryOnce(target: LoadTarget): Promise<void> {
    const refuse = (reason: string, cause?: unknown): never => {
      const message = `the check ${target.check} is not load-tested: a first request ${reason}`;
      throw new AppError('bad_input', LOAD_TEST_CODES.unfit, message, { field: 'check', ...(cause === undefined ? {} : { cause }) });
    };
    try {
      const first = await askOnce(this.#deps, target, new AbortController().signal);
      if (!first.good && 'status' in first.answer) refuse(`was answered with status ${first.answer.status}`);
    } catch (thrown) {
      if (!(thrown instanceof OutboundError)) throw thrown;
      refuse(`got no answer (${thrown.message})`, thrown);
    }
  }

  #begin({ asked, by, target, limits }: Beginning): LoadTestView {
    const { clock, ids } = this.#deps;
    const abort = new AbortController();
    const view: LoadTestView = {
      id: ids.uuid(),
      check: target.check,
      service: target.service,
      state: 'running',
      reason: null,
      by: by.name,
      asked: { steps: [...asked.steps], seconds: asked.seconds },
      started_at_ms: clock.now(),
      ended_at_ms: null,
      requests: 0,
      steps: [],
      points: [],
      load: null,
    };
    const running: Running = { view, abort, ended: Promise.resolve() };
    this.#running = running;
    running.ended = this.#run(running, { target, limits }).finally(() => {
      this.#running = undefined;
    });
    return view;
  }

  async #run(running: Running, { target, limits }: Pick<Beginning, 'target' | 'limits'>): Promise<void> {
    const { clock, logger } = this.#deps;
    const { view, abort } = running;
    const change = (more: Partial<LoadTestView>): void => void (running.view = { ...running.view, ...more });
    const { steps, seconds } = view.asked;
    try {
      const reason = await runSteps(this.#deps, {
        target,
        limits,
        steps,
        stepMs: seconds * SECOND_MS,
        signal: abort.signal,
        onExchange: () => change({ requests: running.view.requests + 1 }),
        onStep: (step, points) =>
          change({
            steps: [...running.view.steps, step],
            points: [...running.view.points, ...points.map(([n, x]): [number, number] => [n, x])],
          }),
      });
      const state = reason === undefined ? 'done' : abort.signal.aborted ? 'aborted' : 'stopped';
      change({ state, reason: reason ?? null, ended_at_ms: clock.now() });
    } catch (thrown) {
      logger.error('a load test failed', { check: view.check, error: thrown instanceof Error ? thrown : messageOf(thrown) });
      change({ state: 'stopped', reason: messageOf(thrown), ended_at_ms: clock.now() });
    }
    if (abort.signal.reason !== STOPPING) change({ load: await this.#fitted(running.view.points) });
    await this.#keep(running.view);
  }

  async #fitted(points: LoadTestView['points']): Promise<LoadTestView['load']> {
    try {
      return await this.#deps.ask('load', { points, factor: FACTOR, level: LEVEL });
    } catch (thrown) {
      const told = thrown instanceof AppError ? (thrown.details as { reason?: string } | undefined)?.reason : undefined;
      return { reason: told ?? 'failed', message: messageOf(thrown) };
    }
  }

  /** In place of the last result of this check; the audit log has both. */
  async #keep(view: LoadTestView): Promise<void> {
    const { sql, audit, logger } = this.#deps;
    try {
      const before = (await latestLoadTests(sql)).find(({ check }) => check === view.check);
      await putLoadTest(sql, view);
      await audit.append({
        actor: { kind: 'system', id: `load_test:${view.id}`, name: `load test of ${view.check}`, role: 'operator' },
        action: 'load_test.ended',
        object: { kind: 'analytics/load/test', id: view.check },
        phase: 'done',
        ...(before === undefined ? {} : { before: summed(before) }),
        after: summed(view),
      });
    } catch (thrown) {
      logger.error('the result of a load test could not be kept', { check: view.check, error: messageOf(thrown) });
    }
  }
}

type Beginning = { readonly asked: LoadTestBody; readonly by: Actor; readonly target: LoadTarget; readonly limits: LoadTestConfig };

/** What the audit log keeps of a result. */
const summed = ({ id, state, reason, by, asked, requests, steps, started_at_ms: at }: LoadTestView) => ({
  id,
  state,
  reason,
  by,
  asked,
  started_at_ms: at,
  requests,
  errors: steps.reduce((sum, { errors }) => sum + errors, 0),
});
