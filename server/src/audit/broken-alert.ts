import { type EpochMs, ms } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { DEFAULT_COOLDOWN_MS, type Evaluation } from '../alerting/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { AUDIT_BROKEN_RULE_ID } from '../rules/contract.ts';
import type { AuditVerdict } from './contract.ts';

const labels = labelsOf({ alertname: 'AuditLogBroken', severity: 'critical' });

/** Whether the audit log is broken, as alerting is told of it. */
export function brokenEvaluation({ fault }: AuditVerdict, nowMs: EpochMs): Evaluation {
  const annotations = {
    summary: `The audit log is broken: ${fault?.detail ?? ''}`,
    description:
      'Somebody changed the state database past the server. Keep a copy of the data directory, and compare with a backup and with the anchors in the log.',
  };
  return {
    rule: {
      id: AUDIT_BROKEN_RULE_ID,
      kind: 'rule',
      alertname: 'AuditLogBroken',
      severity: 'critical',
      forMs: ms(0),
      keepFiringForMs: ms(0),
      cooldownMs: ms(DEFAULT_COOLDOWN_MS),
      teamId: DEFAULT_TEAM,
    },
    atMs: nowMs,
    found: {
      kind: 'complete',
      active: fault === null ? [] : [{ labels, annotations, value: fault.seq ?? 0, severity: 'critical' }],
      holding: [],
      because: 'the audit log is whole',
    },
  };
}
