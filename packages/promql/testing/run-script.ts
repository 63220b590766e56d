import { compileRegex } from '@nines/base/regex.ts';
import type { Histogram } from '@nines/model/histogram.ts';
import { formatLabels, labelsKey } from '@nines/model/labels.ts';
import type { EngineFeatures } from '../src/context.ts';
import { type Engine, type QueryResult, createEngine } from '../src/engine.ts';
import type { PromqlError } from '../src/promql-error.ts';
import { formatHistogram, formatValue } from '../src/value.ts';
import type { MatrixSeries, Value } from '../src/value.ts';
import { MemoryQueryable, type Sample } from '../src/memory-queryable.ts';
import { pinSelectors } from './pin.ts';
import type { WrittenHistogram } from '../src/histogram-notation.ts';
import { customBuckets } from './nhcb.ts';
import { type Command, type ExpectedSeries, type Text, parseScript } from './script.ts';
import type { Written } from '../src/series-notation.ts';
import { parseExpr } from '../src/parse.ts';

/**
 * Runs test scripts. Every instant evaluation is repeated as the middle step of a range query, and with its selectors pinned
 * by `@` at other instants, where its meaning allows.
 */
export type Failure = { readonly line: number; readonly message: string };
export type Report = { readonly passed: number; readonly failures: readonly Failure[] };

type Evaluation = Extract<Command, { kind: 'eval' }>;
type Outcome = Awaited<ReturnType<Engine['instant']>>;

const MINUTE = 60_000;

/** Everything experimental is on, and names are dropped at the end, unless `features` says otherwise. */
export async function runScript(script: string, features: Partial<EngineFeatures> = {}): Promise<Report> {
  const queryable = new MemoryQueryable();
  const engine = createEngine({ features: { experimentalFunctions: true, delayedNameRemoval: true, ...features } });
  const failures: Failure[] = [];
  let passed = 0;
  for (const command of parseScript(script)) {
    if (command.kind === 'clear') queryable.clear();
    else if (command.kind === 'load') load(queryable, command);
    else {
      const message = await evaluate(command, { engine, queryable });
      if (message === undefined) passed++;
      else failures.push({ line: command.line, message: `${command.query}\n    ${message}` });
    }
  }
  return { passed, failures };
}

function load(queryable: MemoryQueryable, { stepMs, series, starts, withCustomBuckets }: Extract<Command, { kind: 'load' }>): void {
  for (const { labels, samples } of withCustomBuckets ? [...series, ...customBuckets(series)] : series) {
    const offsets = starts.get(labelsKey(labels)) ?? [];
    queryable.add(
      labels,
      samples.flatMap((sample, i): (readonly [number, Sample])[] => (sample === undefined ? [] : [[i * stepMs, sample]])),
      new Map(offsets.flatMap((offsetMs, i) => (offsetMs === undefined ? [] : [[i * stepMs, i * stepMs + offsetMs] as const]))),
    );
  }
}

type World = { readonly engine: Engine; readonly queryable: MemoryQueryable };

/** What went wrong, or undefined. */
async function evaluate(command: Evaluation, { engine, queryable }: World): Promise<string | undefined> {
  const { when, query } = command;
  if (when.kind === 'range') {
    const outcome = await engine.range(query, { queryable, startMs: when.startMs, endMs: when.endMs, stepMs: when.stepMs });
    return judge(command, outcome, (value) => compareRange(command, value));
  }
  const outcome = await engine.instant(query, { queryable, atMs: when.atMs });
  const verdict = judge(command, outcome, (value) => compareInstant(command, value));
  if (verdict !== undefined || !outcome.ok || outcome.value.value.kind !== 'vector' || command.expected.ordered) return verdict;
  return repeat(command, when.atMs, { engine, queryable });
}

