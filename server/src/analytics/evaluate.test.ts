import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { METHODS } from '@nines/maths/stats/detectors.ts';
import { QUESTIONS, type QuestionName } from './evaluate.ts';

/** Values as badly behaved as they come: constant, tiny, huge, missing, alternating, spiked. */
const value = fc.oneof(
  { weight: 6, arbitrary: fc.double({ min: -1e3, max: 1e3, noNaN: true }) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, -1, 5) },
  { weight: 1, arbitrary: fc.constantFrom(1e300, -1e300, 1.7e308, 5e-324, 1e-300, 1e15, Number.MAX_VALUE) },
  { weight: 1, arbitrary: fc.constant(null) },
);
const stepMs = fc.constantFrom(0, 1, 15_000, 60_000, 3_600_000, 86_400_000, 604_800_000, 0.5);
const values = fc.oneof(
  fc.array(value, { maxLength: 90 }),
  fc.tuple(value, fc.integer({ min: 0, max: 120 })).map(([one, count]) => Array.from({ length: count }, () => one)),
  fc
    .tuple(value, value, fc.integer({ min: 0, max: 120 }))
    .map(([one, other, count]) => Array.from({ length: count }, (_, i) => (i % 2 === 0 ? one : other))),
);
const points = fc
  .tuple(values, stepMs, fc.constantFrom(0, 1_700_000_000_000, -5e12), fc.boolean())
  .map(([all, step, startMs, wild]) => all.map((one, i): [number, number | null] => [startMs + (wild ? i * i * 37 : i) * step, one]));

