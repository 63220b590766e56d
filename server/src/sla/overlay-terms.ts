import { DAY_MS, type EpochMs, HOUR_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { type BusinessHours, type DayStretch, outOfHours } from '@nines/maths/calendar/hours.ts';
import { PERIOD_UNITS, type PeriodUnit, parsePeriod, periodAt, unknownZone } from '@nines/maths/calendar/period.ts';
import { isZone } from '@nines/maths/calendar/zone.ts';
import { type MaintenanceTerms, excludedMaintenance } from '@nines/maths/slo/maintenance.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan } from '@nines/maths/slo/window.ts';
import { z } from 'zod';
import type { Maintenance } from '../maintenance/contract.ts';
import { duration } from '../platform/config/fields.ts';

/** What a contract says about when it is promised and what planned maintenance costs, and what that makes of a stretch of time. */

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
type Weekday = (typeof WEEKDAYS)[number];
const MAX_STRETCHES = 24;
const MAX_HOLIDAYS = 2_000;

/** Hours in their stored form: as they are written, every weekday that has any. */
export type HoursSpec = {
  readonly zone: string;
  readonly weekly: Readonly<Partial<Record<Weekday, readonly string[]>>>;
  /** `2026-12-25`, whole days of the zone. */
  readonly holidays: readonly string[];
};

export type MaintenanceTermsSpec = {
  readonly notice_ms: number;
  readonly allowance: { readonly length_ms: number; readonly per: PeriodUnit; readonly zone: string } | null;
};

const zone = z
  .string()
  .max(100)
  .refine(isZone, { error: ({ input }) => unknownZone(String(input)) });

/** `09:00-17:30`; the end may be `24:00`. */
function parseStretch(text: string): DayStretch | undefined {
  const parts = /^(\d{2}):(\d{2})-(\d{2}):(\d{2})$/.exec(text);
  if (parts === null) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts.slice(1).map(Number);
  const [fromMs, toMs] = [fromHour * HOUR_MS + fromMinute * MINUTE_MS, toHour * HOUR_MS + toMinute * MINUTE_MS];
  return fromMinute < 60 && toMinute < 60 && fromMs < toMs && toMs <= DAY_MS ? { fromMs, toMs } : undefined;
}

const stretches = z
  .array(z.string())
  .min(1)
  .max(MAX_STRETCHES)
  .superRefine((texts, context) => {
    const read = texts.map((text, index) => ({ ...parseStretch(text), text, index }));
    for (const { fromMs, text, index } of read) {
      const message = `not hours: "${text}" (write for example 09:00-17:30, the end after the beginning; a night is two days' hours)`;
      if (fromMs === undefined) context.addIssue({ code: 'custom', message, path: [index] });
    }
    const sorted = read.sort((a, b) => (a.fromMs ?? 0) - (b.fromMs ?? 0));
    const overlap = sorted.find(({ fromMs }, i) => i > 0 && (fromMs ?? 0) < (sorted[i - 1]?.toMs ?? 0));
    if (overlap !== undefined) {
      const message = `the hours "${overlap.text}" overlap others of the day`;
      context.addIssue({ code: 'custom', message, path: [overlap.index] });
    }
  });

const holiday = z.string().superRefine((text, context) => {
  const period = parsePeriod(text, 'UTC');
  const message = !period.ok
    ? period.error
    : period.value.unit === 'day'
      ? undefined
      : `not a day: "${text}" (write for example 2026-12-25)`;
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

/** `hours` of a contract. */
export const hoursSchema = z
  .strictObject({
    zone,
    weekly: z.partialRecord(z.enum(WEEKDAYS), stretches),
    holidays: z.array(holiday).max(MAX_HOLIDAYS).default([]),
  })
  .refine(({ weekly }) => Object.keys(weekly).length > 0, { message: 'no day of the week has hours', path: ['weekly'] })
  .transform((hours): HoursSpec => hours as HoursSpec);

/** `maintenance` of a contract: `exclude`, or the terms on which it is. */
export const maintenanceTermsSchema = z.union([
  z.literal('exclude').transform((): MaintenanceTermsSpec => ({ notice_ms: 0, allowance: null })),
  z
    .strictObject({
      notice: duration({ maxMs: 366 * DAY_MS }).prefault('0s'),
      allowance: duration({ minMs: MINUTE_MS, maxMs: 366 * DAY_MS }).optional(),
      per: z.enum(PERIOD_UNITS).default('month'),
      zone: zone.default('UTC'),
    })
    .transform(
      ({ notice, allowance, ...period }): MaintenanceTermsSpec => ({
        notice_ms: notice,
        allowance: allowance === undefined ? null : { length_ms: allowance, ...period },
      }),
    ),
]);

/** The same, ready to reckon with. */
export function overlayTermsOf(spec: { readonly hours?: HoursSpec; readonly maintenance?: MaintenanceTermsSpec }): {
  readonly hours: BusinessHours | undefined;
  readonly maintenance: MaintenanceTerms | undefined;
} {
  const { hours, maintenance } = spec;
  return {
    hours: hours === undefined ? undefined : businessHours(hours),
    maintenance:
      maintenance === undefined
        ? undefined
        : {
            noticeMs: maintenance.notice_ms,
            ...(maintenance.allowance === null
              ? {}
              : {
                  allowance: {
                    lengthMs: maintenance.allowance.length_ms,
                    unit: maintenance.allowance.per,
                    zone: maintenance.allowance.zone,
                  },
                }),
          },
  };
}

const businessHours = ({ zone, weekly, holidays }: HoursSpec): BusinessHours => ({
  zone,
  weekly: WEEKDAYS.map((day) => (weekly[day] ?? []).flatMap((text) => parseStretch(text) ?? [])),
  holidays: new Set(holidays.map((day) => Math.floor(Date.parse(`${day}T00:00:00Z`) / DAY_MS))),
});

/** What lies on top of a service's time under a contract. Each sorted and disjoint. */
export type SlaOverlays = { readonly outOfHours: readonly Span[]; readonly maintenance: readonly Span[] };

/** The overlays of a span, from what had been announced at an instant (default: now). */
export function overlaysOf(
  terms: {
    readonly spec: { readonly service: string };
    readonly hours: BusinessHours | undefined;
    readonly maintenance: MaintenanceTerms | undefined;
  },
  source: Maintenance,
  span: Span,
  knownAtMs?: EpochMs,
): SlaOverlays {
  const { hours, maintenance, spec } = terms;
  return {
    outOfHours: hours === undefined ? [] : outOfHours(hours, span),
    maintenance: maintenance === undefined ? [] : maintenanceWithin(maintenance, { source, service: spec.service, knownAtMs }, span),
  };
}

function maintenanceWithin(
  terms: MaintenanceTerms,
  asked: { readonly source: Maintenance; readonly service: string; readonly knownAtMs: EpochMs | undefined },
  span: Span,
): readonly Span[] {
  const { source, service, knownAtMs } = asked;
  const { allowance } = terms;
  const fromMs = allowance === undefined ? span.fromMs : periodAt(span.fromMs, allowance.unit, allowance.zone).fromMs;
  const known = knownAtMs === undefined ? {} : { knownAtMs };
  const planned = source.occurrences({ service, fromMs: epochMs(fromMs), toMs: span.toMs, ...known });
  return excludedMaintenance(planned, terms).flatMap((one) => clipSpan(one, span) ?? []);
}
