import assert from 'node:assert/strict';
import { test } from 'node:test';
import { quantityText, threeDigits } from './quantity.ts';

test('bytes use binary steps and name them', () => {
  assert.equal(quantityText(0, 'bytes'), '0 B');
  assert.equal(quantityText(1536, 'bytes'), '1.50 KiB');
  assert.equal(quantityText(8 * 1024 ** 3, 'bytes'), '8.00 GiB');
  assert.equal(quantityText(20480, 'bytes_per_second'), '20.0 KiB/s');
});

test('seconds choose the unit a reader would', () => {
  assert.equal(quantityText(0.0123, 'seconds'), '12.3 ms');
  assert.equal(quantityText(0.000_045, 'seconds'), '45.0 µs');
  assert.equal(quantityText(2.5, 'seconds'), '2.50 s');
});

test('three digits are enough', () => {
  assert.equal(threeDigits(123.456), '123');
  assert.equal(threeDigits(99.96), '100');
  assert.equal(threeDigits(12.345), '12.3');
  assert.equal(threeDigits(1.2345), '1.23');
  assert.equal(threeDigits(0.01234), '0.012');
});
