import { randomBytes } from 'node:crypto';
import { AttemptEnded } from '../../attempt.ts';
import { down } from '../../evaluate.ts';
import { MAX_WIRE_BYTES, type Wire } from '../../wire.ts';

/** Frames of RFC 6455, section 5. */
export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** One whole message. What a client sends is masked with four random bytes. */
export function encodeFrame(opcode: number, payload: Buffer, mask: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.alloc(2) : length < 65_536 ? Buffer.alloc(4) : Buffer.alloc(10);
  head.writeUInt8(0x80 | opcode, 0);
  head.writeUInt8(0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127), 1);
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  const masked = Buffer.from(payload.map((byte, index) => byte ^ mask.readUInt8(index & 3)));
  return Buffer.concat([head, mask, masked]);
}

export type Message =
  | { readonly kind: 'message'; readonly text: string }
  /** `reason` is empty or begins with a colon. */
  | { readonly kind: 'close'; readonly code: number; readonly reason: string };

/** What a close without a code means. */
const NO_STATUS = 1005;

/** Puts messages together from frames and answers pings on the way. */
export class MessageReader {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  async next(): Promise<Message> {
    const parts: Buffer[] = [];
    let size = 0;
    for (;;) {
      const { last, opcode, payload } = await this.#frame();
      if (opcode === OPCODES.ping) this.#wire.write(encodeFrame(OPCODES.pong, payload, randomBytes(4)));
      if (opcode === OPCODES.close) return closeOf(payload);
      if (opcode >= OPCODES.close) continue;
      if ((opcode === OPCODES.continuation) !== parts.length > 0) throw bad('a message begins in the middle of another');
      parts.push(payload);
      size += payload.length;
      if (size > MAX_WIRE_BYTES) throw bad(`a message has more than ${MAX_WIRE_BYTES} bytes`);
      if (last) return { kind: 'message', text: Buffer.concat(parts).toString('utf8') };
    }
  }

  async #frame(): Promise<{ readonly last: boolean; readonly opcode: number; readonly payload: Buffer }> {
    const head = await this.#wire.bytes(2);
    const first = head.readUInt8(0);
    const second = head.readUInt8(1);
    if ((first & 0x70) !== 0) throw bad('a frame uses an extension that was not agreed on');
    if ((second & 0x80) !== 0) throw bad('a frame of the server is masked');
    const short = second & 0x7f;
    const length =
      short < 126
        ? short
        : short === 126
          ? (await this.#wire.bytes(2)).readUInt16BE(0)
          : Number((await this.#wire.bytes(8)).readBigUInt64BE(0));
    return { last: (first & 0x80) !== 0, opcode: first & 0x0f, payload: await this.#wire.bytes(length) };
  }
}

const closeOf = (payload: Buffer): Message => {
  const reason = payload.subarray(2).toString('utf8');
  return {
    kind: 'close',
    code: payload.length < 2 ? NO_STATUS : payload.readUInt16BE(0),
    reason: reason === '' ? '' : `: ${reason.slice(0, 123)}`,
  };
};

const bad = (detail: string): AttemptEnded => new AttemptEnded(down('bad_answer', detail));
