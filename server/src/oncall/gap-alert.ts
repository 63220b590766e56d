import { type EpochMs, epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { type ActiveElement, type Evaluation, promptRule } from '../alerting/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import { clockText, gapsWithin, spanText } from './evaluate.ts';
import { ON_CALL_GAP_RULE_ID } from '../rules/contract.ts';
import type { Roster } from './service.ts';

/** How often it is looked for gaps. */
export const GAP_STEP_MS = 60_000;

/** The whole truth about schedules in which nobody is, or soon will be, on call, as alerting is told of it. */
export function gapEvaluation(roster: Roster, nowMs: EpochMs): Evaluation {
  return {
    rule: promptRule({
      id: ON_CALL_GAP_RULE_ID,
      kind: 'rule',
      alertname: 'OnCallGap',
      severity: 'warning',
      teamId: DEFAULT_TEAM,
    }),
    atMs: nowMs,
    found: {
      kind: 'complete',
      active: roster.schedules.list().flatMap(({ spec }) => elementOf(roster, spec.id, nowMs) ?? []),
      holding: [],
      because: 'somebody is on call',
    },
  };
}

function elementOf(roster: Roster, id: string, nowMs: EpochMs): ActiveElement | undefined {
  const asked = roster.asked(id);
  const { spec, gapAlarmMs } = asked.schedule;
  if (gapAlarmMs === undefined) return undefined;
  const horizonMs = epochMs(nowMs + Math.max(gapAlarmMs, 1));
  const [gap] = gapsWithin(asked, { fromMs: nowMs, toMs: horizonMs });
  if (gap === undefined) return undefined;
  const when = gap.toMs < horizonMs ? spanText(gap, spec.zone) : `from ${clockText(gap.fromMs, spec.zone)} (${spec.zone}) on`;
  const isNow = gap.fromMs <= nowMs;
  const severity = isNow ? 'critical' : 'warning';
  const name = spec.name ?? spec.id;
  return {
    labels: labelsOf({ alertname: 'OnCallGap', schedule: spec.id, severity }),
    annotations: {
      summary: isNow ? `Nobody is on call for ${name}` : `Nobody will be on call for ${name} ${when}`,
      description: `${gap.reason}. Add somebody to a layer, or make an override.`,
    },
    value: isNow ? 0 : (gap.fromMs - nowMs) / 1_000,
    severity,
  };
}
