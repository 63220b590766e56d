/** Thresholds as a pure decision per series: fires above one value, clears below another, and knows what silence means. */
import { assertNever } from '@nines/base/errors.ts';
import { type Labels, labelsKey } from '@nines/model/labels.ts';
import type { Condition } from './rule-fields.ts';

export type Limit = { readonly condition: Condition; readonly threshold: number; readonly clear: number };
export type Missing = 'keep' | 'fire' | 'resolve';

/** `labels` are the alert's final ones. Undecided is a reading that came but tells nothing: what is open stays as it is, whatever silence means. */
export type Reading = { readonly labels: Labels; readonly value: number; readonly undecided?: boolean };

export type ThresholdInput<R extends Reading> = {
  readonly limit: Limit;
  readonly missing: Missing;
  readonly readings: readonly R[];
  /** The rule's alerts of this limit that are open now; `lapsing` are those whose condition ceased and which are only kept firing for a while. */
  readonly open: readonly { readonly labels: Labels; readonly firing: boolean; readonly lapsing?: boolean }[];
  /** Label sets that had a reading before. */
  readonly seen: readonly Labels[];
};

export type ThresholdFinding<R extends Reading = Reading> =
  | (R & { readonly reason: 'beyond_threshold' | 'not_yet_clear' })
  | (Reading & { readonly reason: 'missing' });

/** `active` hold, `holding` stay as they are, everything else has ended. A NaN is no reading. */
export function judgeThreshold<R extends Reading>(
  input: ThresholdInput<R>,
): {
  readonly active: readonly ThresholdFinding<R>[];
  readonly holding: readonly Labels[];
} {
  const { limit, missing } = input;
  const open = new Map(input.open.map((alert) => [labelsKey(alert.labels), alert]));
  const read = new Set<string>();
  const active: ThresholdFinding<R>[] = [];
  const undecided: Labels[] = [];
  for (const reading of input.readings) {
    const key = labelsKey(reading.labels);
    if (reading.undecided === true) {
      read.add(key);
      if (open.get(key)?.lapsing !== true) undecided.push(reading.labels);
      continue;
    }
    if (Number.isNaN(reading.value)) continue;
    read.add(key);
    if (isBeyond(reading.value, limit.condition, limit.threshold)) active.push({ ...reading, reason: 'beyond_threshold' });
    // Only what fires waits for the clear threshold: a pending alert in the band has lost its condition.
    else if (open.get(key)?.firing === true && isBeyond(reading.value, limit.condition, limit.clear))
      active.push({ ...reading, reason: 'not_yet_clear' });
  }
  const silent = [...open.values()].filter(({ labels }) => !read.has(labelsKey(labels)));
  const silentOpen = silent.filter(({ lapsing }) => lapsing !== true).map(({ labels }) => labels);
  switch (missing) {
    case 'keep':
      return { active, holding: [...undecided, ...silentOpen] };
    case 'resolve':
      return { active, holding: undecided };
    case 'fire': {
      const gone = new Map([...silentOpen, ...input.seen].map((labels) => [labelsKey(labels), labels]));
      for (const [key, labels] of gone) if (!read.has(key)) active.push({ labels, value: Number.NaN, reason: 'missing' });
      return { active, holding: undecided };
    }
    default:
      return assertNever(missing, 'judgeThreshold');
  }
}

export function isBeyond(value: number, condition: Condition, limit: number): boolean {
  switch (condition) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
  }
}
