import { AppError, messageOf } from '@nines/base/errors.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import { PAGE_ITEMS, currentValues } from '@nines/server/collect/current-values.ts';
import { currentFigures, history, parseRange } from '@nines/server/collect/figures.ts';
import { MAX_PUSH_ITEMS, push } from '@nines/server/collect/push.ts';
import { healthOf } from '@nines/server/health-of.ts';
import { openHealthChecks } from '@nines/server/ops/health-checks/start.ts';
import type { Parts } from '@nines/server/parts.ts';
import { startLoop } from '@nines/server/platform/loop.ts';
import { MAX_TIMEOUT_MS } from '@nines/server/query/contract.ts';
import { type ExportAsk, EXPORT_FORMATS, exportText } from '@nines/server/query/export-formats.ts';
import { paramsOf, rangeParams } from '@nines/server/query/params.ts';
import { QueryService, parseSelectors } from '@nines/server/query/service.ts';
import { Analytics } from './analytics.ts';
import { found, instantAnswer, rangeAnswer } from './answers.ts';
import { Changing } from './changing.ts';
import type * as library from './contract.ts';
import { instantMs, lengthText, refused } from './given.ts';
import { Instruments } from './instruments.ts';
import { Watching } from './watching.ts';

export type MetricsDeps = {
  readonly options: library.OpenOptions;
  readonly path: string;
  readonly parts: Parts;
  /** What ends when this is closed; the parts themselves are in it. */
  readonly stack: AsyncDisposableStack;
};

/** `Metrics` over the parts of the server. */
export class EmbeddedMetrics implements library.Metrics {
  readonly path: string;
  readonly #parts: Parts;
  readonly #stack: AsyncDisposableStack;
  readonly #queries: QueryService;
  readonly #analytics: Analytics;
  readonly #changing: Changing;
  readonly #instruments: Instruments;
  readonly #watching: Watching;
  readonly #health: ReturnType<typeof healthOf>;
  readonly #checks: ReturnType<typeof openHealthChecks>;
  #looking: AsyncDisposable | undefined;
  #closing: Promise<void> | undefined;

