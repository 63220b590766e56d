import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Labels, formatLabels, labelsOf } from '@nines/model/labels.ts';
import { EMPTY_HISTOGRAM } from '@nines/model/histogram.ts';
import { createEngine } from '../engine.ts';
import { MemoryQueryable, type Sample } from '../memory-queryable.ts';
import { parseExpr } from '../parse.ts';
import { planStreamed } from './plan.ts';
import { StreamedExpr, type StreamedOptions } from './streamed-expr.ts';

const INTERVAL_MS = 15_000;
const LOOKBACK_MS = 60_000;
const FULL = process.env['NINES_FULL'] === '1';

function streamed(text: string, options: Partial<StreamedOptions> = {}): StreamedExpr {
  const expr = parseExpr(text);
  assert.ok(expr.ok, text);
  const plan = planStreamed(text, expr.value, { intervalMs: INTERVAL_MS, lookbackMs: LOOKBACK_MS });
  assert.ok(plan.ok, plan.ok ? '' : plan.error);
  return new StreamedExpr(plan.value, { intervalMs: INTERVAL_MS, delayMs: 0, maxSeries: 100, lookbackMs: LOOKBACK_MS, ...options });
}

/** One store, one expression kept beside it, and the query that says what is right. */
class World {
  readonly queryable = new MemoryQueryable();
  readonly #engine = createEngine({ limits: { lookbackMs: LOOKBACK_MS } });
  readonly #text: string;
  readonly #refs = new Map<string, number>();
  readonly #taken = new Map<string, Sample>();
  kept: StreamedExpr;
  unknown = 0;

  constructor(text: string) {
    this.#text = text;
    this.kept = streamed(text);
  }

