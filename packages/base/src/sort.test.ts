import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { sortInTurns } from './sort.ts';

test('lists of any length come out as sort gives them, equals in their order, with turns for others', async () => {
  for (const length of [0, 1, 2048, 2049, 5000, 20_000]) {
    const [seed] = fc.sample(fc.integer(), 1);
    const items = Array.from({ length }, (_, i) => ({ key: (Math.imul(i + (seed ?? 0), 2654435761) >>> 0) % 997, i }));
    const expected = [...items].sort((a, b) => a.key - b.key);
    let turns = 0;
    const sorted = await sortInTurns(
      [...items],
      (a, b) => a.key - b.key,
      () => {
        turns++;
        return undefined;
      },
    );
    assert.deepEqual(sorted, expected);
    assert.equal(turns > 0, length > 2048);
  }
});
