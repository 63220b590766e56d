import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { changePercent, FLAP_WINDOW, type FlapHistory, type FlapLimits, noteState, STEADY, type SteadyState } from './flapping.ts';

const LIMITS: FlapLimits = { enter: 30, leave: 25 };
const STATES: Readonly<Record<string, SteadyState>> = { U: 'up', D: 'degraded', x: 'down' };
const statesOf = (script: string): SteadyState[] => script.split('').map((letter) => STATES[letter] ?? assert.fail(letter));

/** `began 12 ended 30`: which states of the script flapping began and ended with, from 1. */
function played(script: string, limits = LIMITS): string {
  let history: FlapHistory = STEADY;
  return statesOf(script)
    .flatMap((state, i) => {
      const decision = noteState(history, { state, atMs: (i + 1) as EpochMs }, limits);
      history = decision.history;
      return decision.changed === null ? [] : `${decision.changed} ${i + 1}`;
    })
    .join(' ');
}

test('the share of changes is the one of Nagios: 20 changes weigh 0.8 to 1.2, newest most', () => {
  assert.equal(changePercent(statesOf('U'.repeat(FLAP_WINDOW))), 0);
  assert.ok(Math.abs(changePercent(statesOf('Ux'.repeat(11).slice(0, FLAP_WINDOW))) - 100) < 1e-9);
  assert.ok(Math.abs(changePercent(statesOf(`${'U'.repeat(20)}x`)) - 6) < 1e-9, 'one change, just now');
  assert.ok(Math.abs(changePercent(statesOf(`x${'U'.repeat(20)}`)) - 4) < 1e-9, 'one change, long ago');
  assert.ok(Math.abs(changePercent(statesOf('Ux')) - 6) < 1e-9, 'before the first state nothing changed');
});

test('one outage, however long, is no flapping', () => {
  assert.equal(played(`${'U'.repeat(30)}${'x'.repeat(30)}${'U'.repeat(30)}`), '');
  assert.equal(played(`${'U'.repeat(30)}xU${'U'.repeat(10)}xU${'U'.repeat(30)}`), '', 'nor are two short ones');
});

test('it begins with the change that reaches the limit and ends when enough changes have grown old', () => {
  assert.equal(played(`${'U'.repeat(20)}xUxUxU${'U'.repeat(30)}`), 'began 26 ended 41');
  assert.equal(
    played(`${'U'.repeat(20)}xUxUx${'x'.repeat(30)}`, { enter: 27, leave: 10 }),
    'began 25 ended 43',
    'it may end while the check is down',
  );
});

test('between the limits everything stays as it is', () => {
  const edge = 'UUUx'.repeat(20);
  const percent = changePercent(statesOf(edge.slice(-FLAP_WINDOW)));
  assert.ok(percent > 45 && percent < 55, `${percent}`);
  assert.equal(played(edge, { enter: 60, leave: 40 }), '', 'it never begins');
  assert.equal(played(`${'Ux'.repeat(10)}${edge}`, { enter: 60, leave: 40 }), 'began 12', 'nor does it end');
});

test('a change of degree is a change too', () => {
  assert.match(played('UD'.repeat(10)), /^began \d+$/);
});

test('it is a function of the last states alone, apart from the hysteresis', () => {
  const state = fc.constantFrom<SteadyState>('up', 'degraded', 'down');
  fc.assert(
    fc.property(fc.array(state, { maxLength: 80 }), (states) => {
      let history: FlapHistory = STEADY;
      for (const [i, one] of states.entries()) {
        const { history: next, changed } = noteState(history, { state: one, atMs: i as EpochMs }, LIMITS);
        const percent = changePercent(next.states);
        assert.ok(percent >= 0 && percent <= 100 + 1e-9);
        assert.deepEqual(next.states, states.slice(Math.max(0, i + 1 - FLAP_WINDOW), i + 1));
        if (percent >= LIMITS.enter) assert.notEqual(next.sinceMs, null);
        if (percent <= LIMITS.leave) assert.equal(next.sinceMs, null);
        assert.equal(changed !== null, (history.sinceMs === null) !== (next.sinceMs === null));
        history = next;
      }
    }),
  );
});