  restart(): void {
    this.kept = streamed(this.#text);
  }

  write(labels: Labels, atMs: number, sample: Sample): void {
    const key = formatLabels(labels);
    // The store takes one sample for an instant, and the same again.
    const place = `${key} ${atMs}`;
    if (!this.#taken.has(place)) this.queryable.add(labels, [[atMs, sample]]);
    else if (!Object.is(this.#taken.get(place), sample)) return;
    this.#taken.set(place, sample);
    const ref = this.#refs.get(key) ?? this.#refs.size;
    this.#refs.set(key, ref);
    for (const part of this.kept.parts) {
      if (!part.part.matchers.every(({ name, matches }) => matches(labels[labels.indexOf(name) + 1] ?? ''))) continue;
      if (typeof sample === 'object') part.addHistogram(atMs);
      const value = typeof sample === 'number' ? sample : Number.NaN;
      part.add(ref, { atMs, value, stale: typeof sample !== 'number' }, () => labels);
    }
  }

  async check(k: number): Promise<void> {
    const atMs = k * INTERVAL_MS;
    const asked = await this.#engine.instant(this.#text, { queryable: this.queryable, atMs });
    assert.ok(asked.ok && asked.value.value.kind === 'vector');
    const read = async (matchers: Parameters<MemoryQueryable['select']>[0], afterMs: number) =>
      this.queryable.select(matchers, { fromMs: afterMs + 1, toMs: Number.MAX_SAFE_INTEGER });
    const value = await this.kept.valueAt(k, read);
    if (value.kind === 'unknown') return void this.unknown++;
    const shown = (elements: readonly { readonly labels: Labels; readonly value: number }[]) =>
      Object.fromEntries(elements.map((element) => [formatLabels(element.labels), element.value]));
    const [found, wanted] = [shown(value.elements), shown(asked.value.value.elements)];
    assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort(), this.#text);
    for (const [key, right] of Object.entries(wanted)) {
      const told = found[key] ?? Number.NaN;
      const close = Object.is(told, right) || Math.abs(told - right) <= 1e-12 * Math.max(Math.abs(told), Math.abs(right));
      assert.ok(close || (Number.isNaN(told) && Number.isNaN(right)), `${this.#text} at ${k}: ${key} ${told}, a query says ${right}`);
    }
  }
}

const EXPRESSIONS = [
  'x',
  'sum by (job) (x)',
  'avg without (instance) (x)',
  'min by (job) (x)',
  'max(x)',
  'count by (job) (x{instance!="c"})',
  'group by (job) (x)',
  'stddev(x)',
  'quantile by (job) (0.9, x)',
  'sum by (job) (rate(x[1m]))',
  'rate(x[15s])',
  'increase(x[30s])',
  'max(delta(x[45s]))',
  'sum(sum_over_time(x[1m]))',
  'avg_over_time(x[45s])',
  'min_over_time(x[30s])',
  'max_over_time(x[30s])',
  'count_over_time(x[1m])',
  'present_over_time(x[30s])',
  'last_over_time(x[30s])',
  'sum by (job) (rate(x[1m])) / on (job) sum by (job) (x) * 100',
  'histogram_quantile(0.9, sum by (le) (rate(x[1m])))',
  'topk(1, sum by (job) (increase(x[30s]))) > bool 3',
];

type Step =
  | { readonly kind: 'write'; readonly series: number; readonly offsetMs: number; readonly value: number }
  | { readonly kind: 'stale'; readonly series: number }
  | { readonly kind: 'histogram'; readonly series: number }
  | { readonly kind: 'pass'; readonly byMs: number }
  | { readonly kind: 'restart' }
  /** A sender repeats the last samples it sent. */
  | { readonly kind: 'again' };

const SERIES = ['a', 'b', 'c', 'd'].map((instance, i) =>
  labelsOf({ __name__: 'x', instance, job: i < 2 ? 'shop' : 'mail', le: i % 2 === 0 ? '1' : '+Inf' }),
);
const series = fc.nat(SERIES.length - 1);
const write = fc.record<Step & { kind: 'write' }>({
  kind: fc.constant('write' as const),
  series,
  // Mostly now; some late, some ahead.
  offsetMs: fc.oneof({ weight: 12, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.integer({ min: -90_000, max: 90_000 }) }),
  // Quarters, so that sums are exact; falls are resets.
  value: fc.oneof(
    { weight: 20, arbitrary: fc.integer({ min: 0, max: 4000 }).map((quarters) => quarters / 4) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -0) },
  ),
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 60, arbitrary: write },
  { weight: 40, arbitrary: fc.record({ kind: fc.constant('pass' as const), byMs: fc.integer({ min: 1, max: 12_000 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('stale' as const), series }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pass' as const), byMs: fc.integer({ min: 40_000, max: 200_000 }) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
  { weight: 2, arbitrary: fc.constant({ kind: 'again' as const }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('histogram' as const), series }) },
);

test('whatever is written, however late and across restarts, what is kept is what a query would say', async () => {
  let checked = 0;
  let unknown = 0;
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...EXPRESSIONS), fc.array(step, { minLength: 20, maxLength: 150 }), async (text, steps) => {
      const world = new World(text);
      let nowMs = 1_000_000_000;
      let k = Math.floor(nowMs / INTERVAL_MS);
      const sent: (readonly [labels: Labels, atMs: number, value: number])[] = [];
      for (const each of steps) {
        const labels = 'series' in each ? (SERIES[each.series] ?? []) : [];
        if (each.kind === 'write') {
          sent.push([labels, nowMs + each.offsetMs, each.value]);
          world.write(labels, nowMs + each.offsetMs, each.value);
        } else if (each.kind === 'again') for (const repeated of sent.slice(-3)) world.write(...repeated);
        else if (each.kind === 'stale') world.write(labels, nowMs, 'stale');
        else if (each.kind === 'histogram') world.write(labels, nowMs, { ...EMPTY_HISTOGRAM, count: 1, zeroCount: 1 });
        else if (each.kind === 'restart') world.restart();
        else {
          nowMs += each.byMs;
          // Only the last of several ends that passed is evaluated.
          if (Math.floor(nowMs / INTERVAL_MS) === k) continue;
          k = Math.floor(nowMs / INTERVAL_MS);
          await world.check(k);
          checked++;
        }
      }
      unknown += world.unknown;
    }),
    { numRuns: FULL ? 20_000 : 600 },
  );
  assert.ok(unknown < checked / 4, `${unknown} of ${checked} were left to a query`);
});

const refusalOf = (text: string): string => {
  const expr = parseExpr(text);
  assert.ok(expr.ok, text);
  const plan = planStreamed(text, expr.value, { intervalMs: INTERVAL_MS, lookbackMs: LOOKBACK_MS });
  return plan.ok ? 'kept' : plan.error;
};

test('what cannot be kept is refused with its place and the reason', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    ['sum(rate(x[20s]))', /^1:10: cannot be kept at write time: the range 20s is no whole number of intervals of 15s$/],
    ['sum(rate(x[7h]))', /the range is 1680 intervals long, more than 1440/],
    ['sum(irate(x[1m]))', /^1:5: .*irate needs every sample of its window; possible are rate, increase/],
    ['quantile_over_time(0.5, x[1m])', /quantile_over_time needs every sample/],
    ['sum(x offset 5m)', /"offset" looks back/],
    ['sum(x @ 100)', /"@" looks at another time/],
    ['max_over_time(sum(x)[1m:15s])', /a subquery looks back/],
    ['x / on (job) sum by (job) (x)', /^1:1: .*beside others it must stand under an aggregation/],
    ['sum by (__name__) (x)', /nothing can be grouped by the name/],
    ['vector(1)', /it reads no series/],
  ];
  for (const [text, message] of refused) assert.match(refusalOf(text), message, text);
});

test('more series than the limit are left to queries, and kept again when they are fewer', async () => {
  const queryable = new MemoryQueryable();
  const kept = streamed('sum(x)', { maxSeries: 3 });
  const read = async (matchers: Parameters<MemoryQueryable['select']>[0], afterMs: number) =>
    queryable.select(matchers, { fromMs: afterMs + 1, toMs: Number.MAX_SAFE_INTEGER });
  const atMs = 1_500_000;
  for (let i = 0; i < 4; i++) queryable.add(labelsOf({ __name__: 'x', i: String(i) }), [[atMs, 1]]);
  const k = atMs / INTERVAL_MS;
  assert.deepEqual(await kept.valueAt(k, read), { kind: 'unknown', why: 'series_limit' });
  queryable.clear();
  queryable.add(labelsOf({ __name__: 'x' }), [[atMs + 400_000, 7]]);
  // Not at once, since reading them only to give up again costs as much as the query.
  assert.equal((await kept.valueAt(k + 1, read)).kind, 'unknown');
  assert.deepEqual(await kept.valueAt(k + 27, read), { kind: 'known', elements: [{ labels: [], value: 7 }] });
});
