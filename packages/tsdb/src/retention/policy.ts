import type { Matcher } from '@nines/base/matcher.ts';
import { type Labels, labelValue } from '@nines/model/labels.ts';
import { WINDOW_MS, windowOf } from '../contract.ts';

/**
 * How long the samples of which series are kept. The first rule whose matchers hold is a series' rule; the last one has none
 * and so holds for every series.
 */
export type RetentionRule = {
  readonly matchers: readonly Matcher[];
  /** Age up to which samples are kept as they came. */
  readonly samplesMs: number;
  /** The newest samples of each series that are kept, to the precision of a window. */
  readonly points?: number;
  /** Packed samples and rollups of its series together are kept below this. */
  readonly sizeBytes?: number;
  /** Age up to which rollups are kept; 0 makes none. */
  readonly rollupMs: { readonly 300000: number; readonly 3600000: number };
};
export type RetentionPolicy = {
  readonly rules: readonly RetentionRule[];
  /** Packed samples and rollups together are kept below this. */
  readonly sizeBytes?: number;
};

/** More rules than anybody has reasons; a rule's number fits a byte. */
export const MAX_RETENTION_RULES = 200;
export const ROLLUP_RESOLUTIONS = [300_000, 3_600_000] as const;
export type RollupResolution = (typeof ROLLUP_RESOLUTIONS)[number];

/** Everything for one length of time, nothing rolled up. */
export const keepAllFor = (samplesMs: number): RetentionPolicy => ({
  rules: [{ matchers: [], samplesMs, rollupMs: { 300000: 0, 3600000: 0 } }],
});

export const rollsUp = (rule: RetentionRule): boolean => rule.rollupMs[300000] > 0 || rule.rollupMs[3600000] > 0;

/** Which rule each series has, remembered by reference. */
export class RuleBook {
  readonly policy: RetentionPolicy;
  readonly #labelsOf: (ref: number) => Labels;
  /** Number of the rule plus one; 0 where nobody asked yet. */
  #rules = new Uint8Array(0);

  constructor(policy: RetentionPolicy, labelsOf: (ref: number) => Labels) {
    const [last] = policy.rules.slice(-1);
    if (last === undefined || last.matchers.length > 0 || policy.rules.length > MAX_RETENTION_RULES)
      throw new Error(`BUG: expected 1 to ${MAX_RETENTION_RULES} retention rules, the last without matchers, found ${policy.rules.length}`);
    this.policy = policy;
    this.#labelsOf = labelsOf;
  }

  /** The number of the series' rule. References are never given to another series, so the answer holds for ever. */
  numberOf(ref: number): number {
    const known = this.#rules[ref] ?? 0;
    if (known > 0) return known - 1;
    if (ref >= this.#rules.length) {
      const grown = new Uint8Array(Math.max(ref + 1, 2 * this.#rules.length));
      grown.set(this.#rules);
      this.#rules = grown;
    }
    const labels = this.policy.rules.length === 1 ? [] : this.#labelsOf(ref);
    const number = this.policy.rules.findIndex(({ matchers }) => matchers.every((each) => each.matches(labelValue(labels, each.name))));
    this.#rules[ref] = number + 1;
    return number;
  }

  ruleOf(ref: number): RetentionRule {
    const rule = this.policy.rules[this.numberOf(ref)];
    if (rule === undefined) throw new Error(`BUG: expected a retention rule for series ${ref}, found none`);
    return rule;
  }

  /** The longest that any rule keeps pages of the resolution; 0 when none does. */
  longestMs(resolutionMs: 0 | RollupResolution): number {
    return Math.max(...this.policy.rules.map((rule) => keptMs(rule, resolutionMs)));
  }
}

export const keptMs = (rule: RetentionRule, resolutionMs: 0 | RollupResolution): number =>
  resolutionMs === 0 ? rule.samplesMs : rule.rollupMs[resolutionMs];

/** What a policy makes of series, as text: when it changes, days are rolled up anew. */
export const rollupFingerprint = ({ rules }: RetentionPolicy): string =>
  JSON.stringify(
    rules.map(({ matchers, rollupMs }) => [
      matchers.map(({ name, op, value }) => [name, op, value]),
      ROLLUP_RESOLUTIONS.map((resolution) => rollupMs[resolution] > 0),
    ]),
  );

/**
 * The instant before which a rule drops samples: whole windows that are too old, and of series that are rolled up only those
 * whose days have been.
 */
export function samplesCutMs(rule: RetentionRule, nowMs: number, rolledUpToMs: number): number {
  const cutMs = nowMs - rule.samplesMs;
  return windowOf(rollsUp(rule) ? Math.min(cutMs, rolledUpToMs) : cutMs);
}

/** Samples before the answer go, oldest windows first, until what is left fits. Whole windows; `upToMs` is where it must stop. */
export function sizeCutMs(
  windows: readonly { readonly windowMs: number; readonly bytes: number }[],
  excessBytes: number,
  upToMs: number,
): { readonly cutMs: number; readonly freedBytes: number } {
  let cutMs = Number.NEGATIVE_INFINITY;
  let freedBytes = 0;
  for (const { windowMs, bytes } of windows) {
    if (freedBytes >= excessBytes || windowMs + WINDOW_MS > upToMs) break;
    cutMs = windowMs + WINDOW_MS;
    freedBytes += bytes;
  }
  return { cutMs, freedBytes };
}
