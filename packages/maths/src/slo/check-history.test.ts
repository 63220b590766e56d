import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs, ms } from '@nines/base/units.ts';
import fc from 'fast-check';
import {
  type Attempt,
  applyAttempt,
  type CheckHistory,
  type CheckRules,
  cutOff,
  EMPTY_HISTORY,
  forgetBefore,
  hasLapsed,
  lapse,
  validityMs,
} from './check-history.ts';
import type { Transition } from './types.ts';

const rules = (n = 1, of = 1): CheckRules => ({ check: 'c', intervalMs: ms(1000), timeoutMs: ms(500), confirm: { n, of } });
const words = (transitions: readonly Transition[]): string => transitions.map((t) => `${t.atMs} ${t.unknownReason ?? t.state}`).join(', ');
type Seen = Attempt['seen'];
const attempt = (atMs: number, seen: Seen, length = 10): Attempt => ({
  atMs: epochMs(atMs),
  endMs: epochMs(atMs + length),
  seen,
  detail: seen,
});

/** `U` up, `D` degraded, `x` failing, `.` no attempt; one character per second. */
function play(script: string, use: CheckRules = rules()): CheckHistory {
  let history = EMPTY_HISTORY;
  Array.from(script).forEach((letter, i) => {
    const seen = ({ U: 'up', D: 'degraded', x: 'down' } as const)[letter];
    if (seen !== undefined) history = applyAttempt(history, attempt(i * 1000, seen), { rules: use }).history;
  });
  return history;
}

test('a result speaks for its interval plus the larger of timeout and half an interval', () => {
  assert.equal(validityMs({ intervalMs: ms(1000), timeoutMs: ms(300) }), 1500);
  assert.equal(validityMs({ intervalMs: ms(1000), timeoutMs: ms(900) }), 1900);
  assert.equal(validityMs({ intervalMs: ms(1001), timeoutMs: ms(1) }), 1501);
});

test('histories follow the attempts', () => {
  const f = (script: string, want: string, use = rules()): void => assert.equal(words(play(script, use).transitions), want, script);
  f('UUU', '0 up');
  f('UUxxUU', '0 up, 2000 down, 4000 up');
  f('UDDU', '0 up, 1000 degraded, 3000 up');
  f('UU..U', '0 up, 2500 no_data, 4000 up');
  f('Ux..x', '0 up, 1000 down, 2500 no_data, 4000 down');
  f('x', '0 down');
});

test('confirmation keeps the state until n of the last m fail, and moves the outage back to the first that counted', () => {
  const f = (script: string, want: string): void => assert.equal(words(play(script, rules(2, 3)).transitions), want, script);
  f('UUx', '0 up');
  f('UUxx', '0 up, 2000 down');
  f('UUxUx', '0 up, 2000 down');
  f('UUxUUx', '0 up');
  f('UUxDx', '0 up, 2000 down');
  f('UUxxU', '0 up, 2000 down, 4000 up');
  f('UUxxUxUx', '0 up, 2000 down, 4000 up, 5000 down');
  f('UUx..x', '0 up, 3500 no_data');
  f('x', '0 no_data');
  f('xx', '0 down');
  f('xU', '0 no_data, 1000 up');
});

test('bounds reach from the start of the last attempt before to the end of the first attempt after', () => {
  const down = play('UUx').transitions.at(-1);
  assert.deepEqual([down?.lowMs, down?.atMs, down?.highMs], [1000, 2000, 2010]);
  const confirmed = play('UUxx', rules(2, 2)).transitions.at(-1);
  assert.deepEqual([confirmed?.lowMs, confirmed?.atMs, confirmed?.highMs], [1000, 2000, 2010]);
  assert.deepEqual(
    confirmed?.evidence.map((evidence) => evidence.atMs),
    [2000, 3000],
  );
});

test('an attempt that is not newer than the last is ignored, so that a clock stepping back writes no time twice', () => {
  const history = play('UUU');
  assert.deepEqual(applyAttempt(history, attempt(2000, 'down'), { rules: rules() }), { history, changedFromMs: null });
  assert.deepEqual(applyAttempt(history, attempt(10, 'down'), { rules: rules() }), { history, changedFromMs: null });
});

