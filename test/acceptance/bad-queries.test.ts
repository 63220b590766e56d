import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** Queries that nobody should wait for: each ends with the type and status of Prometheus, and none of them takes memory with it. */
const SERIES = 500;
const SAMPLES = 60;
const STEP_MS = 15_000;
/** What the process may grow by over all refusals together: below the size of the largest body that is sent. */
const MAX_GROWTH_MB = 150;

type Refusal = { readonly status: string; readonly errorType: string; readonly error: string };

let nines: Nines;
let nowMs = 0;

before(async () => {
  nines = await startNines();
  nowMs = Math.floor(Date.now() / STEP_MS) * STEP_MS;
  const series = Array.from({ length: SERIES }, (_, i) => ({
    labels: { __name__: 'm', i: `${'a'.repeat(40)}${i}` },
    samples: Array.from({ length: SAMPLES }, (_, n) => [nowMs - (SAMPLES - n) * STEP_MS, n] as const),
  }));
  const answer = await fetch(`${nines.base}/api/v1/write`, {
    method: 'POST',
    headers: WRITE_HEADERS,
    body: new Uint8Array(writeBody(series)),
  });
  assert.ok(answer.ok, await answer.text());
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
});

type Asked = { readonly code: number; readonly body: Refusal };

async function ask(path: string, params: Readonly<Record<string, string>>): Promise<Asked> {
  const response = await fetch(`${nines.base}/api/v1/${path}`, { method: 'POST', body: new URLSearchParams(params) });
  return { code: response.status, body: (await response.json()) as Refusal };
}
const instant = (query: string, more: Readonly<Record<string, string>> = {}): Promise<Asked> =>
  ask('query', { query, time: String(nowMs / 1000), ...more });
const range = (query: string, more: Readonly<Record<string, string>> = {}): Promise<Asked> =>
  ask('query_range', { query, start: String(nowMs / 1000 - 600), end: String(nowMs / 1000), step: '15', ...more });

