import type { Clock } from '@nines/base/clock.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { sortInTurns } from '@nines/base/sort.ts';
import type { Labels } from '@nines/model/labels.ts';
import { compareLabels, labelsKey } from '@nines/model/labels.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import type { Engine } from '@nines/promql/engine.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import type { PromqlErrorType } from '@nines/promql/promql-error.ts';
import type { MatrixValue, Value } from '@nines/promql/value.ts';
import type { Counter } from '../collect/contract.ts';
import { AnswerCache, joinParts } from './answer-cache.ts';
import { AnswerKeys } from './answer-keys.ts';
import { type ExplanationView, MAX_CONCURRENT, MAX_TIMEOUT_MS, MAX_WAITING, type QueryDeps } from './contract.ts';
import { explain } from './explain.ts';
import { type Newest, type NewestAsk, newestSamples } from './federate.ts';
import { Gate } from '../platform/gate.ts';
import type { Remarks } from './encode.ts';
import type { Common, InstantParams, RangeParams } from './params.ts';
import { type LabelledRead, type ReadAnswer, readSamples } from './remote-read.ts';
import { QueryMeter, type QueryStats } from './stats.ts';

export type QueryError = { readonly type: PromqlErrorType | 'unavailable'; readonly message: string };
export type Answer = { readonly value: Value; readonly remarks: Remarks; readonly stats?: QueryStats };
/** Every part of a query is evaluated. */
const EXPLAIN_TIMEOUT_MS = 30_000;
type RangeAnswer = { readonly value: MatrixValue; readonly remarks: Remarks };
const NOTHING: RangeAnswer = { value: { kind: 'matrix', series: [] }, remarks: { warnings: [], infos: [] } };
export type Span = { readonly fromMs: number; readonly toMs: number };
/** Who asks and until when: `signal` aborts when the client is gone. */
export type Asking = { readonly scope: Scope; readonly signal: AbortSignal };
type Evaluating = Asking & { readonly meter: QueryMeter | undefined };

/** Evaluates queries one after the other within the limits of contract.ts. */
export class QueryService {
  readonly #engine: Engine;
  readonly #queryable: Queryable;
  readonly #clock: Clock;
  readonly #yieldNow: QueryDeps['yieldNow'];
  readonly #gate = new Gate(MAX_CONCURRENT, MAX_WAITING);
  readonly #cache: AnswerCache | undefined;
  readonly #keys: AnswerKeys;
  readonly #asked: Counter | undefined;

  constructor(deps: Pick<QueryDeps, 'engine' | 'queryable' | 'clock' | 'yieldNow' | 'metrics'>) {
    const { past } = deps.queryable;
    const cache = past === undefined ? undefined : new AnswerCache(past);
    this.#cache = cache;
    this.#asked = deps.metrics?.counter('nines_query_answers_total', 'Range queries by what was known of their answer.');
    if (cache !== undefined)
      deps.metrics?.watch('nines_query_answers_kept_bytes', 'Memory of the answers that are kept.', () => cache.bytes);
    this.#yieldNow = deps.yieldNow;
    this.#engine = deps.engine;
    this.#keys = new AnswerKeys((text) => deps.engine.parse(text));
    this.#queryable = deps.queryable;
    this.#clock = deps.clock;
  }

