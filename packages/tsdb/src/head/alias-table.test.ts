import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AliasTable, MAX_ALIAS_BYTES } from './alias-table.ts';
import { NONE } from './series-index.ts';

/** A batch whose series have these labels. */
function batchOf(labels: readonly Uint8Array[]) {
  const bytes = Uint8Array.from(Buffer.concat(labels));
  const ends: number[] = [];
  for (const one of labels) ends.push((ends.at(-1) ?? 0) + one.length);
  const labelsTo = Uint32Array.from(ends);
  const labelsFrom = Uint32Array.from(labels, (one, i) => (labelsTo[i] ?? 0) - one.length);
  return { bytes, seriesCount: labels.length, labelsFrom, labelsTo };
}

/** Looks all labels of a batch up and adds the unknown ones; the references that were found, `NONE` for those that were not. */
function walk(table: AliasTable, labels: readonly Uint8Array[], refOf: (i: number) => number): number[] {
  const batch = batchOf(labels);
  table.begin(batch.bytes, batch);
  const refs = labels.map((_, i) => {
    const ref = table.find(i);
    if (ref === NONE) table.add(i, refOf(i));
    return ref;
  });
  table.end();
  return refs;
}

// Few bytes and few lengths, so that labels differ in one place only, share beginnings and ends, and repeat within a batch.
const someLabels = fc.array(
  fc.oneof(fc.uint8Array({ min: 0, max: 1, maxLength: 20 }), fc.uint8Array({ max: 3, minLength: 30, maxLength: 60 })),
  {
    maxLength: 100,
  },
);

test('in any order, over any number of batches, labels are found under the reference they were added with', () => {
  fc.assert(
    fc.property(fc.array(someLabels, { maxLength: 6 }), fc.integer(), (batches, seed) => {
      const table = new AliasTable({ seed });
      const known = new Map<string, number>();
      let next = 0;
      for (const labels of batches) {
        const found = walk(table, labels, () => next++);
        labels.forEach((one, i) => {
          const key = Buffer.from(one).toString('hex');
          assert.equal(found[i], known.get(key) ?? NONE, `series ${i}`);
          if (!known.has(key)) known.set(key, known.size);
        });
      }
    }),
  );
});

test('thousands of series are found again in order, backwards and after the table has grown', () => {
  const table = new AliasTable({ seed: 7 });
  const labels = Array.from({ length: 5_000 }, (_, i) => Buffer.from(`some-label-of-a-series-with-the-number-${i}`));
  const refs = labels.map((_, i) => i);
  assert.ok(walk(table, labels, (i) => i).every((ref) => ref === NONE));
  assert.deepEqual(
    walk(table, labels, () => NONE),
    refs,
  );
  assert.deepEqual(
    walk(table, labels.toReversed(), () => NONE),
    refs.toReversed(),
  );
});

test('an entry whose series came back is pointed at its new reference', () => {
  const table = new AliasTable();
  const labels = [Buffer.from('one'), Buffer.from('two')];
  walk(table, labels, (i) => i);
  const batch = batchOf(labels);
  table.begin(batch.bytes, batch);
  assert.equal(table.find(0), 0);
  table.repoint(9);
  assert.deepEqual(
    walk(table, labels, () => NONE),
    [9, 1],
  );
});

test('labels that are added twice have one entry, under the later reference', () => {
  const table = new AliasTable();
  const labels = [Buffer.from('one'), Buffer.from('one')];
  const batch = batchOf(labels);
  table.begin(batch.bytes, batch);
  table.add(0, 4);
  table.add(1, 5);
  assert.deepEqual(
    walk(table, labels, () => NONE),
    [5, 5],
  );
});

test('a table that is full begins anew within its bound', () => {
  const table = new AliasTable();
  const wide = Array.from({ length: 9 }, (_, i) => Buffer.alloc(MAX_ALIAS_BYTES / 8, i));
  walk(table, wide, (i) => i);
  assert.ok(table.bytes <= MAX_ALIAS_BYTES * 1.01, `${table.bytes} bytes`);
  assert.deepEqual(
    walk(table, wide.slice(8), () => NONE),
    [8],
  );
});
