import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import { clipSpan, unionSpans } from '@nines/maths/slo/window.ts';
import { z } from 'zod';
import { instant } from '../../platform/http/fields.ts';

/**
 * Time that a contract does not count because people agreed so. One asks, one decides; where money hangs on it the two are
 * different people. Nothing is overwritten: an exclusion is what its decisions say at the instant that is asked about.
 */
export const EXCLUSION_REASONS = [
  'planned_maintenance',
  'customer_caused',
  'force_majeure',
  'third_party',
  'measurement_fault',
  'other',
] as const;
export type ExclusionReason = (typeof EXCLUSION_REASONS)[number];

export type ExclusionRequest = {
  readonly id: string;
  readonly sla: string;
  readonly teamId: string;
  readonly fromMs: EpochMs;
  readonly toMs: EpochMs;
  readonly reason: ExclusionReason;
  readonly note: string;
  readonly requestedBy: string;
  readonly requestedAtMs: EpochMs;
};

export const DECISIONS = ['approved', 'rejected', 'withdrawn', 'revoked'] as const;
export type Decision = (typeof DECISIONS)[number];
export type ExclusionDecision = { readonly decision: Decision; readonly by: string; readonly note: string; readonly atMs: EpochMs };

/** A request with its decisions, oldest first. */
export type Exclusion = ExclusionRequest & { readonly decisions: readonly ExclusionDecision[] };

/** Longest exclusion: longer than any period of a statement would say nothing. */
const MAX_NOTE = 4_000;

/** `POST /api/slas/{id}/exclusions`. */
export const exclusionRequest = z.strictObject({
  from: instant,
  to: instant,
  reason: z.enum(EXCLUSION_REASONS),
  note: z.string().max(MAX_NOTE).default(''),
});

/** `POST /api/slas/{id}/exclusions/{exclusion}/{action}`. */
export const exclusionDecision = z.strictObject({ note: z.string().max(MAX_NOTE).default('') }).prefault({});

export type ExclusionState = 'requested' | Decision;

/** What is so at `atMs`; undefined when nobody had asked for it yet. */
export function stateAt(exclusion: Exclusion, atMs: number): ExclusionState | undefined {
  if (exclusion.requestedAtMs > atMs) return undefined;
  return exclusion.decisions.findLast((one) => one.atMs <= atMs)?.decision ?? 'requested';
}

/** The approval that holds at `atMs`; undefined when none does. */
export function approvalAt(exclusion: Exclusion, atMs: number): ExclusionDecision | undefined {
  const last = exclusion.decisions.findLast((one) => one.atMs <= atMs);
  return last?.decision === 'approved' ? last : undefined;
}

/** An exclusion that holds, with who let it. */
export type ApprovedExclusion = ExclusionRequest & { readonly approvedBy: string; readonly approvedAtMs: EpochMs };

/** Those that hold at `atMs`, in the order of their approval. */
export function approvedAt(exclusions: readonly Exclusion[], atMs: number): readonly ApprovedExclusion[] {
  return exclusions
    .flatMap(({ decisions, ...request }) => {
      const approval = approvalAt({ ...request, decisions }, atMs);
      return approval === undefined ? [] : [{ ...request, approvedBy: approval.by, approvedAtMs: approval.atMs }];
    })
    .sort((a, b) => a.approvedAtMs - b.approvedAtMs || (a.id < b.id ? -1 : 1));
}

const FROM_STATE: Readonly<Record<Decision, readonly ExclusionState[]>> = {
  approved: ['requested'],
  rejected: ['requested'],
  withdrawn: ['requested'],
  revoked: ['approved'],
};

/** Refuses a decision that cannot be taken now, or not by this person. `needsTwo`: money hangs on the contract. */
export function judgeDecision(
  exclusion: Exclusion,
  next: { readonly decision: Decision; readonly by: string; readonly atMs: EpochMs },
  needsTwo: boolean,
): void {
  const state = stateAt(exclusion, next.atMs) ?? 'requested';
  if (!FROM_STATE[next.decision].includes(state)) {
    throw new AppError('conflict', 'exclusion_decided', `the exclusion ${exclusion.id} is ${state} and cannot be ${next.decision}`);
  }
  if (next.decision === 'withdrawn' && next.by !== exclusion.requestedBy) {
    throw new AppError(
      'forbidden',
      'not_yours',
      `${exclusion.requestedBy} asked for this exclusion and alone withdraws it; others reject it`,
    );
  }
  if (needsTwo && next.decision === 'approved' && next.by === exclusion.requestedBy) {
    throw new AppError(
      'forbidden',
      'four_eyes',
      `credits hang on this contract: an exclusion that ${exclusion.requestedBy} asked for is approved by somebody else`,
    );
  }
}