  instant(params: InstantParams, asking: Asking): Promise<Result<Answer, QueryError>> {
    return this.#metered(params, asking, async ({ scope, signal, meter }) => {
      const found = await this.#engine.instant(params.query, {
        queryable: meter?.over(this.#queryable) ?? this.#queryable,
        atMs: params.atMs,
        scope,
        signal,
        ...lookback(params.lookbackMs),
      });
      if (!found.ok) return found;
      meter?.held(found.value.heldSamples);
      return ok({ value: found.value.value, remarks: found.value });
    });
  }

  range(params: RangeParams, asking: Asking): Promise<Result<Answer, QueryError>> {
    return this.#metered(params, asking, (evaluating) => this.#range(params, evaluating));
  }

  #metered(
    { timeoutMs, stats }: Common,
    asking: Asking,
    work: (evaluating: Evaluating) => Promise<Result<Answer, QueryError>>,
  ): Promise<Result<Answer, QueryError>> {
    const meter = stats ? new QueryMeter(this.#clock) : undefined;
    return this.#bounded(timeoutMs, asking.signal, async (signal) => {
      meter?.begin();
      const found = await work({ scope: asking.scope, signal, meter });
      return found.ok && meter !== undefined ? ok({ ...found.value, stats: meter.end() }) : found;
    });
  }

  /** Only the steps that no kept answer has are evaluated. */
  async #range(params: RangeParams, asking: Evaluating): Promise<Result<Answer, QueryError>> {
    const cache = this.#cache;
    const key = params.fresh ? undefined : this.#keys.of(params, asking.scope);
    if (cache === undefined || key === undefined) {
      this.#asked?.add(1, { outcome: 'not kept' });
      return this.#evaluate(params, asking);
    }
    const { version } = cache;
    const found = cache.find(key, params);
    const startMs = found === undefined ? params.startMs : found.untilMs + params.stepMs;
    this.#asked?.add(1, { outcome: found === undefined ? 'miss' : startMs > params.endMs ? 'hit' : 'extended' });
    const rest = startMs > params.endMs ? undefined : await this.#evaluate({ ...params, startMs }, asking);
    if (rest?.ok === false) return rest;
    const fresh = rest?.value ?? NOTHING;
    const series = joinParts(found?.series ?? [], fresh.value.series);
    const infos = [...new Set([...(found?.infos ?? []), ...fresh.remarks.infos])];
    // Whatever a warning is about may be put right without a change that the store knows of.
    if (rest !== undefined && fresh.remarks.warnings.length === 0)
      cache.keep(key, params, { series, infos }, { version, nowMs: this.#clock.now() });
    return ok({ value: { kind: 'matrix', series }, remarks: { warnings: fresh.remarks.warnings, infos } });
  }

  async #evaluate(params: RangeParams, { scope, signal, meter }: Evaluating): Promise<Result<RangeAnswer, QueryError>> {
    const found = await this.#engine.range(params.query, {
      queryable: meter?.over(this.#queryable) ?? this.#queryable,
      startMs: params.startMs,
      endMs: params.endMs,
      stepMs: params.stepMs,
      scope,
      signal,
      ...lookback(params.lookbackMs),
    });
    if (!found.ok) return found;
    meter?.held(found.value.heldSamples);
    return ok({ value: found.value.value, remarks: found.value });
  }

  /** The label sets that satisfy any of the selectors, each once, sorted. */
  series(selectors: readonly (readonly Matcher[])[], span: Span, asking: Asking): Promise<Result<readonly Labels[], QueryError>> {
    return this.#bounded(MAX_TIMEOUT_MS, asking.signal, async (signal) => {
      const options = this.#options(asking, signal);
      const [only, ...others] = selectors;
      const first = only === undefined ? [] : await this.#queryable.series(only, span, options);
      if (others.length === 0) return ok(first);
      const found = new Map(first.map((labels) => [labelsKey(labels), labels]));
      for (const matchers of others)
        for (const labels of await this.#queryable.series(matchers, span, options)) found.set(labelsKey(labels), labels);
      return ok(await sortInTurns([...found.values()], compareLabels, this.#yieldNow));
    });
  }

  /** Names of labels, or with `name` its values, of the series that satisfy any of the selectors (all series without one). */
  labels(
    ask: { readonly name?: string; readonly selectors: readonly (readonly Matcher[])[]; readonly span: Span },
    asking: Asking,
  ): Promise<Result<readonly string[], QueryError>> {
    return this.#bounded(MAX_TIMEOUT_MS, asking.signal, async (signal) => {
      const options = this.#options(asking, signal);
      const found = new Set<string>();
      for (const matchers of ask.selectors.length === 0 ? [[]] : ask.selectors) {
        const some =
          ask.name === undefined
            ? await this.#queryable.labelNames(matchers, ask.span, options)
            : await this.#queryable.labelValues(ask.name, matchers, ask.span, options);
        for (const text of some) found.add(text);
      }
      return ok([...found].sort());
    });
  }

  /** The newest sample of each series that satisfies any of the selectors. */
  newest(ask: NewestAsk, asking: Asking): Promise<Result<readonly Newest[], QueryError>> {
    return this.#bounded(MAX_TIMEOUT_MS, asking.signal, (signal) => newestSamples(this.#queryable, ask, this.#options(asking, signal)));
  }

  /** What each part of a query gives at an instant. */
  explain(query: string, atMs: number, asking: Asking & { readonly lookbackMs: number; readonly keptMs?: number }) {
    const { lookbackMs, keptMs } = asking;
    return this.#bounded<ExplanationView>(EXPLAIN_TIMEOUT_MS, asking.signal, (signal) =>
      explain(query, atMs, {
        engine: this.#engine,
        queryable: this.#queryable,
        nowMs: this.#clock.now(),
        lookbackMs,
        ...(keptMs !== undefined && { keptMs }),
        options: this.#options(asking, signal),
      }),
    );
  }

  /** What a remote read asks for. */
  read(asked: LabelledRead, asking: Asking): Promise<Result<ReadAnswer, QueryError>> {
    return this.#bounded(MAX_TIMEOUT_MS, asking.signal, (signal) => readSamples(this.#queryable, asked, this.#options(asking, signal)));
  }

  #options({ scope }: Asking, signal: AbortSignal) {
    return { scope, signal, yieldNow: this.#yieldNow };
  }

  /** Waits for a place, runs `work` with a signal that also aborts after `timeoutMs`, and says why when it was aborted. */
  async #bounded<T>(
    timeoutMs: number,
    client: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result<T, QueryError>>,
  ): Promise<Result<T, QueryError>> {
    const controller = new AbortController();
    const gone = (): void => controller.abort(new Error('the client is gone'));
    if (client.aborted) gone();
    if (timeoutMs <= 0) controller.abort(timedOut());
    client.addEventListener('abort', gone, { once: true });
    using _timer = this.#clock.after(timeoutMs, () => controller.abort(timedOut()));
    try {
      using place = await this.#gate.enter(controller.signal);
      if (place === undefined) return err({ type: 'unavailable', message: `${MAX_WAITING} queries are waiting already` });
      const found = await work(controller.signal);
      return controller.signal.aborted && !found.ok ? aborted(client) : found;
    } catch (thrown) {
      if (controller.signal.aborted) return aborted(client);
      throw thrown;
    } finally {
      client.removeEventListener('abort', gone);
    }
  }
}

