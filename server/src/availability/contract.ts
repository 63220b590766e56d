/**
 * The ledger: for every service, every instant is up, degraded, down or unknown. Append-only and bitemporal.
 * Every percentage of the product is a projection of what this folder returns; nothing else may compute one.
 * Answers the same after the raw samples are gone. Our own absence is unknown, never up, never down.
 * Never asks a service anything, never sends anything: checks hand results in, listeners hear of changes.
 */
import type { EpochMs } from '@nines/base/units.ts';
import type { CompositeRule } from '@nines/maths/slo/composite.ts';
import type { Buckets, Evidence, LedgerInterval, State, Timeline, UnknownReason } from '@nines/maths/slo/types.ts';
import { z } from 'zod';
import { CHANGES, spansOf } from './parts.ts';
import type { CheckResult, CheckTiming } from '../checks/contract.ts';

export const DOWNTIME_REASONS = [
  'planned_maintenance',
  'unplanned_outage',
  'network_issue',
  'hardware_failure',
  'software_bug',
  'capacity_issue',
  'security_incident',
  'third_party_issue',
] as const;
export type DowntimeReason = (typeof DOWNTIME_REASONS)[number];

/** Stable codes of this domain's refusals. */
export const AVAILABILITY_CODES = {
  downtimeNotFound: 'downtime_not_found',
  downtimeMerged: 'downtime_merged',
  downtimeRange: 'downtime_range',
} as const;

/**
 * One outage of a service, opened and closed by itself; its edges are the ledger's, to the millisecond. Bounds: the true instant
 * lies within, both ends inclusive. An outage whose end nobody saw ends where knowledge ends: its interval in the ledger is over
 * there, and if the service is still down when it is seen again, a new one opens.
 */
export type Downtime = {
  readonly id: string;
  readonly service: string;
  readonly fromAtMs: EpochMs;
  /** Null while it lasts. */
  readonly toAtMs: EpochMs | null;
  readonly fromBoundsAtMs: readonly [EpochMs, EpochMs];
  readonly toBoundsAtMs: readonly [EpochMs, EpochMs] | null;
  readonly reason: DowntimeReason;
  /** What a person wrote about it; '' when nobody has. */
  readonly note: string;
  readonly checks: readonly string[];
  readonly evidence: readonly Evidence[];
  readonly excluded: boolean;
  /** 1 until a person edits it; opening, growing and closing are no edits. */
  readonly revision: number;
  /** Its stretches of down time where a person merged several; otherwise absent. */
  readonly spans?: readonly { readonly fromAtMs: EpochMs; readonly toAtMs: EpochMs | null }[];
  /** The downtimes that were merged into it. */
  readonly mergedIds?: readonly string[];
  /** The downtime that a person split it off. */
  readonly partOf?: string;
};

/** A service's state changed. `sinceMs` is the (backdated) start of the new state. */
export type StateChange = {
  readonly service: string;
  readonly state: State;
  readonly unknownReason?: UnknownReason;
  readonly previous: State;
  readonly sinceMs: EpochMs;
  readonly evidence: readonly Evidence[];
};

/** The state of a service or a check now. */
export type CurrentState = {
  readonly state: State;
  readonly unknownReason?: UnknownReason;
  readonly sinceMs: EpochMs;
  readonly evidence: readonly Evidence[];
};

/** A check changes its state so often that a single change is no news. */
export type Flapping = {
  /** The attempt that began it. */
  readonly sinceMs: EpochMs;
  /** Weighted share of changes among its last states, in percent; steady again at `leavePercent`. */
  readonly changePercent: number;
  readonly leavePercent: number;
};

/** A check of the service began to flap, or is steady again. */
export type FlappingChange = { readonly service: string; readonly check: string; readonly flapping: Flapping | null };

/** Both ends optional; a downtime is listed when it overlaps `[fromMs, toMs)`. */
export type DowntimeFilter = { readonly service?: string; readonly fromMs?: EpochMs; readonly toMs?: EpochMs };
/** What was known of the downtimes of a service at an instant. */
export type KnownDowntimeFilter = Required<DowntimeFilter> & { readonly knownAtMs: EpochMs };

