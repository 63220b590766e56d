import { DAY_MS, MINUTE_MS } from '@nines/base/units.ts';
import { parseCron } from '@nines/maths/calendar/cron.ts';
import { unknownZone } from '@nines/maths/calendar/period.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { z } from 'zod';
import { duration, plainText, slug } from '../../platform/config/fields.ts';

/** Dashboards that are sent as PDF by mail, again and again, with the figures that whoever asked for it may see. */
export const DELIVERY_CODES = {
  notFound: 'delivery_not_found',
  tooMany: 'too_many_deliveries',
  running: 'delivery_running',
  tooSoon: 'delivery_too_soon',
  noChannel: 'delivery_channel_not_found',
} as const;

export const DELIVERY_LIMITS = {
  all: 1_000,
  ofDashboard: 20,
  recipients: 50,
  /** Within a day. */
  times: 24,
  longestMs: 3_660 * DAY_MS,
  /** Between the end of the stretch that was sent last and one that somebody asks for. */
  restMs: MINUTE_MS,
} as const;

const name = plainText.max(200);

export const deliverySpec = z.strictObject({
  /** Instead of the dashboard's title. */
  title: name.optional(),
  /** Five fields of cron: minute, hour, day of the month, month, weekday. */
  cron: z
    .string()
    .max(200)
    .superRefine((text, context) => {
      const read = parseCron(text);
      if (!read.ok) context.addIssue({ code: 'custom', message: read.error });
      else if (read.value.timesMs.length > DELIVERY_LIMITS.times)
        context.addIssue({ code: 'custom', message: `that is ${read.value.timesMs.length} times a day; once an hour is the most` });
    }),
  /** IANA. */
  zone: z
    .string()
    .max(64)
    .refine(isZone, { error: ({ input }) => unknownZone(String(input)) })
    .default('UTC'),
  /** Who gets it. */
  to: z.array(z.email('this is no e-mail address').max(254)).min(1).max(DELIVERY_LIMITS.recipients),
  /** A channel of kind `email`; the first one when absent. */
  channel: slug.optional(),
  /** How far back it shows; absent: as the dashboard says. */
  range: z
    .string()
    .refine(
      (text) => duration({ minMs: MINUTE_MS, maxMs: DELIVERY_LIMITS.longestMs }).safeParse(text).success,
      'write a length of time such as 7d',
    )
    .optional(),
  /** Values of variables, by name; those left out are as the dashboard says. */
  values: z.record(z.string().max(63), z.array(name).max(1_000)).default({}),
});
export type DeliverySpec = z.output<typeof deliverySpec>;

export const DELIVERY_STATES = ['sending', 'sent', 'failed'] as const;

/** One line of `GET /api/dashboards/:id/deliveries`. */
export const deliveryView = z.object({
  id: z.string(),
  dashboard: z.string(),
  title: z.string().nullable(),
  cron: z.string(),
  zone: z.string(),
  to: z.array(z.string()),
  channel: z.string().nullable(),
  range: z.string().nullable(),
  values: z.record(z.string(), z.array(z.string())),
  enabled: z.boolean(),
  /** Null while it is disabled. */
  next_at_ms: z.number().nullable(),
  /** The newest one: whose stretch ended at `due_at_ms`, and what became of it at `at_ms`. */
  last: z.object({ due_at_ms: z.number(), at_ms: z.number(), state: z.enum(DELIVERY_STATES), note: z.string() }).nullable(),
  made_by: z.string(),
  made_at_ms: z.number(),
});
export type DeliveryView = z.output<typeof deliveryView>;
