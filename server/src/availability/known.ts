import type { Transition } from '@nines/maths/slo/types.ts';
import type { Downtime } from './contract.ts';
import { outagesFrom } from './downtimes.ts';

/** What stood in the description of a downtime before an edit. */
export type DowntimeRevision = Pick<Downtime, 'revision' | 'reason' | 'note'> & { readonly replacedAtMs: number };
/** A downtime as it is now, also one that was retracted, with the descriptions that edits replaced, oldest first. */
export type DowntimeHistory = {
  readonly downtime: Downtime;
  readonly recordedAtMs: number;
  readonly replaced: readonly DowntimeRevision[];
};

/**
 * The downtimes of a service as they were known at an instant: edges and evidence from the history as it was known then,
 * identity and description from the downtimes that overlap them. An outage that was known and never became a downtime has the id ''.
 * Newest first.
 */
export function downtimesKnownAt(
  known: readonly Transition[],
  histories: readonly DowntimeHistory[],
  at: { readonly service: string; readonly fromMs: number; readonly toMs: number; readonly knownAtMs: number },
): readonly Downtime[] {
  return outagesFrom(known, [], at.fromMs as Transition['atMs'])
    .filter(({ edges }) => edges.fromAtMs < at.toMs && (edges.toAtMs ?? Number.POSITIVE_INFINITY) > at.fromMs)
    .map((outage): Downtime => {
      const history = histories.find(
        ({ downtime, recordedAtMs }) =>
          recordedAtMs <= at.knownAtMs &&
          downtime.fromAtMs < (outage.edges.toAtMs ?? Number.POSITIVE_INFINITY) &&
          outage.edges.fromAtMs < (downtime.toAtMs ?? Number.POSITIVE_INFINITY),
      );
      const described = history?.replaced.find((one) => one.replacedAtMs > at.knownAtMs) ?? history?.downtime;
      const evidence = outage.evidence.filter((one) => one.atMs <= at.knownAtMs);
      return {
        id: history?.downtime.id ?? '',
        service: at.service,
        ...outage.edges,
        reason: described?.reason ?? 'unplanned_outage',
        note: described?.note ?? '',
        checks: [...new Set(evidence.map((one) => one.check))].sort(),
        evidence,
        excluded: false,
        revision: described?.revision ?? 1,
      };
    })
    .toReversed();
}
