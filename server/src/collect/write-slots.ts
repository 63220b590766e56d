import { ByteBuffer } from '@nines/model/byte-buffer.ts';
import { RemoteWrite2Decoder } from '@nines/model/remote-write-2.ts';
import { RemoteWriteDecoder } from '@nines/model/remote-write.ts';

/**
 * The memory of remote-write requests: each borrows a slot of reused buffers for as long as it is under way. Plain body
 * buffers cost about 75 MB of garbage under load; these are as large as the largest recent request.
 */
export type WriteSlot = {
  readonly body: ByteBuffer;
  readonly decoded: ByteBuffer;
  /** By version of the protocol. */
  readonly decoders: { readonly 1: RemoteWriteDecoder; readonly 2: RemoteWrite2Decoder };
};

/** Slots kept between requests: Prometheus sends over few connections at a time, and 2 cores decode no more at once. */
const MAX_IDLE_SLOTS = 4;
/** A slot that holds more than this after a large request is given up. */
const MAX_IDLE_BYTES = 8 * 1024 * 1024;
/** Bytes of bodies, compressed and decoded, that may be under way together. Beyond it senders are told to come back. */
export const MAX_BYTES_IN_FLIGHT = 128 * 1024 * 1024;

export type WriteSlots = {
  take(): WriteSlot;
  /** Gives a slot back. Nobody may look at its buffers afterwards. */
  give(slot: WriteSlot): void;
  /** Counts `bytes` as under way; false, and nothing counted, when that would be too much. A request alone is always let in. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  readonly inFlightBytes: () => number;
};

export function createWriteSlots(): WriteSlots {
  const idle: WriteSlot[] = [];
  let inFlight = 0;
  return {
    take: () => idle.pop() ?? newSlot(),
    give(slot) {
      const held = slot.body.capacity + slot.decoded.capacity + slot.decoders[1].heldBytes + slot.decoders[2].heldBytes;
      if (idle.length < MAX_IDLE_SLOTS && held <= MAX_IDLE_BYTES) idle.push(slot);
    },
    reserve(bytes) {
      if (inFlight > 0 && inFlight + bytes > MAX_BYTES_IN_FLIGHT) return false;
      inFlight += bytes;
      return true;
    },
    release(bytes) {
      inFlight -= bytes;
    },
    inFlightBytes: () => inFlight,
  };
}

const newSlot = (): WriteSlot => ({
  body: new ByteBuffer(),
  decoded: new ByteBuffer(),
  decoders: { 1: new RemoteWriteDecoder(), 2: new RemoteWrite2Decoder() },
});
