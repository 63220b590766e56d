/**
 * What a rule would have done, had it been there: the rule itself, by the code of operation, over the stored past, told to nobody. The
 * past is asked in ranges of some hundred instants, so that a rule costs a fraction of as many queries.
 */
import { messageOf } from '@nines/base/errors.ts';
import { DAY_MS, type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Alerting, AlertView } from '../alerting/contract.ts';
import { type FigureContext, type RuleElement, LOOKBACK_MS, vectorsOf } from './context.ts';

/** One rule at work, asked at one instant after the other. Throws when it cannot be evaluated. */
export type Trial = {
  readonly evaluate: (atMs: EpochMs, signal: AbortSignal) => Promise<void>;
  readonly id: string;
  /** Why the last evaluation left series undecided; empty when it left none. */
  readonly undecided?: () => string;
};

export type BacktestSpan = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

export type BacktestDeps = Omit<FigureContext, 'alerting' | 'store' | 'startedAtMs'> & {
  readonly createAlerting: () => Alerting;
  readonly yieldNow: () => Promise<void> | undefined;
};

export type WouldHaveFired = {
  readonly labels: Readonly<Record<string, string>>;
  readonly severity: string;
  readonly from_ms: number;
  /** Null while it fires at the end. */
  readonly to_ms: number | null;
  /** Farthest beyond the limit. */
  readonly peak_value: number;
  readonly summary: string;
};

export type BacktestReport = {
  readonly from_ms: number;
  readonly to_ms: number;
  readonly step_ms: number;
  readonly evaluations: number;
  /** Up to where the rule was tried: before `to_ms` when time ran out or the rule failed. */
  readonly tried_until_ms: number;
  readonly fired_total: number;
  /** Time in which at least one alert fired. */
  readonly firing_ms: number;
  /** The first ones, by their beginning. */
  readonly items: readonly WouldHaveFired[];
  /** Per day of UTC, those in which nothing fired too. */
  readonly days: readonly { readonly day: string; readonly fired: number; readonly firing_ms: number }[];
  readonly error: string | null;
  /** Evaluations that left series undecided, and why the last of them did; null when all were decided. */
  readonly undecided: { readonly evaluations: number; readonly reason: string } | null;
};

/** Most evaluations of one back-test, most time it may take, and most alerts that are listed. */
export const MAX_EVALUATIONS = 50_000;
const MAX_RUN_MS = 60_000;
const MAX_LISTED = 1_000;
/** Instants that are asked for at once. */
const INSTANTS_AT_ONCE = 200;
/** Answers that are kept for the instants to come: those of the rule, and of the templates of so many alerts. */
const MAX_KEPT = 200;

export type BacktestAsk = BacktestSpan & {
  /** Makes the rule over the context that it is given. */
  readonly trialOf: (context: FigureContext) => Trial;
  /** Whether less is worse, for the peak. */
  readonly lessIsWorse: boolean;
};

export async function backtest(ask: BacktestAsk, deps: BacktestDeps, signal: AbortSignal): Promise<BacktestReport> {
  const { fromMs, toMs, stepMs } = ask;
  const alerting = deps.createAlerting();
  let nowMs = fromMs;
  const trial = ask.trialOf({
    ...deps,
    alerting,
    query: replayed(deps, { toMs, stepMs }, () => nowMs),
    store: async () => undefined,
    clock: { now: () => epochMs(nowMs), monotonic: () => deps.clock.monotonic() },
    startedAtMs: fromMs - LOOKBACK_MS,
  });
  const diary = new Diary(stepMs, ask.lessIsWorse);
  const startedMs = deps.clock.monotonic();
  let evaluations = 0;
  let error: string | null = null;
  const undecided = { evaluations: 0, reason: '' };
  for (; nowMs < toMs && deps.clock.monotonic() - startedMs < MAX_RUN_MS; nowMs += stepMs) {
    signal.throwIfAborted();
    try {
      await trial.evaluate(epochMs(nowMs), signal);
    } catch (thrown) {
      error = messageOf(thrown);
      break;
    }
    evaluations++;
    const reason = trial.undecided?.() ?? '';
    if (reason !== '') Object.assign(undecided, { evaluations: undecided.evaluations + 1, reason });
    diary.note(
      alerting.open().filter(({ condition }) => condition === 'firing'),
      nowMs,
    );
    await deps.yieldNow();
  }
  const tried = { from_ms: fromMs, to_ms: toMs, step_ms: stepMs, evaluations, tried_until_ms: Math.min(nowMs, toMs) };
  return { ...tried, error, undecided: undecided.evaluations === 0 ? null : undecided, ...diary.report(ask) };
}

