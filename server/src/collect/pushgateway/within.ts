import { type Result, ok } from '@nines/base/result.ts';
import { type Labels, labelPairs, labelsFrom, labelsToRecord } from '@nines/model/labels.ts';
import { entering, isFull, visible } from '@nines/model/scope.ts';
import type { Scope } from '@nines/model/storage.ts';
import { type PushGroup, type PushedFamily, samplesOf } from './evaluate.ts';

/** Groups under a scope: its labels name the group too, so that two teams that push under one job keep a group each. */

/** The grouping labels with those that the scope demands; the refusal says which label is at fault. */
export function groupingWithin(scope: Scope, grouping: readonly string[]): Result<readonly string[], string> {
  if (isFull(scope)) return ok(grouping);
  const entered = entering(scope, labelsFrom(labelPairs(grouping)));
  if (!entered.ok) return entered;
  const all = new Map([...labelPairs(grouping), ...labelPairs(entered.value)]);
  return ok([...all.keys()].sort().flatMap((name) => [name, all.get(name) ?? '']));
}

const sees = (scope: Scope, labels: Labels): boolean => visible(scope, labelsToRecord(labels));

/** Whether its name is inside. */
export const seesGroup = (scope: Scope, { grouping }: PushGroup): boolean => isFull(scope) || sees(scope, grouping);

/** Whether all of it is inside. */
export function isOwn(scope: Scope, group: PushGroup): boolean {
  if (!seesGroup(scope, group)) return false;
  if (!isFull(scope)) for (const { labels } of samplesOf(group)) if (!sees(scope, labels)) return false;
  return true;
}

/** Why these families may not take the place of `before`; nothing when they may. */
export function faultOf(scope: Scope, families: ReadonlyMap<string, PushedFamily>, before: PushGroup | undefined): string | undefined {
  if (isFull(scope)) return undefined;
  if (before !== undefined && !isOwn(scope, before)) return 'the group holds more than this sender may write';
  for (const { samples } of families.values())
    for (const { labels } of samples) {
      const entered = entering(scope, labels);
      if (!entered.ok) return entered.error;
    }
  return undefined;
}
