import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as length from './length.ts';

const plain = (text: string): string => text.replaceAll('\u00a0', ' ');
const lengthText = (lengthMs: number): string => plain(length.lengthText(lengthMs));
const shortLengthText = (lengthMs: number): string => plain(length.shortLengthText(lengthMs));
const relativeText = (atMs: number, nowMs: number): string => plain(length.relativeText(atMs, nowMs));

test('a length reads in its two largest units, truncated', () => {
  assert.equal(lengthText(252_000), '4 min 12 s');
  assert.equal(lengthText(252_999), '4 min 12 s');
  assert.equal(lengthText(60_000), '1 min');
  assert.equal(lengthText(3_600_000), '1 h');
  assert.equal(lengthText(90_061_000), '1 d 1 h');
  assert.equal(lengthText(2_592_000_000), '30 d');
});

test('milliseconds appear only where they matter', () => {
  assert.equal(lengthText(0), '0 s');
  assert.equal(lengthText(7), '7 ms');
  assert.equal(lengthText(1_250), '1 s 250 ms');
  assert.equal(lengthText(12_250), '12 s');
});

test('a spent budget beyond its total is negative', () => {
  assert.equal(lengthText(-252_000), '−4 min 12 s');
});

test('a window of a day is 24 hours, as contracts write it', () => {
  assert.equal(plain(length.windowText(86_400_000)), '24 h');
  assert.equal(plain(length.windowText(2_592_000_000)), '30 d');
  assert.equal(plain(length.windowText(5_400_000)), '1 h 30 min');
});

test('a figure never parts from its unit', () => {
  assert.equal(length.lengthText(252_000), '4\u00a0min 12\u00a0s');
});

test('relative times say before and after', () => {
  assert.equal(relativeText(1_000, 361_000), '6 min ago');
  assert.equal(relativeText(7_201_000, 1_000), 'in 2 h');
  assert.equal(relativeText(1_000, 1_500), 'now');
  assert.equal(shortLengthText(90_000), '1 min');
});
