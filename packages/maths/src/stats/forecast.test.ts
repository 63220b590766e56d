import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanAbsoluteError, naiveScale, symmetricError } from './accuracy.ts';
import { conformalHalfWidths, widening } from './conformal.ts';
import { type Forecast, forecast } from './forecast.ts';
import { at } from './numbers.ts';
import { randomFrom } from './random.ts';
import { instantAt, type Point, regularSeries } from './regular-series.ts';
import { calendarPeriods, decompose, seasonStrength, seasonsOf } from './season.ts';
import { type Generated, hourlySeries, weeklySeries } from './testing/generated-series.ts';

const HOUR_MS = 3_600_000;
const forecasted = (values: Float64Array, stepMs: number, horizon: number): Forecast => {
  const answer = forecast(values, { stepMs, horizon, level: 0.95 });
  assert.ok(answer.ok, answer.ok ? '' : answer.error.message);
  return answer.value;
};

type Judged = { readonly mase: number; readonly naive: number; readonly coverage: number; readonly reported: number };
const FULL = process.env['NINES_FULL'] === '1';

/** Forecasts series of seeds that nothing was chosen by, and compares with what came. */
function judge(
  make: (seed: number, length: number) => Generated,
  question: { length: (seed: number) => number; horizon: number; period: number },
): Judged {
  const { horizon, period } = question;
  const count = FULL ? 200 : 24;
  let [mase, naive, inside, reported] = [0, 0, 0, 0];
  for (let seed = 90_001; seed < 90_001 + count; seed++) {
    const length = question.length(seed);
    const { values, stepMs } = make(seed, length + horizon);
    const [history, actual] = [values.subarray(0, length), values.subarray(length)];
    const found = forecasted(history, stepMs, horizon);
    const scale = naiveScale(history, period);
    mase += meanAbsoluteError(actual, found.values) / scale;
    naive +=
      meanAbsoluteError(
        actual,
        actual.map((_, j) => at(history, length - period + (j % period))),
      ) / scale;
    inside += actual.filter((value, j) => value >= at(found.lower, j) && value <= at(found.upper, j)).length / horizon;
    reported += found.backtest.coverage;
  }
  return { mase: mase / count, naive: naive / count, coverage: inside / count, reported: reported / count };
}

test('hourly series: better than the seasonal naive, and 95 % intervals hold 93 to 97 %', () => {
  const { mase, naive, coverage, reported } = judge(hourlySeries, { length: () => 700, horizon: 48, period: 24 });
  assert.ok(mase < 0.85 * naive, `MASE ${mase}, of the seasonal naive ${naive}`);
  assert.ok(coverage >= 0.93 && coverage <= 0.97, `coverage ${coverage}`);
  assert.ok(Math.abs(reported - coverage) < 0.03, `the back-test said ${reported}`);
});

test('weekly series: better than the naive, and 95 % intervals hold 93 to 97 %', () => {
  const { mase, naive, coverage } = judge(weeklySeries, { length: (seed) => 80 + ((seed * 131) % 600), horizon: 13, period: 1 });
  assert.ok(mase < naive, `MASE ${mase}, of the naive ${naive}`);
  assert.ok(coverage >= 0.92 && coverage <= 0.98, `coverage ${coverage}`);
});

test('nothing to go by is said, each with its reason', () => {
  const reason = (values: readonly number[], horizon = 3): string => {
    const answer = forecast(values, { stepMs: HOUR_MS, horizon, level: 0.95 });
    return answer.ok ? answer.value.method : answer.error.reason;
  };
  assert.equal(reason([1, 2]), 'too_few_points');
  assert.equal(
    reason(
      Array.from({ length: 20 }, (_, i) => i),
      21,
    ),
    'horizon_too_long',
  );
  assert.equal(
    reason(
      Array.from({ length: 20 }, (_, i) => i),
      0,
    ),
    'bad_horizon',
  );
  assert.equal(reason(Array.from({ length: 20 }, () => 4)), 'constant');
  const points = (values: readonly (number | null)[]): string => {
    const answer = regularSeries(values.map((value, i): Point => [i * HOUR_MS, value]));
    return answer.ok ? 'answered' : answer.error.reason;
  };
  assert.equal(points([]), 'empty');
  assert.equal(points([null, Number.NaN, null]), 'all_missing');
  assert.equal(points([1, Number.POSITIVE_INFINITY, 2]), 'not_finite');
  assert.equal(points([1]), 'too_few_points');
  assert.equal(points([1, 2, 3]), 'answered');
});

