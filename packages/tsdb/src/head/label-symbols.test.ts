import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import fc from 'fast-check';
import { CorruptData } from '../contract.ts';
import { encodeLabels } from './label-bytes.ts';
import { LabelSymbols } from './label-symbols.ts';
import { SeriesIndex } from './series-index.ts';
import { Symbols } from './symbols.ts';

const text = fc.oneof(fc.constantFrom('a', 'b', 'é', '\u{1f600}', 'host-1', 'host-2'), fc.string({ minLength: 1, maxLength: 80 }));
const labelSet = fc.dictionary(text, text, { minKeys: 1, maxKeys: 8 }).map((pairs) => labelsOf(pairs));

test('labels added as bytes are those added as texts, whatever came before and went', () => {
  fc.assert(
    fc.property(fc.uniqueArray(labelSet, { selector: (labels) => JSON.stringify(labels), maxLength: 30 }), fc.nat(4), (sets, gone) => {
      const index = new SeriesIndex();
      const plain = new SeriesIndex();
      sets.forEach((labels, i) => {
        const padded = Uint8Array.of(7, ...encodeLabels(labels), 7);
        index.addBytes(padded, 1, padded.length - 1, i);
        plain.add(labels, i);
        if (i % 5 === gone) for (const each of [index, plain]) each.remove([i]);
      });
      assert.equal(index.textCount, plain.textCount);
      assert.equal(index.nextRef, plain.nextRef);
      sets.forEach((labels, i) => {
        assert.deepEqual(index.labelsOf(i), plain.labelsOf(i));
        assert.equal(index.find(labels), plain.find(labels));
      });
    }),
    { numRuns: 300 },
  );
});

test('labels that are not canonical take nothing', () => {
  const symbols = new Symbols();
  const labels = new LabelSymbols(symbols);
  const good = encodeLabels(labelsOf({ name: '\u00e9', other: 'value' }));
  labels.take(good, 0, good.length);
  assert.equal(symbols.size, 4);
  // The first text is new, the second the Latin-1 byte of a text that is known and no UTF-8.
  for (const bad of [
    Uint8Array.of(1, 0x78, 1, 0xe9),
    Uint8Array.of(1, 0x78),
    Uint8Array.of(1, 0x78, 200),
    good.subarray(0, good.length - 1),
  ]) {
    assert.throws(() => labels.take(bad, 0, bad.length), CorruptData);
    assert.equal(symbols.size, 4);
  }
  const many = new Uint8Array(4 * 256).map((_, i) => (i % 2 === 0 ? 1 : 0x61));
  assert.throws(() => labels.take(many, 0, many.length), CorruptData);
});