const lookback = (lookbackMs: number | undefined): { readonly lookbackMs?: number } => (lookbackMs === undefined ? {} : { lookbackMs });

/** The engine tells a timeout from a cancellation by this name. */
const timedOut = (): Error => Object.assign(new Error('query timed out'), { name: 'TimeoutError' });

/** In Prometheus' words. */
const aborted = (client: AbortSignal): { readonly ok: false; readonly error: QueryError } =>
  client.aborted
    ? err({ type: 'canceled', message: 'query was canceled in expression evaluation' })
    : err({ type: 'timeout', message: 'query timed out in expression evaluation' });

/** The matchers of `match[]` values. As in Prometheus each must be a plain selector with one matcher that refuses the empty text. */
export function parseSelectors(texts: readonly string[]): Result<readonly (readonly Matcher[])[], string> {
  const selectors: (readonly Matcher[])[] = [];
  for (const text of texts) {
    const parsed = parseExpr(text);
    if (!parsed.ok) return err(`invalid parameter "match[]": ${parsed.error.message}`);
    const expr = parsed.value;
    if (expr.kind !== 'selector' || expr.at !== undefined || expr.offset !== undefined) {
      return err(`invalid parameter "match[]": 1:1: parse error: "${text}" is no series selector`);
    }
    selectors.push(expr.matchers);
  }
  return ok(selectors);
}
