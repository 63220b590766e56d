import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { combineFrom, combineStates, type Impact, type Voice } from './combine.ts';
import { type State, STATES, type Transition, UNKNOWN_REASONS, type UnknownReason } from './types.ts';

type Said = State | UnknownReason | '-';
const isReason = (said: Said): said is UnknownReason => (UNKNOWN_REASONS as readonly string[]).includes(said);
const say = (said: Said, atMs = 0): Transition | undefined =>
  said === '-'
    ? undefined
    : {
        atMs: epochMs(atMs),
        ...(isReason(said) ? { state: 'unknown' as const, unknownReason: said } : { state: said }),
        lowMs: epochMs(atMs - 5),
        highMs: epochMs(atMs + 2),
        evidence: [{ check: `c${atMs}`, atMs: epochMs(atMs), detail: said }],
      };

test('the table of several checks', () => {
  const f = (states: readonly Said[], impacts: string, want: string): void => {
    const verdict = combineStates(
      states.map((said) => say(said)),
      Array.from(impacts, (letter): Impact => (letter === 'd' ? 'degraded' : 'down')),
    );
    assert.equal(verdict === null ? '-' : (verdict.unknownReason ?? verdict.state), want, `${states.join()} ${impacts}`);
  };
  f(['up', 'up'], 'DD', 'up');
  f(['up', 'down'], 'DD', 'down');
  f(['no_data', 'down'], 'DD', 'down');
  f(['no_data', 'up'], 'DD', 'no_data');
  f(['no_data', 'degraded'], 'DD', 'no_data');
  f(['up', 'degraded'], 'DD', 'degraded');
  f(['up', 'down'], 'Dd', 'degraded');
  f(['up', 'no_data'], 'Dd', 'up');
  f(['no_data', 'up'], 'Dd', 'no_data');
  f(['no_data', 'no_data'], 'Dd', 'no_data');
  f(['down'], 'd', 'degraded');
  f(['-', '-'], 'DD', '-');
  f(['up', '-'], 'DD', 'up');
  f(['up', 'paused'], 'DD', 'up');
  f(['paused', '-'], 'DD', 'paused');
  f(['no_data', 'monitor_down'], 'DD', 'monitor_down');
});

test('so many of the checks must be down, where a service says so; what the silent ones might make up is unknown', () => {
  const f = (states: readonly Said[], downAt: number, want: string): void => {
    const impacts = states.map((): Impact => 'down');
    const verdict = combineStates(
      states.map((said) => say(said)),
      impacts,
      downAt,
    );
    assert.equal(verdict?.unknownReason ?? verdict?.state, want, `${downAt} of ${states.join()}`);
  };
  f(['down', 'up', 'up'], 2, 'degraded');
  f(['down', 'down', 'up'], 2, 'down');
  f(['down', 'no_data', 'up'], 2, 'no_data');
  f(['up', 'no_data', 'up'], 2, 'up');
  f(['no_data', 'no_data', 'up'], 2, 'no_data');
  f(['down', 'down', 'up'], 1_000, 'degraded');
  f(['down', 'down', 'down'], 1_000, 'down');
  f(['down', 'down', 'paused'], 1_000, 'down');
});

test('the service moves when the combination moves, with the bounds and evidence of the check that moved it', () => {
  const voices: Voice[] = [
    { impact: 'down', transitions: [say('up', 0), say('down', 100), say('up', 400)].flatMap((t) => t ?? []) },
    { impact: 'down', transitions: [say('up', 50), say('down', 200), say('up', 300)].flatMap((t) => t ?? []) },
  ];
  const combined = combineFrom(voices, epochMs(0));
  assert.deepEqual(
    combined.map((t) => [t.atMs, t.state, t.lowMs, t.highMs, t.evidence.map((e) => e.check).join()]),
    [
      [0, 'up', -5, 2, 'c0'],
      [100, 'down', 95, 102, 'c100'],
      [400, 'up', 395, 402, 'c400'],
    ],
  );
});

const history = fc
  .uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 8 })
  .chain((instants) =>
    fc.tuple(
      ...[...instants]
        .sort((a, b) => a - b)
        .map((atMs) =>
          fc
            .constantFrom(...STATES, 'paused' as const, 'monitor_down' as const)
            .map((said) => say(said === 'unknown' ? 'no_data' : said, atMs)),
        ),
    ),
  );
const voice = fc
  .tuple(history, fc.constantFrom<Impact>('down', 'degraded'))
  .map(([transitions, impact]): Voice => ({ impact, transitions: transitions.flatMap((t) => t ?? []) }));

test('the combined history equals the combination at every single millisecond', () => {
  fc.assert(
    fc.property(fc.array(voice, { maxLength: 4 }), fc.integer({ min: 0, max: 40 }), (voices, from) => {
      const combined = combineFrom(voices, epochMs(from));
      for (let instant = from; instant < 45; instant++) {
        const states = voices.map((one) => one.transitions.findLast((t) => t.atMs <= instant));
        const want = combineStates(
          states,
          voices.map((one) => one.impact),
        );
        const got = combined.findLast((t) => t.atMs <= instant);
        assert.deepEqual([got?.state, got?.unknownReason], [want?.state, want?.unknownReason], `at ${instant}`);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('the order of the checks decides nothing', () => {
  fc.assert(
    fc.property(fc.array(voice, { minLength: 2, maxLength: 4 }), (voices) => {
      const said = (list: readonly Voice[]): string =>
        combineFrom(list, epochMs(0))
          .map((t) => `${t.atMs} ${t.unknownReason ?? t.state} ${t.lowMs} ${t.highMs}`)
          .join();
      assert.equal(said(voices.toReversed()), said(voices));
    }),
  );
});
