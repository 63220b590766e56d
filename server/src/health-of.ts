import { discoveryHealth } from './discover/health.ts';
import type { Health } from './ops/contract.ts';
import { createHealth } from './ops/health.ts';
import { auditHealth, diskHealth, encryptionHealth, outboxHealth, stateHealth, storeHealth } from './ops/parts.ts';
import type { Parts } from './parts.ts';

/** How the parts that run are, whether anybody can reach them or not. */
export function healthOf(parts: Parts, dataDir: string): Health {
  const { agents, alertmanagers, audit, backups, checks, db, discover, escalating, keys, outbox, statusPages, store, upkeep } = parts;
  const { clock, secrets } = parts.shared;
  const health = createHealth(clock);
  health.register('store', () => storeHealth(store.stats(), upkeep.retention()));
  health.register('encryption', () => encryptionHealth(keys?.keyId, parts.config().config.state.kind));
  health.register('secrets', () => secrets.health());
  health.register('audit', () => auditHealth(audit.verdict));
  health.register('backups', () => backups.health());
  health.register('outbox', async () => outboxHealth(await outbox.status(), clock.now()));
  health.register('alertmanagers', () => alertmanagers.health());
  health.register('discovery', () => discoveryHealth(discover.status()));
  health.register('status_pages', () => statusPages.board.health());
  health.register('agents', () => agents.health());
  health.register('escalation', () => escalating.health());
  health.register('state', () => stateHealth(db));
  health.register('disk', () => diskHealth(dataDir));
  health.register('checks', () => ({ status: 'ok', detail: `${checks.list().length} checks` }));
  return health;
}
