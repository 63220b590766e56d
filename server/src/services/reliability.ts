import type { EpochMs } from '@nines/base/units.ts';
import { meanOf, reliabilityOf } from '@nines/maths/slo/reliability.ts';
import type { Acknowledgements } from '../alerting/contract.ts';
import type { Ledger } from '../availability/contract.ts';
import type { ReliabilityView } from './contract.ts';

export type ReliabilityQuery = { readonly service: string; readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly knownAtMs?: EpochMs };

export async function reliabilityFor(
  { ledger, alerting }: { readonly ledger: Ledger; readonly alerting: Acknowledgements },
  query: ReliabilityQuery,
): Promise<ReliabilityView> {
  const { service, fromMs, toMs, knownAtMs } = query;
  const known = knownAtMs === undefined ? {} : { knownAtMs };
  const [timeline, downtimes, detections, acknowledgements] = await Promise.all([
    ledger.timeline(service, fromMs, toMs, known),
    ledger.downtimes({ service, fromMs, toMs, ...known }),
    ledger.detections(query),
    alerting.acknowledgements(query),
  ]);
  const figures = reliabilityOf(timeline.intervals, timeline, {
    cuts: downtimes.flatMap((one) => (one.partOf === undefined ? [] : one.fromAtMs)),
    joined: downtimes.flatMap((one) => (one.spans ?? []).slice(1).map((span) => span.fromAtMs)),
  });
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
