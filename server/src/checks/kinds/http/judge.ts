import type { EpochMs } from '@nines/base/units.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeCertificate, judgeLength, matchesPart } from '../../evaluate.ts';
import { findByPath, parseJsonPath } from './json-path.ts';
import type { JsonExpectation } from './spec.ts';
import { scrubbedStart } from '../../../platform/scrub.ts';

/** Characters of a value that a failure tells. */
const MAX_VALUE_CHARS = 200;

/** What an HTTP exchange brought back. */
export type HttpAnswer = {
  readonly statusCode: number;
  /** Lower-case names; repeated headers joined with a comma. */
  readonly headers: Readonly<Record<string, string>>;
  /** What was read of the body, at most the limit. */
  readonly body: string;
  readonly bodyCut: boolean;
  readonly certificateExpiresAtMs: EpochMs | undefined;
};

/** Judges an answer against everything the check expects: first what makes it fail, in the order of the exchange, then what degrades it. */
export function judgeHttp(spec: SpecOf<'http'>, answer: HttpAnswer, at: { readonly nowMs: EpochMs; readonly durationMs: number }): Outcome {
  const { expect } = spec;
  const expected = expect.status ?? (spec.follow_redirects ? ['2xx'] : ['2xx', '3xx']);
  if (!expected.some((one) => statusFits(one, answer.statusCode))) {
    return down('status', `status ${answer.statusCode}, expected ${expected.join(', ')}`);
  }
  for (const [name, source] of Object.entries(expect.headers ?? {})) {
    const value = answer.headers[name.toLowerCase()];
    if (value === undefined) return down('header', `the header ${name} is missing`);
    if (!matchesPart(source, value))
      return down('header', `the header ${name} is "${scrubbedStart(value, 100)}", expected a match of ${source}`);
  }
  const cut = answer.bodyCut ? ' (in the part that was read)' : '';
  if (expect.body_contains !== undefined && !answer.body.includes(expect.body_contains)) {
    return down('body', `the body does not contain "${expect.body_contains}"${cut}`);
  }
  if (expect.body_matches !== undefined && !matchesPart(expect.body_matches, answer.body)) {
    return down('body_regex', `the body does not match ${expect.body_matches}${cut}`);
  }
  const unfit = judgeJson(expect.json ?? [], answer.body, cut);
  return (
    unfit ??
    judgeCertificate(expect.certificate_valid_for, { nowMs: at.nowMs, untilMs: answer.certificateExpiresAtMs }) ??
    judgeLength(spec.degraded_after, at.durationMs)
  );
}

/** Why the values of a JSON body are not what was expected; undefined when they are. */
function judgeJson(expected: readonly JsonExpectation[], body: string, cut: string): Outcome | undefined {
  if (expected.length === 0) return undefined;
  let document: unknown;
  try {
    document = JSON.parse(body);
  } catch (thrown) {
    return down('json', `the body is not JSON: ${messageOf(thrown)}${cut}`);
  }
  for (const one of expected) {
    const path = parseJsonPath(one.path);
    const found = path.ok ? findByPath(document, path.value) : [];
    if (one.exists && found.length === 0) return down('json', `nothing at ${one.path}`);
    for (const value of found) {
      const wanted = one.exists ? unmet(one, value) : 'nothing there';
      if (wanted !== undefined)
        return down('json', `${one.path} is ${scrubbedStart(JSON.stringify(value), MAX_VALUE_CHARS)}, expected ${wanted}`);
    }
  }
  return undefined;
}

/** What `value` should have been; undefined when it is that. */
function unmet({ equals, matches, min, max }: JsonExpectation, value: unknown): string | undefined {
  if (equals !== undefined && value !== equals) return JSON.stringify(equals);
  if (matches !== undefined && !matchesPart(matches, typeof value === 'string' ? value : JSON.stringify(value)))
    return `a match of ${matches}`;
  if (min === undefined && max === undefined) return undefined;
  if (typeof value !== 'number') return 'a number';
  if (min !== undefined && value < min) return `at least ${min}`;
  return max !== undefined && value > max ? `at most ${max}` : undefined;
}

const statusFits = (expected: number | string, status: number): boolean =>
  typeof expected === 'number' ? expected === status : expected.charAt(0) === String(status).charAt(0);
