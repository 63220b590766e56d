import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { encodeWriteRequest, field, labelField } from '@nines/model/testing/remote-write-encoder.ts';
import fc from 'fast-check';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { openWorld } from './testing/world.ts';
import { type WriteAnswer, type WriteReceiver, createWriteReceiver } from './write-route.ts';

const HEADERS = { 'content-type': 'application/x-protobuf', 'content-encoding': 'snappy' };

function send(receive: WriteReceiver, body: Uint8Array): Promise<WriteAnswer> {
  const stream = new PassThrough();
  stream.end(body);
  return receive(HEADERS, stream);
}

test('a damaged body is stored or refused, the answer says which, and the store stays whole', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = createWriteReceiver({ ingest: world.ingest, metadata: world.metadata, metrics: world.self });
  const whole = encodeWriteRequest([
    {
      labels: [
        ['__name__', 'm'],
        ['a', 'b'],
      ],
      samples: [[clock.now(), 2]],
      exemplars: [{ labels: [['trace_id', 'x']], value: 0.5, atMs: clock.now() }],
    },
    {
      labels: [
        ['__name__', 'n'],
        ['c', 'd'],
      ],
      samples: [[clock.now(), 3]],
      interleaved: true,
    },
  ]);
  const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(damage, fc.nat(whole.length), fc.boolean(), async (hits, cut, inside) => {
      const body = Buffer.from(inside ? whole : encodeSnappy(whole));
      for (const [at, byte] of hits) if (at < body.length) body[at] = byte;
      const sent = inside ? encodeSnappy(body.subarray(0, cut)) : body.subarray(0, cut);
      const { status, text } = await send(receive, sent);
      assert.ok(status === 204 || status === 400, `${status}: ${text}`);
      assert.equal(text === '', status === 204);
    }),
    { numRuns: 300 },
  );
  assert.equal(
    (await send(receive, encodeSnappy(encodeWriteRequest([{ labels: [['__name__', 'after']], samples: [[clock.now(), 1]] }])))).status,
    204,
  );
  assert.deepEqual(await world.samplesOf('after'), [`after 1@${clock.now()}`]);
});

test('labels that cannot be name the series that was refused, whatever is wrong with them', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = createWriteReceiver({ ingest: world.ingest, metadata: world.metadata, metrics: world.self });
  const name = labelField(['__name__', 'bad']);
  const sample = field(0x12, Buffer.concat([Buffer.from([0x10]), Buffer.from([1])]));
  const cases: readonly (readonly [what: string, ...labels: readonly Uint8Array[]])[] = [
    ['a label twice', name, labelField(['a', '1']), labelField(['a', '2'])],
    ['an empty name', name, labelField(['', '1'])],
    ['no metric name', labelField(['a', '1'])],
    ['bytes that are not UTF-8', name, field(0x0a, Buffer.concat([field(0x0a, Buffer.from('a')), field(0x12, Buffer.from([0xc3, 0x28]))]))],
  ];
  for (const [what, ...labels] of cases) {
    const { status, text } = await send(receive, encodeSnappy(field(0x0a, Buffer.concat([...labels, sample]))));
    assert.equal(status, 400, what);
    assert.match(text, /1 of 1 samples were refused[\s\S]*invalid_labels/, what);
  }
});

test('a request with metadata alone, or with nothing, is taken', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = createWriteReceiver({ ingest: world.ingest, metadata: world.metadata, metrics: world.self });
  assert.equal((await send(receive, encodeSnappy(Buffer.alloc(0)))).status, 204);
  assert.equal(
    (await send(receive, encodeSnappy(encodeWriteRequest([], [{ name: 'm', type: 'summary', help: 'M.', unit: 'seconds' }])))).status,
    204,
  );
  assert.deepEqual(world.metadata.get('m'), { type: 'summary', help: 'M.', unit: 'seconds', source: 'remote_write' });
  assert.equal(world.committed.length, 0);
});
