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
