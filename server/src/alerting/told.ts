import type { NotifyReason } from '../notify/contract.ts';
import type { TransitionKind } from './evaluate.ts';

/** What notify hears of each step; steps that mean nothing to a receiver are left out. */
export const NOTIFY_REASON: Readonly<Record<TransitionKind, NotifyReason | undefined>> = {
  pending: undefined,
  fired: 'fired',
  kept: undefined,
  returned: undefined,
  resolved: 'resolved',
  dropped: undefined,
  severity_changed: 'escalated',
  held_back: 'updated',
  released: 'updated',
  acknowledged: 'updated',
  unacknowledged: 'updated',
  suppressed: 'updated',
  unsuppressed: 'updated',
  snoozed: 'updated',
  unsnoozed: 'updated',
  assigned: 'updated',
  escalated: 'updated',
  commented: undefined,
};
