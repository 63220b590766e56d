import { type Ms, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration, slug } from '../platform/config/fields.ts';

/** Long enough for a slow receiver, short enough that a dead one does not hold its group for long; below the outbox' own limit of 60 s. */
export const timeout = duration({ minMs: 100, maxMs: 55_000 }).default((10 * SECOND_MS) as Ms);

/** What every channel has. Each kind spreads this into its own schema. */
export const common = {
  id: slug,
  send_resolved: z.boolean().default(true),
};