test('a random walk is not beaten and the intervals grow with the distance', () => {
  const random = randomFrom(3);
  let level = 100;
  const values = Float64Array.from({ length: 400 }, () => (level += random.normal()));
  const found = forecasted(values, HOUR_MS, 24);
  const width = (j: number): number => at(found.upper, j) - at(found.lower, j);
  assert.ok(width(20) > 2.5 * width(0));
  assert.ok(found.backtest.mase > 0.9 * found.backtest.naiveMase);
});

test('a straight line goes on, and what was never negative stays so', () => {
  const ramp = forecasted(
    Float64Array.from({ length: 60 }, (_, i) => 5 + 2 * i),
    HOUR_MS,
    10,
  );
  ramp.values.forEach((value, j) => assert.ok(Math.abs(value - (5 + 2 * (60 + j))) < 1e-6));
  const random = randomFrom(9);
  const falling = Float64Array.from({ length: 80 }, (_, i) => Math.max(0, 20 - i * 0.26 + random.normal()));
  const found = forecasted(falling, HOUR_MS, 20);
  assert.ok([...found.values, ...found.lower].every((value) => value >= 0));
});

test('seasons: those of the calendar, one that is not of it, and none in noise', () => {
  assert.deepEqual(
    calendarPeriods(HOUR_MS, 700).map(({ length }) => length),
    [24, 168],
  );
  assert.deepEqual(
    calendarPeriods(15_000, 20_000).map(({ length }) => length),
    [240, 5760],
  );
  const random = randomFrom(4);
  const noise = Float64Array.from({ length: 700 }, () => random.normal());
  assert.deepEqual(seasonsOf(noise, HOUR_MS), []);
  const odd = noise.map((value, i) => value * 0.3 + Math.sin((2 * Math.PI * i) / 37));
  assert.deepEqual(
    seasonsOf(odd, 60_000 * 7).map(({ period }) => [period.name, period.length]),
    [['detected', 37]],
  );
  const daily = noise.map((value, i) => value + 2 * Math.sin((2 * Math.PI * i) / 24));
  const { strength, foretold } = seasonStrength(daily, 24);
  assert.ok(Math.abs(strength - 2 / 3) < 0.06 && Math.abs(foretold - 2 / 3) < 0.08, `${strength}, ${foretold}`);
  const { trend, seasons, remainder } = decompose(daily, [24]);
  daily.forEach((value, i) => assert.ok(Math.abs(value - at(trend, i) - at(seasons[0] ?? [], i) - at(remainder, i)) < 1e-9));
});

test('holes are filled and said, months stay months', () => {
  const points = Array.from({ length: 50 }, (_, i): Point => [i * HOUR_MS, i === 20 ? null : i]);
  const filled = regularSeries(points);
  assert.ok(filled.ok && filled.value.values[20] === 20 && filled.value.notes.length === 1);
  const months = regularSeries(Array.from({ length: 30 }, (_, i): Point => [Date.UTC(2024, i + 1, 0), i]));
  assert.ok(months.ok && months.value.monthly);
  if (months.ok) assert.equal(new Date(instantAt(months.value, 31)).toISOString().slice(0, 10), '2026-08-31');
});

test('the pieces: sMAPE, widening, and half-widths that hold their share', () => {
  assert.equal(symmetricError([0, 100], [0, 300]), 0.5);
  assert.ok(widening(0.95, 1e6) < 1.0001 && widening(0.95, 3) > 1.15);
  const random = randomFrom(6);
  const rows = (count: number): Float64Array[] =>
    Array.from({ length: count }, () => Float64Array.from({ length: 10 }, (_, j) => Math.sqrt(j + 1) * random.normal()));
  const half = conformalHalfWidths(rows(60), 20, { level: 0.9, windows: 60 });
  const fresh = rows(2000);
  const share = fresh.reduce((sum, row) => sum + row.filter((error, j) => Math.abs(error) <= at(half, j)).length, 0) / 20_000;
  assert.ok(Math.abs(share - 0.9) < 0.035, `${share}`);
  assert.ok(at(half, 19) > 1.2 * at(half, 9));
});
