import { parseDuration } from '@nines/base/duration.ts';
import { messageOf } from '@nines/base/errors.ts';
import { type Labels, labelsKey } from '@nines/model/labels.ts';
import { unquote } from '../src/strings.ts';
import type { Sample } from '../src/memory-queryable.ts';
import { type NotedSeries, numberOf, parseSeries } from '../src/series-notation.ts';

/**
 * The mini-language of PromQL test scripts: `load`, `clear` and `eval` with what is expected of it. A command reaches to the
 * next empty line; a comment counts as an empty line.
 */
export type LoadedSeries = { readonly labels: Labels; readonly samples: readonly (Sample | undefined)[] };
export type Text = { readonly kind: 'msg' | 'regex'; readonly text: string };
export type Expectation = {
  fail: Text | true | undefined;
  warn: Text[] | true | undefined;
  info: Text[] | true | undefined;
  noWarn: boolean;
  noInfo: boolean;
  ordered: boolean;
  string: string | undefined;
  matrix: { readonly startMs: number; readonly endMs: number; readonly stepMs: number } | undefined;
};
export type ExpectedSeries = NotedSeries;

export type When =
  | { readonly kind: 'instant'; readonly atMs: number }
  | { readonly kind: 'range'; readonly startMs: number; readonly endMs: number; readonly stepMs: number };
export type Command =
  | { readonly kind: 'clear'; readonly line: number }
  | {
      readonly kind: 'load';
      readonly line: number;
      readonly stepMs: number;
      readonly series: readonly LoadedSeries[];
      /** By label key: since when each sample counts, as milliseconds from its own time. */
      readonly starts: ReadonlyMap<string, readonly (number | undefined)[]>;
      /** Classic histograms become native ones with custom buckets as well. */
      readonly withCustomBuckets: boolean;
    }
  | {
      readonly kind: 'eval';
      readonly line: number;
      readonly when: When;
      readonly query: string;
      readonly expected: Expectation;
      readonly scalar: number | undefined;
      readonly series: readonly ExpectedSeries[];
    };

/** What is wrong with a script, and where. */
export class ScriptError extends Error {
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.name = 'ScriptError';
    this.line = line;
  }
}

type Line = { readonly number: number; readonly text: string };

export function parseScript(script: string): readonly Command[] {
  const commands: Command[] = [];
  const lines = script.split('\n').map((raw, i) => ({ number: i + 1, text: raw.trim().startsWith('#') ? '' : raw.trim() }));
  let at = 0;
  while (at < lines.length) {
    const head = lines[at];
    at++;
    if (head === undefined || head.text === '') continue;
    if (/^clear$/i.test(head.text)) {
      commands.push({ kind: 'clear', line: head.number });
      continue;
    }
    const body: Line[] = [];
    for (let next = lines[at]; next !== undefined && next.text !== ''; next = lines[++at]) body.push(next);
    if (head.text.startsWith('load')) commands.push(parseLoad(head, body));
    else if (head.text.startsWith('eval')) commands.push(parseEval(head, body));
    else throw new ScriptError(head.number, `unknown command: ${head.text}`);
  }
  return commands;
}

function durationMs(text: string, line: number): number {
  const negative = text.startsWith('-');
  const parsed = parseDuration(negative ? text.slice(1) : text);
  if (!parsed.ok) throw new ScriptError(line, parsed.error);
  const length: number = parsed.value;
  return negative ? -length : length;
}

function parseLoad(head: Line, body: readonly Line[]): Command {
  const step = /^load(?:_with_nhcb)?\s+(\S+)$/.exec(head.text)?.[1];
  if (step === undefined) throw new ScriptError(head.number, `invalid load command: ${head.text}`);
  const starts = new Map<string, readonly (number | undefined)[]>();
  const series: LoadedSeries[] = [];
  for (const line of body) {
    const [, name, offsets] = /^(.*?)@st\s+(.*)$/.exec(line.text) ?? [];
    if (name !== undefined && offsets !== undefined) {
      const { labels } = atLine(line.number, () => parseSeries(name));
      starts.set(
        labelsKey(labels),
        offsets
          .trim()
          .split(/\s+/)
          .flatMap((item) => offsetsOf(item, line.number)),
      );
      continue;
    }
    const { labels, samples } = atLine(line.number, () => parseSeries(line.text));
    series.push({ labels, samples: samples.map((sample) => (typeof sample === 'object' ? sample.histogram : sample)) });
  }
  const withCustomBuckets = head.text.startsWith('load_with_nhcb');
  return { kind: 'load', line: head.number, stepMs: durationMs(step, head.number), series, starts, withCustomBuckets };
}

/** `-1mx3`: the same four times; `-30s-1mx2`: thirty seconds, then one minute more each time; `_`: nothing. */
const OFFSET = /^([+-]?)((?:\d+(?:ms|[smhd]))+|0)(?:([+-])((?:\d+(?:ms|[smhd]))+))?(?:x(\d+))?$/;

