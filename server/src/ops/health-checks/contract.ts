/**
 * Five built-in health checks of this host and of Nines itself: figures against a warning and a critical threshold, once a minute.
 * Said of the monitor, never of a watched service: nothing here enters the ledger.
 */
import { z } from 'zod';
import { LEVELS } from './evaluate.ts';

const level = z.enum(LEVELS);

/** The shape of `GET /api/health/checks`. */
export const healthReportView = z.object({
  /** When the figures were read; null before the first reading. */
  at_ms: z.number().nullable(),
  interval_ms: z.number(),
  level,
  /** What the histories cover. */
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  checks: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      level,
      /** What is not well, in words. */
      why: z.string().nullable(),
      measures: z.array(
        z.object({
          id: z.string(),
          name: z.string(),
          unit: z.enum(['percent', 'count', 'seconds', 'ratio']),
          value: z.number().nullable(),
          level,
          warning: z.number(),
          critical: z.number(),
          /** From the slope of the last six hours. */
          trend: z.object({ per_hour: z.number(), critical_in_ms: z.number().nullable() }).nullable(),
        }),
      ),
      history: z.array(z.object({ from_at_ms: z.number(), to_at_ms: z.number(), level })),
    }),
  ),
});
export type HealthReportView = z.infer<typeof healthReportView>;
