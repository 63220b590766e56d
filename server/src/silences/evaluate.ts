/** What a silence is at an instant and what a change of one means; pure. Source: alertmanager silence/silence.go. */
import { type Result, err, ok } from '@nines/base/result.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Silence, SilenceDraft, SilenceState } from './contract.ts';

export function stateOf({ startsAtMs, endsAtMs }: Pick<Silence, 'startsAtMs' | 'endsAtMs'>, nowMs: EpochMs): SilenceState {
  if (nowMs >= endsAtMs) return 'expired';
  return nowMs < startsAtMs ? 'pending' : 'active';
}

export const isSilencing = ({ matchers }: Pick<Silence, 'matchers'>, labels: Readonly<Record<string, string>>): boolean =>
  matchers.every(({ name, matches }) => matches(labels[name] ?? ''));

/** What becomes of a draft: what is written, and which silence ends for it. */
export type Change = { readonly saved: Silence; readonly replaced: Silence | undefined };

/** `before` is the silence that the draft names. A refusal is a sentence. */
export function decideChange(
  draft: SilenceDraft,
  { before, newId, nowMs }: { readonly before: Silence | undefined; readonly newId: string; readonly nowMs: EpochMs },
): Result<Change, string> {
  const { id: _id, ...fields } = draft;
  if (draft.startsAtMs >= draft.endsAtMs) return err('the start must lie before the end');
  if (draft.endsAtMs <= nowMs) return err('the end must not lie in the past');
  if (draft.matchers.every(({ matches }) => matches('')))
    return err('at least one matcher must not match an empty value: this silence would match every alert without these labels');
  const updatedAtMs = nowMs;
  if (before !== undefined && canUpdate(before, draft, nowMs)) {
    return ok({ saved: { ...fields, id: before.id, updatedAtMs }, replaced: undefined });
  }
  const startsAtMs = epochMs(Math.max(draft.startsAtMs, nowMs));
  const replaced = before !== undefined && stateOf(before, nowMs) !== 'expired' ? expire(before, nowMs) : undefined;
  return ok({ saved: { ...fields, id: newId, startsAtMs, updatedAtMs }, replaced });
}

/** Whether the change leaves what the silence did until now as it was. */
function canUpdate(before: Silence, draft: SilenceDraft, nowMs: EpochMs): boolean {
  if (textOf(before) !== textOf(draft)) return false;
  switch (stateOf(before, nowMs)) {
    case 'active':
      return draft.startsAtMs === before.startsAtMs;
    case 'pending':
      return draft.startsAtMs >= nowMs;
    case 'expired':
      return false;
  }
}

const textOf = ({ matchers }: Pick<Silence, 'matchers'>): string =>
  JSON.stringify(matchers.map(({ name, op, value }) => [name, op, value]));

/** A silence that had not begun never was in force. */
export function expire(silence: Silence, nowMs: EpochMs): Silence {
  const ended = { ...silence, endsAtMs: nowMs, updatedAtMs: nowMs };
  return stateOf(silence, nowMs) === 'pending' ? { ...ended, startsAtMs: nowMs } : ended;
}
