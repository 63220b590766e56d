import type { EpochMs, Ms } from '@nines/base/units.ts';

/**
 * The words of the ledger. Every instant of a subject's time is in exactly one state; overlays lie on top and never move
 * time between states. Intervals are half-open `[fromMs, toMs)` in integer Unix milliseconds.
 */
export const STATES = ['up', 'degraded', 'down', 'unknown'] as const;
export type State = (typeof STATES)[number];

/** Why nothing is known. `not_yet_monitored` is counted by no policy; the others are our own absence or a missing answer. */
export const UNKNOWN_REASONS = ['not_yet_monitored', 'no_data', 'monitor_down', 'probe_isolated', 'paused', 'clock_step'] as const;
export type UnknownReason = (typeof UNKNOWN_REASONS)[number];

/** What decided an interval: enough to find the results again, and readable after they are gone. */
export type Evidence = {
  /** The check whose result decided, for example `shop-http`. */
  readonly check: string;
  /** Start of the attempt that decided the state. */
  readonly atMs: EpochMs;
  /** What was seen, in words: `connection refused by 127.0.0.1:9999`. */
  readonly detail: string;
  /** In the history of a composite: the member service whose check it was. */
  readonly service?: string;
  /** The import that brought it, where it was seen by another monitor; `check` names that monitor then. */
  readonly importId?: string;
};

export type LedgerInterval = {
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly state: State;
  /** Present exactly when `state` is `unknown`. */
  readonly unknownReason?: UnknownReason;
  /**
   * The true start lies in `[low, high]`: not before the last attempt that saw the state before had started, not after the
   * first attempt that saw this one had ended. Absent where the state before is unknown.
   */
  readonly fromBounds?: readonly [low: EpochMs, high: EpochMs];
  readonly evidence?: readonly Evidence[];
};

/** A partition of a window: contiguous, ascending, no gap, no overlap, first `fromMs` and last `toMs` are the window's. */
export type Timeline = { readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly intervals: readonly LedgerInterval[] };

/** Sums of a window by state; the six add up to its length exactly. */
export type Buckets = {
  readonly upMs: Ms;
  readonly degradedMs: Ms;
  readonly downMs: Ms;
  readonly unknownMs: Ms;
  readonly excludedMs: Ms;
  readonly outOfHoursMs: Ms;
};

export type UnknownPolicy =
  | { readonly kind: 'exclude' }
  | { readonly kind: 'down' }
  | { readonly kind: 'up' }
  | { readonly kind: 'carry_forward'; readonly maxGapMs: Ms };

/**
 * One step of a subject's history: from `atMs` on it was in `state`, until the next transition. A history is a list of these,
 * ascending, no instant twice, and no two neighbours alike in state and reason. Before the first one nothing was monitored.
 */
export type Transition = {
  readonly atMs: EpochMs;
  readonly state: State;
  /** Present exactly when `state` is `unknown`. */
  readonly unknownReason?: UnknownReason;
  /** Start of the last attempt that saw something else; equal to `atMs` when there was none. */
  readonly lowMs: EpochMs;
  /** End of the attempt that saw this state first; equal to `atMs` when no attempt decided (a lapse). */
  readonly highMs: EpochMs;
  readonly evidence: readonly Evidence[];
};

/** A stretch of time `[fromMs, toMs)`. */
export type Span = { readonly fromMs: EpochMs; readonly toMs: EpochMs };

/** What lies on top of a timeline. Precedence where they overlap: out of hours, then excluded, then the state. Spans may overlap and come in any order. */
export type Overlays = { readonly excluded?: readonly Span[]; readonly outOfHours?: readonly Span[] };
