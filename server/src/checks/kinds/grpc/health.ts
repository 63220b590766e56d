/** Messages of `grpc.health.v1` in protobuf's wire format, within gRPC's frame: a flag, four bytes of length, the message. */

export const SERVING_STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
export type ServingStatus = (typeof SERVING_STATUSES)[number];

/** `HealthCheckRequest { string service = 1; }` */
export function encodeRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a, ...varint(name.length)]), name]);
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`; 0 is not written. Throws `RangeError` when it is broken. */
export function decodeResponse(frame: Buffer): ServingStatus {
  if (frame.length < 5) throw new RangeError('the answer is shorter than its frame');
  if (frame.readUInt8(0) !== 0) throw new RangeError('the answer is compressed, which was not offered');
  const message = frame.subarray(5, 5 + frame.readUInt32BE(1));
  let status = 0;
  for (let at = 0; at < message.length; ) {
    const key = readVarint(message, at);
    const value = readVarint(message, key.next);
    const wireType = key.value & 7;
    if (wireType === 0) {
      if (key.value >> 3 === 1) status = value.value;
      at = value.next;
    } else if (wireType === 2) at = value.next + value.value;
    else throw new RangeError(`a field has the wire type ${wireType}`);
  }
  return SERVING_STATUSES[status] ?? 'UNKNOWN';
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}

function readVarint(bytes: Buffer, from: number): { readonly value: number; readonly next: number } {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = bytes.readUInt8(from + shift / 7);
    value += (byte & 127) * 2 ** shift;
    if (byte < 128) return { value, next: from + shift / 7 + 1 };
  }
  throw new RangeError('a number is longer than it may be');
}
