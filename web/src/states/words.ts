import { t } from '../language/t.ts';

/** Words and shapes of states, the same on every page. A shape and a colour never stand without the word or a label. */
export type MarkState = 'up' | 'degraded' | 'down' | 'unknown' | 'maintenance' | 'excluded';

export const STATE_WORDS: Readonly<Record<MarkState, string>> = {
  up: t('Up'),
  degraded: t('Degraded'),
  down: t('Down'),
  unknown: t('Unknown'),
  maintenance: t('Maintenance'),
  excluded: t('Excluded'),
};

const UNKNOWN_WHY: Readonly<Record<string, string>> = {
  not_yet_monitored: t('not yet monitored'),
  no_data: t('no answer from the check'),
  monitor_down: t('Nines itself was not running'),
  probe_isolated: t('the probe had no network'),
  paused: t('checks were paused'),
  clock_step: t('the clock was set'),
};

/** Why nothing is known, in words. */
export const unknownWhy = (reason: string | null | undefined): string => UNKNOWN_WHY[reason ?? ''] ?? t('no data');

/** A state within a sentence: `Web shop is down`. */
const IN_SENTENCES: Readonly<Record<string, string>> = {
  up: t('up||in a sentence'),
  degraded: t('degraded||in a sentence'),
  down: t('down||in a sentence'),
  unknown: t('unknown||in a sentence'),
};
export const stateWord = (state: string): string => IN_SENTENCES[state] ?? state;

/** The state in a word, and that it changes too often for one change to be news. */
export const steadiness = (state: MarkState, flapping: boolean): string =>
  flapping ? t('{state}, flapping', { state: STATE_WORDS[state] }) : STATE_WORDS[state];

/** The verdict on an SLA in a word and the mark of the state it resembles. */
export const SLA_WORDS: Readonly<Record<string, { readonly word: string; readonly mark: MarkState }>> = {
  met: { word: t('Met'), mark: 'up' },
  at_risk: { word: t('At risk'), mark: 'degraded' },
  breached: { word: t('Breached'), mark: 'down' },
  unknown: { word: t('Unknown'), mark: 'unknown' },
};

export const SEVERITY_ORDER: Readonly<Record<string, number>> = { emergency: 0, critical: 1, warning: 2, info: 3 };

/** Codes of the product that pages show as words: reasons of downtimes and exclusions, severities, states of alerts and runs. */
const CODES: Readonly<Record<string, string>> = {
  unplanned_outage: t('Unplanned outage'),
  planned_maintenance: t('Planned maintenance'),
  network_issue: t('Network issue'),
  hardware_failure: t('Hardware failure'),
  software_bug: t('Software bug'),
  capacity_issue: t('Capacity issue'),
  security_incident: t('Security incident'),
  third_party_issue: t('Third party issue'),
  customer_caused: t('Customer caused'),
  force_majeure: t('Force majeure'),
  third_party: t('Third party'),
  measurement_fault: t('Measurement fault'),
  other: t('Other'),
  infrastructure: t('Infrastructure'),
  application: t('Application'),
  data: t('Data'),
  model: t('Model'),
  security: t('Security'),
  business: t('Business'),
  info: t('Info'),
  warning: t('Warning'),
  critical: t('Critical'),
  emergency: t('Emergency'),
  pending: t('Pending'),
  firing: t('Firing'),
  resolved: t('Resolved'),
  acknowledged: t('Acknowledged'),
  suppressed: t('Suppressed'),
  snoozed: t('Snoozed'),
  investigating: t('Investigating'),
  identified: t('Identified'),
  monitoring: t('Monitoring'),
  scheduled: t('Scheduled'),
  succeeded: t('Succeeded'),
  failed: t('Failed'),
  running: t('Running'),
};

/** `unplanned_outage` → `Unplanned outage`; sentences of the server begin with a capital. */
export function phrase(code: string): string {
  const known = CODES[code];
  if (known !== undefined) return known;
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** What a severity is chosen from, the mildest first. */
export const SEVERITY_CHOICES = (['info', 'warning', 'critical', 'emergency'] as const).map((value) => ({ value, label: phrase(value) }));
