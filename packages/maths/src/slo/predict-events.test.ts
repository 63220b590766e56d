import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import fc from 'fast-check';
import type { EventSlice } from './counters.ts';
import { EventSums, eventBreachChance } from './predict-events.ts';
import { calibrationOf } from './predict.ts';
import { exact } from './testing/exact.ts';

const SLICE = MINUTE_MS;
const TARGET = exact('0.99');
const ask = (slices: readonly EventSlice[], over: object = {}) => {
  const nowMs = (slices.at(-1)?.fromMs ?? 0) + SLICE;
  return eventBreachChance({
    slices,
    sliceMs: SLICE,
    target: TARGET,
    nowMs,
    fromMs: nowMs - DAY_MS,
    rollingMs: DAY_MS,
    untilMs: [nowMs + HOUR_MS, nowMs + DAY_MS],
    ...over,
  });
};
/** 100 events a minute; in the minutes of `bad` half of them fail, otherwise `usual`. */
const day = (bad: (minute: number) => boolean, usual = 0): readonly EventSlice[] =>
  Array.from({ length: 1_440 }, (_, i) => ({ fromMs: i * SLICE, good: 100 - (bad(i) ? 50 : usual), total: 100 }));

test('a storm of errors that lasts spends the budget soon; one that is over, or none, does not', () => {
  const [soon = 0] = ask(day((minute) => minute >= 1_420))?.chances ?? [];
  const [over = 1] = ask(day((minute) => minute >= 700 && minute < 720))?.chances ?? [];
  const [none = 1, later = 1] = ask(day(() => false))?.chances ?? [];
  assert.ok(soon > 0.5 && over < 0.3 && none < 0.05 && none <= later, JSON.stringify([soon, over, none, later]));
  assert.deepEqual(ask(day((minute) => minute >= 1_420)), ask(day((minute) => minute >= 1_420)));
});

test('what usually fails is borne by the budget too, and nothing is said before anything was counted', () => {
  const [, little = 1] = ask(day(() => false))?.chances ?? [];
  const [, much = 0] = ask(day((minute) => minute < 10, 0.8))?.chances ?? [];
  assert.ok(much > little, `${much} ${little}`);
  assert.equal(ask([]), null);
});

test('sums over any span are those of its slices', () => {
  const slices = fc.array(fc.tuple(fc.nat(20), fc.nat(20)), { maxLength: 30 });
  fc.assert(
    fc.property(slices, fc.nat(40), fc.nat(40), (found, a, b) => {
      const all = found.map(([good, bad], i): EventSlice => ({ fromMs: i, good, total: good + bad }));
      const inside = all.filter(({ fromMs }) => fromMs >= Math.min(a, b) && fromMs < Math.max(a, b));
      const total = inside.reduce((sum, one) => sum + one.total, 0);
      const bad = inside.reduce((sum, one) => sum + one.total - one.good, 0);
      assert.deepEqual(new EventSums(all).over(Math.min(a, b), Math.max(a, b)), { bad, total });
    }),
  );
});

test('over simulated services the chances are better than the base rate, and happen about as often as they are said', () => {
  const random = seeded(4_711);
  const cases: { said: number; happened: boolean }[] = [];
  for (let service = 0; service < 40; service++) {
    const [perDay, meanMinutes, usual] = [0.5 + 4 * random(), 3 + 12 * random(), 0.004 * random()];
    const slices = simulated({ days: 4, perDay, meanMinutes, usual }, random);
    const sums = new EventSums(slices);
    const isOver = (fromMs: number, toMs: number): boolean => {
      const { bad, total } = sums.over(fromMs, toMs);
      return bad > Math.floor(total * 0.01);
    };
    for (let i = 0; i < 24; i++) {
      const fromMs = (1 + (i % 3)) * DAY_MS;
      const nowMs = fromMs + Math.floor(((0.05 + 0.9 * random()) * DAY_MS) / SLICE) * SLICE;
      if (isOver(fromMs, nowMs)) continue;
      const known = slices.filter((slice) => slice.fromMs < nowMs);
      const found = ask(known, { nowMs, fromMs, rollingMs: null, untilMs: [fromMs + DAY_MS] });
      cases.push({ said: found?.chances[0] ?? 0, happened: isOver(fromMs, fromMs + DAY_MS) });
    }
  }
  const found = calibrationOf(cases) ?? assert.fail();
  assert.ok(found.cases > 300 && found.brier < 0.85 * found.base_brier, JSON.stringify(found));
  for (const bin of found.reliability) if (bin.cases >= 60) assert.ok(Math.abs(bin.said - bin.happened) < 0.2, JSON.stringify(bin));
});

/** Minutes of about 200 events; outages in which a fifth to all of them fail. */
function simulated(
  of: { readonly days: number; readonly perDay: number; readonly meanMinutes: number; readonly usual: number },
  random: () => number,
): readonly EventSlice[] {
  let [left, share] = [0, 0];
  return Array.from({ length: of.days * 1_440 }, (_, i) => {
    if (left <= 0 && random() < of.perDay / 1_440) [left, share] = [-Math.log(1 - random()) * of.meanMinutes, 0.2 + 0.8 * random()];
    left -= 1;
    const total = 150 + Math.floor(100 * random());
    const failing = left > 0 ? share : of.usual;
    return { fromMs: i * SLICE, good: total - Math.min(total, Math.round(total * failing * (0.7 + 0.6 * random()))), total };
  });
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 4_294_967_296;
  };
}
