import type { LedgerInterval, Span } from './types.ts';

/**
 * The chance that a budget of time is overspent, from how often and how long its subject was bad. Bad stretches come at a constant
 * rate; their lengths have a heavy tail, so that one that lasts already is expected to last longer. Both start from what the
 * target itself says and move towards what was seen. Futures are drawn with a seed that comes from the inputs: the same facts
 * give the same figures.
 */
export type OutageModel = {
  /** Bad stretches per good millisecond. */
  readonly ratePerMs: number;
  /** Scale of the lengths, in milliseconds: their distribution is Lomax's with the shape below. */
  readonly scaleMs: number;
};

/** Lengths beyond x fall as x^-2.5: their mean exists, and the longest still matters. */
const SHAPE = 2.5;
/** The prior counts like so many bad stretches. */
const PRIOR_STRETCHES = 0.5;
/** Before anything was seen a bad stretch is this share of the window's budget, so that a kept target is a few of them. */
const PRIOR_SHARE = 0.25;
const DRAWS = 400;
/** Bad stretches drawn of one future; more than that are a breach anyway. */
const MAX_STRETCHES = 10_000;

type Stretches = { readonly goodMs: number; readonly badMs: number; readonly starts: number };

/** What intervals say of `span`: good and bad time, and how many bad stretches began. */
function stretchesOf(intervals: readonly LedgerInterval[], span: Span): Stretches {
  let [goodMs, badMs, starts] = [0, 0, 0];
  let wasBad = false;
  for (const { fromMs, toMs, state } of intervals) {
    const lengthMs = Math.min(toMs, span.toMs) - Math.max(fromMs, span.fromMs);
    if (lengthMs <= 0) continue;
    if (state === 'down') {
      badMs += lengthMs;
      if (!wasBad) starts++;
    } else if (state !== 'unknown') goodMs += lengthMs;
    wasBad = state === 'down';
  }
  return { goodMs, badMs, starts };
}

/** `allowed`: the share of time that may be bad; `budgetMs`: how much that is of a whole window. */
export function fitOutages(
  intervals: readonly LedgerInterval[],
  span: Span,
  prior: { readonly allowed: number; readonly budgetMs: number },
): OutageModel {
  const { goodMs, badMs, starts } = stretchesOf(intervals, span);
  const priorLengthMs = Math.max(1_000, PRIOR_SHARE * prior.budgetMs);
  const priorGoodMs = (PRIOR_STRETCHES * priorLengthMs) / Math.max(prior.allowed, 1e-6);
  const meanMs = (badMs + PRIOR_STRETCHES * priorLengthMs) / (starts + PRIOR_STRETCHES);
  return { ratePerMs: (starts + PRIOR_STRETCHES) / (goodMs + priorGoodMs), scaleMs: meanMs * (SHAPE - 1) };
}

export type BreachQuestion = {
  readonly model: OutageModel;
  readonly nowMs: number;
  /** How long it has been bad by now; null while it is good. */
  readonly badForMs: number | null;
  /** Bad spans of the window so far, ascending; of a rolling window they leave it again. */
  readonly bad: readonly Span[];
  readonly budgetMs: number;
  /** Of a rolling window its length; null where nothing leaves before the end. */
  readonly rollingMs: number | null;
  /** Instants until which the chance is asked for, ascending. */
  readonly untilMs: readonly number[];
};

/** The chance of a breach until each of the instants, and the median instant of it where it is as likely as not by the last one. */
export function breachChance(question: BreachQuestion): { readonly chances: readonly number[]; readonly expectedAtMs: number | null } {
  const random = randomOf(Math.floor(question.nowMs / 1_000) ^ question.bad.length);
  const breaches: number[] = [];
  for (let draw = 0; draw < DRAWS; draw++) breaches.push(drawBreach(question, random));
  breaches.sort((a, b) => a - b);
  const chances = question.untilMs.map((untilMs) => breaches.filter((atMs) => atMs <= untilMs).length / DRAWS);
  const median = breaches[Math.floor(DRAWS / 2)] ?? Number.POSITIVE_INFINITY;
  return { chances, expectedAtMs: Number.isFinite(median) ? Math.round(median) : null };
}

