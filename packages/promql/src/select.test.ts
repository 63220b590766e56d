import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queryable } from '@nines/model/storage.ts';
import { createEngine } from './engine.ts';

test('times of samples are given for each series, also where series share their arrays', async () => {
  const times = Float64Array.of(0, 60_000);
  const values = Float64Array.of(0, 0);
  const shared = ['a', 'b', 'c'].map((job) => ({ labels: ['__name__', 'up', 'job', job], times, values }));
  const queryable: Queryable = {
    select: async () => shared,
    series: async () => [],
    labelNames: async () => [],
    labelValues: async () => [],
  };
  const engine = createEngine();
  const sumOf = async (query: string): Promise<number> => {
    const answer = await engine.instant(query, { queryable, atMs: 60_000 });
    assert.ok(answer.ok && answer.value.value.kind === 'vector', query);
    return answer.value.value.elements.reduce((sum, { value }) => sum + value, 0);
  };
  assert.equal(await sumOf('timestamp(up)'), 180);
  assert.equal(await sumOf('sum(-timestamp(up))'), -180);
  assert.equal(await sumOf('count(up)'), 3);
});
