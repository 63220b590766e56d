import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { encodeSnappy } from '@nines/model/snappy.ts';
import { encodeWriteRequest } from '@nines/model/testing/remote-write-encoder.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { negotiateExposition } from '../platform/http/exposition.ts';
import { openWorld, selfValue } from './testing/world.ts';
import { createWriteReceiver } from './write-route.ts';
import { MAX_BYTES_IN_FLIGHT, MAX_SLOTS, createWriteSlots } from './write-slots.ts';

const MIB = 1024 * 1024;

test('bytes under way are bounded, a request alone is always let in', () => {
  const slots = createWriteSlots();
  assert.ok(slots.reserve(MAX_BYTES_IN_FLIGHT * 2));
  assert.equal(slots.reserve(1), false);
  slots.release(MAX_BYTES_IN_FLIGHT * 2);
  assert.ok(slots.reserve(MAX_BYTES_IN_FLIGHT - 1) && slots.reserve(1));
  assert.equal(slots.reserve(1), false);
  assert.equal(slots.inFlightBytes(), MAX_BYTES_IN_FLIGHT);
});

test('buffers are used again, unless they grew too large to keep', async () => {
  const slots = createWriteSlots();
  const first = await slots.take();
  slots.give(first);
  assert.equal(await slots.take(), first);
  first.decoded.reserve(17 * MIB);
  slots.give(first);
  assert.notEqual(await slots.take(), first);
  const body = slots.takeBody();
  slots.giveBody(body);
  assert.equal(slots.takeBody(), body);
  body.reserve(9 * MIB);
  slots.giveBody(body);
  assert.notEqual(slots.takeBody(), body);
});

test('who comes when all slots are taken gets one in the order of coming', async () => {
  const slots = createWriteSlots();
  const held = await Promise.all(Array.from({ length: MAX_SLOTS }, async () => slots.take()));
  const order: string[] = [];
  const come = async (name: string): Promise<void> => {
    const slot = await slots.take();
    order.push(name);
    slots.give(slot);
  };
  const later = ['first', 'second', 'third'].map(come);
  assert.deepEqual(order, []);
  for (const slot of held) slots.give(slot);
  await Promise.all(later);
  assert.deepEqual(order, ['first', 'second', 'third']);
  assert.ok(held.includes(await slots.take()));
});

test('a sender beyond the bound is told to come back, and is taken when the others are done', async () => {
  const clock = manualClock();
  await using world = await openWorld(clock);
  const receive = createWriteReceiver({ ingest: world.ingest, metadata: world.metadata, metrics: world.self });
  const headers = (length: number) => ({
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'content-length': String(length),
  });
  const large = Array.from({ length: 4 }, () => new PassThrough());
  const waiting = large.map((stream) => receive(headers(32 * MIB), stream));
  const body = encodeSnappy(encodeWriteRequest([{ labels: [['__name__', 'm']], samples: [[clock.now(), 1]] }]));
  const send = () => {
    const stream = new PassThrough();
    stream.end(body);
    return receive(headers(body.length), stream);
  };
  const refused = await send();
  assert.deepEqual([refused.status, refused.retryAfterSeconds], [503, 1]);
  for (const stream of large) stream.destroy(new Error('gone'));
  for (const answer of await Promise.all(waiting)) assert.match(answer.text, /broke off: gone/);
  assert.equal(selfValue(world.self, 'nines_remote_write_in_flight_bytes'), 0);
  assert.equal((await send()).status, 204);
});

test('the format with the greater weight is served, text when nothing is said', () => {
  assert.equal(negotiateExposition(undefined), 'text');
  assert.equal(negotiateExposition('*/*'), 'text');
  assert.equal(negotiateExposition('text/plain;q=0.9, application/openmetrics-text;version=1.0.0;q=0.8'), 'text');
  assert.equal(negotiateExposition('application/openmetrics-text; version=1.0.0'), 'openmetrics');
  assert.equal(negotiateExposition('text/plain;q=0.2,application/openmetrics-text;q=0.5'), 'openmetrics');
  assert.equal(negotiateExposition('application/openmetrics-text;q=zero'), 'text');
});
