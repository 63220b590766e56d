import { countOf, scopedBatch, summed } from '@nines/model/scoped-batch.ts';
import type { AppendOutcome, Scope } from '@nines/model/storage.ts';
import type { Backfill, BackfillRefusal, BackfillReport } from '@nines/tsdb/contract.ts';

/** Refusals that a report lists of those that the scope made. */
const MAX_LISTED = 100;

/** An import of whoever has this scope: its labels are added, series of others are refused and reported as the store's own refusals are. */
export function within(whole: Backfill, scope: Scope): Backfill {
  const listed: BackfillRefusal[] = [];
  let refusedBy: AppendOutcome['refusedBy'] = {};
  const reported = (report: BackfillReport): BackfillReport => ({
    ...report,
    samples: report.samples + countOf(refusedBy),
    refusedCount: report.refusedCount + countOf(refusedBy),
    refusedBy: summed(report.refusedBy, refusedBy),
    refused: [...listed, ...report.refused].slice(0, MAX_LISTED),
  });
  return {
    async add(given) {
      const scoped = scopedBatch(given, scope);
      refusedBy = summed(refusedBy, scoped.refusedBy);
      listed.push(...scoped.refused.slice(0, MAX_LISTED - listed.length));
      if (scoped.batch.seriesCount > 0) await whole.add(scoped.batch);
    },
    finish: async () => reported(await whole.finish()),
    report: () => reported(whole.report()),
  };
}
