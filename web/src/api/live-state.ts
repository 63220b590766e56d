/** Pure parts of the live stream: what a fact makes stale, and how long to wait before the next try. */

/** The records (first words of query keys) a topic makes stale. An unknown topic makes none stale. */
const STALE_BY_TOPIC: Readonly<Record<string, readonly string[]>> = {
  metrics: ['host'],
  checks: ['checks'],
  services: ['services', 'timeline', 'downtime', 'checks', 'status-pages', 'announcements', 'deployments'],
  slas: ['slas'],
  alerts: ['alerts', 'alert-snapshot'],
  problems: ['alerts'],
  incidents: ['incidents'],
  insights: ['insights'],
  notifications: ['alerts', 'notifications', 'oncall'],
  config: ['services', 'checks', 'agents', 'slas', 'alerts', 'status-pages', 'health', 'oncall'],
};

export function staleRecords(topic: string): readonly string[] {
  return STALE_BY_TOPIC[topic] ?? [];
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/** Doubles from one second to thirty; `spread` in [0, 1) keeps many pages from coming back in the same instant. */
export function backoffMs(tries: number, spread: number): number {
  const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(tries, 10));
  return Math.round(wait * (0.75 + spread / 2));
}
