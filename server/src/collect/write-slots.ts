import { ByteBuffer } from '@nines/model/byte-buffer.ts';
import { RemoteWrite2Decoder } from '@nines/model/remote-write-2.ts';
import { RemoteWriteDecoder } from '@nines/model/remote-write.ts';

/**
 * The memory of remote-write requests, and their turns. A body borrows a buffer while it comes in; once it is complete it waits,
 * first come first served, for one of a few slots in which it is decoded and stored. So a slow sender keeps nobody waiting, and
 * while something else holds up the server the requests that pile up do so as compressed bytes, in buffers that are used again:
 * each with decoding buffers of its own they would make the collector the next thing that holds everything up.
 */
export type WriteSlot = {
  readonly decoded: ByteBuffer;
  /** By version of the protocol. */
  readonly decoders: { readonly 1: RemoteWriteDecoder; readonly 2: RemoteWrite2Decoder };
};

/** Requests that are decoded and wait for the disk together, which are the members of one group of the log. */
export const MAX_SLOTS = 16;
/** What idle slots, and idle buffers of bodies, may hold together; what large requests left beyond it is given up. */
const MAX_IDLE_SLOT_BYTES = 16 * 1024 * 1024;
const MAX_IDLE_BODY_BYTES = 8 * 1024 * 1024;
/** Bytes of bodies, compressed and decoded, that may be under way together. Beyond it senders are told to come back. */
export const MAX_BYTES_IN_FLIGHT = 128 * 1024 * 1024;

export type WriteSlots = {
  takeBody(): ByteBuffer;
  /** Gives a buffer back. Nobody may look at it afterwards. */
  giveBody(body: ByteBuffer): void;
  /** A slot, when it is the caller's turn. */
  take(): WriteSlot | Promise<WriteSlot>;
  /** Gives a slot back. Nobody may look at its buffers afterwards. */
  give(slot: WriteSlot): void;
  /** Counts `bytes` as under way; false, and nothing counted, when that would be too much. A request alone is always let in. */
  reserve(bytes: number): boolean;
  release(bytes: number): void;
  readonly inFlightBytes: () => number;
};

export function createWriteSlots(): WriteSlots {
  const bodies = createPool(MAX_IDLE_BODY_BYTES, ({ capacity }: ByteBuffer) => capacity);
  const slots = createPool(MAX_IDLE_SLOT_BYTES, bytesOfSlot);
  const waiting: ((slot: WriteSlot) => void)[] = [];
  let taken = 0;
  let inFlight = 0;
  return {
    takeBody: () => bodies.take() ?? new ByteBuffer(),
    giveBody: (body) => bodies.give(body),
    take() {
      if (taken === MAX_SLOTS) return new Promise((resolve) => void waiting.push(resolve));
      taken++;
      return slots.take() ?? newSlot();
    },
    give(slot) {
      const next = waiting.shift();
      if (next !== undefined) {
        next(slot);
        return;
      }
      taken--;
      slots.give(slot);
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

/** Things for use again, the last given first, as long as they hold no more than `maxBytes` together. */
function createPool<T>(
  maxBytes: number,
  bytesOf: (thing: T) => number,
): { readonly take: () => T | undefined; readonly give: (thing: T) => void } {
  const idle: T[] = [];
  let held = 0;
  return {
    take() {
      const thing = idle.pop();
      if (thing !== undefined) held -= bytesOf(thing);
      return thing;
    },
    give(thing) {
      const bytes = bytesOf(thing);
      if (held + bytes > maxBytes) return;
      held += bytes;
      idle.push(thing);
    },
  };
}

const bytesOfSlot = ({ decoded, decoders }: WriteSlot): number => decoded.capacity + decoders[1].heldBytes + decoders[2].heldBytes;

const newSlot = (): WriteSlot => ({
  decoded: new ByteBuffer(),
  decoders: { 1: new RemoteWriteDecoder(), 2: new RemoteWrite2Decoder() },
});
