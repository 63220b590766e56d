import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { labelsOf } from './labels.ts';
import { bitsOf, isStale, setStale } from './stale.ts';
import { parseVmLine, printVmLine } from './vm-lines.ts';

test('what is written is read back: labels, times, every bit of every number, markers', () => {
  const value = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(-0, Infinity, -Infinity, 5e-324, 2 ** 53 + 2, 'stale' as const));
  const series = fc.record({
    name: fc.string({ unit: 'grapheme', minLength: 1 }),
    label: fc.string({ unit: 'grapheme', minLength: 1 }),
    samples: fc.array(fc.tuple(fc.integer({ min: 0, max: 2 ** 43 }), value), { maxLength: 20 }),
  });
  fc.assert(
    fc.property(series, ({ name, label, samples }) => {
      const labels = labelsOf({ __name__: name, 'a"b\n': label });
      const times = Float64Array.from(samples, ([time]) => time);
      const values = Float64Array.from(samples, ([, one]) => (one === 'stale' ? 0 : one));
      samples.forEach(([, one], i) => {
        if (one === 'stale') setStale(values, i);
      });
      const line = printVmLine({ labels, times, values });
      assert.ok(line.endsWith('}\n') && line.indexOf('\n') === line.length - 1);
      const read = parseVmLine(line);
      assert.ok(read.ok);
      assert.deepEqual([read.value.labels, read.value.times, bitsOf(read.value.values)], [labels, times, bitsOf(values)]);
    }),
  );
});

test('the special values are those of VictoriaMetrics, null is the staleness marker', () => {
  const read = parseVmLine('{"metric":{"__name__":"a"},"values":[null,"Infinity","-Infinity","NaN",-0],"timestamps":[1,2,3,4,5]}');
  assert.ok(read.ok);
  assert.ok(isStale(bitsOf(read.value.values), 0));
  assert.deepEqual([...read.value.values.subarray(1)], [Infinity, -Infinity, Number.NaN, -0]);
});

test('infinities without quotes are read as well, a plain NaN is a staleness marker, and a label that looks like them stays', () => {
  const read = parseVmLine('{"metric":{"__name__":"a","l":"[Inf,"},"values":[+Inf,1,-Inf,NaN],"timestamps":[1,2,3,4]}');
  assert.ok(read.ok);
  assert.deepEqual([read.value.labels[3], ...read.value.values], ['[Inf,', Infinity, 1, -Infinity, Number.NaN]);
  assert.ok(isStale(bitsOf(read.value.values), 3));
});

test('a bad line is refused with the field that is wrong', () => {
  const refused = (text: string): string => {
    const read = parseVmLine(text);
    return read.ok ? 'read' : read.error;
  };
  assert.match(refused('{"metric":'), /not JSON/);
  assert.match(refused('3'), /not an object/);
  assert.match(refused('{"values":[],"timestamps":[]}'), /metric/);
  assert.match(refused('{"metric":{"a":1},"values":[],"timestamps":[]}'), /metric: the value of "a"/);
  assert.match(refused('{"metric":{},"values":3,"timestamps":[]}'), /values: not a list/);
  assert.match(refused('{"metric":{},"values":[1,2],"timestamps":[1]}'), /2 values for 1 timestamps/);
  assert.match(refused('{"metric":{},"values":[1,"x"],"timestamps":[1,2]}'), /values\[1\]/);
  assert.match(refused('{"metric":{},"values":[1],"timestamps":["2"]}'), /timestamps\[0\]/);
});
