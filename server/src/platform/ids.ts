import { randomBytes, randomFillSync } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';

/** Random bytes drawn at once: a call to the system's generator takes longer than all else that an id needs. */
const DRAWN_BYTES = 4096;

/**
 * UUIDv7 of the clock's millisecond. Ids made within one millisecond, or after the clock stepped back, still rise: the 74
 * random bits are counted up instead of drawn anew (RFC 9562, 6.2, method 2).
 */
export function createIds(clock: Pick<Clock, 'now'>): Ids {
  let lastMs = -1;
  let tail = 0n;
  const drawn = Buffer.alloc(DRAWN_BYTES);
  let used = DRAWN_BYTES;
  /** The next `count` random bytes; each is given out once. */
  const draw = (count: number): Buffer => {
    if (used + count > DRAWN_BYTES) {
      randomFillSync(drawn);
      used = 0;
    }
    used += count;
    return drawn.subarray(used - count, used);
  };
  return {
    uuid() {
      const nowMs = clock.now();
      if (nowMs > lastMs) {
        lastMs = nowMs;
        // The top bit stays free so that counting up within the millisecond cannot overflow.
        tail = BigInt(`0x${draw(10).toString('hex')}`) >> 7n;
      } else {
        tail += 1n + BigInt(draw(3).readUIntBE(0, 3));
      }
      return formatUuid7(lastMs, tail);
    },
    secret: (bytes) => randomBytes(bytes).toString('base64url'),
  };
}

/** 32 secret random bits. */
export const randomSeed = (): number => randomBytes(4).readUInt32LE(0);

/** A random number in [0, 1), for jitter; never for secrets. */
export const randomFraction = (): number => Math.random();

function formatUuid7(atMs: number, tail: bigint): string {
  const time = atMs.toString(16).padStart(12, '0');
  const a = ((tail >> 62n) & 0xfffn).toString(16).padStart(3, '0');
  const b = ((tail & ((1n << 62n) - 1n)) | (1n << 63n)).toString(16).padStart(16, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${a}-${b.slice(0, 4)}-${b.slice(4)}`;
}
