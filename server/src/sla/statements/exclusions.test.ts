import assert from 'node:assert/strict';
import { test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { clipSpan, unionSpans } from '@nines/maths/slo/window.ts';
import fc from 'fast-check';
import { type ApprovedExclusion, type Exclusion, approvedAt, excludedStretches, judgeDecision, stateAt } from './exclusions.ts';

const span = fc.tuple(fc.nat(100), fc.nat(40)).map(([fromMs, length]) => ({ fromMs: epochMs(fromMs), toMs: epochMs(fromMs + length + 1) }));
const exclusion = (one: { fromMs: number; toMs: number }, i: number): ApprovedExclusion =>
  ({ ...one, id: `e${i}`, approvedAtMs: epochMs(i), approvedBy: 'bob', requestedBy: 'ann', reason: 'other' }) as ApprovedExclusion;

test('each excluded millisecond has one cause: the exclusion approved first, otherwise the contract; none is lost, none is twice', () => {
  fc.assert(
    fc.property(fc.array(span, { maxLength: 6 }), fc.array(span, { maxLength: 6 }), (people, rule) => {
      const window = { fromMs: epochMs(10), toMs: epochMs(90) };
      const exclusions = people.map(exclusion);
      const stretches = excludedStretches(window, exclusions, { outages: unionSpans(rule), maintenance: [], outOfHours: [] });
      for (let ms = 0; ms < 150; ms++) {
        const covers = (one: { fromMs: number; toMs: number }): boolean => one.fromMs <= ms && ms < one.toMs;
        const expected = ms < 10 || ms >= 90 ? undefined : (exclusions.find(covers)?.id ?? (rule.some(covers) ? 'rule' : undefined));
        const found = stretches.filter(covers).map((one) => (one.by === 'exclusion' ? one.exclusion.id : 'rule'));
        assert.deepEqual(found, expected === undefined ? [] : [expected]);
      }
      const union = unionSpans([...people, ...rule]).flatMap((one) => clipSpan(one, window) ?? []);
      const length = (spans: readonly { fromMs: number; toMs: number }[]): number =>
        spans.reduce((sum, one) => sum + one.toMs - one.fromMs, 0);
      assert.equal(length(stretches), length(union));
    }),
  );
});

test('what was so on any past day can be asked again', () => {
  const history = {
    ...exclusion({ fromMs: 0, toMs: 1 }, 0),
    requestedAtMs: epochMs(10),
    decisions: [
      { decision: 'approved', by: 'bob', note: '', atMs: epochMs(20) },
      { decision: 'revoked', by: 'cat', note: '', atMs: epochMs(30) },
    ],
  } as unknown as Exclusion;
  assert.deepEqual(
    [5, 10, 20, 29, 30].map((atMs) => stateAt(history, atMs)),
    [undefined, 'requested', 'approved', 'approved', 'revoked'],
  );
  assert.deepEqual(
    [19, 20, 30].map((atMs) => approvedAt([history], atMs).length),
    [0, 1, 0],
  );
});

test('whoever asked for an exclusion withdraws it; nobody else does, and what is withdrawn is not approved', () => {
  const asked = { id: 'e', sla: 's', teamId: 'default', fromMs: epochMs(0), toMs: epochMs(10), reason: 'other' as const, note: '' };
  const exclusion: Exclusion = { ...asked, requestedBy: 'ann', requestedAtMs: epochMs(1_000), decisions: [] };
  const by = (name: string, decision: 'withdrawn' | 'approved') => ({ decision, by: name, atMs: epochMs(2_000) });
  assert.throws(() => judgeDecision(exclusion, by('bob', 'withdrawn'), false), /ann asked for this exclusion and alone withdraws it/);
  judgeDecision(exclusion, by('ann', 'withdrawn'), true);
  const withdrawn: Exclusion = { ...exclusion, decisions: [{ ...by('ann', 'withdrawn'), note: '' }] };
  assert.throws(
    () => judgeDecision(withdrawn, { ...by('bob', 'approved'), atMs: epochMs(3_000) }, true),
    /is withdrawn and cannot be approved/,
  );
  assert.deepEqual(approvedAt([withdrawn], 3_000), []);
});
