import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import { type EpochMs, MINUTE_MS } from '@nines/base/units.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import type { Evaluation } from '../alerting/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import { makeDirectory } from '../platform/directory.ts';
import { startLoop } from '../platform/loop.ts';
import { AUDIT_KEY_FILE, type AuditKey, openAuditKey, readAuditKey } from '../platform/signing/audit-key.ts';
import { brokenEvaluation } from './broken-alert.ts';
import { AUDIT_CODES } from './contract.ts';
import { AUDIT_STEP_MS, AuditLog, type AuditDeps } from './service.ts';
import { readEnds } from './store.ts';

/** Starting is not made longer by what is long in the log. */
const FIRST_AFTER_MS = MINUTE_MS;

type Deps = Omit<AuditDeps, 'key' | 'clock'> & {
  readonly clock: Clock;
  readonly metrics: Pick<SelfMetrics, 'watch'>;
  /** Asked a while after the start, when everything was built. */
  readonly alert: (evaluation: Evaluation) => Promise<void>;
  /** Of an encrypted data directory. */
  readonly sealing: SealingKey | undefined;
};

/** The key of the chain. `AppError` `audit_key_missing` when there are entries and no key: a new one would disown them. */
export async function openChainKey({ db, clock, dataDir, sealing }: Pick<Deps, 'db' | 'dataDir' | 'sealing' | 'clock'>): Promise<AuditKey> {
  if (readAuditKey(dataDir, sealing) === undefined && (await readEnds(db.kysely)).seq > 0) {
    const words = `the state database has an audit log, and its key ${join(dataDir, AUDIT_KEY_FILE)} is not there. Put it back from a backup.`;
    throw new AppError('unavailable', AUDIT_CODES.keyMissing, words);
  }
  makeDirectory(dataDir);
  return openAuditKey(dataDir, sealing, clock.now());
}

export const openAuditLog = async (deps: Omit<Deps, 'metrics' | 'alert'>): Promise<AuditLog> =>
  new AuditLog({ ...deps, key: await openChainKey(deps) });

/** The audit log, examined and anchored soon after the start and every day; a broken one is an alert. */
export async function startAudit({ metrics, alert, ...deps }: Deps): Promise<AsyncDisposable & { readonly audit: AuditLog }> {
  const audit = await openAuditLog(deps);
  const { clock, logger } = deps;
  metrics.watch('nines_audit_whole', 'Whether the audit log was found whole (1) or broken (0) when it was last examined.', () =>
    audit.verdict?.whole === false ? 0 : 1,
  );
  const step = async (nowMs: EpochMs): Promise<void> => alert(brokenEvaluation(await audit.step(), nowMs));
  const loop = startLoop({ clock, logger, name: 'audit', everyMs: AUDIT_STEP_MS, firstAfterMs: FIRST_AFTER_MS, step });
  return { audit, [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() };
}
