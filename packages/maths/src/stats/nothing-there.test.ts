import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityOf, leakOf, trendOf } from './capacity.ts';
import { changePoints } from './change-points.ts';
import { correlate } from './correlation.ts';
import { type Random, randomFrom } from './random.ts';
import type { Answer } from './refusal.ts';
import { seasonsOf } from './season.ts';

/** Series of two cycles, with long tails, of few values that count, that wander, and of one step: what is claimed of them is wrong. */
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const RUNS = process.env['NINES_FULL'] === '1' ? 400 : 60;

type Maker = (random: Random, count: number) => number[];
const each = (count: number, next: (i: number) => number): number[] => Array.from({ length: count }, (_, i) => next(i));
const kept =
  (share: number): Maker =>
  (random, count) => {
    let own = 0;
    return each(count, () => (own = share * own + random.normal()));
  };
const MAKERS: Readonly<Record<string, Maker>> = {
  noise: kept(0),
  'noise that follows itself': kept(0.9),
  'a walk': kept(1),
  'a few ones': (random, count) => each(count, () => (random.next() < 0.08 ? 1 : 0)),
  'long tails': (random, count) => each(count, () => (1 - random.next()) ** (-1 / 1.5)),
  latencies: (random, count) => each(count, () => Math.exp(random.normal())),
};
const hasValue = <T>(answer: Answer<T>, holds: (value: T) => boolean): boolean => answer.ok && holds(answer.value);

/** Of `RUNS` series, how many something is claimed of; promised are `share`, and chance may add four deviations. */
function claimed(name: string, share: number, isClaimed: (random: Random) => boolean): void {
  let count = 0;
  for (let seed = 1; seed <= RUNS; seed++) if (isClaimed(randomFrom(5_000_000 + seed))) count += 1;
  const most = RUNS * share + 4 * Math.sqrt(RUNS * share * (1 - share));
  assert.ok(count <= most, `${name}: ${count} of ${RUNS}, at most ${most.toFixed(1)}`);
}

const LENGTHS = [
  [48, HOUR_MS],
  [52, HOUR_MS],
  [14, DAY_MS],
  [200, HOUR_MS],
] as const;
for (const [name, make] of Object.entries(MAKERS))
  test(`two cycles or a few of ${name}: no trend, no season, no leak, no relation more often than promised`, () => {
    for (const [count, stepMs] of LENGTHS) {
      const of = `${count} of ${stepMs} ms, ${name}`;
      claimed(`trend, ${of}`, 0.05, (random) => hasValue(trendOf(make(random, count), stepMs), ({ direction }) => direction !== 'none'));
      claimed(`season, ${of}`, 0.04, (random) => seasonsOf(make(random, count), stepMs).length > 0);
      claimed(`leak, ${of}`, 0.02, (random) => hasValue(leakOf(make(random, count), stepMs), ({ leaking }) => leaking));
      const periods = stepMs === HOUR_MS ? [24] : [7];
      claimed(`relation, ${of}`, 0.05, (random) =>
        hasValue(correlate(make(random, count), make(random, count), { maxLag: 2, periods }), ({ p }) => p <= 0.05),
      );
      if (name !== 'a walk') claimed(`change, ${of}`, 0.05, (random) => changePoints(Float64Array.from(make(random, count))).length > 0);
    }
  });

test('one change of level is no trend with a date, no leak and no season, wherever it is', () => {
  for (const [count, stepMs, place, size] of [
    [336, HOUR_MS, 168, 6],
    [336, HOUR_MS, 200, 2],
    [340, HOUR_MS, 171, 6],
    [48, HOUR_MS, 24, 6],
    [288, 300_000, 100, 3],
  ] as const) {
    const stepped = (random: Random) => each(count, (i) => (i >= place ? size : 0) + random.normal());
    const of = `${count} with a step at ${place}`;
    let reasons = '';
    claimed(`date, ${of}`, 0.02, (random) =>
      hasValue(capacityOf(stepped(random), { stepMs, limit: 30 }), ({ days, reason }) => {
        reasons += reason;
        return days !== null;
      }),
    );
    if (size === 2) assert.match(reasons, /the level changed once/);
    claimed(`leak, ${of}`, 0.02, (random) => hasValue(leakOf(stepped(random), stepMs), ({ leaking }) => leaking));
    claimed(`season, ${of}`, 0.02, (random) => seasonsOf(stepped(random), stepMs).some(({ period }) => period.name !== 'detected'));
  }
});

test('what is there is still told from as little: a slope, a leak, a day, a relation and a new level', () => {
  const missed = (name: string, isTold: (random: Random) => boolean): void => claimed(`missed: ${name}`, 0.05, (random) => !isTold(random));
  missed('slope', (random) =>
    hasValue(
      trendOf(
        each(96, (i) => i / 10 + 5 * Math.sin((2 * Math.PI * i) / 24) + random.normal()),
        HOUR_MS,
      ),
      ({ direction }) => direction === 'rising',
    ),
  );
  missed('leak', (random) =>
    hasValue(
      leakOf(
        each(288, (i) => i / 20 + (i % 12) / 4 + random.normal()),
        300_000,
      ),
      ({ leaking }) => leaking,
    ),
  );
  missed('day', (random) => {
    const values = each(48, (i) => 3 * Math.sin((2 * Math.PI * i) / 24) + random.normal());
    return seasonsOf(values, HOUR_MS)[0]?.period.name === 'daily';
  });
  missed('relation', (random) => {
    const x = kept(0.5)(random, 100);
    return hasValue(
      correlate(
        x,
        x.map((value) => value + 0.5 * random.normal()),
        { maxLag: 2, periods: [24] },
      ),
      ({ p }) => p <= 0.05,
    );
  });
  missed('new level', (random) => {
    const found = changePoints(each(100, (i) => (i >= 60 ? 4 : 0) + Math.exp(random.normal() / 2)));
    return found.length === 1 && Math.abs((found[0]?.index ?? 0) - 60) <= 3;
  });
});
