import { parseInstant } from '@nines/base/instant.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { z } from 'zod';

/** An instant in a query: RFC 3339 or Unix seconds. */
export const instant = z.string().transform((text, context): EpochMs => {
  const parsed = parseInstant(text);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});
