import type { Labels } from '@nines/model/labels.ts';

/**
 * Where a label set falls in [0, 1): xxHash64 over its names and values, each behind its length, as Prometheus encodes them, so
 * that `limit_ratio` keeps the same series as there. Source: the xxHash specification.
 */
export function hashLabels(labels: Labels): number {
  const parts: number[] = [];
  for (const text of labels) {
    const bytes = encoder.encode(text);
    if (bytes.length < 255) parts.push(bytes.length);
    else parts.push(255, bytes.length & 255, (bytes.length >> 8) & 255, (bytes.length >> 16) & 255);
    for (const byte of bytes) parts.push(byte);
  }
  return Number(xxHash64(Uint8Array.from(parts))) / 2 ** 64;
}

const encoder = new TextEncoder();
const MASK = (1n << 64n) - 1n;
const PRIME1 = 0x9e3779b185ebca87n;
const PRIME2 = 0xc2b2ae3d27d4eb4fn;
const PRIME3 = 0x165667b19e3779f9n;
const PRIME4 = 0x85ebca77c2b2ae63n;
const PRIME5 = 0x27d4eb2f165667c5n;

const rotate = (value: bigint, by: bigint): bigint => ((value << by) | (value >> (64n - by))) & MASK;
const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * PRIME2) & MASK, 31n) * PRIME1) & MASK;
const merge = (hash: bigint, lane: bigint): bigint => (((hash ^ round(0n, lane)) & MASK) * PRIME1 + PRIME4) & MASK;

/** xxHash64 with seed 0. */
export function xxHash64(bytes: Uint8Array<ArrayBuffer>): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash = PRIME5;
  if (bytes.length >= 32) {
    const lanes = [(PRIME1 + PRIME2) & MASK, PRIME2, 0n, (MASK + 1n - PRIME1) & MASK];
    for (; at + 32 <= bytes.length; at += 32)
      for (let lane = 0; lane < 4; lane++) lanes[lane] = round(lanes[lane] ?? 0n, view.getBigUint64(at + lane * 8, true));
    const [a = 0n, b = 0n, c = 0n, d = 0n] = lanes;
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const lane of lanes) hash = merge(hash, lane);
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * PRIME1 + PRIME4) & MASK;
  if (at + 4 <= bytes.length) {
    hash = (rotate(hash ^ ((BigInt(view.getUint32(at, true)) * PRIME1) & MASK), 23n) * PRIME2 + PRIME3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate(hash ^ ((BigInt(bytes[at] ?? 0) * PRIME5) & MASK), 11n) * PRIME1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * PRIME2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * PRIME3) & MASK;
  return hash ^ (hash >> 32n);
}
