/** Why a query gives nothing: the first thing in it that loses everything, said with what is there instead. */
import { formatDuration } from '@nines/base/duration.ts';
import { type Matcher, mustMatcher } from '@nines/base/matcher.ts';
import { METRIC_NAME } from '@nines/model/labels.ts';
import { type Expr, type Length, type VectorSelector, isComparison } from '@nines/promql/ast.ts';
import { printExpr } from '@nines/promql/print.ts';
import { formatShort } from '@nines/promql/value.ts';
import { nearest } from '../platform/config/keys.ts';
import type { ExplanationView } from './contract.ts';
import { type ExplainDeps, type Part, resultsOf } from './explain-parts.ts';

export type Emptiness = {
  readonly query: string;
  readonly atMs: number;
  readonly parts: readonly Part[];
  readonly deps: ExplainDeps;
};
type Hint = ExplanationView['hints'][number];

const MAX_HINTS = 6;
/** Names or values that are compared with a mistyped one. */
const MAX_COMPARED = 3_000;
const MAX_LISTED = 5;
/** Series whose newest samples are looked at. */
const MAX_LOOKED_AT = 50;
/** How far back older samples are looked for, the nearest first. */
const BACK_MS = [3_600_000, 86_400_000, 7 * 86_400_000, 90 * 86_400_000] as const;
/** Samples that a window should hold for a rate that stands one that came late. */
const SAMPLES_IN_WINDOW = 4;
const INTERVAL_SAMPLES = 20;

const says = (text: string, instead: string | null = null): Hint => ({ says: text, instead });
/** What every metric has. */
const EVER = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

/** Sentences about the parts that give nothing although what they are made of does, the innermost first. */
export async function whyEmpty(empty: Emptiness): Promise<readonly Hint[]> {
  const { deps, atMs } = empty;
  const hints: Hint[] = [];
  if (deps.keptMs !== undefined && atMs < deps.nowMs - deps.keptMs)
    hints.push(says(`The end of the range is ${ago(deps.nowMs - atMs)} ago; samples are kept for ${formatDuration(deps.keptMs)}.`));
  if (atMs > deps.nowMs + deps.lookbackMs) hints.push(says('The end of the range lies in the future.'));
  const parts = [...empty.parts.entries()].reverse();
  for (const [index, part] of parts) {
    if (hints.length >= MAX_HINTS) break;
    if (part.value === undefined || resultsOf(part.value) > 0) continue;
    const children = empty.parts.filter(({ parent }) => parent === index);
    const hint = await whyPart(part, children, empty);
    if (hint !== undefined && !hints.some((other) => other.says === hint.says)) hints.push(hint);
  }
  return hints;
}

async function whyPart({ expr }: Part, children: readonly Part[], empty: Emptiness): Promise<Hint | undefined> {
  switch (expr.kind) {
    case 'selector':
      return whySelector(expr, undefined, empty);
    case 'matrix':
      return whySelector(expr.selector, expr.range, empty);
    case 'call':
      return whyCall(expr.func, children, empty);
    case 'binary':
      return whyBinary(expr, children);
    default:
      return undefined;
  }
}

/** A function of a window that has samples and still gives nothing wants more of them. */
async function whyCall(name: string, children: readonly Part[], empty: Emptiness): Promise<Hint | undefined> {
  const given = children.find(({ value }) => value?.kind === 'matrix');
  if (given?.value === undefined || resultsOf(given.value) === 0 || given.expr.kind !== 'matrix') return undefined;
  const { selector, range } = given.expr;
  const window = lengthMs(range);
  const everyMs = await intervalOf(selector.matchers, empty);
  if (everyMs === undefined || window === undefined) return says(`${name} needs at least two samples of a series in its window.`);
  const better = formatDuration(roundedUp(everyMs * SAMPLES_IN_WINDOW));
  return says(
    `${name} needs at least two samples in its window of ${formatDuration(window)}, and one comes every ${formatDuration(everyMs)}. Write at least [${better}].`,
    spliced(empty.query, range.position, better),
  );
}

function whyBinary(expr: Extract<Expr, { kind: 'binary' }>, [left, right]: readonly Part[]): Hint | undefined {
  if (left?.value === undefined || right?.value === undefined) return undefined;
  if (left.value.kind === 'vector' && right.value.kind === 'vector') {
    const { elements: lefts } = left.value;
    const { elements: rights } = right.value;
    if (lefts.length === 0 || rights.length === 0 || expr.op === 'unless') return undefined;
    return says(
      `Both sides of "${expr.op}" have results, ${lefts.length} and ${rights.length}, but none survives: see in the tree by which labels they match.`,
    );
  }
  const vector = left.value.kind === 'vector' ? left.value : right.value;
  if (!isComparison(expr.op) || vector.kind !== 'vector' || vector.elements.length === 0) return undefined;
  const values = vector.elements.map(({ value }) => value).filter((value) => !Number.isNaN(value));
  if (values.length === 0) return says(`All values that "${expr.op}" compares are NaN.`);
  const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  if (low === high)
    return says(`No value satisfies "${expr.op}": ${values.length === 1 ? 'the only one is' : 'all are'} ${formatShort(low)}.`);
  return says(`None of ${values.length} values satisfies "${expr.op}": they lie between ${formatShort(low)} and ${formatShort(high)}.`);
}

