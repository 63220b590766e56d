import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExposition } from '@nines/model/exposition.ts';
import { printExposition } from '@nines/model/exposition-print.ts';
import { formatLabels } from '@nines/model/labels.ts';
import { createSelfMetrics } from './self.ts';
import { selfValue } from './testing/world.ts';

test('counters add up per label value, gauges keep the last value, watched ones are read when asked', () => {
  const self = createSelfMetrics();
  const counter = self.counter('nines_a_total', 'A.');
  counter.add();
  counter.add(2, { kind: 'x' });
  counter.add(3, { kind: 'x' });
  const gauge = self.gauge('nines_b', 'B.');
  gauge.set(4);
  gauge.set(5);
  let read = 0;
  self.watch('nines_c', 'C.', () => ++read);
  assert.equal(selfValue(self, 'nines_a_total'), 1);
  assert.equal(selfValue(self, 'nines_a_total{kind="x"}'), 5);
  assert.equal(selfValue(self, 'nines_b'), 5);
  assert.equal(selfValue(self, 'nines_c'), 4, 'once per collection');
});

test('a histogram counts each observation in every bucket at or above it', () => {
  const self = createSelfMetrics();
  const histogram = self.histogram('nines_h_seconds', 'H.', [0.1, 1]);
  for (const value of [0.05, 0.1, 0.5, 7]) histogram.observe(value, { route: 'a' });
  const [family] = self.collect();
  assert.deepEqual(
    family?.samples.map(({ labels, value }) => `${formatLabels(labels)} ${value}`),
    [
      'nines_h_seconds_bucket{le="0.1", route="a"} 2',
      'nines_h_seconds_bucket{le="1", route="a"} 3',
      'nines_h_seconds_bucket{le="+Inf", route="a"} 4',
      'nines_h_seconds_sum{route="a"} 7.65',
      'nines_h_seconds_count{route="a"} 4',
    ],
  );
  const parsed = parseExposition(printExposition(self.collect(), 'openmetrics'), 'openmetrics');
  assert.ok(parsed.ok && parsed.value.metadata.get('nines_h_seconds')?.type === 'histogram');
});

test('a label with too many values stops being counted instead of filling the memory', () => {
  const self = createSelfMetrics();
  const counter = self.counter('nines_many_total', 'Many.');
  for (let i = 0; i < 5_000; i++) counter.add(1, { id: String(i) });
  counter.add(1, { id: '0' });
  assert.equal(self.collect()[0]?.samples.length, 1_000);
  assert.equal(selfValue(self, 'nines_many_total{id="0"}'), 2);
});

test('a name twice, or one that is no name, is a fault of the code', () => {
  const self = createSelfMetrics();
  self.gauge('nines_once', '');
  assert.throws(() => self.counter('nines_once', ''), /BUG: self metric nines_once registered twice/);
  assert.throws(() => self.gauge('not a name', ''), /BUG/);
});
