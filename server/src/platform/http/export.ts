import { Readable } from 'node:stream';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { FastifyReply } from 'fastify';
import { Gate } from '../gate.ts';

/** A reader that takes longer loses its place. */
const MAX_EXPORT_MS = 60 * MINUTE_MS;
const RETRY_AFTER_MS = 10_000;

/** Large answers that are written as they are read: so many at a time, an hour each; further ones are told to come back. */
export class Exports {
  readonly #clock: Pick<Clock, 'after'>;
  readonly #limit: number;
  readonly #gate: Gate;

  constructor(clock: Pick<Clock, 'after'>, limit: number) {
    this.#clock = clock;
    this.#limit = limit;
    this.#gate = new Gate(limit, 0);
  }

  /** The signal given to `textOf` aborts when the client is gone or takes too long. `AppError` `too_many_exports`. */
  async send(reply: FastifyReply, type: string, textOf: (signal: AbortSignal) => AsyncIterable<string>): Promise<FastifyReply> {
    const controller = new AbortController();
    const place = await this.#gate.enter(controller.signal);
    if (place === undefined)
      throw new AppError('unavailable', 'too_many_exports', `${this.#limit} exports are running; try again later`, {
        retryAfterMs: RETRY_AFTER_MS,
      });
    const timer = this.#clock.after(MAX_EXPORT_MS, () => controller.abort(new Error('the export takes too long')));
    // A response that is over, or whose client is gone, closes.
    reply.raw.once('close', () => {
      timer[Symbol.dispose]();
      place[Symbol.dispose]();
      controller.abort(new Error('the client is gone'));
    });
    return reply.type(type).send(Readable.from(textOf(controller.signal), { objectMode: false }));
  }
}
