import type { IncidentState } from '../api/incidents.ts';
import { t } from '../language/t.ts';
import { StateMark } from '../states/state-mark.tsx';

export const INCIDENT_WORDS: Readonly<Record<IncidentState, string>> = {
  open: t('Open'),
  acknowledged: t('Acknowledged'),
  investigating: t('Investigating'),
  mitigated: t('Mitigated'),
  resolved: t('Resolved'),
  closed: t('Closed'),
};
const MARKS = {
  open: 'down',
  acknowledged: 'degraded',
  investigating: 'degraded',
  mitigated: 'maintenance',
  resolved: 'up',
  closed: 'up',
} as const;

export function IncidentMark({ state }: { readonly state: IncidentState }) {
  return <StateMark state={MARKS[state]} word={INCIDENT_WORDS[state]} pulse={state === 'open'} />;
}