async function whySelector(selector: VectorSelector, range: Length | undefined, empty: Emptiness): Promise<Hint | undefined> {
  const { deps } = empty;
  const ever = await deps.queryable.series(selector.matchers, EVER, deps.options);
  return ever.length > 0 ? whyNotNow(selector, range, empty) : whyNever(selector, empty);
}

/** There are such series, but not at this time. */
async function whyNotNow(selector: VectorSelector, range: Length | undefined, empty: Emptiness): Promise<Hint | undefined> {
  const { deps } = empty;
  const atMs = lookedAt(selector, empty);
  const windowMs = range === undefined ? deps.lookbackMs : lengthMs(range);
  if (atMs === undefined || windowMs === undefined) return undefined;
  const newestMs = await newestBefore(selector.matchers, atMs, deps);
  const what = printExpr({ ...selector, kind: 'selector' });
  if (newestMs === undefined) return says(`${what} has samples, but none in the 90 days before the end of the range.`);
  const everyMs = range === undefined ? undefined : await intervalOf(selector.matchers, empty);
  if (range !== undefined && everyMs !== undefined && windowMs < everyMs && atMs - newestMs <= 2 * everyMs) {
    const better = formatDuration(roundedUp(everyMs * SAMPLES_IN_WINDOW));
    return says(
      `The window of ${formatDuration(windowMs)} falls between two samples: one comes every ${formatDuration(everyMs)}. Write at least [${better}].`,
      spliced(empty.query, range.position, better),
    );
  }
  return says(
    `The newest sample of ${what} is ${ago(atMs - newestMs)} older than the end of the range, or the series ended there; the query looks ${formatDuration(windowMs)} back.`,
  );
}

/** No series ever satisfied the matchers: which of them is it? */
async function whyNever(selector: VectorSelector, empty: Emptiness): Promise<Hint | undefined> {
  const { queryable, options } = empty.deps;
  const name = selector.matchers.find((one) => one.name === METRIC_NAME);
  const others = selector.matchers.filter((one) => one.name !== METRIC_NAME);
  const named = name === undefined ? [] : [name];
  if (name !== undefined && (await queryable.series(named, EVER, options)).length === 0) return unknownMetric(selector, name, empty);
  for (const one of others) {
    if ((await queryable.series([...named, one], EVER, options)).length > 0) continue;
    return unknownValue(selector, one, empty);
  }
  return others.length < 2 ? undefined : says('Each of the labels has such a value somewhere, but no series has all of them together.');
}

async function unknownMetric(selector: VectorSelector, name: Matcher, empty: Emptiness): Promise<Hint> {
  const { queryable, options } = empty.deps;
  if (name.op !== '=') return says(`No metric has a name that satisfies ${name.op} "${name.value}".`);
  const near = nearestOf(name.value, await queryable.labelValues(METRIC_NAME, [], EVER, options));
  if (near === undefined) return says(`No metric is called ${name.value}.`);
  const renamed = [mustMatcher(METRIC_NAME, '=', near), ...selector.matchers.filter((one) => one !== name)];
  const instead = { ...selector, name: selector.name === undefined ? undefined : near, matchers: renamed };
  return says(`No metric is called ${name.value}. There is ${near}.`, withSelector(empty.query, selector, instead));
}

async function unknownValue(selector: VectorSelector, wrong: Matcher, empty: Emptiness): Promise<Hint> {
  const { queryable, options } = empty.deps;
  const name = selector.matchers.filter((one) => one.name === METRIC_NAME);
  const values = await queryable.labelValues(wrong.name, name, EVER, options);
  const what = selector.name ?? 'Such series';
  if (values.length === 0) {
    const names = (await queryable.labelNames(name, EVER, options)).filter((one) => one !== METRIC_NAME);
    const near = nearestOf(wrong.name, names);
    const listed = `${what} has no label ${wrong.name}; it has ${listOf(names)}.`;
    return says(listed, near === undefined ? null : replaced(selector, wrong, mustMatcher(near, wrong.op, wrong.value), empty));
  }
  const near = wrong.op === '=' ? nearestOf(wrong.value, values) : undefined;
  const only = near ?? (wrong.op === '=' && values.length === 1 ? values[0] : undefined);
  return says(
    `No series of ${what} has ${wrong.name}${wrong.op}"${wrong.value}"; there is ${listOf(near === undefined ? values : [near, ...values.filter((one) => one !== near)])}.`,
    only === undefined ? null : replaced(selector, wrong, mustMatcher(wrong.name, '=', only), empty),
  );
}

