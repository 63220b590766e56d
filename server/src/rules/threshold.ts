/** Thresholds as a pure decision per series: fires above one value, clears below another, and knows what silence means. */
import { assertNever } from '@nines/base/errors.ts';
import { type Labels, labelsKey } from '@nines/model/labels.ts';
import type { Condition } from './config.ts';

export type Limit = { readonly condition: Condition; readonly threshold: number; readonly clear: number };
export type Missing = 'keep' | 'fire' | 'resolve';

/** `labels` are the alert's final ones. */
export type Reading = { readonly labels: Labels; readonly value: number };

export type ThresholdInput = {
  readonly limit: Limit;
  readonly missing: Missing;
  readonly readings: readonly Reading[];
  /** The rule's alerts of this limit that are open now. */
  readonly open: readonly { readonly labels: Labels; readonly firing: boolean }[];
  /** Label sets that had a reading before. */
  readonly seen: readonly Labels[];
};

export type ThresholdFinding = Reading & { readonly reason: 'beyond_threshold' | 'not_yet_clear' | 'missing' };

/** `active` hold, `holding` stay as they are, everything else has ended. A NaN is no reading. */
export function judgeThreshold(input: ThresholdInput): {
  readonly active: readonly ThresholdFinding[];
  readonly holding: readonly Labels[];
} {
  const { limit, missing } = input;
  const open = new Map(input.open.map((alert) => [labelsKey(alert.labels), alert]));
  const read = new Set<string>();
  const active: ThresholdFinding[] = [];
  for (const reading of input.readings) {
    if (Number.isNaN(reading.value)) continue;
    const key = labelsKey(reading.labels);
    read.add(key);
    if (isBeyond(reading.value, limit.condition, limit.threshold)) active.push({ ...reading, reason: 'beyond_threshold' });
    // Only what fires waits for the clear threshold: a pending alert in the band has lost its condition.
    else if (open.get(key)?.firing === true && isBeyond(reading.value, limit.condition, limit.clear))
      active.push({ ...reading, reason: 'not_yet_clear' });
  }
  const silentOpen = [...open.values()].map(({ labels }) => labels).filter((labels) => !read.has(labelsKey(labels)));
  switch (missing) {
    case 'keep':
      return { active, holding: silentOpen };
    case 'resolve':
      return { active, holding: [] };
    case 'fire': {
      const silent = new Map([...silentOpen, ...input.seen].map((labels) => [labelsKey(labels), labels]));
      for (const [key, labels] of silent) if (!read.has(key)) active.push({ labels, value: Number.NaN, reason: 'missing' });
      return { active, holding: [] };
    }
    default:
      return assertNever(missing, 'judgeThreshold');
  }
}

function isBeyond(value: number, condition: Condition, limit: number): boolean {
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
