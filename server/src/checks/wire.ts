import type { Socket } from 'node:net';
import { AttemptEnded, type AttemptRun, untilAborted } from './attempt.ts';
import { down } from './evaluate.ts';

/** Bytes of one line, frame or answer that are held at most. What a check reads is small; more is no answer. */
export const MAX_WIRE_BYTES = 262_144;

/**
 * Reads a socket piece by piece, as the protocol asks for it. What it has not read stays in the socket, so that TLS can take over from
 * there. Ends the attempt when the peer hangs up early or says more than the limit; the attempt's own deadline ends every wait.
 */
export class Wire {
  readonly socket: Socket;
  readonly #run: AttemptRun;
  #held: Buffer = Buffer.alloc(0);

  constructor(run: AttemptRun, socket: Socket) {
    this.#run = run;
    this.socket = socket;
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Up to the next line feed, without it and without a carriage return before it. */
  async line(): Promise<string> {
    for (let from = 0; ; ) {
      const end = this.#held.indexOf(0x0a, from);
      if (end >= 0) {
        const text = this.#take(end + 1).toString('utf8');
        return text.replace(/\r?\n$/, '');
      }
      from = this.#held.length;
      await this.#more();
    }
  }

  async bytes(count: number): Promise<Buffer> {
    if (count > MAX_WIRE_BYTES) throw this.#tooMuch();
    while (this.#held.length < count) await this.#more();
    return this.#take(count);
  }

  /** Everything until the peer hangs up. */
  async toEnd(): Promise<Buffer> {
    while (await this.#grew());
    return this.#take(this.#held.length);
  }

  #take(count: number): Buffer {
    const taken = this.#held.subarray(0, count);
    this.#held = this.#held.subarray(count);
    return taken;
  }

  async #more(): Promise<void> {
    if (!(await this.#grew())) throw new AttemptEnded(down('connection_closed', `${this.#run.peer} hung up in the middle of its answer`));
  }

  async #grew(): Promise<boolean> {
    for (;;) {
      const chunk = this.socket.read() as Buffer | null;
      if (chunk !== null) {
        this.#held = Buffer.concat([this.#held, chunk]);
        if (this.#held.length > MAX_WIRE_BYTES) throw this.#tooMuch();
        return true;
      }
      if (this.socket.errored !== null) throw this.socket.errored;
      if (this.socket.readableEnded || this.socket.destroyed) return false;
      await untilAborted(stirred(this.socket), this.#run.signal);
    }
  }

  #tooMuch(): AttemptEnded {
    return new AttemptEnded(down('bad_answer', `${this.#run.peer} answered with more than ${MAX_WIRE_BYTES} bytes`));
  }
}

/** Resolves when there may be something to read, or never will be. */
function stirred(socket: Socket): Promise<void> {
  const events = ['readable', 'end', 'close', 'error'] as const;
  return new Promise((resolve) => {
    const on = (): void => {
      for (const event of events) socket.off(event, on);
      resolve();
    };
    for (const event of events) socket.on(event, on);
  });
}
