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

/** Why an outage was, as far as what was imported of its time says so. */
export function reasonOf(spans: readonly StoredSpan[], { edges }: Outage): Pick<Downtime, 'reason' | 'note'> | undefined {
  const endMs = edges.toAtMs ?? Number.POSITIVE_INFINITY;
  const said = spans.find((span) => span.reason !== null && span.fromMs < endMs && span.toMs > edges.fromAtMs);
  return said === undefined || said.reason === null ? undefined : { reason: said.reason, note: said.detail };
}