const residentMb = (): number => {
  const [, kb = '0'] = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${nines.child.pid}/status`, 'utf8')) ?? [];
  return Number(kb) / 1024;
};

type Case = {
  readonly what: string;
  readonly ask: () => Promise<Asked>;
  readonly code: number;
  readonly type: string;
  readonly error: RegExp;
};
const refused = (what: string, run: () => Promise<Asked>, [code, type]: readonly [number, string], error: RegExp): Case => ({
  what,
  ask: run,
  code,
  type,
  error,
});
const BAD_DATA = [400, 'bad_data'] as const;
const EXECUTION = [422, 'execution'] as const;
const many = 100_000;

const CASES: readonly Case[] = [
  refused('10 MB of text', () => instant(`m{i="${'x'.repeat(10_000_000)}"}`), [413, 'bad_data'], /larger than|too large|1048576|MiB/i),
  refused('100 000 parentheses', () => instant(`${'('.repeat(many)}1${')'.repeat(many)}`), BAD_DATA, /nested deeper than 500 levels/),
  refused('100 000 signs', () => instant(`${'-'.repeat(many)}1`), BAD_DATA, /nested deeper than 500 levels/),
  refused('100 000 operators', () => instant(`1${'+1'.repeat(many)}`), BAD_DATA, /more than 1000 binary operators/),
  refused('100 000 unclosed calls', () => instant('abs('.repeat(many)), BAD_DATA, /nested deeper than 500 levels/),
  refused('a long pattern', () => instant(`m{i=~"${'a|'.repeat(20_000)}"}`), BAD_DATA, /longer than 32768 characters/),
  refused('a pattern that repeats itself', () => instant('m{i=~"((a{100}){100}){100}"}'), BAD_DATA, /invalid regular expression/),
  refused(
    'a pattern nested without end',
    () => instant(`m{i=~"${'('.repeat(16_000)}a${')'.repeat(16_000)}"}`),
    BAD_DATA,
    /invalid regular expression/,
  ),
  refused(
    'a billion points',
    () => range('m', { start: '0', end: '1000000000', step: '1' }),
    BAD_DATA,
    /exceeded maximum resolution of 11,000 points/,
  ),
  refused('a step that is no number', () => range('m', { step: 'NaN' }), BAD_DATA, /invalid parameter "step"/),
  refused('an endless step', () => range('m', { step: '1e300' }), BAD_DATA, /invalid parameter "step"/),
  refused('a step of nothing', () => range('m', { step: '0' }), BAD_DATA, /zero or negative query resolution step/),
  refused('a time beyond all times', () => instant('m', { time: '1e300' }), BAD_DATA, /invalid parameter "time"/),
  refused('a duration beyond all durations', () => instant('rate(m[99999999999999999y])'), BAD_DATA, /duration/),
  refused('an offset beyond all durations', () => instant('m offset 9223372036854775807'), BAD_DATA, /duration/),
  refused('a range that overflows when it is worked out', () => instant('rate(m[1y ^ 1y])'), BAD_DATA, /duration out of range/),
  refused('an @ beyond all times', () => instant('m @ 1e300'), BAD_DATA, /timestamp out of bounds/),
  refused('an @ that is no number', () => instant('m @ NaN'), BAD_DATA, /timestamp out of bounds/),
  refused(
    'a subquery of a year by the millisecond',
    () => instant('sum_over_time(m[1y:1ms])'),
    EXECUTION,
    /a subquery of \d+ steps is longer than the 3200000 allowed/,
  ),
  refused(
    'subqueries within subqueries',
    () => instant('sum_over_time(sum_over_time(m[20d:1s])[20d:1s])'),
    EXECUTION,
    /longer than the 3200000 allowed/,
  ),
  refused(
    'wide windows at every step',
    () => instant('sum_over_time(quantile_over_time(0.5, vector(1)[15d:1s])[15d:1s])'),
    EXECUTION,
    /more than the 50000000 allowed/,
  ),
  refused('more samples than may be held', () => instant('quantile(0.5, max_over_time(m[10d:1s]))'), EXECUTION, /too many samples/),
  refused('no time at all', () => instant('m', { timeout: '0s' }), [503, 'timeout'], /timed out/),
];

describe('a query that asks too much', () => {
  for (const { what, ask: run, code, type, error } of CASES)
    it(`${what} is refused`, async () => {
      const answer = await run();
      assert.deepEqual([answer.code, answer.body.errorType], [code, type], answer.body.error?.slice(0, 300));
      assert.match(answer.body.error, error);
    });

  it('takes no memory with it, however often it comes', async () => {
    // Each has been asked once: what is kept for good is there.
    const beforeMb = residentMb();
    await Promise.all(CASES.map((each) => each.ask()));
    const grownMb = residentMb() - beforeMb;
    assert.ok(grownMb < MAX_GROWTH_MB, `${grownMb.toFixed(0)} MB more than before`);
    assert.equal((await instant('count(m)')).code, 200);
  });
});

describe('a pattern that would take an exponential engine for ever', () => {
  for (const pattern of ['(a+)+b', '(a|aa)+b', '(a|a?)+b', '(.*a){20}b', '((a*)*)*b', '(a+){10}(a+){10}b', '(x+x+)+y', '(?:a?){40}a{40}b'])
    it(`${pattern} is matched with every label value at once`, async () => {
      const answer = await instant(`count(m{i=~"${pattern}"} or m{i!~"${pattern}"})`);
      assert.equal(answer.code, 200, answer.body.error);
    });
});

it('a client that hangs up stops its query, and leaves its place to the next', async () => {
  // More than may run at a time, each of which would take long.
  const asked = Array.from({ length: 25 }, () => {
    const url = new URL(`${nines.base}/api/v1/query`);
    url.search = new URLSearchParams({
      query: 'sum(sum_over_time(sum_over_time(m[1h:1s])[1h:1s]))',
      time: String(nowMs / 1000),
    }).toString();
    const sent = request(url);
    sent.on('error', () => undefined);
    sent.end();
    return sent;
  });
  await Promise.all(asked.map((sent) => new Promise((resolve) => sent.once('socket', (socket) => socket.once('connect', resolve)))));
  for (const sent of asked) sent.destroy();
  await poll('an answer from a server without work', async () => (await instant('count(m)')).code === 200);
});
