import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { hashLabels, xxHash64 } from './hash.ts';

test('xxHash64 gives the published values', () => {
  for (const [text, want] of [
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Call me Ishmael. Some years ago--never mind how long precisely-', 0x02a2e85470d6fd96n],
  ] as const)
    assert.equal(xxHash64(new TextEncoder().encode(text)), want, text);
});

test('label sets fall evenly between 0 and 1', () => {
  const places = Array.from({ length: 1000 }, (_, i) => hashLabels(labelsOf({ __name__: 'm', i: String(i), long: 'x'.repeat(300) })));
  assert.ok(places.every((place) => place >= 0 && place < 1));
  const low = places.filter((place) => place < 0.5).length;
  assert.ok(low > 420 && low < 580, `${low} of 1000 in the lower half`);
});
