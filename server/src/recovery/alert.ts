import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type ActiveElement, type Evaluation, promptRule } from '../alerting/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import type { ServiceEntry } from '../services/contract.ts';
import { RECOVERY_RULE_ID, type RecoveryRun } from './contract.ts';
import type { Exhausted } from './evaluate.ts';

/** The end of an output that an alert quotes. */
const MAX_QUOTED_CHARS = 300;

/** The whole truth about recovery that did not help, as alerting is told of it. */
export function evaluationOf(
  all: readonly { readonly exhausted: Exhausted; readonly service: Pick<ServiceEntry, 'id' | 'name' | 'owner' | 'runbook'> }[],
  nowMs: number,
): Evaluation {
  return {
    rule: promptRule({
      id: RECOVERY_RULE_ID,
      kind: 'service',
      alertname: 'RecoveryFailed',
      severity: 'critical',
      teamId: DEFAULT_TEAM,
    }),
    atMs: epochMs(nowMs),
    found: {
      kind: 'complete',
      active: all.map(({ exhausted, service }) => elementOf(exhausted, service)),
      holding: [],
      because: 'the check is no longer down',
    },
  };
}

function elementOf(
  { check, sinceMs, severity, tried }: Exhausted,
  service: Pick<ServiceEntry, 'id' | 'name' | 'owner' | 'runbook'>,
): ActiveElement {
  return {
    labels: labelsOf({
      alertname: 'RecoveryFailed',
      service: service.id,
      check,
      severity,
      ...(service.owner === '' ? {} : { owner: service.owner }),
    }),
    annotations: {
      summary: `Recovery of ${service.name} did not help`,
      description: `Tried for the check ${check}: ${tried.map(wordsOf).join('; ')}`,
      ...(service.runbook === '' ? {} : { runbook_url: service.runbook }),
    },
    value: tried.length,
    activeSinceMs: sinceMs,
    severity,
  };
}

function wordsOf(run: RecoveryRun): string {
  const output = run.output.trim().replaceAll(/\s+/g, ' ').slice(-MAX_QUOTED_CHARS);
  const at = new Date(run.startedAtMs).toISOString();
  return `${run.action} at ${at} (try ${run.tryNumber}): ${run.detail}${output === '' ? '' : `, it said: ${output}`}`;
}
