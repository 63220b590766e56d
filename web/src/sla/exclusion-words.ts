/** Exclusions in words. Pure. */
import type { ExclusionView } from '../api/wire.ts';
import { t } from '../language/t.ts';

const STATES: Readonly<Record<ExclusionView['state'], string>> = {
  requested: t('Waiting for a decision'),
  approved: t('Approved'),
  rejected: t('Rejected'),
  withdrawn: t('Withdrawn'),
  revoked: t('Revoked'),
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
  { atMs: exclusion.requested_at_ms, what: t('Asked for'), by: exclusion.requested_by, note: exclusion.note },
  ...exclusion.decisions.map(({ at_ms: atMs, decision, by, note }) => ({ atMs, what: STATES[decision], by, note })),
];
