import type { Clock } from '@nines/base/clock.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import { globPattern } from '@nines/base/glob.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { HOUR_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { LARGEST } from '@nines/maths/stats/numbers.ts';
import { METRIC_NAME, labelsToRecord } from '@nines/model/labels.ts';
import { unwrap } from '@nines/promql/ast.ts';
import { parseExpr } from '@nines/promql/parse.ts';
import { printExpr } from '@nines/promql/print.ts';
import type { Queryable, Scope } from '@nines/model/storage.ts';
import type { MetricAlias, SampleQuery } from '../collect/contract.ts';
import type { Actor } from '../platform/http/contract.ts';
import { TOO_SLOW } from '../platform/threads.ts';
import { MAX_QUERY_SERIES, type QueryParams, type QueryView } from './contract.ts';
import type { Described, SeriesQuestion } from './evaluate.ts';
import type { AskAnalytics } from './start.ts';
import { summaryOf } from './summary.ts';

export type QueryDeps = {
  readonly ask: AskAnalytics;
  readonly samples: SampleQuery;
  readonly aliases: { readonly list: readonly MetricAlias[] };
  readonly queryable: Pick<Queryable, 'labelValues'>;
  readonly metadata: { ofSeries(name: string): { readonly type: string } | undefined };
  readonly clock: Clock;
};
export type AnalyticsQuery = (params: QueryParams, actor: Actor) => Promise<QueryView>;

/** Steps offered, and points that a window is divided into at most. */
const STEPS_MS = [
  15 * SECOND_MS,
  30 * SECOND_MS,
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  6 * HOUR_MS,
  24 * HOUR_MS,
];
const MAX_QUERY_POINTS = 720;
const MAX_STEPS = 11_000;
/** All series of a query together are calculated on for so long. */
const CALCULATING_MS = MINUTE_MS;
/** Names that a glob may select. */
const MAX_NAMES = 50;
/** A rate looks back over so many steps, and four minutes at least. */
const RATE_STEPS = 2;
const LEAST_RATE_MS = 4 * MINUTE_MS;
/** What is a name or a glob over names; anything else is an expression. */
const NAMES = /^[a-zA-Z_:*?][a-zA-Z0-9_:.*?]*$/;

/** `rateMs`: the window of a rate that was made of a counter. */
type Named = { readonly name: string; readonly expr: string; readonly rateMs?: number };

/** Stored series by name, glob or expression, with what can be said of each. */
export function createQuery(deps: QueryDeps): AnalyticsQuery {
  return async (params, actor) => {
    const windowMs = lengthOf(params.window, 'window');
    const stepMs = params.step === undefined ? stepFor(windowMs) : lengthOf(params.step, 'step');
    if (windowMs / stepMs > MAX_STEPS)
      throw refused('step', `${params.window} in steps of ${params.step} are more than ${MAX_STEPS} points`);
    const horizon = params.forecast === undefined ? undefined : Math.max(1, Math.round(lengthOf(params.forecast, 'forecast') / stepMs));
    const toMs = Math.floor(deps.clock.now() / stepMs) * stepMs;
    const span = { fromMs: toMs - windowMs, toMs, stepMs };
    const { scope } = actor;
    const { named, notes } = await namesOf(deps, params, { ...span, scope });
    const found: { readonly from: Named; readonly series: Awaited<ReturnType<SampleQuery['range']>>[number] }[] = [];
    for (const from of named) {
      for (const series of await rangeOf(deps.samples, from.expr, { ...reaching(from, span), scope })) found.push({ from, series });
      // Of fifty names with thousands of series each nobody sees the rest.
      if (found.length > MAX_QUERY_SERIES) break;
    }
    if (found.length > MAX_QUERY_SERIES) notes.push(`only the first ${MAX_QUERY_SERIES} series are shown: narrow the pattern`);
    const asked = params.anomalies === 'true' ? { method: params.method, sensitivity: params.sensitivity } : undefined;
    const expected = Math.floor(windowMs / stepMs) + 1;
    const series: QueryView['series'] = [];
    const describe = describer(deps, actor.id);
    for (const { from, series: one } of found.slice(0, MAX_QUERY_SERIES)) {
      const all = Array.from(one.times, (atMs, i): [number, number] => [atMs, one.values[i] ?? Number.NaN]).filter(
        ([, value]) => Math.abs(value) <= LARGEST,
      );
      const points = wholly(from, span, all);
      if (points.length === 0) continue;
      const said = await describe({ points, expected, anomalies: asked, horizon, level: params.level });
      series.push({ name: from.name, expr: from.expr, labels: labelsToRecord(one.labels), points, ...said });
    }
    if (series.length === 0) notes.push('nothing was found in this window');
    return { pattern: params.pattern, from_at_ms: span.fromMs, to_at_ms: toMs, step_ms: stepMs, series, notes };
  };
}

type Span = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number };

/** A rate is asked for from one window earlier, so that where its counter begins can be told from where the question does. */
function reaching({ rateMs = 0 }: Named, span: Span): Span {
  const steps = Math.ceil(rateMs / span.stepMs);
  const fits = (span.toMs - span.fromMs) / span.stepMs + steps < MAX_STEPS;
  return fits ? { ...span, fromMs: span.fromMs - steps * span.stepMs } : span;
}

