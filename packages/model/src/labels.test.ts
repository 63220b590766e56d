import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareLabels,
  compareText,
  formatLabels,
  labelValue,
  labelsFrom,
  labelsKey,
  labelsOf,
  labelsToRecord,
  withLabels,
} from './labels.ts';

const label = fc.string({ unit: 'binary', maxLength: 6 });

test('text is ordered by its UTF-8 bytes, surrogates included', () => {
  fc.assert(
    fc.property(label, label, (a, b) =>
      assert.equal(Math.sign(compareText(a, b)), Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b)))),
    ),
    { examples: [['\u{1f600}', '\uffee']] },
  );
});

test('a label set is sorted, without empty values, and does not depend on the order given', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.tuple(label, label), { selector: ([name]) => name }), (pairs) => {
      const labels = labelsFrom(pairs);
      assert.deepEqual(labelsFrom([...pairs].reverse()), labels);
      const names = labels.filter((_, i) => i % 2 === 0);
      assert.deepEqual(names, [...names].sort(compareText));
      assert.equal(names.length, pairs.filter(([, value]) => value !== '').length);
      for (const [name, value] of pairs) assert.equal(labelValue(labels, name), value);
    }),
  );
});

test('names that mean something to JavaScript are only text', () => {
  const labels = labelsFrom([
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['hasOwnProperty', 'c'],
  ]);
  const record = labelsToRecord(labels);
  assert.deepEqual(Object.keys(record), ['__proto__', 'constructor', 'hasOwnProperty']);
  assert.equal(record['__proto__'], 'a');
});

test('sets that differ have different keys, and order like their labels', () => {
  const a = labelsOf({ a: '1', b: '2' });
  const b = labelsOf({ a: '1', b: '3' });
  assert.notEqual(labelsKey(a), labelsKey(b));
  assert.ok(compareLabels(a, b) < 0);
  assert.equal(compareLabels(a, labelsOf({ b: '2', a: '1' })), 0);
});

test('changing a label keeps the others; an empty value removes', () => {
  assert.deepEqual(withLabels(labelsOf({ a: '1', b: '2' }), { a: '', c: '3' }), ['b', '2', 'c', '3']);
});

test('a series is printed as Prometheus prints it', () => {
  assert.equal(formatLabels(labelsOf({ __name__: 'up' })), 'up');
  assert.equal(formatLabels(labelsOf({ __name__: 'up', job: 'a"b' })), 'up{job="a\\"b"}');
  assert.equal(formatLabels(labelsOf({ job: 'x' })), '{job="x"}');
});
