import type { EpochMs } from '@nines/base/units.ts';
import { meanOf, reliabilityOf } from '@nines/maths/slo/reliability.ts';
import { z } from 'zod';
import type { Acknowledgements } from '../alerting/contract.ts';
import type { Ledger } from '../availability/contract.ts';

/** The shape of `GET /api/services/{id}/reliability`. Lengths are null where there is nothing to take a mean of. */
export const reliabilityView = z.object({
  service: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  outages: z.number(),
  down_ms: z.number(),
  good_ms: z.number(),
  unknown_ms: z.number(),
  longest_ms: z.number().nullable(),
  mean_down_ms: z.number().nullable(),
  mtbf_ms: z.number().nullable(),
  recovered: z.number(),
  mttr_ms: z.number().nullable(),
  mttr_median_ms: z.number().nullable(),
  /** From the start of an outage to when the ledger knew of it. */
  detected: z.number(),
  mttd_ms: z.number().nullable(),
  /** From the firing of an alert about the service to its acknowledgement by a person. */
  acknowledged: z.number(),
  mtta_ms: z.number().nullable(),
});

export type ReliabilityQuery = { readonly service: string; readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly knownAtMs?: EpochMs };

export async function reliabilityFor(
  { ledger, alerting }: { readonly ledger: Ledger; readonly alerting: Acknowledgements },
  query: ReliabilityQuery,
): Promise<z.output<typeof reliabilityView>> {
  const { service, fromMs, toMs, knownAtMs } = query;
  const [timeline, detections, acknowledgements] = await Promise.all([
    ledger.timeline(service, fromMs, toMs, knownAtMs === undefined ? {} : { knownAtMs }),
    ledger.detections(query),
    alerting.acknowledgements(query),
  ]);
  const figures = reliabilityOf(timeline.intervals, timeline);
  return {
    service,
    from_at_ms: fromMs,
    to_at_ms: toMs,
    outages: figures.outages,
    down_ms: figures.downMs,
    good_ms: figures.goodMs,
    unknown_ms: figures.unknownMs,
    longest_ms: figures.longestMs,
    mean_down_ms: figures.meanDownMs,
    mtbf_ms: figures.mtbfMs,
    recovered: figures.recovered,
    mttr_ms: figures.mttrMs,
    mttr_median_ms: figures.mttrMedianMs,
    detected: detections.length,
    mttd_ms: meanOf(detections),
    acknowledged: acknowledgements.length,
    mtta_ms: meanOf(acknowledgements),
  };
}
