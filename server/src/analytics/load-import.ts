import { messageOf } from '@nines/base/errors.ts';
import { ok } from '@nines/base/result.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { type Answer, refuse } from '@nines/maths/stats/refusal.ts';

/** Pure: results of load tests of other tools become points of concurrency and throughput. */

export type LoadResults = {
  /** What wrote them. */
  readonly source: 'k6 summary' | 'k6 csv' | 'jmeter';
  /** In the order of time. */
  readonly points: readonly (readonly [concurrency: number, throughput: number])[];
  /** Share of requests that failed. */
  readonly errors: number;
  readonly notes: readonly string[];
};

/** Requests are counted over so long; the first and the last of these are cut off and are left out. */
const BIN_S = 10;
/** A test that is shorter than this is divided more finely. */
const LEAST_BINS = 12;
const MAX_LINES = 2_000_000;
/** Stretches of time that one test may have: two days. */
const MAX_BINS = 20_000;
/** Summaries taken at a time. */
const MAX_SUMMARIES = 10_000;
/** A longer line is none of a result. */
const MAX_LINE = 10_000;

/** Reads the summary of k6 (one JSON object, several in a list or one a line), its CSV, or a JTL of JMeter (CSV with a header). */
export function pointsOfResults(text: string): Answer<LoadResults> {
  const start = text.trimStart();
  if (start === '') return refuse('empty', 'the file is empty');
  if (start.startsWith('{') || start.startsWith('[')) return fromSummaries(start);
  const header = fieldsOf(start.slice(0, lineEnd(start, 0)));
  if (header.includes('metric_name')) return fromK6Csv(start, header);
  if (header.includes('timeStamp') && header.includes('elapsed')) return fromJmeter(start, header);
  return refuse(
    'unknown_format',
    'neither a summary of k6 (JSON), nor its CSV (a column metric_name), nor a JTL of JMeter as CSV with its header (timeStamp, elapsed)',
  );
}

function fromSummaries(text: string): Answer<LoadResults> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (thrown) {
    try {
      parsed = text
        .trim()
        .split('\n')
        .map((line): unknown => JSON.parse(line));
    } catch {
      return refuse('not_json', `the summary is not JSON: ${messageOf(thrown)}`);
    }
  }
  const all = [parsed].flat();
  if (all.length > MAX_SUMMARIES) return refuse('too_large', `${all.length} summaries, the limit is ${MAX_SUMMARIES}`);
  const points: [number, number][] = [];
  let failed = 0;
  for (const [index, one] of all.entries()) {
    const rate = figureOf(one, 'http_reqs', 'rate');
    const seconds = figureOf(one, 'http_req_duration', 'avg') / 1000;
    if (!(rate > 0 && seconds > 0))
      return refuse('not_k6', `summary ${index + 1} of ${all.length} has no metrics http_reqs (rate) and http_req_duration (avg)`);
    // By Little's law: users that think between requests are not in the system.
    points.push([rate * seconds, rate]);
    const share = figureOf(one, 'http_req_failed', 'rate');
    failed += (Number.isFinite(share) ? share : figureOf(one, 'http_req_failed', 'value') || 0) / all.length;
  }
  const notes = all.length === 1 ? ['a summary is one point: run the test at several loads and bring all summaries, or the CSV'] : [];
  return ok({ source: 'k6 summary', points, errors: failed, notes });
}

/** `handleSummary` has figures under `values`, `--summary-export` beside the name. */
function figureOf(summary: unknown, metric: string, figure: string): number {
  const step = (value: unknown, key: string): unknown =>
    typeof value === 'object' && value !== null && Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
  const found = step(step(summary, 'metrics'), metric);
  return Number(step(step(found, 'values'), figure) ?? step(found, figure) ?? Number.NaN);
}

type Request = { readonly endMs: number; readonly elapsedMs: number; readonly ok: boolean };

function fromK6Csv(text: string, header: readonly string[]): Answer<LoadResults> {
  const [name, time, value, failed] = ['metric_name', 'timestamp', 'metric_value', 'expected_response'].map((column) =>
    header.indexOf(column),
  ) as [number, number, number, number];
  if (time < 0 || value < 0) return refuse('bad_header', 'the columns timestamp and metric_value are missing');
  return fromRequests(text, 'k6 csv', (fields) => {
    if (fields[name] !== 'http_req_duration') return undefined;
    const at = Number(fields[time]);
    // Seconds, or with another K6_CSV_TIME_FORMAT milliseconds and finer.
    const endMs = at < 1e11 ? at * 1e3 : at < 1e14 ? at : at < 1e17 ? at / 1e3 : at / 1e6;
    return { endMs, elapsedMs: Number(fields[value]), ok: failed < 0 || fields[failed] !== 'false' };
  });
}

