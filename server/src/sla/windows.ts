import { DAY_MS, SECOND_MS } from '@nines/base/units.ts';
import { parseWallClock } from '@nines/maths/calendar/anchored.ts';
import { PERIOD_UNITS, type PeriodUnit, unknownZone } from '@nines/maths/calendar/period.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { isReachable } from '@nines/maths/slo/burn.ts';
import { z } from 'zod';
import { duration } from '../platform/config/fields.ts';
import { MAX_WINDOW_MS, length } from './fields.ts';
import { mostBurn } from './lint.ts';
import { type BurnPairSpec, type WindowSpec, longestWindowMs, ratioOf } from './spec.ts';

/** Over which time an SLA is judged, as it is declared, and the burn pairs that someone chose. */

/** A window shorter than this is over before anyone has read the alert. */
const MIN_WINDOW_MS = 10 * SECOND_MS;
/** Of days; longer periods have fewer of theirs. */
const MAX_EVERY = 366;
/** Weeks begin on Monday, everything else on the first. */
const ANCHORS: Readonly<Record<PeriodUnit, string>> = {
  day: '1970-01-01',
  week: '1970-01-05',
  month: '1970-01-01',
  quarter: '1970-01-01',
  year: '1970-01-01',
};

const declaration = z.strictObject({
  rolling: length(MIN_WINDOW_MS).optional(),
  calendar: z.enum(PERIOD_UNITS).optional(),
  /** So many units each. */
  every: z.number().int().min(1).max(MAX_EVERY).optional(),
  zone: z
    .string()
    .refine(isZone, { error: ({ input }) => unknownZone(String(input)) })
    .optional(),
  /** A wall clock of the zone at which one of the periods begins. */
  anchor: z.string().optional(),
});

/** Its output is a `WindowSpec`. */
export const windowConfig = declaration.transform((declared, context): WindowSpec => {
  const { rolling, calendar, every, zone, anchor: written } = declared;
  if ((rolling === undefined) === (calendar === undefined)) {
    context.addIssue({
      code: 'custom',
      message: 'a window is either rolling (write rolling: 30d) or one of the calendar (write calendar: month)',
    });
    return z.NEVER;
  }
  if (rolling !== undefined) {
    const stray = (['every', 'zone', 'anchor'] as const).find((field) => declared[field] !== undefined);
    if (stray !== undefined) context.addIssue({ code: 'custom', message: `a rolling window has no ${stray}`, path: [stray] });
    return { rolling_ms: rolling };
  }
  return calendarSpec({ calendar: calendar ?? 'month', every: every ?? 1, zone: zone ?? 'UTC', anchor: written }, context);
});

function calendarSpec(
  declared: { readonly calendar: PeriodUnit; readonly every: number; readonly zone: string; readonly anchor: string | undefined },
  context: z.core.$RefinementCtx,
): WindowSpec {
  const anchor = parseWallClock(declared.anchor ?? ANCHORS[declared.calendar]);
  if (!anchor.ok) {
    context.addIssue({ code: 'custom', message: anchor.error, path: ['anchor'] });
    return z.NEVER;
  }
  const spec = {
    calendar: declared.calendar,
    every: declared.every,
    zone: declared.zone,
    anchor: new Date(anchor.value).toISOString().slice(0, 19),
  };
  if (longestWindowMs(spec) > MAX_WINDOW_MS) {
    context.addIssue({ code: 'custom', message: `a window is at most ${MAX_WINDOW_MS / DAY_MS} days long`, path: ['every'] });
  }
  return spec;
}

const MAX_PAIRS = 10;

export const burnConfig = z
  .array(
    z.strictObject({
      long: length(SECOND_MS),
      short: length(SECOND_MS),
      factor: z.number().positive().max(1e9),
      severity: z.enum(['critical', 'warning']).default('critical'),
      /** How long it burns before its alert is raised; the violation opens at once. */
      after: duration({ maxMs: DAY_MS }).optional(),
    }),
  )
  .max(MAX_PAIRS)
  .optional();

/** What is wrong with declared pairs. Paths are within the list. */
export function burnFaults(
  pairs: z.output<typeof burnConfig>,
  about: { readonly target: string; readonly windowMs: number; readonly intervalMs: number },
): readonly { readonly path: readonly (string | number)[]; readonly message: string }[] {
  const target = ratioOf(about.target);
  return (pairs ?? []).flatMap(({ long, short, factor }, index) => {
    // Refused as a target already.
    if (target.numerator === target.denominator) return [];
    if (!isReachable(factor, target)) {
      const message = `a total outage burns at ${mostBurn(about.target)} times the allowed rate, so ${factor} can never be exceeded`;
      return [{ path: [index, 'factor'], message }];
    }
    if (short >= long) return [{ path: [index, 'short'], message: 'the short window is not shorter than the long one' }];
    if (long > about.windowMs) return [{ path: [index, 'long'], message: 'the long window is longer than the window of the SLA' }];
    if (short < 2 * about.intervalMs)
      return [{ path: [index, 'short'], message: 'the short window is shorter than two measurement intervals' }];
    return [];
  });
}

export const burnSpec = (pairs: z.output<typeof burnConfig>): { readonly burn?: readonly BurnPairSpec[] } =>
  pairs === undefined
    ? {}
    : {
        burn: pairs.map(({ long, short, factor, severity, after = 0 }) => ({
          long_ms: long,
          short_ms: short,
          factor,
          severity,
          ...(after === 0 ? {} : { after_ms: after }),
        })),
      };