export interface Ledger {
  /**
   * The partition of `[fromMs, toMs)` for a service, from everything known at `knownAtMs` (default: now). Before monitoring began:
   * unknown, `not_yet_monitored`. After now: unknown, `no_data`.
   */
  timeline(service: string, fromMs: EpochMs, toMs: EpochMs, options?: { readonly knownAtMs?: EpochMs }): Promise<Timeline>;
  /** The state now, with its start: what `timeline` says of the last millisecond. */
  current(service: string): CurrentState;
  /** When monitoring of the service began; null when it has not. */
  monitoredSinceMs(service: string): Promise<EpochMs | null>;
  /** Newest first. */
  downtimes(filter: DowntimeFilter | KnownDowntimeFilter): Promise<readonly Downtime[]>;
  /** How long each downtime that began in `[fromMs, toMs)` had lasted when it was first known, in milliseconds; without those that other monitors saw. */
  detections(filter: Required<DowntimeFilter> & { readonly knownAtMs?: EpochMs }): Promise<readonly number[]>;
  /** Why the service's outage is no news: every check that makes it down flaps. Undefined when one of them does not, or it is not down. */
  whyFlapping(service: string): string | undefined;
  /** Rises whenever the service's history changes other than by time passing in an unchanged state. For caches. */
  version(service: string): number;
}

/** What decides about one service, as the ledger must know it: its checks (and how many must be down for it to be, by default one), or the services that it consists of. One without either is listed too. */
export type ServicePlan = {
  readonly service: string;
  readonly checks: readonly CheckTiming[];
  readonly composite?: CompositeRule;
  readonly downAt?: number;
};

/** The ledger's other side: what feeds and drives it. */
export interface Recorder {
  /** The whole set of services and checks now. A check that left stops speaking at this instant; its history stays. */
  configure(plans: readonly ServicePlan[]): Promise<void>;
  /** Takes one result in, after its samples are durable. Resolves when the ledger holds it. */
  record(result: CheckResult): Promise<void>;
  /** The state of one check now. */
  currentOfCheck(check: string): CurrentState;
  /** Null while the check is steady. */
  flapping(check: string): Flapping | null;
  /** Called after the change is known, in order, among the changes of states. */
  onFlapping(listener: (change: FlappingChange) => void | Promise<void>): Disposable;
  /** Called after a change is durable, in the order of the changes. A listener that throws is logged and harms nobody. */
  onStateChange(listener: (change: StateChange) => void | Promise<void>): Disposable;
}

/**
 * The results of checks that the store kept, by check (or by voice, `subjectOf`), ascending, within `[fromMs, toMs]`. The ledger asks at
 * start for what its tails had not yet written when the process died. `voices`: only those of checks with locations.
 */
export type ReplayResults = (
  fromMs: EpochMs,
  toMs: EpochMs,
  which?: 'voices',
) => Promise<
  ReadonlyMap<string, readonly { readonly atMs: EpochMs; readonly endMs: EpochMs; readonly seen: 'up' | 'degraded' | 'down' }[]>
>;

/** `PATCH /api/downtime/{id}`. */
export const downtimeEdit = z.strictObject({
  reason: z.enum(DOWNTIME_REASONS).optional(),
  note: z.string().max(4_000).optional(),
  /** The revision that the person saw; refused when someone else was faster. */
  revision: z.number().int().positive().optional(),
});
export type DowntimeEdit = z.infer<typeof downtimeEdit>;

/** `POST /api/downtime/{id}/split`. What is not said of the new part is as it was. */
export const downtimeSplit = z.strictObject({
  /** Where the new part begins: RFC 3339 or Unix seconds, strictly within the downtime. */
  at: z.union([z.string(), z.number()]).transform(String),
  reason: z.enum(DOWNTIME_REASONS).optional(),
  note: z.string().max(4_000).optional(),
  revision: z.number().int().positive().optional(),
});
export type DowntimeSplit = z.infer<typeof downtimeSplit>;

/** `POST /api/downtime/{id}/merge`: with the downtime before or after it. The earlier one stays and says what both say. */
export const downtimeMerge = z.strictObject({
  with: z.string(),
  reason: z.enum(DOWNTIME_REASONS).optional(),
  note: z.string().max(4_000).optional(),
  revision: z.number().int().positive().optional(),
});
export type DowntimeMerge = z.infer<typeof downtimeMerge>;