test('a lapse is written once, at the exact instant, and an attempt that was under way takes it back', () => {
  const history = play('UU');
  assert.equal(hasLapsed(history, epochMs(2499)), false);
  assert.equal(hasLapsed(history, epochMs(2500)), true);
  const lapsed = lapse(history, 'no_data');
  assert.equal(lapsed.changedFromMs, 2500);
  assert.equal(words(lapsed.history.transitions), '0 up, 2500 no_data');
  assert.equal(lapse(lapsed.history, 'no_data').changedFromMs, null);
  const late = applyAttempt(lapsed.history, attempt(2000, 'down', 501), { rules: rules() });
  assert.equal(words(late.history.transitions), '0 up, 2000 down');
  assert.equal(late.changedFromMs, 2000);
});

test('an attempt that was under way and changes nothing else still takes the lapse back', () => {
  const lapsed = lapse(play('UU'), 'no_data');
  const late = applyAttempt(lapsed.history, attempt(2400, 'up', 501), { rules: rules() });
  assert.equal(words(late.history.transitions), '0 up');
  assert.ok(late.changedFromMs !== null && late.changedFromMs <= 2500);
});

test('a gap that an attempt closes carries the reason given, and a cut makes the rest unknown', () => {
  const closed = applyAttempt(play('U'), attempt(9000, 'up'), { rules: rules(), gapReason: 'monitor_down' });
  assert.equal(words(closed.history.transitions), '0 up, 1500 monitor_down, 9000 up');
  const cut = cutOff(play('Ux'), epochMs(1700), 'paused');
  assert.equal(words(cut.history.transitions), '0 up, 1000 down, 1700 paused');
  const resumed = applyAttempt(cut.history, attempt(5000, 'up'), { rules: rules() });
  assert.equal(words(resumed.history.transitions), '0 up, 1000 down, 1700 paused, 5000 up');
});

test('forgetting keeps the state in force', () => {
  const history = play('UxUxU');
  assert.equal(words(forgetBefore(history, epochMs(2500)).transitions), '2000 up, 3000 down, 4000 up');
  assert.equal(forgetBefore(history, epochMs(0)), history);
});

const attempts = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 3000 }), fc.constantFrom<Seen>('up', 'degraded', 'down'), fc.integer({ min: 0, max: 600 })), {
    maxLength: 25,
  })
  .map((steps) => {
    let atMs = 0;
    return steps.map(([step, seen, length]) => attempt((atMs += step), seen, length));
  });

test('with confirmation 1 of 1 every millisecond is in the state of the newest valid attempt', () => {
  fc.assert(
    fc.property(attempts, (list) => {
      let history = EMPTY_HISTORY;
      for (const one of list) history = applyAttempt(history, one, { rules: rules() }).history;
      const end = (list.at(-1)?.atMs ?? 0) + 1;
      for (let instant = 0; instant < end; instant += 37) {
        const newest = list.findLast((one) => one.atMs <= instant);
        const want = newest === undefined ? undefined : instant < newest.atMs + 1500 ? newest.seen : 'unknown';
        assert.equal(history.transitions.findLast((transition) => transition.atMs <= instant)?.state, want, `at ${instant}`);
      }
    }),
  );
});

test('lapses written at any moment in between change nothing in the end', () => {
  fc.assert(
    fc.property(
      attempts,
      fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
      fc.integer({ min: 1, max: 3 }),
      (list, interrupt, n) => {
        const use = rules(n, 3);
        let calm = EMPTY_HISTORY;
        let watched = EMPTY_HISTORY;
        list.forEach((one, i) => {
          if (interrupt[i] === true && hasLapsed(watched, one.endMs)) watched = lapse(watched, 'no_data').history;
          calm = applyAttempt(calm, one, { rules: use }).history;
          watched = applyAttempt(watched, one, { rules: use }).history;
        });
        assert.deepEqual(watched, calm);
      },
    ),
  );
});

test('what a step reports as changed is what differs', () => {
  fc.assert(
    fc.property(attempts, fc.integer({ min: 1, max: 3 }), (list, n) => {
      let history = EMPTY_HISTORY;
      for (const one of list) {
        const step = applyAttempt(history, one, { rules: rules(n, 3) });
        const from = step.changedFromMs ?? Number.MAX_SAFE_INTEGER;
        const kept = (h: CheckHistory): readonly Transition[] => h.transitions.filter((transition) => transition.atMs < from);
        assert.deepEqual(kept(step.history), kept(history));
        if (step.changedFromMs === null) assert.deepEqual(step.history.transitions, history.transitions);
        step.history.transitions.reduce<Transition | undefined>((before, now) => {
          assert.ok(
            before === undefined || (before.atMs < now.atMs && (before.state !== now.state || before.unknownReason !== now.unknownReason)),
          );
          return now;
        }, undefined);
        history = step.history;
      }
    }),
  );
});
