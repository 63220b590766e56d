import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DAY_MS, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { type BreachQuestion, breachChance, calibrationOf, fitOutages } from './predict.ts';
import type { LedgerInterval } from './types.ts';

const WEEK = 7 * DAY_MS;
const BUDGET_MS = WEEK / 100;
const question = (over: Partial<BreachQuestion>): BreachQuestion => ({
  model: { ratePerMs: 1 / DAY_MS, scaleMs: 15 * MINUTE_MS },
  nowMs: 3 * DAY_MS,
  badForMs: null,
  bad: [],
  budgetMs: BUDGET_MS,
  rollingMs: null,
  untilMs: [3 * DAY_MS + HOUR_MS, WEEK],
  ...over,
});

test('the same facts give the same figures; more bad time and less budget make a breach likelier', () => {
  assert.deepEqual(breachChance(question({})), breachChance(question({})));
  const [hour = 1, week = 1] = breachChance(question({})).chances;
  const [, tight = 0] = breachChance(question({ budgetMs: 10 * MINUTE_MS })).chances;
  assert.ok(hour <= week && week < tight, `${hour} ${week} ${tight}`);
});

test('an outage that lasts spends the rest of the budget soon, and one that is over does not', () => {
  const bad = [{ fromMs: epochMs(3 * DAY_MS - 90 * MINUTE_MS), toMs: epochMs(3 * DAY_MS) }];
  const lasting = breachChance(question({ bad, badForMs: 90 * MINUTE_MS }));
  const over = breachChance(question({ bad }));
  assert.ok((lasting.chances[0] ?? 0) > 0.7 && (over.chances[0] ?? 1) < 0.15, JSON.stringify([lasting, over]));
  assert.ok((lasting.expectedAtMs ?? 0) > 3 * DAY_MS && (lasting.expectedAtMs ?? 0) < 3 * DAY_MS + HOUR_MS);
});

test('bad time that leaves a rolling window is budget again', () => {
  const bad = [{ fromMs: epochMs(DAY_MS), toMs: epochMs(DAY_MS + BUDGET_MS - MINUTE_MS) }];
  const at = { nowMs: 2 * DAY_MS, bad, untilMs: [5 * DAY_MS] };
  const [kept = 0] = breachChance(question(at)).chances;
  const [rolling = 1] = breachChance(question({ ...at, rollingMs: DAY_MS + HOUR_MS * 4 })).chances;
  assert.ok(rolling < kept / 2, `${rolling} ${kept}`);
});

test('over simulated services the chances are far better than the base rate, and happen about as often as they are said', () => {
  const random = seeded(12_345);
  const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const cases: { said: number; happened: boolean }[] = [];
  for (let service = 0; service < 100; service++) {
    // Lengths are log-normal here, which is not what the model assumes.
    const [ratePerMs, meanMs] = [(0.3 + 3 * random()) / DAY_MS, (3 + 25 * random()) * MINUTE_MS];
    const intervals: LedgerInterval[] = [];
    for (let at = 0; at < 3 * WEEK; ) {
      const goodTo = at - Math.log(1 - random()) / ratePerMs;
      const badTo = goodTo + meanMs * Math.exp(0.9 * gauss() - 0.4);
      intervals.push(
        { fromMs: epochMs(at), toMs: epochMs(goodTo), state: 'up' },
        { fromMs: epochMs(goodTo), toMs: epochMs(badTo), state: 'down' },
      );
      at = Math.trunc(badTo);
    }
    const down = intervals.filter(({ state }) => state === 'down');
    const badIn = (fromMs: number, toMs: number): number =>
      down.reduce((sum, one) => sum + Math.max(0, Math.min(toMs, one.toMs) - Math.max(fromMs, one.fromMs)), 0);
    for (let i = 0; i < 20; i++) {
      const startMs = (i % 2) * WEEK + WEEK;
      const nowMs = startMs + (0.05 + 0.9 * random()) * WEEK;
      if (badIn(startMs, nowMs) > BUDGET_MS) continue;
      const known = intervals.filter(({ fromMs }) => fromMs < nowMs).map((one) => ({ ...one, toMs: epochMs(Math.min(one.toMs, nowMs)) }));
      const last = known.at(-1);
      const { chances } = breachChance({
        model: fitOutages(known, { fromMs: epochMs(0), toMs: epochMs(nowMs) }, { allowed: 0.01, budgetMs: BUDGET_MS }),
        nowMs,
        badForMs: last?.state === 'down' ? nowMs - last.fromMs : null,
        bad: known
          .filter(({ state, toMs }) => state === 'down' && toMs > startMs)
          .map(({ fromMs, toMs }) => ({ fromMs: epochMs(Math.max(fromMs, startMs)), toMs })),
        budgetMs: BUDGET_MS,
        rollingMs: null,
        untilMs: [startMs + WEEK],
      });
      cases.push({ said: chances[0] ?? 0, happened: badIn(startMs, startMs + WEEK) > BUDGET_MS });
    }
  }
  const found = calibrationOf(cases) ?? assert.fail();
  assert.ok(found.cases > 800 && found.brier < 0.6 * found.base_brier, JSON.stringify(found));
  for (const bin of found.reliability) if (bin.cases >= 100) assert.ok(Math.abs(bin.said - bin.happened) < 0.2, JSON.stringify(bin));
});

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    return (state >>> 0) / 4_294_967_296;
  };
}
