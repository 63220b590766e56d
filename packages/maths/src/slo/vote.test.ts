import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { EpochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { STATES, type State, type Transition } from './types.ts';
import { decideVote, voteFrom } from './vote.ts';

const at = (atMs: number, state: State): Transition => ({
  atMs: atMs as EpochMs,
  state,
  ...(state === 'unknown' ? { unknownReason: 'no_data' as const } : {}),
  lowMs: (atMs - 5) as EpochMs,
  highMs: (atMs + 2) as EpochMs,
  evidence: state === 'unknown' ? [] : [{ check: 'c@x', atMs: atMs as EpochMs, detail: `saw ${state}` }],
});
const NAMES = ['berlin', 'tokyo', 'paris', 'lima', 'oslo'];
const says = (state: State | undefined) =>
  state === undefined ? undefined : { state, ...(state === 'unknown' ? { unknownReason: 'no_data' as const } : {}) };

test('the quorum decides, a minority that fails degrades, and silence is never down', () => {
  const f = (states: readonly (State | undefined)[], quorum: number, want: string | null): void => {
    const verdict = decideVote(
      states.map((state, i) => ({ location: NAMES[i] ?? '', says: says(state) })),
      quorum,
    );
    assert.equal(verdict === null ? null : `${verdict.state}: ${verdict.reason}`, want);
  };
  f(['down', 'down', 'up'], 2, 'down: 2 of 3 say down (berlin, tokyo), 2 are needed');
  f(['down', 'up', 'up'], 2, 'degraded: 1 of 3 says down (berlin), 2 are needed');
  f(['down', 'up', 'up'], 1, 'down: 1 of 3 says down (berlin), 1 is needed');
  f(['degraded', 'up', 'up'], 2, 'up: 2 of 3 say up (tokyo, paris), 2 are needed');
  f(['degraded', 'degraded', 'up'], 2, 'degraded: 2 of 3 say degraded (berlin, tokyo), 2 are needed');
  f(['down', 'unknown', 'unknown'], 2, 'unknown: only berlin of 3 says anything, 2 are needed');
  f(['down', 'down', undefined], 2, 'down: 2 of 2 say down (berlin, tokyo), 2 are needed');
  f(['up', 'unknown'], 1, 'up: 1 of 1 says up (berlin), 1 is needed');
  f(['unknown', 'unknown'], 1, 'unknown: no location says anything, 1 is needed');
  f([undefined, undefined], 1, null);
});

const history = fc
  .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 8 })
  .chain((instants) =>
    fc.tuple(...instants.sort((a, b) => a - b).map((instant) => fc.constantFrom(...STATES).map((state) => at(instant, state)))),
  );
const stateAt = (transitions: readonly Transition[], instant: number): State | undefined =>
  transitions.findLast(({ atMs }) => atMs <= instant)?.state;

test('the history of a vote is the vote of the histories at every instant', () => {
  fc.assert(
    fc.property(fc.array(history, { minLength: 1, maxLength: 5 }), fc.nat(4), (histories, drawn) => {
      const quorum = 1 + (drawn % histories.length);
      const voices = histories.map((transitions, i) => ({ location: NAMES[i] ?? '', transitions }));
      const voted = voteFrom('c', voices, quorum);
      for (let instant = 0; instant <= 41; instant++) {
        const heard = histories.map((one) => stateAt(one, instant));
        const counts = (state: State): number => heard.filter((one) => one === state).length;
        const known = counts('up') + counts('degraded') + counts('down');
        const want = heard.every((one) => one === undefined)
          ? undefined
          : known < quorum
            ? 'unknown'
            : counts('down') >= quorum
              ? 'down'
              : counts('down') > 0 || counts('degraded') >= quorum
                ? 'degraded'
                : 'up';
        assert.equal(stateAt(voted, instant), want, `at ${instant}`);
      }
      voted.forEach((one, i) => {
        assert.ok(one.lowMs <= one.atMs && one.atMs <= one.highMs);
        const before = voted[i - 1];
        assert.ok(before === undefined || before.atMs < one.atMs);
        assert.ok(before?.state !== one.state || before.unknownReason !== one.unknownReason);
      });
    }),
  );
});

test('who votes first does not matter, and a location that falls silent never makes a check worse than unknown', () => {
  const ballots = fc.array(fc.option(fc.constantFrom(...STATES), { nil: undefined }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(ballots, fc.nat(4), fc.nat(4), (states, drawn, who) => {
      const quorum = 1 + (drawn % states.length);
      const decide = (list: readonly (State | undefined)[]): State | undefined =>
        decideVote(
          list.map((state, i) => ({ location: NAMES[i] ?? '', says: says(state) })),
          quorum,
        )?.state;
      assert.equal(decide(states), decide(states.toReversed()));
      const silenced = decide(states.with(who % states.length, 'unknown'));
      if (silenced === 'down') assert.equal(decide(states), 'down');
    }),
  );
});

test('a change has the bounds of those who made it, and the vote of each location as evidence', () => {
  const voices = [
    { location: 'berlin', transitions: [at(0, 'up'), at(100, 'down')] },
    { location: 'tokyo', transitions: [at(0, 'up'), at(100, 'down')] },
    { location: 'paris', transitions: [at(0, 'up')] },
  ];
  const [, outage] = voteFrom('shop', voices, 2);
  assert.deepEqual([outage?.atMs, outage?.lowMs, outage?.highMs], [100, 95, 102]);
  assert.deepEqual(
    outage?.evidence.map(({ check, detail }) => `${check} ${detail}`),
    ['shop 2 of 3 say down (berlin, tokyo), 2 are needed', 'shop berlin: saw down', 'shop tokyo: saw down', 'shop paris: saw up'],
  );
});
