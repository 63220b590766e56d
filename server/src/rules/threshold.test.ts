import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { labelValue, labelsOf } from '@nines/model/labels.ts';
import { type Limit, type Missing, judgeThreshold } from './threshold.ts';

const ABOVE: Limit = { condition: '>', threshold: 90, clear: 85 };
const labels = (series: string) => labelsOf({ series });

function judge(
  values: Record<string, number>,
  options: { limit?: Limit; missing?: Missing; firing?: string[]; pending?: string[]; seen?: string[] } = {},
) {
  const open = [
    ...(options.firing ?? []).map((s) => ({ labels: labels(s), firing: true })),
    ...(options.pending ?? []).map((s) => ({ labels: labels(s), firing: false })),
  ];
  const { active, holding } = judgeThreshold({
    limit: options.limit ?? ABOVE,
    missing: options.missing ?? 'keep',
    readings: Object.entries(values).map(([series, value]) => ({ labels: labels(series), value })),
    open,
    seen: (options.seen ?? []).map(labels),
  });
  return {
    active: active.map((f) => `${labelValue(f.labels, 'series')} ${f.reason}`),
    holding: holding.map((l) => labelValue(l, 'series')),
  };
}

describe('a threshold with a clear threshold', () => {
  it('begins only beyond the threshold', () => {
    assert.deepEqual(judge({ a: 91, b: 90, c: 86 }), { active: ['a beyond_threshold'], holding: [] });
  });

  it('stays between the two for what fires, and ends at the clear threshold', () => {
    assert.deepEqual(judge({ a: 86, b: 85, c: 84 }, { firing: ['a', 'b', 'c'] }), { active: ['a not_yet_clear'], holding: [] });
  });

  it('loses a pending alert between the two', () => {
    assert.deepEqual(judge({ a: 86 }, { pending: ['a'] }), { active: [], holding: [] });
  });

  const below: Limit = { condition: '<=', threshold: 5, clear: 10 };
  it('works downwards too', () => {
    assert.deepEqual(judge({ a: 5, b: 6, c: 10, d: 11 }, { limit: below, firing: ['b', 'c', 'd'] }).active, [
      'a beyond_threshold',
      'b not_yet_clear',
      'c not_yet_clear',
    ]);
  });
});

describe('a series that stops', () => {
  it('keeps its alert as it is by default', () => {
    assert.deepEqual(judge({}, { firing: ['a'], pending: ['b'] }), { active: [], holding: ['a', 'b'] });
  });

  it('ends its alert when the rule says so', () => {
    assert.deepEqual(judge({}, { missing: 'resolve', firing: ['a'] }), { active: [], holding: [] });
  });

  it('fires when the rule says so, also without an alert before', () => {
    assert.deepEqual(judge({ b: 1 }, { missing: 'fire', firing: ['a'], seen: ['b', 'c'] }).active, ['a missing', 'c missing']);
  });

  it('is meant by NaN too', () => {
    assert.deepEqual(judge({ a: Number.NaN }, { firing: ['a'] }), { active: [], holding: ['a'] });
  });
});
