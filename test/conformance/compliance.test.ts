import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parse } from 'yaml';
import { HOUSE, type Nines, startNines } from '../harness/nines.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { writeTo } from '../harness/remote-write.ts';
import { ask, difference } from './differential/answers.ts';
import { demoSeries, SCRAPE_MS } from './differential/demo.ts';
import { reasonFor } from './differential/versions.ts';

/**
 * The queries of the PromQL compliance suite (github.com/prometheus/compliance), each with every value of its variables, answered by
 * us and by a real Prometheus over the same samples, at an instant and over a range. The list is not part of the product: without it
 * this says so and tests nothing.
 */
const PLACES = [process.env['NINES_CONFORMANCE'] ?? '', join(HOUSE, '../shared/conformance')];
const FILE = PLACES.map((place) => join(place, 'queries/promql-compliance.yml')).find((file) => existsSync(file));
const skip = FILE === undefined ? 'queries/promql-compliance.yml is not there (NINES_CONFORMANCE names its folder)' : false;

/** An hour and a half, so that the longest ranges and offsets find samples. */
const SCRAPES = 1_080;
const PARALLEL = 6;

const ARITHMETIC = ['+', '-', '*', '/', '%', '^'];
const COMPARISON = ['==', '!=', '<', '>', '<=', '>='];
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  range: ['1s', '15s', '1m', '5m', '15m', '1h'],
  offset: ['1m', '5m', '10m'],
  simpleAggrOp: ['sum', 'avg', 'max', 'min', 'count', 'stddev', 'stdvar'],
  topBottomOp: ['topk', 'bottomk'],
  quantile: ['-0.5', '0.1', '0.5', '0.75', '0.95', '0.90', '0.99', '1', '1.5'],
  arithBinOp: ARITHMETIC,
  compBinOp: COMPARISON,
  binOp: [...ARITHMETIC, ...COMPARISON],
  simpleMathFunc: ['abs', 'ceil', 'floor', 'exp', 'sqrt', 'ln', 'log2', 'log10', 'round'],
  extrapolatedRateFunc: ['delta', 'rate', 'increase'],
  clampFunc: ['clamp_min', 'clamp_max'],
  instantRateFunc: ['idelta', 'irate'],
  dateFunc: ['day_of_month', 'day_of_week', 'days_in_month', 'hour', 'minute', 'month', 'year'],
  simpleTimeAggrOp: ['sum', 'avg', 'max', 'min', 'count', 'stddev', 'stdvar', 'absent', 'last', 'present'],
};

type Case = { readonly query: string; readonly variant_args?: readonly string[]; readonly should_fail?: boolean };

/** The query with every combination of its variables' values. */
function variantsOf({ query, variant_args: names = [] }: Case): readonly string[] {
  return names.reduce<readonly string[]>(
    (texts, name) => {
      const values = VARIABLES[name];
      assert.ok(values !== undefined, `the list has the variable "${name}", of which nothing is known here`);
      return texts.flatMap((text) => values.map((value) => text.replaceAll(`{{.${name}}}`, value)));
    },
    [query],
  );
}

let nines: Nines;
let prometheus: Prometheus;
let endMs = 0;

before(async () => {
  if (FILE === undefined) return;
  [nines, prometheus] = await Promise.all([startNines(), startPrometheus()]);
  const fromMs = (Math.floor(Date.now() / SCRAPE_MS) - SCRAPES) * SCRAPE_MS;
  endMs = fromMs + (SCRAPES - 1) * SCRAPE_MS;
  await writeTo([nines.base, prometheus.base], demoSeries(fromMs, SCRAPES));
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await prometheus?.[Symbol.asyncDispose]();
});

/** How the answers to one query differ in a way that no version explains; undefined when they do not. */
async function differenceOf(query: string, shouldFail: boolean): Promise<string | undefined> {
  const at = (endMs + 300) / 1000;
  const range = { start: String(at - 600), end: String(at), step: '10' };
  for (const [path, params] of [
    ['query', { time: String(at) }],
    ['query_range', range],
  ] as const) {
    const [ours, theirs] = await Promise.all([nines.base, prometheus.base].map((base) => ask(base, path, { query, ...params })));
    assert.ok(ours !== undefined && theirs !== undefined);
    const found = difference(ours, theirs);
    const known = found === undefined ? undefined : reasonFor(query, found);
    if (found !== undefined && known === undefined) return `${path} ${query}: ${found}`;
    if (shouldFail && known === undefined && ours.status !== 'error') return `${path} ${query}: answered, though it should fail`;
  }
  return undefined;
}

test('every query of the compliance suite has the answer of Prometheus', { skip }, async () => {
  const { test_cases: cases } = parse(readFileSync(FILE ?? '', 'utf8')) as { readonly test_cases: readonly Case[] };
  const asked = cases.flatMap((one) => variantsOf(one).map((query) => ({ query, shouldFail: one.should_fail ?? false })));
  assert.ok(asked.length > 500, `${asked.length} queries`);
  const different: string[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let one = asked[next++]; one !== undefined; one = asked[next++]) {
      const found = await differenceOf(one.query, one.shouldFail);
      if (found !== undefined) different.push(found);
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  assert.deepEqual(different, []);
});
