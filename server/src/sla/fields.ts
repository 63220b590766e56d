import { DAY_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import { parseRatioText } from './spec.ts';

/** Longer than this is no window. */
export const MAX_WINDOW_MS = 400 * DAY_MS;

export const length = (minMs: number) => duration({ minMs, maxMs: MAX_WINDOW_MS });

/** `99.9%` or `0.999`, kept as the exact decimal `0.999`. */
export const ratio = z.union([z.string(), z.number()]).transform((value, context) => {
  const parsed = parseRatioText(String(value));
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

export const positiveRatio = ratio.refine((text) => Number(text) > 0, 'a target of 0 promises nothing; write for example 99.9%');
