import type { Clock } from '@nines/base/clock.ts';
import { z } from 'zod';
import type { Delivery } from './contract.ts';

/** A person waits for the answer of a test. */
const TIMEOUT_MS = 30_000;

export const testAnswer = z.object({
  delivered: z.boolean(),
  receipt: z.string().nullable(),
  error: z.string().nullable(),
  duration_ms: z.number(),
});

/** What came of a test, and how long it took. */
export async function timed(clock: Clock, send: (signal: AbortSignal) => Promise<Delivery>): Promise<z.output<typeof testAnswer>> {
  const abort = new AbortController();
  using _timer = clock.after(TIMEOUT_MS, () => abort.abort(new Error(`no answer within ${TIMEOUT_MS} ms`)));
  const startedMs = clock.monotonic();
  const delivery = await send(abort.signal);
  const duration_ms = Math.round(clock.monotonic() - startedMs);
  return delivery.kind === 'delivered'
    ? { delivered: true, receipt: delivery.receipt, error: null, duration_ms }
    : { delivered: false, receipt: null, error: delivery.error, duration_ms };
}
