import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Labels, labelsFrom, labelsToRecord } from './labels.ts';
import { parseScope, visible } from './scope.ts';
import { scopedBatch, scopedOutcome } from './scoped-batch.ts';
import { bitsOf, isStale } from './stale.ts';
import { type AppendOutcome, NO_SERIES } from './storage.ts';
import { createBatchBuilder, decodeLabels } from './write-batch.ts';

const scope = (text: string) => {
  const parsed = parseScope(text);
  assert.ok(parsed.ok, text);
  return parsed.value;
};
const value = fc.constantFrom('', 'a', 'b', 'prod');
const series = fc.record({ team: value, env: value, x: value }).map((labels) => labelsFrom([['__name__', 'm'], ...Object.entries(labels)]));
const scopes = fc
  .constantFrom(
    'team="a"',
    'team="a", env="prod"',
    'team=~"a|b"',
    'env!="prod"',
    'team="", env="a"',
    'env!="a", env="a"',
    'team="a", team!=""',
  )
  .map(scope);

test('whatever is sent: what passes is seen by its sender, keeps what it said, and everything is passed or refused', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(series, fc.integer({ min: 1, max: 3 }))), scopes, (sent, seen) => {
      const builder = createBatchBuilder();
      sent.forEach(([labels, count], i) => {
        builder.add(labels, 10 * i, i);
        for (let more = 1; more < count; more++) builder.addSample(10 * i + more, i);
      });
      const given = builder.batch();
      const { batch, places, refusedBy } = scopedBatch(given, seen);
      let samples = 0;
      places.forEach((place, at) => {
        const read = decodeLabels(batch.bytes, batch.labelsFrom[at] ?? 0, batch.labelsTo[at] ?? 0);
        assert.ok(read.ok);
        const record = labelsToRecord(read.value);
        assert.ok(visible(seen, record));
        for (const [name, said] of Object.entries(labelsToRecord(sent[place]?.[0] ?? []))) assert.equal(record[name], said);
        const [from, to] = [batch.samplesFrom[at] ?? 0, batch.samplesFrom[at + 1] ?? 0];
        assert.equal(to - from, sent[place]?.[1]);
        for (let i = from; i < to; i++) assert.deepEqual([batch.times[i], batch.values[i]], [10 * place + i - from, place]);
        samples += to - from;
      });
      assert.equal(samples + (refusedBy.outside_scope ?? 0), builder.sampleCount);
      // What satisfies the scope as it is passes untouched.
      sent.forEach(([labels], i) => {
        if (visible(seen, labelsToRecord(labels))) assert.ok(places.includes(i));
      });
    }),
  );
});

const m = (...pairs: (readonly [string, string])[]): Labels => labelsFrom([['__name__', 'm'], ...pairs]);

test('markers keep their bits, exemplars stay with their series, and outcomes are told in the places of the given batch', () => {
  const builder = createBatchBuilder();
  builder.add(m(['team', 'b']), 1, 1);
  builder.addExemplar({ labels: [], value: 1, atMs: 1 });
  builder.addStale(m(), 2);
  builder.add(m(['i', '2']), 3, 3);
  builder.addExemplar({ labels: [], value: 3, atMs: 3 });
  const given = builder.batch();
  const scoped = scopedBatch(given, scope('team="a"'));
  assert.ok(isStale(bitsOf(scoped.batch.values), 0));
  assert.deepEqual(scoped.batch.exemplars, [{ series: 1, labels: [], value: 3, atMs: 3 }]);
  const duplicate = { series: 1, labels: 'm', atMs: 3, reason: 'duplicate', detail: 'd' } as const;
  const byStore: AppendOutcome = {
    accepted: 1,
    refusedCount: 1,
    refusedBy: { duplicate: 1 },
    refused: [duplicate],
    refs: Uint32Array.of(7, NO_SERIES),
  };
  const outcome = scopedOutcome(given, scoped, byStore);
  assert.deepEqual([...outcome.refs], [NO_SERIES, 7, NO_SERIES]);
  assert.deepEqual(outcome.refusedBy, { duplicate: 1, outside_scope: 1 });
  assert.deepEqual(
    outcome.refused.map(({ series: place, reason, detail }) => [place, reason, detail]),
    [
      [0, 'outside_scope', 'the label team is "b", and this sender writes only team="a"'],
      [2, 'duplicate', 'd'],
    ],
  );
});
