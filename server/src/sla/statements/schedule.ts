import { HOUR_MS, DAY_MS, type Ms, epochMs } from '@nines/base/units.ts';
import { PERIOD_UNITS, type CalendarPeriod, periodAt, unknownZone } from '@nines/maths/calendar/period.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { z } from 'zod';
import { duration, slug, uniqueIds } from '../../platform/config/fields.ts';
import { FORMS } from './forms.ts';

/** How long after a period its statement is issued unless it is said: results that come late are in by then. */
const DEFAULT_AFTER_MS = HOUR_MS as Ms;
const MAX_AFTER_MS = 31 * DAY_MS;
const MAX_SCHEDULES = 200;

const schedule = z.strictObject({
  id: slug,
  every: z.enum(PERIOD_UNITS),
  zone: z
    .string()
    .refine(isZone, { error: ({ input }) => unknownZone(String(input)) })
    .default('UTC'),
  after: duration({ maxMs: MAX_AFTER_MS }).default(DEFAULT_AFTER_MS),
  slas: z.array(slug).min(1),
  /** One report over all of them instead of a statement of each. */
  together: z.boolean().default(false),
  /** One of `report_templates`; of a report over all of them. */
  template: slug.optional(),
  /** One of the contracts' customers; without it the statement is for nobody in particular. */
  customer: z.string().optional(),
  /** A channel of kind `email` or `webhook`. */
  channel: slug,
  /** Instead of the channel's own. */
  to: z.array(z.email()).min(1).optional(),
  attach: z.array(z.enum(FORMS)).min(1).default(['pdf', 'json']),
});
export type StatementSchedule = z.output<typeof schedule>;

/** The section `statements`. */
export const statementsConfig = z.array(schedule).max(MAX_SCHEDULES).default([]).superRefine(uniqueIds('schedule'));

/** The newest period whose statement is due at `nowMs`. */
export function duePeriod({ every, zone, after }: Pick<StatementSchedule, 'every' | 'zone' | 'after'>, nowMs: number): CalendarPeriod {
  const running = periodAt(nowMs - after, every, zone);
  return periodAt(epochMs(running.fromMs - 1), every, zone);
}

/** What a schedule names that is not there. Paths are within the section `statements`. */
export function unknownNames(
  schedules: readonly StatementSchedule[],
  known: { readonly slas: ReadonlySet<string>; readonly channels: ReadonlySet<string>; readonly templates: ReadonlySet<string> },
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  return schedules.flatMap(({ slas, channel, together, template }, index) => [
    ...(template === undefined || (together && known.templates.has(template))
      ? []
      : [
          {
            path: [index, 'template'],
            message: together ? `there is no report template "${template}"` : 'a template is of a report: write together: true',
          },
        ]),
    ...slas.flatMap((sla, i) => (known.slas.has(sla) ? [] : [{ path: [index, 'slas', i], message: `there is no SLA "${sla}"` }])),
    ...(known.channels.has(channel)
      ? []
      : [{ path: [index, 'channel'], message: `there is no channel "${channel}" of kind email or webhook` }]),
  ]);
}
