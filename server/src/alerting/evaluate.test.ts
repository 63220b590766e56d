import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs, ms } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import fc from 'fast-check';
import type { ActiveElement, AlertingRule, Evaluation } from './contract.ts';
import { type AlertRecord, type Transition, decide } from './evaluate.ts';
import { fingerprintOf } from './fingerprint.ts';

const T0 = 1_760_000_000_000;
const rule = (changes: Partial<AlertingRule> = {}): AlertingRule => ({
  id: 'R',
  kind: 'rule',
  alertname: 'High',
  severity: 'warning',
  teamId: 'default',
  forMs: ms(0),
  keepFiringForMs: ms(0),
  cooldownMs: ms(3e5),
  ...changes,
});
const element = (series: string, changes: Partial<ActiveElement> = {}): ActiveElement => ({
  labels: labelsOf({
    alertname: 'High',
    series,
  }),
  annotations: {},
  value: 1,
  ...changes,
});

/** Plays evaluations at seconds after T0 and gives back the steps as `second kind`. */
class Story {
  readonly open = new Map<string, AlertRecord>();
  readonly steps: string[] = [];
  readonly transitions: Transition[] = [];
  readonly #rule: AlertingRule;
  #ids = 0;

  constructor(changes: Partial<AlertingRule> = {}) {
    this.#rule = rule(changes);
  }

  at(second: number, active: readonly ActiveElement[], options: { holding?: readonly string[]; unknown?: boolean } = {}): this {
    const holding = (options.holding ?? []).map((series) => element(series).labels);
    const found = options.unknown
      ? ({ kind: 'unknown', reason: 'query failed' } as const)
      : ({ kind: 'complete', active, holding } as const);
    const evaluation: Evaluation = { rule: this.#rule, atMs: epochMs(T0 + second * 1000), found };
    const decision = decide(this.open, evaluation, () => `a${++this.#ids}`);
    for (const record of decision.refreshed) this.open.set(record.fingerprint, record);
    for (const transition of decision.transitions) {
      this.transitions.push(transition);
      this.steps.push(`${second} ${transition.kind}`);
      if (transition.kind === 'resolved' || transition.kind === 'dropped') this.open.delete(transition.after.fingerprint);
      else this.open.set(transition.after.fingerprint, transition.after);
    }
    return this;
  }
}

describe('the life of an alert', () => {
  it('fires at once when the rule asks for no duration', () => {
    assert.deepEqual(new Story().at(0, [element('a')]).steps, ['0 fired']);
  });

  it('waits for its duration, and fires when it has passed', () => {
    const story = new Story({ forMs: ms(60_000) });
    for (const second of [0, 30, 59]) story.at(second, [element('a')]);
    assert.deepEqual(story.steps, ['0 pending']);
    assert.deepEqual(story.at(60, [element('a')]).steps, ['0 pending', '60 fired']);
    assert.equal(story.transitions[1]?.after.startsAtMs, T0 + 60_000);
    assert.equal(story.transitions[1]?.after.activeSinceMs, T0);
  });

  it('drops a pending alert whose condition ceases, and starts the duration anew', () => {
    const story = new Story({ forMs: ms(60_000) })
      .at(0, [element('a')])
      .at(30, [])
      .at(40, [element('a')])
      .at(90, [element('a')]);
    assert.deepEqual(story.steps, ['0 pending', '30 dropped', '40 pending']);
  });

  it('resolves at the evaluation that no longer finds it', () => {
    const story = new Story().at(0, [element('a'), element('b')]).at(10, [element('b')]);
    assert.deepEqual(story.steps, ['0 fired', '0 fired', '10 resolved']);
    assert.equal(story.transitions[2]?.after.endsAtMs, T0 + 10_000);
  });

  it('keeps firing for the asked length after the condition ceased, and goes on when it returns', () => {
    const story = new Story({ keepFiringForMs: ms(60_000) });
    story
      .at(0, [element('a')])
      .at(10, [])
      .at(50, [])
      .at(60, [element('a')])
      .at(70, [])
      .at(129, [])
      .at(130, []);
    assert.deepEqual(story.steps, ['0 fired', '10 kept', '60 returned', '70 kept', '130 resolved']);
  });

  it('neither recovers nor advances when the evaluation could not decide', () => {
    const story = new Story({ forMs: ms(10_000) }).at(0, [element('a')]).at(20, [], { unknown: true });
    assert.deepEqual(story.steps, ['0 pending']);
    assert.deepEqual(story.at(21, [element('a')]).at(30, [], { unknown: true }).steps, ['0 pending', '21 fired']);
  });

  it('holds what lies between the two thresholds', () => {
    const story = new Story()
      .at(0, [element('a')])
      .at(10, [], { holding: ['a'] })
      .at(20, [], { holding: ['a'] })
      .at(30, []);
    assert.deepEqual(story.steps, ['0 fired', '30 resolved']);
  });

  it('starts where the rule says the problem began, and counts the duration from there', () => {
    const story = new Story({ forMs: ms(5_000) }).at(8, [element('a', { activeSinceMs: epochMs(T0 + 2_500) })]);
    assert.deepEqual(story.steps, ['8 fired']);
    assert.equal(story.transitions[0]?.after.startsAtMs, T0 + 2_500);
  });

  it('never starts in the future', () => {
    const story = new Story().at(1, [element('a', { activeSinceMs: epochMs(T0 + 9_000) })]);
    assert.equal(story.transitions[0]?.after.startsAtMs, T0 + 1_000);
  });

  it('tells a change of severity', () => {
    const story = new Story().at(0, [element('a', { severity: 'warning' })]).at(5, [element('a', { severity: 'critical' })]);
    assert.deepEqual(story.steps, ['0 fired', '5 severity_changed']);
  });

  it('counts two elements with the same labels as one alert', () => {
    assert.deepEqual(new Story().at(0, [element('a'), element('a')]).steps, ['0 fired']);
  });
});

describe('the fingerprint', () => {
  // Worked out from the definition with an independent FNV-1a (64 bits) over the bytes.
  const f = (labels: Record<string, string>, want: string) =>
    it(`of ${JSON.stringify(labels)} is ${want}`, () => assert.equal(fingerprintOf(labelsOf(labels)), want));
  f({}, 'cbf29ce484222325');
  f({ alertname: 'High' }, fnv('616c6572746e616d65ff48696768ff'));
  f({ b: 'ü', a: '1' }, fnv('61ff31ff62ffc3bcff'));
});

function fnv(hex: string): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of Buffer.from(hex, 'hex')) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, '0');
}

