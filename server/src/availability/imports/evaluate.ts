import type { EpochMs } from '@nines/base/units.ts';
import { importedHistory } from '@nines/maths/slo/imported.ts';
import type { Transition } from '@nines/maths/slo/types.ts';
import type { Downtime } from '../contract.ts';
import type { Outage } from '../downtimes.ts';
import type { StoredSpan } from './contract.ts';

/** The history that imported stretches tell, each with its import as evidence. */
export const importedTransitions = (spans: readonly StoredSpan[]): readonly Transition[] =>
  importedHistory(
    spans.map(({ fromMs, toMs, state, detail, source, importId }) => ({
      fromMs,
      toMs,
      state,
      evidence: [{ check: source, atMs: fromMs, detail, importId }],
    })),
  );

/** Those of ascending, disjoint spans that overlap another, found by halving: an import may have a hundred thousand. */
export function overlapping(spans: readonly StoredSpan[], one: Pick<StoredSpan, 'fromMs' | 'toMs'>): readonly StoredSpan[] {
  let [low, high] = [0, spans.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((spans[middle]?.toMs ?? 0) > one.fromMs) high = middle;
    else low = middle + 1;
  }
  let end = low;
  while ((spans[end]?.fromMs ?? Number.POSITIVE_INFINITY) < one.toMs) end++;
  return spans.slice(low, end);
}

/** Why an outage was, as far as what was imported of its time says so. */
export function reasonOf(spans: readonly StoredSpan[], { edges }: Outage): Pick<Downtime, 'reason' | 'note'> | undefined {
  const { fromAtMs: fromMs, toAtMs } = edges;
  const said = overlapping(spans, { fromMs, toMs: toAtMs ?? (Number.POSITIVE_INFINITY as EpochMs) }).find((span) => span.reason !== null);
  return said === undefined || said.reason === null ? undefined : { reason: said.reason, note: said.detail };
}
