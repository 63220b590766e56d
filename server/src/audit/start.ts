import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import { startLoop } from '../platform/loop.ts';
import type { Clock } from '@nines/base/clock.ts';
import { AUDIT_KEY_FILE, type AuditKey, openAuditKey, readAuditKey } from '../platform/signing/audit-key.ts';
import { AUDIT_CODES } from './contract.ts';
import { AUDIT_STEP_MS, AuditLog, type AuditDeps } from './service.ts';
import { readEnds } from './store.ts';

type Deps = Omit<AuditDeps, 'key' | 'clock'> & {
  readonly clock: Clock;
  readonly metrics: Pick<SelfMetrics, 'watch'>;
  /** Of an encrypted data directory. */
  readonly sealing: SealingKey | undefined;
};

/** The key of the chain. `AppError` `audit_key_missing` when there are entries and no key: a new one would disown them. */
export async function openChainKey({ db, clock, dataDir, sealing }: Pick<Deps, 'db' | 'dataDir' | 'sealing' | 'clock'>): Promise<AuditKey> {
  if (readAuditKey(dataDir, sealing) === undefined && (await readEnds(db.kysely)).seq > 0) {
    const words = `the state database has an audit log, and its key ${join(dataDir, AUDIT_KEY_FILE)} is not there. Put it back from a backup.`;
    throw new AppError('unavailable', AUDIT_CODES.keyMissing, words);
  }
  return openAuditKey(dataDir, sealing, clock.now());
}

export const openAuditLog = async (deps: Omit<Deps, 'metrics'>): Promise<AuditLog> =>
  new AuditLog({ ...deps, key: await openChainKey(deps) });

/** The audit log, examined and anchored at the start and every day. */
export async function startAudit({ metrics, ...deps }: Deps): Promise<AsyncDisposable & { readonly audit: AuditLog }> {
  const audit = await openAuditLog(deps);
  const { clock, logger } = deps;
  metrics.watch('nines_audit_whole', 'Whether the audit log was found whole (1) or broken (0) when it was last examined.', () =>
    audit.verdict?.whole === false ? 0 : 1,
  );
  const loop = startLoop({ clock, logger, name: 'audit', everyMs: AUDIT_STEP_MS, step: () => audit.step() });
  return { audit, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() };
}
