import type { Mode } from './targets.ts';

/** The services of the demo, by the roles of the shipped SLAs. */
export const ROLES = ['trading', 'gateway', 'database', 'models', 'market'] as const;
export type Role = (typeof ROLES)[number];

/** One thing that happens, `atS` seconds after the server is ready. */
export type Scene = { readonly atS: number; readonly role: Role; readonly mode: Mode; readonly words: string };

/** What happens in one round. A visitor sees an outage, an alert, a spent budget, a slow service and a report within two minutes. */
export const ROUND: readonly Scene[] = [
  { atS: 25, role: 'trading', mode: { kind: 'gone' }, words: 'The trading system stops answering.' },
  { atS: 50, role: 'trading', mode: { kind: 'well' }, words: 'The trading system is back.' },
  { atS: 65, role: 'gateway', mode: { kind: 'slow', byMs: 350 }, words: 'The API gateway slows down to 350 ms.' },
  { atS: 95, role: 'gateway', mode: { kind: 'well' }, words: 'The API gateway is fast again.' },
  { atS: 100, role: 'database', mode: { kind: 'gone' }, words: 'The database refuses connections.' },
  { atS: 108, role: 'database', mode: { kind: 'well' }, words: 'The database is back.' },
];
/** When the statement of a round is written. */
export const REPORT_AT_S = 115;
/** Rounds follow each other at this distance. */
export const ROUND_S = 180;
/** The SLA that the statement is about. */
export const REPORTED_SLA = 'trading-five-minutes';

/** The configuration that the demo runs on, as a user would write it. */
export function demoConfig(ports: Readonly<Record<Role, number>>, pager: string): string {
  const http = (role: Role, id: string, name: string): string => `
  - id: ${id}
    name: ${name}
    checks:
      - { id: ${id}-http, kind: http, url: 'http://127.0.0.1:${ports[role]}/', interval: 1s, timeout: 600ms, expect: { status: [200], body_contains: ok } }`;
  return `# Written by nines demo. Start from it: nines serve --config FILE
channels:
  - { id: pager, kind: webhook, url: '${pager}/alerts' }
routing:
  default: [pager]

services:${http('trading', 'trading-system', 'Trading system')}
    depends_on: [database, market-data]${http('gateway', 'api-gateway', 'API gateway')}
    depends_on: [trading-system]${http('models', 'ai-models', 'AI models')}${http('market', 'market-data', 'Market data')}
  - id: database
    name: Database
    checks:
      - { id: database-tcp, kind: tcp, address: '127.0.0.1:${ports.database}', interval: 1s, timeout: 500ms }

# The shipped SLAs, each on the service of its role.
sla_examples:
  trading_system: trading-system
  api_gateway: api-gateway
  database: database
  ai_models: ai-models
  market_data: market-data

# The same promises over short windows, so that a budget is seen to be spent while you watch.
slas:
  - id: ${REPORTED_SLA}
    name: Trading system, five minutes
    service: trading-system
    indicator: { kind: availability }
    target: 95%
    window: { rolling: 5m }
    interval: 1s
  - id: gateway-five-minutes
    name: API gateway, five minutes
    service: api-gateway
    indicator: { kind: threshold, query: 'probe_duration_seconds{check="api-gateway-http"}', condition: '<', threshold: 100ms, slice: 10s }
    target: 95%
    window: { rolling: 5m }

rules:
  thresholds:
    - { id: SLOW_ANSWER, metric: 'probe_duration_seconds{job="nines",kind="http"}', condition: '>', threshold: 0.25, clear: 0.1, for: 5s, severity: warning, cooldown: 1m }
`;
}
