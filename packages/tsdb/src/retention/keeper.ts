import type { Logger } from '@nines/base/logger.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { DeleteReport, PageStore, Resolution, RetentionReport } from '../contract.ts';
import type { Head } from '../head/head.ts';
import { MAX_LEAP_MS, type Leap, judgeClock } from './clock.ts';
import { ROLLUP_RESOLUTIONS, type RuleBook, rollsUp } from './policy.ts';
import { RuleSizes, dropByRuleSize } from './rule-size.ts';
import { type DoneCuts, type RetainDeps, commonCutMs, dropByAge, dropByPoints, dropRollupsBySize, excessOf, sizeCut } from './retain.ts';

/** Runs retention and remembers, across restarts, what it has dropped and which clock it went by. */

const CLOCK_KEY = 'retention_clock_ms';
const droppedKey = (resolutionMs: Resolution): string => `dropped_before_ms/${resolutionMs}`;

type KeeperDeps = {
  readonly head: Head;
  readonly pageStore: PageStore;
  readonly logger: Logger;
  readonly rules: RuleBook;
  /** Removes every sample before an instant, and the series that thereby have none. */
  readonly deleteBefore: (cutoffMs: EpochMs) => Promise<DeleteReport>;
  readonly parts: () => Omit<RetainDeps, 'rules' | 'droppedBefore'>;
};

export class Keeper {
  readonly #deps: KeeperDeps;
  readonly #done: DoneCuts = new Map();
  readonly #sizes = new RuleSizes();
  readonly #dropped = new Map<Resolution, number>();
  #leap: Leap | undefined;
  /** The instant of the last run. */
  #ranAtMs = Number.NEGATIVE_INFINITY;

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
    for (const resolutionMs of [0, ...ROLLUP_RESOLUTIONS] as const) {
      const known = deps.pageStore.meta(droppedKey(resolutionMs));
      if (known !== undefined) this.#dropped.set(resolutionMs, Number(known));
    }
  }

  /** From here on no page of the resolution was dropped, whatever the series. */
  completeFromMs(resolutionMs: Resolution): number {
    return this.#dropped.get(resolutionMs) ?? Number.NEGATIVE_INFINITY;
  }

  /** Whether no rule keeps anything of a series whose newest sample is this old. */
  isForgotten(ref: number, newestMs: number, retainedFromMs: number): boolean {
    const rule = this.#deps.rules.ruleOf(ref);
    if (!rollsUp(rule)) return newestMs < Math.max(retainedFromMs, this.#ranAtMs - rule.samplesMs);
    return newestMs < this.#ranAtMs - Math.max(rule.samplesMs, rule.rollupMs[300000], rule.rollupMs[3600000]);
  }

  async run(nowMs: number): Promise<RetentionReport> {
    const { pageStore, logger } = this.#deps;
    const { verdict, leap } = judgeClock(nowMs, this.#trustedMs(nowMs), this.#leap);
    if (verdict.kind === 'leap' && this.#leap === undefined)
      logger.warn('retention waits: the clock is far ahead of its last run', {
        ahead_ms: verdict.byMs,
        believed_at_ms: verdict.believedAtMs,
      });
    this.#leap = leap;
    if (verdict.kind === 'leap') return { series: 0, samples: 0, buckets: 0, excessBytes: 0, ruleExcess: [], clock: verdict };
    pageStore.commit({ meta: { [CLOCK_KEY]: String(nowMs) } });
    this.#ranAtMs = nowMs;
    const parts: RetainDeps = { ...this.#deps.parts(), rules: this.#deps.rules, droppedBefore: (...what) => this.#droppedBefore(...what) };
    let samples = await dropByAge(parts, 0, { nowMs, done: this.#done });
    samples += await dropByPoints(parts);
    const ofRules = await dropByRuleSize(parts, { nowMs, sizes: this.#sizes });
    const size = sizeCut(parts, nowMs);
    const cutMs = Math.max(commonCutMs(parts, nowMs), size.cutMs);
    if (cutMs > this.completeFromMs(0)) this.#droppedBefore(0, cutMs);
    const dropped = await this.#deps.deleteBefore(epochMs(cutMs));
    let { buckets } = ofRules;
    for (const resolution of ROLLUP_RESOLUTIONS) buckets += await dropByAge(parts, resolution, { nowMs, done: this.#done });
    if (size.excessBytes > 0) buckets += await dropRollupsBySize(parts);
    return {
      series: dropped.series,
      samples: samples + ofRules.samples + dropped.samples,
      buckets,
      excessBytes: Math.max(0, excessOf(parts)),
      ruleExcess: ofRules.excess,
      clock: verdict,
    };
  }

  /** Before the first run of all: the newest sample, which is no later than the clock has been. */
  #trustedMs(nowMs: number): number {
    const known = this.#deps.pageStore.meta(CLOCK_KEY);
    if (known !== undefined) return Number(known);
    let newestMs = Number.NEGATIVE_INFINITY;
    const { head } = this.#deps;
    for (const ref of head.index.refs()) newestMs = Math.max(newestMs, head.newestOf(ref));
    return newestMs === Number.NEGATIVE_INFINITY ? nowMs - MAX_LEAP_MS : newestMs;
  }

  #droppedBefore(resolutionMs: Resolution, atMs: number): void {
    if (atMs <= this.completeFromMs(resolutionMs)) return;
    this.#dropped.set(resolutionMs, atMs);
    // Its own commit, before the one that drops: a crash between the two only makes queries look for rollups in vain.
    this.#deps.pageStore.commit({ meta: { [droppedKey(resolutionMs)]: String(atMs) } });
  }
}
