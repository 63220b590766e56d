import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Nines, startNines } from '../harness/nines.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { writeTo } from '../harness/remote-write.ts';
import { ask, difference, orderDifference } from './differential/answers.ts';
import { SAMPLES, STEP_MS, randomSeries } from './differential/data.ts';
import { Expressions, type Node, simpler, textOf } from './differential/expressions.ts';
import { randomFrom } from './differential/random.ts';
import { reasonFor } from './differential/versions.ts';

/**
 * Random expressions over random data, answered by us and by a real Prometheus: the same status, error type, result type, series
 * and values within 1e-9. `NINES_FULL=1` asks forty times as many; `NINES_SEED` begins elsewhere.
 */
const SEED = Number(process.env['NINES_SEED'] ?? 2_042);
const EXPRESSIONS = process.env['NINES_FULL'] === '1' ? 20_000 : 500;
const DEPTH = 4;
/** Requests under way at a time. */
const PARALLEL = 6;
/** Simpler expressions tried for one that fails. */
const MAX_TRIES = 400;

type When = { readonly path: 'query' | 'query_range'; readonly params: Readonly<Record<string, string>> };
type Question = { readonly node: Node; readonly when: When };

let nines: Nines;
let prometheus: Prometheus;
let endMs = 0;
const random = randomFrom(SEED);

before(async () => {
  [nines, prometheus] = await Promise.all([startNines(), startPrometheus()]);
  const fromMs = (Math.floor(Date.now() / STEP_MS) - SAMPLES) * STEP_MS;
  endMs = fromMs + (SAMPLES - 1) * STEP_MS;
  await writeTo([nines.base, prometheus.base], randomSeries(random, fromMs));
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await prometheus?.[Symbol.asyncDispose]();
});

const SORTS = /^(sort|sort_desc|topk|bottomk)\(/;

async function differenceAt(query: string, { path, params }: When): Promise<string | undefined> {
  const [ours, theirs] = await Promise.all([nines.base, prometheus.base].map((base) => ask(base, path, { query, ...params })));
  assert.ok(ours !== undefined && theirs !== undefined);
  return difference(ours, theirs) ?? (path === 'query' && SORTS.test(query) ? orderDifference(ours, theirs) : undefined);
}

/** The simplest expression that still differs, and how. */
async function shrink({ node, when }: Question): Promise<{ readonly query: string; readonly found: string }> {
  let smallest = node;
  let found = (await differenceAt(textOf(node), when)) ?? 'the difference did not show again';
  let tries = 0;
  for (let again = true; again && tries < MAX_TRIES; ) {
    again = false;
    for (const candidate of simpler(smallest)) {
      if (textOf(candidate).length >= textOf(smallest).length || ++tries > MAX_TRIES) continue;
      const still = await differenceAt(textOf(candidate), when);
      if (still === undefined) continue;
      [smallest, found, again] = [candidate, still, true];
      break;
    }
  }
  return { query: textOf(smallest), found };
}

function questions(): readonly Question[] {
  const expressions = new Expressions(random, endMs / 1000);
  return Array.from({ length: EXPRESSIONS }, () => {
    const node = expressions.any(DEPTH);
    const at = (endMs - random.below(1500) * 1000 + 300) / 1000;
    const range = { start: String(at - 900), end: String(at), step: '37' };
    return [
      { node, when: { path: 'query', params: { time: String(at) } } },
      { node, when: { path: 'query_range', params: range } },
    ] as const;
  }).flat();
}

test(`${EXPRESSIONS} random expressions have Prometheus' answers, at an instant and over a range (seed ${SEED})`, async () => {
  const asked = questions();
  const failed: Question[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let question = asked[next++]; question !== undefined; question = asked[next++])
      if ((await differenceAt(textOf(question.node), question.when)) !== undefined) failed.push(question);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  const unexplained: string[] = [];
  for (const question of failed) {
    const { query, found } = await shrink(question);
    if (reasonFor(query, found) === undefined)
      unexplained.push(`${question.when.path} ${JSON.stringify(question.when.params)} ${query}\n  ours against theirs: ${found}`);
  }
  assert.deepEqual(unexplained, []);
  // Were most of them errors or known differences, the test would say little.
  assert.ok(failed.length < asked.length / 20, `${failed.length} of ${asked.length} differ in known ways`);
});
