import { z } from 'zod';

/** Larger than any declaration that a person writes. */
const MAX_CHARS = 64 * 1024;

/** A declaration as somebody sent it. It may hold secrets, so nothing of it but its kind and id shows when it is printed or recorded. */
export class DraftChannel {
  readonly id: string;
  readonly kind: string;
  readonly #written: Readonly<Record<string, unknown>>;

  constructor(written: Readonly<Record<string, unknown>>) {
    this.#written = written;
    this.id = textOf(written['id']);
    this.kind = textOf(written['kind']);
  }

  reveal(): Readonly<Record<string, unknown>> {
    return this.#written;
  }
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 100) : '');

const draft = z
  .record(z.string(), z.unknown())
  .refine((written) => JSON.stringify(written).length <= MAX_CHARS, `a channel is written in at most ${MAX_CHARS} characters`)
  .transform((written) => new DraftChannel(written));

/** The body of `POST /api/channels` and `PUT /api/channels/{id}`. */
export const channelBody = z.strictObject({
  /** As the configuration file would hold it; `[redacted]` keeps a secret that is set. */
  channel: draft,
  /** Alerts that no other route takes come here. */
  takes_rest: z.boolean().default(false),
});

/** The body of `POST /api/channels/test`. */
export const tryBody = z.strictObject({
  channel: draft,
  /** The channel that is being changed: its secrets are used where `[redacted]` stands. */
  of: z.string().max(100).optional(),
});