/** When one future overspends the budget; infinite when it does not before the last instant. */
function drawBreach(question: BreachQuestion, random: () => number): number {
  const { model, nowMs, budgetMs } = question;
  const endMs = question.untilMs.at(-1) ?? nowMs;
  const bad = question.bad.map(({ fromMs, toMs }) => ({ fromMs: Number(fromMs), toMs: Number(toMs) }));
  let spentMs = spentBy(bad, nowMs, question.rollingMs);
  if (spentMs > budgetMs) return nowMs;
  let atMs = nowMs;
  let ageMs = question.badForMs;
  for (let i = 0; i < MAX_STRETCHES && atMs < endMs; i++) {
    if (ageMs === null) atMs += -Math.log(1 - random()) / model.ratePerMs;
    if (atMs >= endMs) break;
    const lengthMs = (model.scaleMs + (ageMs ?? 0)) * ((1 - random()) ** (-1 / SHAPE) - 1);
    const toMs = Math.min(endMs, atMs + lengthMs);
    bad.push({ fromMs: atMs, toMs });
    spentMs = spentBy(bad, toMs, question.rollingMs);
    if (spentMs > budgetMs) return whenOver(bad, { fromMs: atMs, toMs }, question);
    atMs = toMs;
    ageMs = null;
  }
  return Number.POSITIVE_INFINITY;
}

function spentBy(bad: readonly { readonly fromMs: number; readonly toMs: number }[], atMs: number, rollingMs: number | null): number {
  const fromMs = rollingMs === null ? Number.NEGATIVE_INFINITY : atMs - rollingMs;
  let sum = 0;
  for (let i = bad.length - 1; i >= 0; i--) {
    const one = bad[i];
    if (one === undefined || one.toMs <= fromMs) break;
    sum += Math.max(0, Math.min(one.toMs, atMs) - Math.max(one.fromMs, fromMs));
  }
  return sum;
}

/** Within a bad stretch what is spent never falls, so the instant is found by halving. */
function whenOver(
  bad: readonly { readonly fromMs: number; readonly toMs: number }[],
  stretch: { readonly fromMs: number; readonly toMs: number },
  { budgetMs, rollingMs }: BreachQuestion,
): number {
  let [low, high] = [stretch.fromMs, stretch.toMs];
  while (high - low > 1) {
    const middle = (low + high) / 2;
    if (spentBy(bad, middle, rollingMs) > budgetMs) high = middle;
    else low = middle;
  }
  return high;
}

/** Mulberry32: small, and good enough for shares of a few hundred draws. */
function randomOf(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How good probabilities were: the mean squared miss, that of always saying the base rate, and what happened in each tenth. */
export type Calibration = {
  readonly cases: number;
  readonly brier: number;
  readonly base_brier: number;
  /** Of the cases whose probability lay in `[from, to)`: how many, the mean that was said, the share that happened. */
  readonly reliability: readonly {
    readonly from: number;
    readonly to: number;
    readonly cases: number;
    readonly said: number;
    readonly happened: number;
  }[];
};

const BINS = 10;

export function calibrationOf(cases: readonly { readonly said: number; readonly happened: boolean }[]): Calibration | null {
  if (cases.length === 0) return null;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const outcomes = cases.map(({ happened }) => (happened ? 1 : 0));
  const base = mean(outcomes);
  const reliability = Array.from({ length: BINS }, (_, bin) => {
    const inside = cases.filter(({ said }) => Math.min(BINS - 1, Math.floor(said * BINS)) === bin);
    return {
      from: bin / BINS,
      to: (bin + 1) / BINS,
      cases: inside.length,
      said: inside.length === 0 ? 0 : mean(inside.map(({ said }) => said)),
      happened: inside.length === 0 ? 0 : mean(inside.map(({ happened }) => (happened ? 1 : 0))),
    };
  }).filter((bin) => bin.cases > 0);
  return {
    cases: cases.length,
    brier: mean(cases.map(({ said, happened }) => (said - (happened ? 1 : 0)) ** 2)),
    base_brier: base * (1 - base),
    reliability,
  };
}
