import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lengthInWords } from './length-words.ts';

test('lengths are read at a glance and lose no millisecond below a day', () => {
  assert.deepEqual([0, 999, 1_000, 2_300, 62_500, 252_000, 86_400_000, 90_061_000].map(lengthInWords), [
    '0 ms',
    '999 ms',
    '1 s',
    '2.3 s',
    '1 min 2.5 s',
    '4 min 12 s',
    '1 d',
    '1 d 1 h 1 min',
  ]);
});
