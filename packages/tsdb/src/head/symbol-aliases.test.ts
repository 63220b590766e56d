import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LabelSymbols, WriteBatch } from '@nines/model/storage.ts';
import { NONE } from './series-index.ts';
import { SymbolAliases } from './symbol-aliases.ts';

type Referred = WriteBatch & { readonly symbols: LabelSymbols };

/** A batch whose series have these texts; `order` tells in which order the table of symbols has them. */
function batchOf(series: readonly (readonly string[])[], order: 'first seen' | 'sorted' = 'first seen'): Referred {
  const texts = [...new Set(['', ...series.flat()])];
  if (order === 'sorted') texts.sort();
  const encoded = texts.map((text) => Buffer.from(text));
  const to: number[] = [];
  for (const one of encoded) to.push((to.at(-1) ?? 0) + one.length);
  const ends: number[] = [];
  for (const one of series) ends.push((ends.at(-1) ?? 0) + one.length);
  return {
    bytes: Uint8Array.from(Buffer.concat(encoded)),
    symbols: {
      count: texts.length,
      from: Uint32Array.from(encoded, (one, i) => (to[i] ?? 0) - one.length),
      to: Uint32Array.from(to),
      refs: Uint32Array.from(series.flat(), (text) => texts.indexOf(text)),
    },
    seriesCount: series.length,
    labelsFrom: Uint32Array.from(series, (one, i) => (ends[i] ?? 0) - one.length),
    labelsTo: Uint32Array.from(ends),
    samplesFrom: new Uint32Array(series.length + 1),
    times: new Float64Array(0),
    values: new Float64Array(0),
  };
}

/** Looks all series up and adds those of the unknown that `refOf` gives a reference. */
function walk(aliases: SymbolAliases, batch: Referred, refOf: (i: number) => number): number[] {
  aliases.begin(batch, batch.symbols);
  const refs = Array.from({ length: batch.seriesCount }, (_, i) => {
    const ref = aliases.find(i);
    if (ref === NONE && refOf(i) !== NONE) aliases.add(i, refOf(i));
    return ref;
  });
  aliases.end();
  return refs;
}

const text = fc.constantFrom('', 'a', 'b', 'job', 'node', '__name__', 'up', 'a-text-that-is-longer-than-one-stripe', 'ä');
const someSeries = fc.array(fc.array(text, { minLength: 1, maxLength: 6 }), { maxLength: 60 });

test('series are found under the reference of the same texts in the same order, however their request numbers the texts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(someSeries, fc.boolean()), { maxLength: 6 }), fc.integer(), (batches, seed) => {
      const aliases = new SymbolAliases(seed);
      const known = new Map<string, number>();
      let next = 0;
      for (const [series, sorted] of batches) {
        const before = new Map(known);
        // One in four is refused, and must leave nothing behind that later ones could be taken for.
        const refOf = series.map((one) => (one.length % 4 === 3 ? NONE : (known.get(one.join('\0')) ?? next++)));
        series.forEach((one, i) => {
          const ref = refOf[i] ?? NONE;
          if (ref !== NONE && !known.has(one.join('\0'))) known.set(one.join('\0'), ref);
        });
        const found = walk(
          aliases,
          batchOf(series, sorted ? 'sorted' : 'first seen'),
          (i) => known.get(series[i]?.join('\0') ?? '') ?? NONE,
        );
        series.forEach((one, i) => {
          const key = one.join('\0');
          // What came into the table within this batch may be found or not.
          if (found[i] !== NONE || before.has(key)) assert.equal(found[i], known.get(key), `series ${i}`);
        });
      }
    }),
  );
});

test('thousands of series are found again in order and backwards, some of them new each time', () => {
  const aliases = new SymbolAliases(7);
  const all = Array.from({ length: 4_000 }, (_, i) => ['__name__', 'up', 'instance', `host-${i}:9100`, 'job', `job-${i % 7}`]);
  walk(aliases, batchOf(all.slice(0, 3_900)), (i) => i);
  assert.deepEqual(
    walk(aliases, batchOf(all), (i) => i),
    all.map((_, i) => (i < 3_900 ? i : NONE)),
  );
  assert.deepEqual(
    walk(aliases, batchOf(all.toReversed()), () => NONE),
    all.map((_, i) => 3_999 - i),
  );
});

test('texts and series that were refused take no memory', () => {
  const aliases = new SymbolAliases();
  walk(aliases, batchOf([['a', 'b']]), () => 0);
  const before = aliases.bytes;
  const many = Array.from({ length: 20_000 }, (_, i) => ['a', `refused-${i}`]);
  walk(aliases, batchOf(many), () => NONE);
  assert.equal(aliases.bytes, before);
});

test('an entry whose series came back is pointed at its new reference', () => {
  const aliases = new SymbolAliases();
  const batch = batchOf([
    ['a', 'b'],
    ['a', 'c'],
  ]);
  walk(aliases, batch, (i) => i);
  aliases.begin(batch, batch.symbols);
  assert.equal(aliases.find(0), 0);
  aliases.repoint(9);
  assert.deepEqual(
    walk(aliases, batch, () => NONE),
    [9, 1],
  );
});
