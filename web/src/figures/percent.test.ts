import assert from 'node:assert/strict';
import { test } from 'node:test';
import { percentText, plainDecimal, targetText } from './percent.ts';

test('a percentage is truncated, never rounded up', () => {
  assert.equal(percentText(0.99996, 2), '99.99');
  assert.equal(percentText(0.999999999, 3), '99.999');
  assert.equal(percentText(1, 2), '100.00');
  assert.equal(percentText(0, 2), '0.00');
  assert.equal(percentText(0.07, 1), '7.0');
  assert.equal(percentText(1e-7, 6), '0.000010');
});

test('numbers with exponents are written out', () => {
  assert.equal(plainDecimal(1e-7), '0.0000001');
  assert.equal(plainDecimal(1.25e-9), '0.00000000125');
  assert.equal(plainDecimal(0.5), '0.5');
});

test('a target reads as people write it', () => {
  assert.equal(targetText(0.999), '99.9');
  assert.equal(targetText(0.99), '99');
  assert.equal(targetText(0.9999), '99.99');
  assert.equal(targetText(0.57), '57');
});
