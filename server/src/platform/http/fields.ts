import { LAST_INSTANT_MS, parseInstant } from '@nines/base/instant.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { z } from 'zod';

/** An instant in a query: RFC 3339 or Unix seconds. */
export const instant = z.string().transform((text, context): EpochMs => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

/** An instant in a body, in Unix milliseconds. Beyond the year 9999 it could be kept, but not written as a date. */
export const instantMs = z
  .int()
  .min(0)
  .max(LAST_INSTANT_MS, 'not an instant: later than the year 9999 (write Unix milliseconds)')
  .transform(epochMs);

/** What a browser calls its live stream: random, so that nobody meets it by chance. */
export const streamName = z.string().regex(/^[A-Za-z0-9_-]{16,64}$/, { error: 'write 16 to 64 letters, digits, _ or -, at random' });
