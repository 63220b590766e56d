import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ms } from '@nines/base/units.ts';
import fc from 'fast-check';
import { attainedBounds } from './bounds.ts';
import { attainedOf, budgetOf, exhaustionOf } from './budget.ts';
import { type TallyTerms, tally } from './tally.ts';
import { exact } from './testing/exact.ts';
import type { LedgerInterval, Span, State, UnknownPolicy } from './types.ts';
import { unionSpans } from './window.ts';

const span = (fromMs: number, toMs: number): Span => ({ fromMs: epochMs(fromMs), toMs: epochMs(toMs) });

/** `u5 d3 ?2 g1 n4`: up 5 ms, down 3 ms, unknown 2 ms, degraded 1 ms, not yet monitored 4 ms, from 0 on. */
function intervals(text: string, fromMs = 0): LedgerInterval[] {
  const states: Record<string, State> = { u: 'up', d: 'down', '?': 'unknown', g: 'degraded', n: 'unknown' };
  let at = fromMs;
  return text
    .split(' ')
    .filter((part) => part !== '')
    .map((part) => {
      const state = states[part.charAt(0)] ?? assert.fail(part);
      const from = at;
      at += Number(part.slice(1));
      const reason = part.startsWith('n') ? 'not_yet_monitored' : 'no_data';
      return {
        fromMs: epochMs(from),
        toMs: epochMs(at),
        state,
        ...(state === 'unknown' ? { unknownReason: reason as 'no_data' } : {}),
      };
    });
}

const EXCLUDE: UnknownPolicy = { kind: 'exclude' };
const POLICIES: readonly UnknownPolicy[] = [
  EXCLUDE,
  { kind: 'down' },
  { kind: 'up' },
  { kind: 'carry_forward', maxGapMs: ms(3) },
  { kind: 'carry_forward', maxGapMs: ms(1000) },
];

const parts = fc.array(fc.tuple(fc.constantFrom('u', 'd', '?', 'g'), fc.integer({ min: 1, max: 9 })), { minLength: 1, maxLength: 12 });
const timelines = fc
  .tuple(fc.integer({ min: 0, max: 9 }), parts)
  .map(([before, rest]) => `${before > 0 ? `n${before}` : ''} ${rest.map(([state, length]) => state + length).join(' ')}`.trim());
const overlays = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 90 }), fc.integer({ min: 1, max: 20 })), { maxLength: 4 })
  .map((spans) => unionSpans(spans.map(([from, length]) => span(from, from + length))));

/** The definition, one millisecond at a time. */
function bruteForce(all: readonly LedgerInterval[], window: Span, terms: TallyTerms) {
  let [good, bad, degraded] = [0, 0, 0];
  const inside = (spans: readonly Span[] | undefined, at: number) => (spans ?? []).some((each) => each.fromMs <= at && at < each.toMs);
  for (let at = window.fromMs; at < window.toMs; at++) {
    if (inside(terms.outOfHours, at) || inside(terms.excluded, at)) continue;
    const i = all.findIndex((interval) => interval.fromMs <= at && at < interval.toMs);
    const interval = all[i] ?? assert.fail(`nothing at ${at}`);
    let state: State = interval.state;
    if (interval.state === 'unknown') {
      if (interval.unknownReason === 'not_yet_monitored' || at >= (terms.undecidedFromMs ?? Number.POSITIVE_INFINITY)) continue;
      if (terms.unknown.kind === 'exclude') continue;
      if (terms.unknown.kind === 'down') state = 'down';
      else if (terms.unknown.kind === 'up') state = 'up';
      else {
        const last = all.slice(0, i).findLast((each) => each.state !== 'unknown');
        if (last === undefined || at >= last.toMs + terms.unknown.maxGapMs) continue;
        state = last.state;
      }
    }
    if (state === 'down') bad++;
    else if (state === 'degraded') degraded++;
    else good++;
  }
  return { good, bad, degraded };
}