/** The same answer is wanted from the middle of a range and from pinned selectors at other instants. */
async function repeat(command: Evaluation, atMs: number, { engine, queryable }: World): Promise<string | undefined> {
  if (!/\b(?:sort\w*|step|range|start|end)\s*\(/.test(command.query)) {
    const ranged = await engine.range(command.query, { queryable, startMs: atMs - MINUTE, endMs: atMs + MINUTE, stepMs: MINUTE });
    // The steps around it may have remarks of their own.
    const lenient = { ...command, expected: { ...command.expected, noWarn: false, noInfo: false } };
    const message = judge(lenient, ranged, (value) => compareInstant(command, middleOf(value, atMs)));
    if (message !== undefined) return `as the middle step of a range query: ${message}`;
  }
  const parsed = parseExpr(command.query);
  const pinned = parsed.ok ? pinSelectors(parsed.value, atMs) : undefined;
  if (pinned === undefined) return undefined;
  for (const otherMs of [0, atMs + 7 * MINUTE, 1_000_000_000]) {
    const moved = await engine.instant(pinned, { queryable, atMs: otherMs });
    const message = judge({ ...command, expected: { ...command.expected, warn: undefined, info: undefined } }, moved, (value) =>
      compareInstant(command, value),
    );
    if (message !== undefined) return `pinned and evaluated at ${otherMs / 1000}s: ${message}`;
    if (/\b(?:step|range)\s*\(/.test(command.query)) continue;
    const ranged = await engine.range(pinned, { queryable, startMs: otherMs - MINUTE, endMs: otherMs + MINUTE, stepMs: MINUTE });
    const inRange = ranged.ok ? compareInstant(command, middleOf(ranged.value.value, otherMs)) : ranged.error.message;
    if (inRange !== undefined) return `pinned as the middle step of a range query at ${otherMs / 1000}s: ${inRange}`;
  }
  return undefined;
}

function middleOf(value: Value, atMs: number): Value {
  if (value.kind !== 'matrix') return value;
  const elements = value.series.flatMap(({ labels, times, values, histograms }) => {
    const index = times.indexOf(atMs);
    const histogram = histograms?.[index];
    return index < 0 ? [] : [{ labels, atMs, value: values[index] ?? Number.NaN, ...(histogram === undefined ? {} : { histogram }) }];
  });
  return { kind: 'vector', elements };
}

function judge(command: Evaluation, outcome: Outcome, compare: (value: Value) => string | undefined): string | undefined {
  const { expected } = command;
  if (!outcome.ok) {
    if (expected.fail === undefined) return `failed: ${outcome.error.message}`;
    return failureMatches(expected.fail, outcome.error) ? undefined : `failed with another message: ${outcome.error.message}`;
  }
  if (expected.fail !== undefined) return `should fail, gave ${describe(outcome.value.value)}`;
  return judgeAnnotations(command, outcome.value) ?? compare(outcome.value.value);
}

function failureMatches(wanted: Text | true, error: PromqlError): boolean {
  return wanted === true || matchesText(wanted, error.message);
}

function matchesText(wanted: Text, text: string): boolean {
  if (wanted.kind === 'msg') return wanted.text === text;
  const regex = compileRegex(wanted.text);
  return regex.ok && regex.value.matchesPart(text);
}

function judgeAnnotations({ expected }: Evaluation, { warnings, infos }: QueryResult): string | undefined {
  for (const [name, wanted, refused, found] of [
    ['warning', expected.warn, expected.noWarn, warnings],
    ['info', expected.info, expected.noInfo, infos],
  ] as const) {
    if (refused && found.length > 0) return `unexpected ${name}: ${found.join('; ')}`;
    if (wanted !== undefined && found.length === 0) return `expected a ${name}`;
    const missing = Array.isArray(wanted) ? wanted.find((text) => !found.some((each) => matchesText(text, each))) : undefined;
    if (missing !== undefined) return `expected ${name} "${missing.text}", got: ${found.join('; ')}`;
  }
  return undefined;
}

function compareInstant(command: Evaluation, value: Value): string | undefined {
  const { expected, series, scalar } = command;
  if (expected.string !== undefined)
    return value.kind === 'string' && value.value === expected.string
      ? undefined
      : `expected the string ${expected.string}, got ${describe(value)}`;
  if (expected.matrix !== undefined) {
    if (value.kind !== 'matrix') return `expected a range vector, got ${describe(value)}`;
    return compareSeries(series, value.series, expected.matrix);
  }
  if (scalar !== undefined || value.kind === 'scalar') {
    const same = value.kind === 'scalar' && scalar !== undefined && almostEqual(value.value, scalar);
    return same ? undefined : `expected ${scalar ?? 'a vector'}, got ${describe(value)}`;
  }
  if (value.kind !== 'vector') return `expected an instant vector, got ${describe(value)}`;
  const { elements } = value;
  if (elements.length !== series.length) return `expected ${series.length} elements, got ${describe(value)}`;
  for (const [i, want] of series.entries()) {
    const key = labelsKey(want.labels);
    const at = elements.findIndex(({ labels }) => labelsKey(labels) === key);
    const got = elements[at];
    if (got === undefined) return `missing ${formatLabels(want.labels)} in ${describe(value)}`;
    if (expected.ordered && at !== i) return `${formatLabels(want.labels)} at place ${at} instead of ${i}`;
    const [sample] = want.samples;
    if (!matchesSample(sample, got.value, got.histogram))
      return `${formatLabels(want.labels)}: expected ${writtenText(sample)}, got ${sampleText(got.value, got.histogram)}`;
  }
  return undefined;
}

function compareRange(command: Evaluation, value: Value): string | undefined {
  if (value.kind !== 'matrix' || command.when.kind !== 'range') return `expected a range result, got ${describe(value)}`;
  return compareSeries(command.series, value.series, command.when);
}

type Steps = { readonly startMs: number; readonly stepMs: number };

function compareSeries(wanted: readonly ExpectedSeries[], got: readonly MatrixSeries[], { startMs, stepMs }: Steps): string | undefined {
  const byKey = new Map(got.map((series) => [labelsKey(series.labels), series]));
  for (const { labels, samples } of wanted) {
    const series = byKey.get(labelsKey(labels));
    const points = samples.flatMap((sample, i) =>
      sample === undefined || sample === 'stale' ? [] : [[startMs + i * stepMs, sample] as const],
    );
    if (series === undefined && points.length === 0) continue;
    if (series === undefined) return `missing ${formatLabels(labels)}`;
    const text = `${formatLabels(labels)}: expected ${points.map(([at, each]) => `${writtenText(each)}@${at / 1000}`).join(' ')}, got ${describeSeries(series)}`;
    if (series.times.length !== points.length) return text;
    for (const [i, [at, sample]] of points.entries())
      if (series.times[i] !== at || !matchesSample(sample, series.values[i] ?? Number.NaN, series.histograms?.[i])) return text;
    byKey.delete(labelsKey(labels));
  }
  const [extra] = byKey.values();
  return extra === undefined ? undefined : `unexpected ${formatLabels(extra.labels)}: ${describeSeries(extra)}`;
}

function matchesSample(wanted: Written | undefined, value: number, histogram: Histogram | undefined): boolean {
  if (typeof wanted === 'number') return histogram === undefined && almostEqual(value, wanted);
  return typeof wanted === 'object' && histogram !== undefined && almostEqualHistograms(wanted, histogram);
}

function almostEqualHistograms({ histogram: wanted, hintWritten }: WrittenHistogram, got: Histogram): boolean {
  if (hintWritten && wanted.hint !== got.hint) return false;
  if (wanted.schema !== got.schema || !almostEqualLists(wanted.bounds, got.bounds)) return false;
  const figures = (h: Histogram): readonly number[] => [h.count, h.sum, h.zeroCount, h.zeroThreshold];
  return (
    almostEqualLists(figures(wanted), figures(got)) &&
    almostEqualLists([...wanted.positive.indexes, ...wanted.positive.counts], [...got.positive.indexes, ...got.positive.counts]) &&
    almostEqualLists([...wanted.negative.indexes, ...wanted.negative.counts], [...got.negative.indexes, ...got.negative.counts])
  );
}

const almostEqualLists = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => almostEqual(value, b[i] ?? Number.NaN));

const writtenText = (sample: Written | undefined): string =>
  typeof sample === 'object' ? sampleText(0, sample.histogram) : typeof sample === 'number' ? formatValue(sample) : String(sample);

const sampleText = (value: number, histogram: Histogram | undefined): string =>
  histogram === undefined ? formatValue(value) : `schema ${histogram.schema} ${histogram.hint} ${formatHistogram(histogram)}`;

/** Equal within a millionth. */
function almostEqual(a: number, b: number): boolean {
  if (a !== a && b !== b) return true;
  if (a === b) return true;
  const difference = Math.abs(a - b);
  const sum = Math.abs(a) + Math.abs(b);
  if (a === 0 || b === 0 || sum < 2.3e-308) return difference < 1e-6 * 2.3e-308;
  return difference / Math.min(sum, Number.MAX_VALUE) < 1e-6;
}

const describeSeries = ({ times, values, histograms }: MatrixSeries): string =>
  Array.from(values, (each, i) => `${sampleText(each, histograms?.[i])}@${(times[i] ?? 0) / 1000}`).join(' ');

function describe(value: Value): string {
  switch (value.kind) {
    case 'scalar':
      return formatValue(value.value);
    case 'string':
      return JSON.stringify(value.value);
    case 'vector':
      return `[${value.elements.map((each) => `${formatLabels(each.labels)} ${sampleText(each.value, each.histogram)}`).join(', ')}]`;
    case 'matrix':
      return `[${value.series.map((each) => `${formatLabels(each.labels)} ${describeSeries(each)}`).join(', ')}]`;
  }
}