/** A stretch of excluded time with what took it out. */
export type ExcludedStretch = Span &
  ({ readonly by: 'exclusion'; readonly exclusion: ApprovedExclusion } | { readonly by: 'maintenance' | 'service_down' });

/**
 * The excluded time of a window, cut so that each millisecond has one cause: of exclusions that overlap, the one that was
 * approved first; what no person took out was planned maintenance, or taken out by the contract's own rule. Time out of hours is
 * none of it. Sorted, disjoint, and as long together as the union of all within hours.
 */
export function excludedStretches(
  window: Span,
  exclusions: readonly ApprovedExclusion[],
  rules: { readonly outages: readonly Span[]; readonly maintenance: readonly Span[]; readonly outOfHours: readonly Span[] },
): readonly ExcludedStretch[] {
  const { outages, maintenance, outOfHours } = rules;
  const inside = [...exclusions, ...outages, ...maintenance, ...outOfHours].flatMap((span) => clipSpan(span, window) ?? []);
  const cuts = [...new Set(inside.flatMap((span) => [span.fromMs, span.toMs]))].sort((a, b) => a - b);
  const stretches: ExcludedStretch[] = [];
  cuts.slice(1).forEach((toMs, i) => {
    const span: Span = { fromMs: cuts[i] ?? toMs, toMs };
    const covers = (one: Span): boolean => one.fromMs <= span.fromMs && span.toMs <= one.toMs;
    if (outOfHours.some(covers)) return;
    const exclusion = exclusions.find(covers);
    if (exclusion !== undefined) append(stretches, { ...span, by: 'exclusion', exclusion });
    else if (maintenance.some(covers)) append(stretches, { ...span, by: 'maintenance' });
    else if (outages.some(covers)) append(stretches, { ...span, by: 'service_down' });
  });
  return stretches;
}

function append(stretches: ExcludedStretch[], next: ExcludedStretch): void {
  const last = stretches.at(-1);
  const isSame =
    last?.toMs === next.fromMs &&
    last.by === next.by &&
    (last.by !== 'exclusion' || next.by !== 'exclusion' || last.exclusion.id === next.exclusion.id);
  if (isSame && last !== undefined) stretches[stretches.length - 1] = { ...last, toMs: next.toMs };
  else stretches.push(next);
}

/** The spans that hold at `atMs`, joined, for reckoning. */
export const excludedSpans = (exclusions: readonly Exclusion[], atMs: number): readonly Span[] =>
  unionSpans(approvedAt(exclusions, atMs).map(({ fromMs, toMs }) => ({ fromMs, toMs })));

/** The shape of `GET /api/slas/{id}/exclusions` items. */
export const exclusionView = z.object({
  id: z.string(),
  sla: z.string(),
  from_at_ms: z.number(),
  to_at_ms: z.number(),
  reason: z.enum(EXCLUSION_REASONS),
  note: z.string(),
  state: z.enum(['requested', ...DECISIONS]),
  requested_by: z.string(),
  requested_at_ms: z.number(),
  decisions: z.array(z.object({ decision: z.enum(DECISIONS), by: z.string(), note: z.string(), at_ms: z.number() })),
});
export type ExclusionView = z.infer<typeof exclusionView>;

export const exclusionToWire = (exclusion: Exclusion): ExclusionView => ({
  id: exclusion.id,
  sla: exclusion.sla,
  from_at_ms: exclusion.fromMs,
  to_at_ms: exclusion.toMs,
  reason: exclusion.reason,
  note: exclusion.note,
  state: exclusion.decisions.at(-1)?.decision ?? 'requested',
  requested_by: exclusion.requestedBy,
  requested_at_ms: exclusion.requestedAtMs,
  decisions: exclusion.decisions.map(({ decision, by, note, atMs }) => ({ decision, by, note, at_ms: atMs })),
});

export const asSpan = (exclusion: Pick<Exclusion, 'fromMs' | 'toMs'>): Span => ({
  fromMs: epochMs(exclusion.fromMs),
  toMs: epochMs(exclusion.toMs),
});
