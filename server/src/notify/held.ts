/** What keeps alerts from people beside their handling, asked once per flush. */
import { epochMs } from '@nines/base/units.ts';
import type { Silence, Silencing } from '../silences/contract.ts';
import type { Held, Muting } from './evaluate.ts';
import { rfc3339 } from './message.ts';

/** Absent: nothing of the kind is configured. */
export type Holding = { readonly silences?: Silencing | undefined };

export const heldAt = (nowMs: number, { silences }: Holding): Held => ({
  silenced: (labels) => silenced(silences?.silencing(labels, epochMs(nowMs))),
});

/** The silence that ends last names the cause. */
function silenced(silences: readonly Silence[] = []): Muting | undefined {
  const [last] = silences;
  if (last === undefined) return undefined;
  const { id, createdBy, comment, endsAtMs } = last;
  return { cause: `silenced by ${createdBy} until ${rfc3339(endsAtMs)}: ${comment} (silence ${id})`, untilMs: endsAtMs };
}
