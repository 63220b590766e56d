import { type Ms, SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { templateFault } from './words.ts';
import { duration, slug } from '../platform/config/fields.ts';

/** Long enough for a slow receiver, short enough that a dead one does not hold its group for long; below the outbox' own limit of 60 s. */
export const timeout = duration({ minMs: 100, maxMs: 55_000 }).default((10 * SECOND_MS) as Ms);

const template = z.string().superRefine((text, context) => {
  const fault = templateFault(text);
  if (fault !== undefined) context.addIssue({ code: 'custom', message: fault });
});

/** What every channel has. Each kind spreads this into its own schema. */
export const common = {
  id: slug,
  send_resolved: z.boolean().default(true),
  /** Another channel that is told when this one refuses, or has failed `failover_after` times. */
  failover: slug.optional(),
  failover_after: z.int().min(1).max(20).optional(),
  /** More than so many messages in so long go out in one; absent, the kind's own limit. */
  rate_limit: z.strictObject({ messages: z.int().min(1).max(100_000), per: duration({ minMs: 1_000, maxMs: 3_600_000 }) }).optional(),
  /** Go templates over Alertmanager's data, in place of the product's own words. */
  templates: z.strictObject({ title: template.optional(), text: template.optional() }).optional(),
};
