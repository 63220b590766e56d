import { parseDuration } from '@nines/base/duration.ts';
import { parseInstant } from '@nines/base/instant.ts';
import { type Result, err, ok } from '@nines/base/result.ts';
import { MAX_POINTS, MAX_TIMEOUT_MS } from './contract.ts';

/** Parameters of a request, from the query string and a form body alike. */
export type Params = {
  /** The first value of a name; undefined when it is absent or empty, as in Prometheus. */
  get(name: string): string | undefined;
  all(name: string): readonly string[];
};

/** Body parameters come first, as Go's `Request.Form` has them. */
export function paramsOf(query: string, body: string): Params {
  const search = [new URLSearchParams(body), new URLSearchParams(query)];
  return {
    get(name) {
      const value = search.map((each) => each.get(name)).find((each) => each !== null);
      return value === undefined || value === null || value === '' ? undefined : value;
    },
    all: (name) => search.flatMap((each) => each.getAll(name)),
  };
}

/** The earliest and latest instants: as far as whole milliseconds go in a double; Prometheus' own bounds are as meaningless. */
const MIN_TIME_MS = -9_007_199_254_740_991;
const MAX_TIME_MS = 9_007_199_254_740_991;

/** Clients send these to mean "everything". Source: the same file, minTimeFormatted. */
const FAR: Readonly<Record<string, number>> = {
  '-292273086-05-16T16:47:06Z': MIN_TIME_MS,
  '292277025-08-18T07:12:54.999999999Z': MAX_TIME_MS,
};

/** An instant in milliseconds, refused in Prometheus' words. */
export function parseTime(text: string): Result<number, string> {
  const far = FAR[text];
  if (far !== undefined) return ok(far);
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed;
  return err(`cannot parse "${text}" to a valid timestamp${parsed.error.includes('milliseconds') ? `: ${parsed.error}` : ''}`);
}

/** A length in milliseconds: seconds with a fraction, or Prometheus' duration syntax. */
export function parseLength(text: string): Result<number, string> {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) {
    const lengthMs = Number(text) * 1000;
    return Number.isFinite(lengthMs) && Math.abs(lengthMs) < Number.MAX_SAFE_INTEGER
      ? ok(lengthMs)
      : err(`cannot parse "${text}" to a valid duration. It overflows int64`);
  }
  const parsed = parseDuration(text);
  return parsed.ok ? ok(parsed.value) : err(`cannot parse "${text}" to a valid duration`);
}

export type InstantParams = Common & { readonly query: string; readonly atMs: number };
export type RangeParams = Common & {
  readonly query: string;
  readonly startMs: number;
  readonly endMs: number;
  readonly stepMs: number;
  /** `nocache=1`: every step is evaluated anew. */
  readonly fresh: boolean;
};
export type Common = {
  readonly timeoutMs: number;
  readonly limit: number;
  readonly lookbackMs: number | undefined;
  /** What the query costs is answered too. */
  readonly stats: boolean;
};

const invalid = (name: string, reason: string): { readonly ok: false; readonly error: string } =>
  err(`invalid parameter "${name}": ${reason}`);

export function instantParams(params: Params, nowMs: number): Result<InstantParams, string> {
  const common = commonParams(params);
  if (!common.ok) return common;
  const time = timeParam(params, 'time', nowMs);
  if (!time.ok) return time;
  return ok({ ...common.value, query: params.get('query') ?? '', atMs: time.value });
}

export function rangeParams(params: Params): Result<RangeParams, string> {
  const common = commonParams(params);
  if (!common.ok) return common;
  const start = timeParam(params, 'start');
  if (!start.ok) return start;
  const end = timeParam(params, 'end');
  if (!end.ok) return end;
  if (end.value < start.value) return invalid('end', 'end timestamp must not be before start time');
  const step = parseLength(params.get('step') ?? '');
  if (!step.ok) return invalid('step', step.error);
  const stepMs = Math.round(step.value);
  if (step.value <= 0) return invalid('step', 'zero or negative query resolution step widths are not accepted. Try a positive integer');
  if (stepMs < 1) return invalid('step', 'a step below one millisecond is not accepted');
  if (Math.floor((end.value - start.value) / stepMs) > MAX_POINTS) {
    return err('exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)');
  }
  return ok({
    ...common.value,
    query: params.get('query') ?? '',
    startMs: start.value,
    endMs: end.value,
    stepMs,
    fresh: params.get('nocache') === '1',
  });
}

export const END_BEFORE_START = 'invalid parameter "end": end timestamp must not be before start time';

/** `[start, end]` of the metadata paths; everything by default. */
export function metaRange(params: Params): Result<{ readonly fromMs: number; readonly toMs: number }, string> {
  const start = timeParam(params, 'start', MIN_TIME_MS);
  if (!start.ok) return start;
  const end = timeParam(params, 'end', MAX_TIME_MS);
  if (!end.ok) return end;
  return end.value < start.value ? err(END_BEFORE_START) : ok({ fromMs: start.value, toMs: end.value });
}

/** 0 is no limit. */
export function limitParam(params: Params): Result<number, string> {
  const text = params.get('limit');
  if (text === undefined) return ok(0);
  return /^\d{1,15}$/.test(text) ? ok(Number(text)) : invalid('limit', `limit must be a non-negative number, found "${text}"`);
}

function commonParams(params: Params): Result<Common, string> {
  const limit = limitParam(params);
  if (!limit.ok) return limit;
  const timeout = params.get('timeout');
  const timeoutMs = timeout === undefined ? ok(MAX_TIMEOUT_MS) : parseLength(timeout);
  if (!timeoutMs.ok) return invalid('timeout', timeoutMs.error);
  const lookback = params.get('lookback_delta');
  const lookbackMs = lookback === undefined ? ok(undefined) : parseLength(lookback);
  if (!lookbackMs.ok) return invalid('lookback_delta', lookbackMs.error);
  return ok({
    timeoutMs: Math.min(MAX_TIMEOUT_MS, Math.max(0, timeoutMs.value)),
    limit: limit.value,
    lookbackMs: lookbackMs.value,
    // Any value asks for them, as in Prometheus.
    stats: params.get('stats') !== undefined,
  });
}

function timeParam(params: Params, name: string, fallbackMs?: number): Result<number, string> {
  const text = params.get(name);
  if (text === undefined && fallbackMs !== undefined) return ok(fallbackMs);
  const parsed = parseTime(text ?? '');
  if (parsed.ok) return parsed;
  return invalid(name, fallbackMs === undefined ? parsed.error : `Invalid time value for '${name}': ${parsed.error}`);
}

/** `U__` names of the label values path: `U__http_2e_status` is `http.status`. Source: prometheus/common model.UnescapeName. */
export function unescapeLabelName(name: string): string {
  if (!name.startsWith('U__')) return name;
  let failed = false;
  const plain = name.slice(3).replace(/__|_([0-9a-fA-F]{1,6})_|_/g, (found, code: string | undefined) => {
    if (found === '__') return '_';
    if (code === undefined || Number.parseInt(code, 16) > 0x10ffff) {
      failed = true;
      return found;
    }
    return String.fromCodePoint(Number.parseInt(code, 16));
  });
  return failed ? name : plain;
}
