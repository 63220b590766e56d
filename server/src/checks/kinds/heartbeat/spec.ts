import { formatDuration } from '@nines/base/duration.ts';
import { ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { duration } from '../../../platform/config/fields.ts';
import { identity, type KindSpec } from '../../written.ts';
import { cronFault, longestGapMs } from './due.ts';

/** A monthly signal with days to spare; more would find an outage after everyone else has. */
const MAX_PERIOD_MS = 366 * 86_400_000;
const bounded = duration({ minMs: 1000, maxMs: MAX_PERIOD_MS });

const schema = z
  .strictObject({
    ...identity,
    kind: z.literal('heartbeat'),
    /** A signal is due this long after the one before. */
    period: bounded.optional(),
    /** Or at these instants: five fields, or `@daily` and the like. */
    cron: z.string().max(100).optional(),
    /** The time zone of `cron`. */
    zone: z.string().max(100).default('UTC'),
    /** How late a signal may be, and how long a run may take. */
    grace: bounded.prefault('5m'),
  })
  .superRefine(({ period, cron, zone }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if ((period === undefined) === (cron === undefined)) return refuse('period', 'write either a period or a cron expression');
    if (cron === undefined) return;
    const fault = cronFault(cron, zone);
    if (fault !== undefined) refuse(fault.field, fault.message);
  });

/** Waits for signals of a job instead of asking: down from when one was due and did not come, or when the job itself says so. */
export const heartbeat = {
  schema,
  lengths: ['period', 'grace'],
  targetOf: (check) => (check.period === undefined ? `cron ${check.cron ?? ''} ${check.zone}` : `every ${formatDuration(check.period)}`),
  hostOf: () => undefined,
  // What was last signalled speaks until the next signal is overdue.
  timingOf: ({ period, cron, zone, grace }) => ({ intervalMs: period ?? ms(longestGapMs(cron ?? '', zone)), timeoutMs: grace }),
} satisfies KindSpec<typeof schema>;
