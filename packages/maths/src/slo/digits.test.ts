import assert from 'node:assert/strict';
import { test } from 'node:test';
import { provenDigits } from './digits.ts';

const shown = (attained: number, low = attained, high = attained) => {
  const { proven, doubtful } = provenDigits(attained, [low, high]);
  return doubtful === '' ? proven : `${proven}(${doubtful})`;
};

test('certain figures show all their digits, truncated and never rounded up', () => {
  assert.equal(shown(0.999), '99.9');
  assert.equal(shown(1), '100');
  assert.equal(shown(0), '0');
  assert.equal(shown(0.99999999), '99.99999');
  assert.equal(shown(0.9993), '99.93');
  assert.equal(shown(0.07), '7');
});

test('digits on which the bounds disagree are doubtful, and of them the first is given and in any case the first decimal', () => {
  assert.equal(shown(0.99934, 0.99931, 0.99938), '99.93(4)');
  assert.equal(shown(0.9994, 0.9989, 0.9999), '99(.9)');
  assert.equal(shown(0.9, 0.89, 0.92), '(90.0)');
});

test('a figure of 100 % that may be less is doubtful as a whole', () => {
  assert.equal(shown(1, 0.9999, 1), '(100.0)');
});