const evidenceWire = z.object({
  check: z.string(),
  at_ms: z.number(),
  detail: z.string(),
  /** In the time of a composite: the member whose check it was. */
  service: z.string().optional(),
  /** The import that brought it; `check` names the other monitor then. */
  import: z.string().optional(),
});
const boundsWire = z.tuple([z.number(), z.number()]);

/** The shape of `GET /api/downtime` items. */
export const downtimeView = z.object({
  id: z.string(),
  service: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number().nullable(),
  from_bounds_at_ms: boundsWire,
  to_bounds_at_ms: boundsWire.nullable(),
  reason: z.enum(DOWNTIME_REASONS),
  note: z.string(),
  checks: z.array(z.string()),
  evidence: z.array(evidenceWire),
  excluded: z.boolean(),
  revision: z.number(),
  /** Its stretches of down time: one, or several where a person merged downtimes. */
  spans: z.array(z.object({ from_at_ms: z.number(), to_at_ms: z.number().nullable() })),
  merged: z.array(z.string()),
  part_of: z.string().nullable(),
});
export type DowntimeView = z.infer<typeof downtimeView>;

/** The shape of `GET /api/downtime/{id}/revisions` items: what people said of a downtime, the original first. */
export const downtimeRevisionView = z.object({
  revision: z.number(),
  reason: z.enum(DOWNTIME_REASONS),
  note: z.string(),
  /** Null of the original, which no person wrote. */
  by: z.string().nullable(),
  at_ms: z.number().nullable(),
  /** What made it: null for the original; the part that was split off or rejoined, or the downtime that was merged or let go. */
  change: z.enum(CHANGES).nullable(),
  other: z.string().nullable(),
});
export type DowntimeRevisionView = z.infer<typeof downtimeRevisionView>;

export const intervalView = z.object({
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  state: z.enum(['up', 'degraded', 'down', 'unknown']),
  unknown_reason: z.string().optional(),
  from_bounds_at_ms: boundsWire.optional(),
  evidence: z.array(evidenceWire).optional(),
});
export type IntervalView = z.infer<typeof intervalView>;

export const bucketsView = z.object({
  up_ms: z.number(),
  degraded_ms: z.number(),
  down_ms: z.number(),
  unknown_ms: z.number(),
  excluded_ms: z.number(),
  out_of_hours_ms: z.number(),
});
export type BucketsView = z.infer<typeof bucketsView>;

const evidenceToWire = ({ check, atMs, detail, service, importId }: Evidence): z.infer<typeof evidenceWire> => ({
  check,
  at_ms: atMs,
  detail,
  ...(service === undefined ? {} : { service }),
  ...(importId === undefined ? {} : { import: importId }),
});

export const downtimeToWire = (downtime: Downtime): DowntimeView => ({
  id: downtime.id,
  service: downtime.service,
  from_at_ms: downtime.fromAtMs,
  to_at_ms: downtime.toAtMs,
  from_bounds_at_ms: [...downtime.fromBoundsAtMs],
  to_bounds_at_ms: downtime.toBoundsAtMs === null ? null : [...downtime.toBoundsAtMs],
  reason: downtime.reason,
  note: downtime.note,
  checks: [...downtime.checks],
  evidence: downtime.evidence.map(evidenceToWire),
  excluded: downtime.excluded,
  revision: downtime.revision,
  spans: spansOf(downtime).map(({ fromAtMs, toAtMs }) => ({ from_at_ms: fromAtMs, to_at_ms: toAtMs })),
  merged: [...(downtime.mergedIds ?? [])],
  part_of: downtime.partOf ?? null,
});

export const intervalToWire = (interval: LedgerInterval): IntervalView => ({
  from_at_ms: interval.fromMs,
  to_at_ms: interval.toMs,
  state: interval.state,
  ...(interval.unknownReason === undefined ? {} : { unknown_reason: interval.unknownReason }),
  ...(interval.fromBounds === undefined ? {} : { from_bounds_at_ms: [...interval.fromBounds] }),
  ...(interval.evidence === undefined ? {} : { evidence: interval.evidence.map(evidenceToWire) }),
});

export const bucketsToWire = (buckets: Buckets): BucketsView => ({
  up_ms: buckets.upMs,
  degraded_ms: buckets.degradedMs,
  down_ms: buckets.downMs,
  unknown_ms: buckets.unknownMs,
  excluded_ms: buckets.excludedMs,
  out_of_hours_ms: buckets.outOfHoursMs,
});