/**
 * Instant queries answered from ranges: what a rule asks at one instant it asks, as far before it, at the next ones too. An expression
 * that is asked for once only (in a template) costs a range.
 */
function replayed(
  { range, query }: Pick<BacktestDeps, 'range' | 'query'>,
  { toMs, stepMs }: { readonly toMs: number; readonly stepMs: number },
  now: () => number,
): FigureContext['query'] {
  const kept = new Map<string, { readonly untilMs: number; readonly vectors: ReadonlyMap<number, readonly RuleElement[]> }>();
  return async (expr, atMs, options) => {
    const key = `${now() - atMs} ${expr}`;
    const known = kept.get(key);
    if (known !== undefined && atMs <= known.untilMs) return known.vectors.get(atMs) ?? [];
    const offsetMs = now() - atMs;
    const untilMs = Math.min(atMs + (INSTANTS_AT_ONCE - 1) * stepMs, toMs - offsetMs);
    // Beyond the instants of the test (a figure that learns the past) nothing repeats.
    if (untilMs < atMs) return query(expr, atMs, options);
    const vectors = vectorsOf(await range(expr, { fromMs: atMs, toMs: untilMs, stepMs }, options));
    kept.delete(key);
    const [oldest] = kept.keys();
    if (kept.size >= MAX_KEPT && oldest !== undefined) kept.delete(oldest);
    kept.set(key, { untilMs, vectors });
    return vectors.get(atMs) ?? [];
  };
}

type Fired = { -readonly [K in keyof WouldHaveFired]: WouldHaveFired[K] };

/** What fired when. */
class Diary {
  readonly #stepMs: number;
  readonly #lessIsWorse: boolean;
  readonly #firing = new Map<string, Fired>();
  readonly #items: Fired[] = [];
  readonly #days = new Map<number, { fired: number; firingMs: number }>();
  #total = 0;
  #firingMs = 0;

  constructor(stepMs: number, lessIsWorse: boolean) {
    this.#stepMs = stepMs;
    this.#lessIsWorse = lessIsWorse;
  }

  note(firing: readonly AlertView[], atMs: number): void {
    const ids = new Set(firing.map(({ id }) => id));
    for (const [id, fired] of this.#firing) {
      if (ids.has(id)) continue;
      fired.to_ms = atMs;
      this.#firing.delete(id);
    }
    for (const alert of firing) this.#noteOne(alert, atMs);
    if (firing.length === 0) return;
    this.#firingMs += this.#stepMs;
    this.#dayOf(atMs).firingMs += this.#stepMs;
  }

  report({ fromMs, toMs }: BacktestSpan): Pick<BacktestReport, 'fired_total' | 'firing_ms' | 'items' | 'days'> {
    const days: BacktestReport['days'][number][] = [];
    for (let day = Math.floor(fromMs / DAY_MS); day * DAY_MS < toMs; day++) {
      const { fired, firingMs } = this.#days.get(day) ?? { fired: 0, firingMs: 0 };
      days.push({ day: new Date(day * DAY_MS).toISOString().slice(0, 10), fired, firing_ms: firingMs });
    }
    return { fired_total: this.#total, firing_ms: this.#firingMs, items: this.#items, days };
  }

  #noteOne({ id, labels, severity, starts_at_ms: startsAtMs, value, annotations }: AlertView, atMs: number): void {
    const known = this.#firing.get(id);
    if (known !== undefined) {
      const isWorse = this.#lessIsWorse ? value < known.peak_value : value > known.peak_value;
      if (isWorse || Number.isNaN(known.peak_value)) known.peak_value = value;
      return;
    }
    const summary = annotations['summary'] ?? '';
    const fired: Fired = { labels, severity, from_ms: startsAtMs, to_ms: null, peak_value: value, summary };
    this.#firing.set(id, fired);
    this.#total++;
    this.#dayOf(atMs).fired++;
    if (this.#items.length < MAX_LISTED) this.#items.push(fired);
  }

  #dayOf(atMs: number): { fired: number; firingMs: number } {
    const number = Math.floor(atMs / DAY_MS);
    const day = this.#days.get(number) ?? { fired: 0, firingMs: 0 };
    this.#days.set(number, day);
    return day;
  }
}
