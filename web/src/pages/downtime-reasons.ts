import type { DowntimeView } from '../api/wire.ts';

/** Why a service was down, in the order in which they are offered. */
export const DOWNTIME_REASONS: readonly DowntimeView['reason'][] = [
  'unplanned_outage',
  'planned_maintenance',
  'network_issue',
  'hardware_failure',
  'software_bug',
  'capacity_issue',
  'security_incident',
  'third_party_issue',
];