test('a tally equals the sum over single milliseconds, under every unknown policy and any overlay', () => {
  fc.assert(
    fc.property(
      timelines,
      fc.tuple(overlays, overlays),
      fc.constantFrom(...POLICIES),
      fc.nat(60),
      (text, [excluded, outOfHours], unknown, cut) => {
        const all = intervals(text);
        const end = all.at(-1)?.toMs ?? 0;
        const window = span(Math.min(cut, end - 1), end);
        const terms: TallyTerms = { unknown, excluded, outOfHours, undecidedFromMs: end - 2 };
        const seen = tally(all, window, terms);
        const { good, bad, degraded } = bruteForce(all, window, terms);
        assert.deepEqual([seen.goodMs, seen.badMs], [good + degraded, bad]);
      },
    ),
    { numRuns: process.env['NINES_FULL'] === '1' ? 100_000 : 2000 },
  );
});

test('the six buckets add up to the window exactly and no policy moves time between them', () => {
  fc.assert(
    fc.property(timelines, overlays, overlays, fc.nat(60), (text, excluded, outOfHours, cut) => {
      const all = intervals(text);
      const end = all.at(-1)?.toMs ?? 0;
      const window = span(Math.min(cut, end), end);
      const sums = POLICIES.map((unknown) => tally(all, window, { unknown, excluded, outOfHours }).buckets);
      for (const buckets of sums) {
        const { upMs, degradedMs, downMs, unknownMs, excludedMs, outOfHoursMs } = buckets;
        assert.equal(upMs + degradedMs + downMs + unknownMs + excludedMs + outOfHoursMs, window.toMs - window.fromMs);
        assert.deepEqual(buckets, sums[0]);
      }
    }),
  );
});

test('splitting a window and adding the halves gives the whole', () => {
  fc.assert(
    fc.property(timelines, fc.constantFrom(...POLICIES), fc.nat(100), (text, unknown, at) => {
      const all = intervals(text);
      const end = all.at(-1)?.toMs ?? 0;
      const middle = Math.min(at, end);
      const [whole, left, right] = [span(0, end), span(0, middle), span(middle, end)].map((window) => tally(all, window, { unknown }));
      assert.equal((left?.goodMs ?? 0) + (right?.goodMs ?? 0), whole?.goodMs);
      assert.equal((left?.badMs ?? 0) + (right?.badMs ?? 0), whole?.badMs);
    }),
  );
});

test('excluding down time never lowers what was attained, and never raises what was spent', () => {
  fc.assert(
    fc.property(timelines, fc.constantFrom(...POLICIES.slice(0, 3)), (text, unknown) => {
      const all = intervals(text);
      const window = span(0, all.at(-1)?.toMs ?? 0);
      const before = tally(all, window, { unknown });
      for (const outage of all.filter((interval) => interval.state === 'down')) {
        const after = tally(all, window, { unknown, excluded: [outage] });
        assert.ok((attainedOf(after) ?? 1) >= (attainedOf(before) ?? 0));
        assert.ok(after.badMs <= before.badMs);
      }
    }),
  );
});

test('unknown counts as the contract says: not at all, bad, good, or as the last known state for at most max_gap', () => {
  const all = intervals('n10 u50 ?20 d10 ?10');
  const count = (unknown: UnknownPolicy) => {
    const { goodMs, badMs } = tally(all, span(0, 100), { unknown });
    return [goodMs, badMs];
  };
  assert.deepEqual(count({ kind: 'exclude' }), [50, 10]);
  assert.deepEqual(count({ kind: 'down' }), [50, 40]);
  assert.deepEqual(count({ kind: 'up' }), [80, 10]);
  assert.deepEqual(count({ kind: 'carry_forward', maxGapMs: ms(15) }), [65, 20]);
});

test('time before monitoring began is in the unknown bucket and counted by no policy', () => {
  for (const unknown of POLICIES) {
    const seen = tally(intervals('n90 u10'), span(0, 100), { unknown });
    assert.deepEqual([seen.buckets.unknownMs, seen.notYetMonitoredMs, seen.goodMs, seen.badMs], [90, 90, 10, 0]);
  }
});