function offsetsOf(item: string, line: number): readonly (number | undefined)[] {
  const gap = /^_(?:x(\d+))?$/.exec(item);
  if (gap !== null) return Array.from({ length: Number(gap[1] ?? 1) }, () => undefined);
  const [, sign, first, changeSign, change, times] = OFFSET.exec(item) ?? [];
  if (first === undefined) throw new ScriptError(line, `not a start timestamp: ${item}`);
  const lengthOf = (text: string): number => (text === '0' ? 0 : durationMs(text, line));
  const start = lengthOf(first) * (sign === '-' ? -1 : 1);
  const delta = change === undefined ? 0 : lengthOf(change) * (changeSign === '-' ? -1 : 1);
  return Array.from({ length: Number(times ?? 0) + 1 }, (_, i) => start + i * delta);
}

const INSTANT = /^eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(\S+)\s+)?(.+)$/i;
const RANGE = /^eval(?:_(fail|warn|ordered|info))?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)\s+(.+)$/i;

function parseEval(head: Line, body: readonly Line[]): Command {
  const range = RANGE.exec(head.text);
  const instant = range === null ? INSTANT.exec(head.text) : null;
  const [, old, from = '0', to = '0', step = '0', rangeQuery = ''] = range ?? [];
  const [, oldInstant, at = '0', instantQuery = ''] = instant ?? [];
  if (range === null && instant === null) throw new ScriptError(head.number, `invalid eval command: ${head.text}`);
  const when: When =
    range === null
      ? { kind: 'instant', atMs: durationMs(at, head.number) }
      : {
          kind: 'range',
          startMs: durationMs(from, head.number),
          endMs: durationMs(to, head.number),
          stepMs: durationMs(step, head.number),
        };
  const expected = emptyExpectation(old ?? oldInstant);
  const series: ExpectedSeries[] = [];
  let scalar: number | undefined;
  for (const line of body) {
    if (/^expect(ed_fail|\s)/.test(line.text)) addExpectation(expected, line);
    else if (/^[+-]?(?:\d|\.\d|inf$|nan$)/i.test(line.text)) scalar = atLine(line.number, () => numberOf(line.text));
    else series.push(atLine(line.number, () => parseSeries(line.text)));
  }
  return { kind: 'eval', line: head.number, when, query: range === null ? instantQuery : rangeQuery, expected, scalar, series };
}

function emptyExpectation(old: string | undefined): Expectation {
  return {
    fail: old === 'fail' ? true : undefined,
    warn: old === 'warn' ? true : undefined,
    info: old === 'info' ? true : undefined,
    noWarn: false,
    noInfo: false,
    ordered: old === 'ordered',
    string: undefined,
    matrix: undefined,
  };
}

function addExpectation(expected: Expectation, { number, text }: Line): void {
  const old = /^expected_fail_(message|regexp)\s+(.+)$/.exec(text);
  if (old !== null) {
    expected.fail = { kind: old[1] === 'message' ? 'msg' : 'regex', text: old[2] ?? '' };
    return;
  }
  const literal = /^expect\s+string\s+(.+)$/.exec(text)?.[1];
  if (literal !== undefined) {
    const value = unquote(literal);
    if (!value.ok) throw new ScriptError(number, value.error);
    expected.string = value.value;
    return;
  }
  const matrix = /^expect\s+range\s+vector\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+)$/.exec(text);
  if (matrix !== null) {
    const [startMs = 0, endMs = 0, stepMs = 0] = matrix.slice(1).map((each) => durationMs(each, number));
    expected.matrix = { startMs, endMs, stepMs };
    return;
  }
  const [, kind = '', form, wanted = ''] =
    /^expect\s+(fail|warn|info|no_warn|no_info|ordered)(?:\s+(msg|regex)\s*:(.*))?$/.exec(text) ?? [];
  const condition: Text | undefined = form === 'msg' || form === 'regex' ? { kind: form, text: wanted.trim() } : undefined;
  if (kind === 'fail') expected.fail = condition ?? true;
  else if (kind === 'warn')
    expected.warn = condition === undefined ? (expected.warn ?? true) : [...(Array.isArray(expected.warn) ? expected.warn : []), condition];
  else if (kind === 'info')
    expected.info = condition === undefined ? (expected.info ?? true) : [...(Array.isArray(expected.info) ? expected.info : []), condition];
  else if (kind === 'no_warn') expected.noWarn = true;
  else if (kind === 'no_info') expected.noInfo = true;
  else if (kind === 'ordered') expected.ordered = true;
  else throw new ScriptError(number, `unknown expectation: ${text}`);
}

/** A fault of the notation, with its line. */
function atLine<T>(line: number, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    throw new ScriptError(line, messageOf(thrown));
  }
}
