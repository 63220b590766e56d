import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changeName, changeText } from './statement-changes.ts';

test('changed fields are told by what they are, not by their code', () => {
  assert.match(changeName('timeline[1763683200000].state'), /^timeline, 2[01] Nov 2025 .*: state$/);
  assert.match(changeName('exclusions[1763683200000]'), /^exclusions, .*\.000$/);
  assert.equal(changeName('budget.spent_ms'), 'budget.spent ms');
  assert.deepEqual(
    [changeText('budget.spent_ms', 61_000), changeText('status', 'met'), changeText('a', null), changeText('a', { b: 1 })],
    ['1\u00a0min 1\u00a0s', 'met', '–', '{"b":1}'],
  );
});
