import assert from 'node:assert/strict';
import { it } from 'node:test';
import { labelsOfText, textOfLabels } from './label-text.ts';

it('reads labels as people type and copy them', () => {
  const labels = (text: string): unknown => {
    const read = labelsOfText(text);
    return read.ok ? read.value : read.error;
  };
  assert.deepEqual(labels('alertname=High service="web shop"'), { alertname: 'High', service: 'web shop' });
  assert.deepEqual(labels('{alertname="High", path="a\\"b"}'), { alertname: 'High', path: 'a"b' });
  assert.deepEqual(labels(' a = b , c= '), { a: 'b', c: '' });
  assert.deepEqual(labels(''), {});
  assert.equal(labels('alertname=High severity'), '"severity" is no label: write name=value');
  assert.equal(labels('a="b'), '"a="b" is no label: write name=value');
});

it('writes labels so that they are read again', () => {
  const labels = { alertname: 'High', path: 'a"b\\c d', empty: '', url: 'http://x:1/y' };
  assert.equal(textOfLabels(labels), 'alertname=High path="a\\"b\\\\c d" empty="" url=http://x:1/y');
  assert.deepEqual(labelsOfText(textOfLabels(labels)), { ok: true, value: labels });
});