  constructor({ options, path, parts, stack }: MetricsDeps) {
    const { availability, checking, config, engine, ingest, self, services, shared, store, yieldNow } = parts;
    const { clock, logger } = shared;
    this.path = path;
    this.#parts = parts;
    this.#stack = stack;
    this.#queries = new QueryService({ engine, queryable: store, clock, yieldNow, metrics: self });
    this.#analytics = new Analytics(parts);
    this.#changing = new Changing(options, parts);
    const everyMs = config().config.collect.host.interval;
    const step = async (): Promise<void> => void (await this.#flush());
    this.#instruments = new Instruments({
      labels: options.labels ?? {},
      onFirst: () => void stack.use(startLoop({ clock, logger, name: 'instruments', everyMs, firstAfterMs: everyMs, step })),
      onFull: (metric) => logger.warn('a metric has too many label values; what came beyond them is not counted', { metric }),
    });
    this.#watching = new Watching(parts);
    this.#health = healthOf(parts, path);
    this.#checks = openHealthChecks({
      ...shared,
      ingest,
      query: parts.ask,
      resolve: parts.aliases.resolve,
      instance: parts.collecting.instance,
      config: config().config.health,
      health: this.#health,
      states: () => services.list().map(({ id }) => availability.current(id).state),
      unreachable: () => checking.unreachable(),
    });
  }

  startCollection(): void {
    this.#open().collecting.collection.start();
    this.#looking ??= this.#checks.start();
  }

  async stopCollection(): Promise<void> {
    const looking = this.#looking;
    this.#looking = undefined;
    await looking?.[Symbol.asyncDispose]();
    await this.#open().collecting.collection.stop();
  }

  async current(): Promise<library.Snapshot> {
    const { shared } = this.#open();
    return currentFigures(this.#figures, shared.clock.now());
  }

  async values(pattern?: string): Promise<readonly library.CurrentValue[]> {
    const { ask: query, metadata, aliases, shared } = this.#open();
    const asked = { atMs: shared.clock.now(), metric: pattern, limit: PAGE_ITEMS.most, cursor: undefined };
    return (await currentValues({ query, metadata, aliases }, asked)).items;
  }

  async history(
    metric: string | readonly string[],
    { range = '1h', to }: { readonly range?: library.Length; readonly to?: library.Instant } = {},
  ): Promise<library.History> {
    const { shared } = this.#open();
    const toMs = to === undefined ? shared.clock.now() : instantMs(to, 'to');
    return history(this.#figures, [metric].flat(), { toMs, rangeMs: parseRange(lengthText(range)) });
  }

  counter(name: string, options: library.InstrumentOptions = {}): library.Counter {
    this.#open();
    return this.#instruments.counter(name, options);
  }

  gauge(name: string, options: library.InstrumentOptions = {}): library.Gauge {
    this.#open();
    return this.#instruments.gauge(name, options);
  }

  histogram(name: string, options: library.HistogramOptions = {}): library.Histogram {
    this.#open();
    return this.#instruments.histogram(name, options);
  }

  async flush(): Promise<library.Recorded> {
    this.#open();
    return this.#flush();
  }

  async record(items: readonly library.Item[]): Promise<library.Recorded> {
    this.#open();
    return this.#store(items);
  }

  async *export(
    format: library.ExportFormat,
    options: { readonly match?: string | readonly string[]; readonly from?: library.Instant; readonly to?: library.Instant } = {},
  ): AsyncGenerator<string> {
    const { metadata, store: queryable, yieldNow } = this.#open();
    if (!EXPORT_FORMATS.includes(format))
      throw refused('bad_format', 'format', `expected one of ${EXPORT_FORMATS.join(', ')}, found ${format}`);
    yield* exportText({ queryable, metadata }, this.#exported(options), format, { scope: FULL_SCOPE, yieldNow });
  }

  async query(
    expr: string,
    { at, signal }: { readonly at?: library.Instant; readonly signal?: AbortSignal } = {},
  ): Promise<library.InstantAnswer> {
    const { shared } = this.#open();
    const atMs = at === undefined ? shared.clock.now() : instantMs(at, 'at');
    const params = { query: this.#expr(expr), atMs, timeoutMs: MAX_TIMEOUT_MS, limit: 0, lookbackMs: undefined, stats: false };
    return instantAnswer(found(await this.#queries.instant(params, asking(signal))));
  }

  async queryRange(expr: string, { from, to, step, signal }: Parameters<library.Metrics['queryRange']>[1]): Promise<library.RangeAnswer> {
    this.#open();
    const start = new Date(instantMs(from, 'from')).toISOString();
    const end = new Date(instantMs(to, 'to')).toISOString();
    const written = new URLSearchParams({ query: this.#expr(expr), start, end, step: lengthText(step) });
    const params = rangeParams(paramsOf(written.toString(), ''));
    if (!params.ok) throw refused('bad_range', 'range', params.error);
    return rangeAnswer(found(await this.#queries.range(params.value, asking(signal))));
  }

  async queryWithAnalytics(ask: library.AnalyticsAsk): Promise<library.Analysed> {
    this.#open();
    return this.#analytics.query(ask);
  }

  async detectAnomalies(ask: library.DetectionAsk): Promise<library.Detected> {
    this.#open();
    return this.#analytics.detect(ask);
  }

  async predictTrends(ask: library.PredictionAsk): Promise<library.Predicted> {
    this.#open();
    return this.#analytics.predict(ask);
  }

  get rules(): library.Metrics['rules'] {
    this.#open();
    return this.#changing.rules;
  }

  get targets(): library.Metrics['targets'] {
    this.#open();
    return this.#changing.targets;
  }

  alerts(): readonly library.Alert[] {
    return this.#open().alerting.open();
  }

  async suppress(suppression: library.Suppression): Promise<library.Silence> {
    this.#open();
    return this.#changing.suppress(suppression);
  }

  async unsuppress(id: string): Promise<void> {
    this.#open();
    await this.#changing.unsuppress(id);
  }

  suppressions(): readonly library.Silence[] {
    this.#open();
    return this.#changing.suppressions();
  }

  async health(): Promise<library.Health> {
    this.#open();
    return this.#health.report();
  }

  on<E extends keyof library.Events>(event: E, listener: (told: library.Events[E]) => void): Disposable {
    this.#open();
    return this.#watching.on(event, listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const { logger } = this.#parts.shared;
    await this.#looking?.[Symbol.asyncDispose]();
    this.#watching[Symbol.dispose]();
    await this.#flush().catch((thrown: unknown) => logger.error('the last counts could not be stored', { error: messageOf(thrown) }));
    await this.#stack.disposeAsync();
  }

  /** The parts, unless they have ended. */
  #open(): Parts {
    if (this.#closing === undefined) return this.#parts;
    throw new AppError('unavailable', 'library_closed', `${this.path} was closed: open it again with openMetrics`);
  }

  get #figures(): Parameters<typeof currentFigures>[0] {
    const { aliases, ask: query, collecting } = this.#parts;
    return { query, aliases, instance: collecting.instance };
  }

  #expr(written: string): string {
    return this.#parts.aliases.resolve(written)?.expr ?? written;
  }

  #flush(): Promise<library.Recorded> {
    const { metadata, shared } = this.#parts;
    for (const { name, type, help } of this.#instruments.families()) metadata.record(name, { type, help, unit: '' }, 'library');
    return this.#store(this.#instruments.items(shared.clock.now()));
  }

  async #store(items: readonly library.Item[]): Promise<library.Recorded> {
    const { ingest, metadata, shared } = this.#parts;
    const all: library.RefusedItem[] = [];
    for (let from = 0; from < items.length; from += MAX_PUSH_ITEMS) {
      const some = items.slice(from, from + MAX_PUSH_ITEMS).map(asWritten);
      const refusals = await push(some, shared.clock.now(), { ingest, metadata }).catch(unavailable);
      for (const one of refusals) all.push({ ...one, index: from + one.index });
    }
    return { accepted: items.length - all.length, refused: all };
  }

  #exported({ match = [], from, to }: Parameters<library.Metrics['export']>[1] & object): ExportAsk {
    const texts = [match].flat();
    const selectors = texts.length === 0 ? { ok: true as const, value: [[]] } : parseSelectors(texts);
    if (!selectors.ok) throw refused('bad_selector', 'match', selectors.error);
    const toMs = to === undefined ? this.#parts.shared.clock.now() : instantMs(to, 'to');
    const { lookback } = this.#parts.config().config.promql;
    if (from === undefined) return { selectors: selectors.value, newest: true, span: { fromMs: toMs - lookback, toMs } };
    const fromMs = instantMs(from, 'from');
    if (toMs < fromMs) throw refused('bad_range', 'to', 'must not be before from');
    return { selectors: selectors.value, newest: false, span: { fromMs, toMs } };
  }
}

const asking = (signal: AbortSignal | undefined) => ({ scope: FULL_SCOPE, signal: signal ?? new AbortController().signal });

/** JSON has no infinities, so the schema of items has texts for them. */
const asWritten = (item: library.Item): unknown =>
  typeof item?.value !== 'number' || Number.isFinite(item.value)
    ? item
    : { ...item, value: Number.isNaN(item.value) ? 'NaN' : item.value > 0 ? '+Inf' : '-Inf' };

function unavailable(thrown: unknown): never {
  if (!(thrown instanceof StoreUnavailable)) throw thrown;
  throw new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown });
}