function fromJmeter(text: string, header: readonly string[]): Answer<LoadResults> {
  const [time, elapsed, success] = ['timeStamp', 'elapsed', 'success'].map((column) => header.indexOf(column)) as [number, number, number];
  return fromRequests(text, 'jmeter', (fields) => {
    const elapsedMs = Number(fields[elapsed]);
    return { endMs: Number(fields[time]) + elapsedMs, elapsedMs, ok: success < 0 || fields[success] !== 'false' };
  });
}

/** Throughput and, from the time that requests spent, the mean number under way in each stretch of time. */
function fromRequests(
  text: string,
  source: LoadResults['source'],
  read: (fields: readonly string[]) => Request | undefined,
): Answer<LoadResults> {
  const requests: Request[] = [];
  let [lines, bad, from] = [0, 0, lineEnd(text, 0) + 1];
  while (from < text.length) {
    const to = lineEnd(text, from);
    const line = text.slice(from, to);
    from = to + 1;
    if (line.trim() === '') continue;
    lines += 1;
    if (lines > MAX_LINES) return refuse('too_large', `more than ${MAX_LINES} lines: bring a part of the test, or a coarser result`);
    const one = read(fieldsOf(line));
    if (one === undefined) continue;
    if (one.endMs > 0 && one.elapsedMs >= 0 && Number.isFinite(one.endMs + one.elapsedMs)) requests.push(one);
    else bad += 1;
  }
  if (requests.length === 0) return refuse('empty', `none of ${lines} lines is a request with its time and duration`);
  const startMs = requests.reduce((least, { endMs, elapsedMs }) => Math.min(least, endMs - elapsedMs), Number.POSITIVE_INFINITY);
  const endMs = requests.reduce((most, one) => Math.max(most, one.endMs), 0);
  const binMs = Math.max(1, Math.min(BIN_S * 1000, (endMs - startMs) / LEAST_BINS));
  const bins = Math.max(1, Math.floor((endMs - startMs) / binMs));
  if (bins > MAX_BINS) {
    const days = (endMs - startMs) / DAY_MS;
    return refuse(
      'too_long',
      `the requests are spread over ${Number(days.toPrecision(3))} days, a test may take two: are all times of one unit?`,
    );
  }
  const [done, busy, whole] = [new Float64Array(bins), new Float64Array(bins), new Float64Array(bins)];
  for (const { endMs: at, elapsedMs } of requests) {
    const last = Math.min(bins - 1, Math.floor((at - startMs) / binMs));
    done[last] = (done[last] ?? 0) + 1;
    const first = Math.min(last, Math.max(0, Math.floor((at - elapsedMs - startMs) / binMs)));
    // What it spends whole stretches in is noted at its ends: requests of hours would be followed through thousands.
    if (last > first) {
      whole[first + 1] = (whole[first + 1] ?? 0) + 1;
      whole[last] = (whole[last] ?? 0) - 1;
    }
    for (const bin of last > first ? [first, last] : [first]) {
      const inside = Math.min(at, startMs + (bin + 1) * binMs) - Math.max(at - elapsedMs, startMs + bin * binMs);
      busy[bin] = (busy[bin] ?? 0) + Math.max(0, inside);
    }
  }
  for (let bin = 0, under = 0; bin < bins; bin++) {
    under += whole[bin] ?? 0;
    busy[bin] = (busy[bin] ?? 0) + under * binMs;
  }
  const points = Array.from(done, (count, bin): [number, number] => [(busy[bin] ?? 0) / binMs, (count * 1000) / binMs]).slice(1, -1);
  const notes = bad > 0 ? [`${bad} lines could not be read`] : [];
  return ok({ source, points, errors: requests.filter((one) => !one.ok).length / requests.length, notes });
}

function lineEnd(text: string, from: number): number {
  const found = text.indexOf('\n', from);
  return found < 0 ? text.length : found;
}

/** Fields of one line of CSV; a quoted field holds commas, and quotes twice. */
function fieldsOf(line: string): readonly string[] {
  const own = line.endsWith('\r') ? line.slice(0, -1) : line;
  if (own.length > MAX_LINE) return [];
  if (!own.includes('"')) return own.split(',');
  return [...own.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)].map(([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? '');
}