test('degraded counts as up unless the contract weighs it', () => {
  const all = intervals('u50 g50');
  assert.deepEqual(attainedOf(tally(all, span(0, 100), { unknown: EXCLUDE })), 1);
  const weighed = tally(all, span(0, 100), { unknown: EXCLUDE, degradedWeight: exact('0.5') });
  assert.deepEqual([weighed.goodMs, weighed.badMs], [75, 25]);
});

test('the budget is exact where binary floats are not', () => {
  const day = tally(intervals('u86400000'), span(0, 86_400_000), { unknown: EXCLUDE });
  assert.equal(budgetOf(day, exact('0.999')).totalMs, 86_400);
  const month = tally(intervals('u2592000000'), span(0, 2_592_000_000), { unknown: EXCLUDE });
  // (1 - 0.9999) * 2592000000 is 259199.99999997 in doubles and would floor to one less.
  assert.equal(budgetOf(month, exact('0.9999')).totalMs, 259_200);
  const half = tally(intervals('u1500'), span(0, 1_500), { unknown: EXCLUDE });
  assert.equal(budgetOf(half, exact('0.999')).totalMs, 1);
});

test('the budget is of the window without excluded and out-of-hours time, unknown time included', () => {
  const all = intervals('u400 ?600');
  const seen = tally(all, span(0, 1000), { unknown: EXCLUDE, excluded: [span(0, 100)], outOfHours: [span(50, 200)] });
  assert.deepEqual(budgetOf(seen, exact('0.9')), { totalMs: 80, spentMs: 0, remainingMs: 80 });
});

test('the end of the budget is forecast from the recent rate, and not at all when nothing burns or nothing is left', () => {
  const budget = { totalMs: 1_000, spentMs: 400, remainingMs: 600 };
  const at = { nowMs: 10_000, horizonMs: 1_000_000 };
  assert.equal(exhaustionOf(budget, [{ goodMs: 900, badMs: 100 }], at), 16_000);
  assert.equal(
    exhaustionOf(
      budget,
      [
        { goodMs: 900, badMs: 100 },
        { goodMs: 0, badMs: 10 },
      ],
      at,
    ),
    16_000,
    'the best of them counts',
  );
  assert.equal(
    exhaustionOf(
      budget,
      [
        { goodMs: 900, badMs: 100 },
        { goodMs: 10, badMs: 0 },
      ],
      at,
    ),
    null,
    'what is over spends nothing',
  );
  assert.equal(exhaustionOf(budget, [{ goodMs: 900, badMs: 0 }], at), null);
  assert.equal(exhaustionOf({ totalMs: 1, spentMs: 2, remainingMs: -1 }, [{ goodMs: 0, badMs: 5 }], at), null);
  assert.equal(exhaustionOf(budget, [{ goodMs: 999, badMs: 1 }], { ...at, horizonMs: 1_000 }), null);
});

test('the attained figure lies between its bounds, which come from the bounds of each change', () => {
  const all: LedgerInterval[] = [
    { fromMs: epochMs(0), toMs: epochMs(500), state: 'up' },
    { fromMs: epochMs(500), toMs: epochMs(600), state: 'down', fromBounds: [epochMs(490), epochMs(500)] },
    { fromMs: epochMs(600), toMs: epochMs(1000), state: 'up', fromBounds: [epochMs(580), epochMs(600)] },
  ];
  assert.deepEqual(attainedBounds(all, span(0, 1000), { unknown: EXCLUDE }), [0.89, 0.92]);
  const sure = intervals('u500 d100 u400');
  assert.deepEqual(attainedBounds(sure, span(0, 1000), { unknown: EXCLUDE }), [0.9, 0.9]);
  assert.equal(attainedBounds(intervals('n10'), span(0, 10), { unknown: EXCLUDE }), null);
});
