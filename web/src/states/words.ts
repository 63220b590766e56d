/** Words and shapes of states, the same on every page. A shape and a colour never stand without the word or a label. */
export type MarkState = 'up' | 'degraded' | 'down' | 'unknown' | 'maintenance' | 'excluded';

export const STATE_WORDS: Readonly<Record<MarkState, string>> = {
  up: 'Up',
  degraded: 'Degraded',
  down: 'Down',
  unknown: 'Unknown',
  maintenance: 'Maintenance',
  excluded: 'Excluded',
};

const UNKNOWN_WHY: Readonly<Record<string, string>> = {
  not_yet_monitored: 'not yet monitored',
  no_data: 'no answer from the check',
  monitor_down: 'Nines itself was not running',
  probe_isolated: 'the probe had no network',
  paused: 'checks were paused',
  clock_step: 'the clock was set',
};

/** Why nothing is known, in words. */
export const unknownWhy = (reason: string | null | undefined): string => UNKNOWN_WHY[reason ?? ''] ?? 'no data';

/** The state in a word, and that it changes too often for one change to be news. */
export const steadiness = (state: MarkState, flapping: boolean): string =>
  flapping ? `${STATE_WORDS[state]}, flapping` : STATE_WORDS[state];

/** The verdict on an SLA in a word and the mark of the state it resembles. */
export const SLA_WORDS: Readonly<Record<string, { readonly word: string; readonly mark: MarkState }>> = {
  met: { word: 'Met', mark: 'up' },
  at_risk: { word: 'At risk', mark: 'degraded' },
  breached: { word: 'Breached', mark: 'down' },
  unknown: { word: 'Unknown', mark: 'unknown' },
};

export const SEVERITY_ORDER: Readonly<Record<string, number>> = { emergency: 0, critical: 1, warning: 2, info: 3 };

/** `unplanned_outage` → `Unplanned outage`. */
export function phrase(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