/** Without the first rates of a counter, whose window it fills in part only: they are too low, and a season would learn them. All, where nothing else is there. */
function wholly({ rateMs = 0 }: Named, { fromMs }: Span, points: [number, number][]): [number, number][] {
  const [first] = points;
  const asked = points.filter(([atMs]) => atMs >= fromMs);
  if (rateMs === 0 || first === undefined || first[0] === fromMs) return asked;
  const whole = asked.filter(([atMs]) => atMs >= first[0] + rateMs);
  return whole.length > 0 ? whole : asked;
}

/**
 * Describes one series after the other. One whose calculation is given up has its summary, and says so in place of the rest; those
 * after it are calculated as long as there is time.
 */
function describer({ ask, clock }: Pick<QueryDeps, 'ask' | 'clock'>, actorId: string): (question: SeriesQuestion) => Promise<Described> {
  const untilMs = clock.monotonic() + CALCULATING_MS;
  return async (question) => {
    const late = (message: string): Described => {
      const part = { reason: 'too_slow', message };
      return {
        summary: summaryOf(question.points, question.expected),
        trend: part,
        ...(question.anomalies === undefined ? {} : { anomalies: part }),
        ...(question.horizon === undefined ? {} : { forecast: part }),
      };
    };
    if (clock.monotonic() >= untilMs) return late('the series before it took all the time that a query has: ask for this one alone');
    try {
      return await ask('described', question, actorId);
    } catch (thrown) {
      if (thrown instanceof AppError && thrown.code === TOO_SLOW) return late(thrown.message);
      throw thrown;
    }
  };
}

export const refused = (field: string, message: string): AppError =>
  new AppError('bad_input', 'bad_parameter', `query: ${field}: ${message}`, { field });

export function lengthOf(text: string, field: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw refused(field, parsed.error);
  if (parsed.value < SECOND_MS) throw refused(field, 'must be at least 1s');
  return parsed.value;
}

export const stepFor = (windowMs: number): number =>
  STEPS_MS.find((stepMs) => windowMs / stepMs <= MAX_QUERY_POINTS) ?? Math.ceil(windowMs / MAX_QUERY_POINTS / HOUR_MS) * HOUR_MS;

type Range = { readonly fromMs: number; readonly toMs: number; readonly stepMs: number; readonly scope: Scope };

async function namesOf(
  deps: QueryDeps,
  params: Pick<QueryParams, 'pattern' | 'counter'>,
  range: Range,
): Promise<{ readonly named: readonly Named[]; readonly notes: string[] }> {
  const { pattern } = params;
  const rateMs = Math.max(LEAST_RATE_MS, RATE_STEPS * range.stepMs);
  if (!NAMES.test(pattern)) {
    const rate = params.counter === 'raw' ? undefined : rateOf(deps, pattern, { rateMs, anyway: params.counter === 'rate' });
    return rate === undefined
      ? { named: [{ name: pattern, expr: pattern }], notes: [] }
      : { named: [{ name: pattern, expr: rate, rateMs }], notes: [READ_AS_RATE] };
  }
  const regex = compileRegex(globPattern(pattern));
  if (!regex.ok) throw refused('pattern', regex.error);
  const matches = (name: string): boolean => regex.value.matchesWhole(name);
  const dotted = deps.aliases.list.filter(({ name }) => matches(name)).map(({ name, expr }) => ({ name, expr }));
  const stored = pattern.includes('.')
    ? []
    : (await deps.queryable.labelValues(METRIC_NAME, [], range, { scope: range.scope })).filter(matches);
  const notes: string[] = [];
  const isRead = (name: string): boolean => params.counter === 'rate' || (params.counter === 'auto' && isCounter(deps, name));
  const direct = stored.map((name): Named => (isRead(name) ? { name, expr: `rate(${name}[${rateMs}ms])`, rateMs } : { name, expr: name }));
  const counters = stored.filter(isRead).length;
  if (counters > 0) notes.push(`${counters} of the metrics: ${READ_AS_RATE}`);
  const all = [...dotted, ...direct];
  if (all.length > MAX_NAMES) notes.push(`the first ${MAX_NAMES} of ${all.length} names are shown: narrow the pattern`);
  return { named: all.slice(0, MAX_NAMES), notes };
}

const READ_AS_RATE = 'counters by type or name are read as their rate per second, a reset counted from zero; counter=raw shows the counts';

/** The rate of a plain selector of a counter; undefined of anything else. */
function rateOf(
  deps: QueryDeps,
  expr: string,
  { rateMs, anyway }: { readonly rateMs: number; readonly anyway: boolean },
): string | undefined {
  const parsed = parseExpr(expr);
  const root = parsed.ok ? unwrap(parsed.value) : undefined;
  if (root?.kind !== 'selector' || root.offset !== undefined || root.at !== undefined) return undefined;
  const isOne = anyway || (root.name !== undefined && isCounter(deps, root.name));
  return isOne ? `rate(${printExpr(root)}[${rateMs}ms])` : undefined;
}

/** Whether a metric only grows, so that its rate is what one wants to know. */
export const isCounter = ({ metadata }: Pick<QueryDeps, 'metadata'>, name: string): boolean =>
  metadata.ofSeries(name)?.type === 'counter' || /_(total|bucket|count|sum)$/.test(name);

export async function rangeOf(samples: SampleQuery, expr: string, { scope, ...span }: Range, field = 'pattern') {
  try {
    return await samples.range(expr, span, { scope, wholeSteps: true });
  } catch (thrown) {
    throw refused(field, messageOf(thrown));
  }
}