describe('any sequence of evaluations', () => {
  const step = fc.record({
    gap: fc.integer({ min: 1, max: 40 }),
    active: fc.subarray(['a', 'b', 'c']),
    holding: fc.subarray(['a', 'b', 'c']),
    unknown: fc.boolean(),
  });
  const durations = fc.record({ forMs: fc.constantFrom(0, 15_000, 60_000), keepFiringForMs: fc.constantFrom(0, 20_000) });

  it('gives each fingerprint fired and resolved in turn, never twice the same', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), durations, (steps, asked) => {
        const story = new Story({ forMs: ms(asked.forMs), keepFiringForMs: ms(asked.keepFiringForMs) });
        let second = 0;
        for (const { gap, active, holding, unknown } of steps) {
          second += gap;
          story.at(
            second,
            active.map((series) => element(series)),
            { holding, unknown },
          );
        }
        const last = new Map<string, string>();
        const openIds = new Map<string, string>();
        for (const { kind, after } of story.transitions) {
          const { fingerprint, id } = after;
          if (kind === 'fired') assert.ok(['none', 'pending', 'resolved', 'dropped'].includes(last.get(fingerprint) ?? 'none'));
          if (kind === 'resolved') assert.equal(openIds.get(fingerprint), id);
          if (kind === 'pending') assert.ok(['none', 'resolved', 'dropped'].includes(last.get(fingerprint) ?? 'none'));
          if (kind === 'fired') openIds.set(fingerprint, id);
          if (kind === 'resolved') openIds.delete(fingerprint);
          if (kind !== 'kept' && kind !== 'returned') last.set(fingerprint, kind);
          if (after.endsAtMs !== null) assert.ok(after.endsAtMs >= after.startsAtMs);
        }
        assert.deepEqual(
          [...openIds.keys()].sort(),
          [...story.open.values()]
            .filter((r) => r.condition === 'firing')
            .map((r) => r.fingerprint)
            .sort(),
        );
      }),
    );
  });

  it('that finds nothing for long enough ends everything', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), durations, (steps, asked) => {
        const story = new Story({ forMs: ms(asked.forMs), keepFiringForMs: ms(asked.keepFiringForMs) });
        let second = 0;
        for (const { gap, active, holding, unknown } of steps)
          story.at(
            (second += gap),
            active.map((series) => element(series)),
            { holding, unknown },
          );
        story.at(second + 1, []).at(second + 1000, []);
        assert.equal(story.open.size, 0);
      }),
    );
  });
});