const replaced = (selector: VectorSelector, wrong: Matcher, right: Matcher, { query }: Emptiness): string =>
  withSelector(query, selector, { ...selector, matchers: selector.matchers.map((one) => (one === wrong ? right : one)) });

/** The text with one selector written anew; what stands behind it, such as its window, stays. */
function withSelector(query: string, old: VectorSelector, next: VectorSelector): string {
  const { at: _at, offset: _offset, extended: _extended, ...bare } = next;
  const text = query.slice(old.position.from, old.position.to);
  // Modifiers belong to the selector's place in the text; they are what follows its braces or name.
  const head =
    /^\s*[a-zA-Z_:][\w:]*\s*(?:\{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[^}"'`])*\})?|^\s*\{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|[^}"'`])*\}/.exec(
      text,
    );
  const end = old.position.from + (head?.[0].trimEnd().length ?? text.length);
  return spliced(query, { from: old.position.from, to: end }, printExpr(bare));
}

const spliced = (query: string, { from, to }: { readonly from: number; readonly to: number }, text: string): string =>
  query.slice(0, from) + text + query.slice(to);

function listOf(values: readonly string[]): string {
  const listed = values.slice(0, MAX_LISTED).join(', ');
  return values.length > MAX_LISTED ? `${listed} and ${values.length - MAX_LISTED} more` : listed === '' ? 'nothing' : listed;
}

/** By mistyping, or the shortest that holds it. */
function nearestOf(wanted: string, known: readonly string[]): string | undefined {
  if (wanted === '') return undefined;
  const lower = wanted.toLowerCase();
  const holding = known.filter((one) => one.toLowerCase().includes(lower) || lower.includes(one.toLowerCase()));
  const close = known.filter((one) => Math.abs(one.length - wanted.length) <= Math.ceil(wanted.length / 3));
  return nearest(wanted, close.slice(0, MAX_COMPARED)) ?? holding.sort((a, b) => a.length - b.length)[0];
}

/** The instant that a selector looks at; undefined for what is known only inside the query. */
function lookedAt({ at, offset }: VectorSelector, { atMs }: Emptiness): number | undefined {
  const instant = at?.kind === 'instant' ? at.atMs : atMs;
  if (offset === undefined) return instant;
  const shift = lengthMs(offset);
  return shift === undefined ? undefined : instant - shift;
}

function lengthMs(length: Length): number | undefined {
  if (length.kind === 'fixed') return Math.round(length.seconds * 1000);
  if (length.kind !== 'negated') return undefined;
  const inner = lengthMs(length.operand);
  return inner === undefined ? undefined : -inner;
}

async function newestBefore(matchers: readonly Matcher[], atMs: number, { queryable, options }: ExplainDeps): Promise<number | undefined> {
  for (const backMs of BACK_MS) {
    let newestMs: number | undefined;
    let looked = 0;
    for (const { times } of await queryable.select(matchers, { fromMs: Math.max(0, atMs - backMs), toMs: atMs }, options)) {
      const last = times[times.length - 1];
      if (last !== undefined && (newestMs === undefined || last > newestMs)) newestMs = last;
      if (++looked >= MAX_LOOKED_AT) break;
    }
    if (newestMs !== undefined) return newestMs;
  }
  return undefined;
}

/** How often samples come, by the middle distance between the last ones of the first series that has any. */
async function intervalOf(matchers: readonly Matcher[], { atMs, deps }: Emptiness): Promise<number | undefined> {
  for (const backMs of BACK_MS.slice(0, 2)) {
    for (const { times } of await deps.queryable.select(matchers, { fromMs: Math.max(0, atMs - backMs), toMs: atMs }, deps.options)) {
      const last = times.slice(-INTERVAL_SAMPLES);
      const gaps = [...last.subarray(1)].map((time, index) => time - (last[index] ?? time)).sort((a, b) => a - b);
      const middle = gaps[Math.floor(gaps.length / 2)];
      if (middle !== undefined && middle > 0) return Math.max(1000, Math.round(middle / 1000) * 1000);
    }
  }
  return undefined;
}

const ROUND_MS = [15_000, 60_000, 300_000, 3_600_000] as const;
/** Up to a length that people write. */
function roundedUp(lengthMs: number): number {
  const unit = ROUND_MS.findLast((one) => one <= lengthMs) ?? 1000;
  return Math.ceil(lengthMs / unit) * unit;
}

const ago = (lengthMs: number): string => formatDuration(Math.max(1000, Math.round(lengthMs / 1000) * 1000));
