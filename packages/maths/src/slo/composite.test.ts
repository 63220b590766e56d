import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import fc from 'fast-check';
import { composeFrom, composeStates, type CompositeRule } from './composite.ts';
import { type State, STATES, type Transition } from './types.ts';

const say = (state: State, atMs = 0): Transition => ({
  atMs: epochMs(atMs),
  state,
  ...(state === 'unknown' ? { unknownReason: 'no_data' as const } : {}),
  lowMs: epochMs(atMs),
  highMs: epochMs(atMs),
  evidence: [],
});
const LETTERS: Record<string, State> = { u: 'up', g: 'degraded', d: 'down', '?': 'unknown' };
const ruleFor = (atLeast: number, ...weights: number[]): CompositeRule => ({
  members: weights.map((weight, i) => ({ id: `m${i}`, weight })),
  atLeast,
});

test('the table of composites: series, parallel, k of n, weighted', () => {
  const f = (rule: CompositeRule, states: string, want: State): void =>
    assert.equal(
      composeStates(
        Array.from(states, (letter) => say(LETTERS[letter] ?? 'up')),
        rule,
      ).state,
      want,
      `${rule.atLeast} ${states}`,
    );
  const [series, parallel, two] = [ruleFor(3, 1, 1, 1), ruleFor(1, 1, 1, 1), ruleFor(2, 1, 1, 1)];
  f(series, 'uuu', 'up');
  f(series, 'uug', 'degraded');
  f(series, 'ug?', 'unknown');
  f(series, 'd?u', 'down');
  f(parallel, 'ddu', 'up');
  f(parallel, 'ddg', 'degraded');
  f(parallel, 'dd?', 'unknown');
  f(parallel, '?gd', 'degraded');
  f(parallel, 'ddd', 'down');
  f(two, 'uud', 'up');
  f(two, 'ugd', 'degraded');
  f(two, 'ud?', 'unknown');
  f(two, 'dd?', 'down');
  const shares = ruleFor(60, 50, 30, 20);
  f(shares, 'udd', 'down');
  f(shares, 'uud', 'up');
  f(shares, 'dud', 'down');
  f(shares, 'u??', 'unknown');
  f(shares, 'd??', 'down');
});

test('unknown stays unknown exactly where it matters: every reading of it agrees with what is known', () => {
  const states = fc.array(fc.tuple(fc.constantFrom(...STATES), fc.integer({ min: 1, max: 5 })), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(states, fc.nat(), (members, seed) => {
      const weights = members.map(([, weight]) => weight);
      const rule = ruleFor(1 + (seed % weights.reduce((a, b) => a + b)), ...weights);
      const works = (read: readonly State[]): boolean =>
        read.reduce((sum, state, i) => sum + (state === 'down' ? 0 : (weights[i] ?? 0)), 0) >= rule.atLeast;
      const readings = members.reduce<readonly (readonly State[])[]>(
        (all, [state]) =>
          all.flatMap((read) => (state === 'unknown' ? (['up', 'down'] as const) : [state]).map((one): readonly State[] => [...read, one])),
        [[]],
      );
      const verdicts = new Set(readings.map(works));
      const { state } = composeStates(
        members.map(([one]) => say(one)),
        rule,
      );
      const good = state === 'up' || state === 'degraded';
      assert.equal(state === 'unknown', verdicts.size === 2, 'unknown exactly when the readings differ');
      if (state !== 'unknown') assert.ok(verdicts.has(good));
    }),
  );
});

test('a composite is, at every second, what its members are then', () => {
  const LENGTH = 40;
  const member = fc.array(fc.constantFrom<State | '-'>(...STATES, '-'), { minLength: LENGTH, maxLength: LENGTH }).map((seconds) => {
    const began = seconds.findIndex((one) => one !== '-');
    return seconds.map((one, i): State | '-' => (began === -1 || i < began ? '-' : one === '-' ? 'up' : one));
  });
  const historyOf = (seconds: readonly (State | '-')[]): Transition[] =>
    seconds.flatMap((one, i) => (one === '-' || one === seconds[i - 1] ? [] : [say(one, i)]));
  fc.assert(
    fc.property(fc.array(member, { minLength: 1, maxLength: 4 }), fc.nat(), fc.nat({ max: LENGTH - 1 }), (members, seed, cutMs) => {
      const rule = ruleFor(1 + (seed % members.length), ...members.map(() => 1));
      const histories = members.map(historyOf);
      const whole = composeFrom(histories, rule, { fromMs: epochMs(0), begun: false });
      for (let at = 0; at < LENGTH; at++) {
        const began = members.every((seconds) => seconds[at] !== '-');
        const states = members.map((seconds) => say(seconds[at] === '-' ? 'up' : (seconds[at] as State), at));
        const want = began ? composeStates(states, rule).state : undefined;
        assert.equal(whole.findLast((one) => one.atMs <= at)?.state, want, `second ${at}`);
      }
      const before = whole.filter((one) => one.atMs < cutMs);
      const rest = composeFrom(histories, rule, { fromMs: epochMs(cutMs), begun: before.length > 0 });
      const again = [...before, ...(before.at(-1)?.state === rest[0]?.state ? rest.slice(1) : rest)];
      assert.deepEqual(
        again.map(({ atMs, state }) => [atMs, state]),
        whole.map(({ atMs, state }) => [atMs, state]),
        'composed anew from any instant it is the same',
      );
    }),
  );
});
