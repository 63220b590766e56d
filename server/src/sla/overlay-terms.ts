import { DAY_MS, type EpochMs, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { type BusinessHours, outOfHours } from '@nines/maths/calendar/hours.ts';
import { PERIOD_UNITS, type PeriodUnit, periodAt } from '@nines/maths/calendar/period.ts';
import { type MaintenanceTerms, excludedMaintenance } from '@nines/maths/slo/maintenance.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan } from '@nines/maths/slo/window.ts';
import { z } from 'zod';
import type { Maintenance } from '../maintenance/contract.ts';
import { duration } from '../platform/config/fields.ts';
import { type HoursSpec, businessHours, zone } from '../platform/config/hours.ts';

/** What a contract says about when it is promised and what planned maintenance costs, and what that makes of a stretch of time. */

export type MaintenanceTermsSpec = {
  readonly notice_ms: number;
  readonly allowance: { readonly length_ms: number; readonly per: PeriodUnit; readonly zone: string } | null;
};

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
