import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readableLengths } from './readable.ts';

test('lengths in a sentence read as on the rest of the page', () => {
  assert.equal(readableLengths('1m26s400ms of the budget is left').replaceAll('\u00a0', ' '), '1 min 26 s of the budget is left');
  assert.equal(readableLengths('36s of 2d are spent').replaceAll('\u00a0', ' '), '36 s of 2 d are spent');
});

test('what is no length stays as it is', () => {
  assert.equal(readableLengths('RULE_003 on shop-2 at 99.9 %'), 'RULE_003 on shop-2 at 99.9 %');
  assert.equal(readableLengths('5s1h'), '5s1h');
});
