/** Exclusions in words. Pure. */
import type { ExclusionView } from '../api/wire.ts';

const STATES: Readonly<Record<ExclusionView['state'], string>> = {
  requested: 'Waiting for a decision',
  approved: 'Approved',
  rejected: 'Rejected',
  withdrawn: 'Withdrawn',
  revoked: 'Revoked',
};

export const exclusionStateText = (state: ExclusionView['state']): string => STATES[state];

export const EXCLUSION_REASONS: readonly ExclusionView['reason'][] = [
  'customer_caused',
  'force_majeure',
  'third_party',
  'planned_maintenance',
  'measurement_fault',
  'other',
];

export type Step = { readonly atMs: number; readonly what: string; readonly by: string; readonly note: string };

/** What happened to an exclusion, oldest first. */
export const trailOf = (exclusion: ExclusionView): readonly Step[] => [
  { atMs: exclusion.requested_at_ms, what: 'Asked for', by: exclusion.requested_by, note: exclusion.note },
  ...exclusion.decisions.map(({ at_ms: atMs, decision, by, note }) => ({ atMs, what: STATES[decision], by, note })),
];
