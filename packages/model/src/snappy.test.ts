import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ByteBuffer } from './byte-buffer.ts';
import { decodeSnappy, encodeSnappy } from './snappy.ts';

const LIMIT = 1 << 20;
const decode = (bytes: readonly number[] | Uint8Array, limit = LIMIT) => decodeSnappy(Uint8Array.from(bytes), new ByteBuffer(), limit);

test('what was encoded decodes to the same bytes', () => {
  const into = new ByteBuffer();
  const compressible = fc.array(fc.tuple(fc.uint8Array({ minLength: 1, maxLength: 40 }), fc.integer({ min: 1, max: 60 })), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(compressible, (parts) => {
      const input = Uint8Array.from(parts.flatMap(([bytes, times]) => Array.from({ length: times }, () => [...bytes]).flat()));
      const decoded = decodeSnappy(encodeSnappy(input), into, LIMIT);
      assert.ok(decoded.ok);
      assert.deepEqual(decoded.value, input);
    }),
    { numRuns: 200 },
  );
});

test('bytes across several 64 KiB blocks survive', () => {
  const input = Uint8Array.from({ length: 200_000 }, (_, i) => (i % 997) ^ (i >> 9));
  const decoded = decode(encodeSnappy(input));
  assert.ok(decoded.ok && Buffer.compare(decoded.value, input) === 0);
});

test('every kind of copy is understood, overlapping ones included', () => {
  const ab = [8, 0x04, 97, 98];
  assert.deepEqual(decode([...ab, 0x09, 2]), { ok: true, value: Uint8Array.from(Buffer.from('abababab')) }, 'one-byte offset');
  assert.deepEqual(decode([...ab, 0x16, 2, 0]), { ok: true, value: Uint8Array.from(Buffer.from('abababab')) }, 'two-byte offset');
  assert.deepEqual(decode([...ab, 0x17, 2, 0, 0, 0]), { ok: true, value: Uint8Array.from(Buffer.from('abababab')) }, 'four-byte offset');
});

test('corrupt bodies are refused with what is wrong', () => {
  const refused = (bytes: readonly number[], message: RegExp) => {
    const result = decode(bytes);
    assert.ok(!result.ok && result.error.kind === 'corrupt', JSON.stringify(result));
    assert.match(result.error.message, message);
  };
  refused([], /no valid length/);
  refused([0x80, 0x80, 0x80, 0x80, 0x80, 0x01], /no valid length/);
  refused([4, 0x0c, 97], /literal cut/);
  refused([2, 0x0c, 97, 98, 99, 100], /more than the declared/);
  refused([8, 0x04, 97, 98, 0x16, 9, 0], /before the start/);
  refused([8, 0x04, 97, 98, 0x16, 0, 0], /before the start/);
  refused([8, 0x04, 97, 98, 0x16], /copy cut/);
  refused([3, 0x04, 97, 98], /2 bytes where 3/);
});

test('a declared length over the limit, or more than the body can hold, is refused before anything is allocated', () => {
  const large = decode([0x80, 0x80, 0x80, 0x10, 0, 0]);
  assert.ok(!large.ok && large.error.kind === 'too_large');
  const into = new ByteBuffer();
  const implausible = decodeSnappy(Uint8Array.from([0x80, 0x80, 0x04, 0, 0]), into, LIMIT);
  assert.ok(!implausible.ok && implausible.error.kind === 'corrupt');
  assert.equal(into.capacity, 0);
});

test('random bytes never crash the decoder nor escape its length', () => {
  const into = new ByteBuffer();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const result = decodeSnappy(bytes, into, 4096);
      if (result.ok) assert.ok(result.value.length <= 4096);
    }),
    { numRuns: 3000 },
  );
});