/** What JSON cannot say: it would arrive as null, which no contract here means. */
function unsaid(answer: unknown, path = ''): string | undefined {
  if (typeof answer === 'number') return Number.isFinite(answer) ? undefined : path;
  if (answer === undefined) return path;
  if (answer === null || typeof answer !== 'object') return undefined;
  for (const [key, inner] of Object.entries(answer)) {
    const found = unsaid(inner, `${path}.${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

const RUNS = process.env['NINES_FULL'] === '1' ? 3_000 : 120;

function bounded<B>(name: QuestionName, bodies: fc.Arbitrary<B>): void {
  test(`${name}: any numbers give a stated reason or a finite answer`, () => {
    fc.assert(
      fc.property(bodies, (body) => {
        const answer = (
          QUESTIONS[name] as (body: unknown) => { ok: boolean; value?: unknown; error?: { reason: string; message: string } }
        )(body);
        if (!answer.ok) assert.ok(answer.error !== undefined && answer.error.reason !== '' && answer.error.message !== '');
        else assert.equal(unsaid(answer.value), undefined);
      }),
      { numRuns: RUNS, seed: 8 },
    );
  });
}

const plain = fc.array(fc.oneof(fc.double({ min: -1e3, max: 1e3, noNaN: true }), fc.constantFrom(1e300, -1.7e308, 0, 1, 5e-324)), {
  maxLength: 60,
});
const level = fc.constantFrom(0.8, 0.95, 0.999);
const cells = fc.array(fc.oneof(value, fc.constantFrom('a', 'b', true)), { maxLength: 300 });

bounded('regression', fc.record({ x: plain, y: plain, degree: fc.integer({ min: 1, max: 5 }), level }));
bounded(
  'regression',
  fc.tuple(plain, fc.integer({ min: 1, max: 6 })).map(([y, degree]) => ({ x: y.map((one, i) => one * 2 + i), y, degree, level: 0.95 })),
);
bounded('forecast', fc.record({ points, horizon: fc.integer({ min: 1, max: 30 }), level }));
bounded(
  'anomalies',
  fc.record({ points, method: fc.constantFrom(...METHODS), sensitivity: fc.constantFrom(0.5, 0.95, 0.9999), seed: fc.integer() }),
);
bounded('seasonality', fc.record({ points }));
bounded('correlation', fc.record({ x: points, y: points, max_lag: fc.integer({ min: 0, max: 5 }) }));
bounded(
  'capacity',
  fc.record({ points, limit: fc.constantFrom(0, 100, -1e300, 1e300), side: fc.constantFrom(undefined, 'above', 'below'), level }),
);
bounded(
  'drift',
  fc.record({
    reference: fc.record({ a: cells, b: plain }),
    current: fc.record({ a: cells, b: plain }),
    importance: fc.constant({}),
    critical: fc.constant([]),
  }),
);
bounded(
  'described',
  fc.record({
    points: points.map((all) => all.filter(([, one]) => one !== null)),
    expected: fc.constant(10),
    anomalies: fc.constant({ method: 'seasonal', sensitivity: 0.95 }),
    horizon: fc.constant(5),
  }),
);

const DAY = 24;
const hourly = (length: number, value: (i: number) => number): [number, number][] =>
  Array.from({ length }, (_, i) => [1_700_000_000_000 + i * 3_600_000, value(i)]);
/** Looks like noise and is always the same. */
const noise = (i: number): number => Math.sin(i * 12.9898) * Math.cos(i * 78.233);

test('a step in a daily rhythm is one change of level, a slope is none', () => {
  const step = QUESTIONS.seasonality({
    points: hourly(20 * DAY, (i) => 100 + 20 * Math.sin((i * Math.PI) / 12) + (i < 240 ? 0 : 30) + noise(i)),
  });
  assert.ok(step.ok);
  assert.equal(step.value.changes.length, 1);
  const [{ at_ms: atMs, before, after } = { at_ms: 0, before: 0, after: 0 }] = step.value.changes;
  assert.ok(Math.abs(atMs - (1_700_000_000_000 + 240 * 3_600_000)) <= 12 * 3_600_000);
  assert.ok(Math.abs(after - before - 30) < 3, `${before} to ${after}`);
  const slope = QUESTIONS.seasonality({ points: hourly(20 * DAY, (i) => 100 + 0.5 * i + 20 * Math.sin((i * Math.PI) / 12) + noise(i)) });
  assert.ok(slope.ok);
  assert.deepEqual(slope.value.changes, []);
});

test('the latest try of a back-test is beside the newest values, within the history', () => {
  const points = hourly(20 * DAY, (i) => 100 + 20 * Math.sin((i * Math.PI) / 12) + 5 * noise(i));
  const answer = QUESTIONS.forecast({ points, horizon: DAY, level: 0.95 });
  assert.ok(answer.ok);
  const { latest, horizon, beat_naive: beat, origins } = answer.value.backtest;
  assert.equal(latest.length, horizon);
  assert.equal(latest.at(-1)?.at_ms, points.at(-1)?.[0]);
  assert.ok(beat >= 0 && beat <= origins);
  for (const { value, lower, upper } of latest) assert.ok(lower <= value && value <= upper);
});

test('instants that no calendar has, values that are no load, times of two units and too many comparisons are refused', () => {
  const reasonOf = (answer: { readonly ok: boolean; readonly error?: { readonly reason: string } }): string =>
    answer.error?.reason ?? 'told';
  // Months that are far beyond the last one had NaN for instants.
  const far = Array.from({ length: 24 }, (_, i): [number, number] => [1e20 + (i * 29.5 + (i % 2)) * 86_400_000, i % 7]);
  assert.equal(reasonOf(QUESTIONS.forecast({ points: far, horizon: 5, level: 0.95 })), 'bad_instant');
  assert.equal(reasonOf(QUESTIONS.anomalies({ points: far, method: 'zscore', sensitivity: 0.9, seed: 1 })), 'bad_instant');
  const x = Array.from({ length: 20_000 }, (_, i) => i % 7);
  assert.equal(reasonOf(QUESTIONS.correlation({ x, y: x, max_lag: 500 })), 'too_large');
  const points = [1, 2, 3e90, 4e90].map((one): [number, number] => [one, 2e-150 * one]);
  assert.equal(reasonOf(QUESTIONS.load({ points, factor: 2, level: 0.95 })), 'not_finite');
  const jtl = (lines: readonly string[]) => ({ text: ['timeStamp,elapsed', ...lines].join('\n'), factor: 2, level: 0.95 });
  assert.equal(reasonOf(QUESTIONS.load_import(jtl(['1,5', '100000000000000000,5']))), 'too_long');
  const hours = Array.from({ length: 50_000 }, (_, i) => `${1e12 + 1000 * i},90000000`);
  assert.notEqual(reasonOf(QUESTIONS.load_import(jtl(hours))), 'told', 'requests of a day are counted in no more time than others');
});

test('steps that are usually a little longer do not add up to hours', () => {
  const points = Array.from({ length: 2_000 }, (_, i): [number, number] => [
    1_700_000_000_000 + (110 * Math.floor(i / 2) + 60 * (i % 2)) * 1_000,
    Math.sin(i) + i / 500,
  ]);
  const told = QUESTIONS.forecast({ points, horizon: 1, level: 0.95 });
  const lastMs = points.at(-1)?.[0] ?? 0;
  assert.ok(told.ok);
  const aheadMs = (told.value.points[0]?.at_ms ?? 0) - lastMs;
  assert.ok(aheadMs > 0 && aheadMs <= 120_000, `${aheadMs / 3_600_000} hours ahead`);
});
