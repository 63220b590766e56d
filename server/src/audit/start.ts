import type { Clock } from '@nines/base/clock.ts';
import { type EpochMs, MINUTE_MS } from '@nines/base/units.ts';
import type { SealingKey } from '@nines/tsdb/contract.ts';
import type { Evaluation } from '../alerting/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import { startLoop } from '../platform/loop.ts';
import { brokenEvaluation } from './broken-alert.ts';
import type { AuditSettings } from './config.ts';
import { openKeyBook } from './keys.ts';
import { AUDIT_STEP_MS, AuditLog, type AuditDeps } from './service.ts';
import { AuditWatch, WATCH_STEP_MS } from './watch.ts';

/** Starting is not made longer by what is long in the log. */
const FIRST_AFTER_MS = MINUTE_MS;

type Deps = Omit<AuditDeps, 'keys' | 'clock'> & {
  readonly clock: Clock;
  readonly metrics: Pick<SelfMetrics, 'watch'>;
  /** Asked a while after the start, when everything was built. */
  readonly alert: (evaluation: Evaluation) => Promise<void>;
  readonly settings: () => AuditSettings;
  /** Of an encrypted data directory. */
  readonly sealing: SealingKey | undefined;
};

export const openAuditLog = async (deps: Omit<Deps, 'metrics' | 'alert' | 'settings'>): Promise<AuditLog> =>
  new AuditLog({ ...deps, keys: await openKeyBook(deps) });

/** The audit log, examined and anchored soon after the start and every day; a broken one is an alert. */
export async function startAudit({ metrics, alert, settings, ...deps }: Deps): Promise<AsyncDisposable & { readonly audit: AuditLog }> {
  const audit = await openAuditLog(deps);
  const { clock, logger } = deps;
  metrics.watch('nines_audit_whole', 'Whether the audit log was found whole (1) or broken (0) when it was last examined.', () =>
    audit.verdict?.whole === false ? 0 : 1,
  );
  const step = async (nowMs: EpochMs): Promise<void> => alert(brokenEvaluation(await audit.step(), nowMs));
  const loop = startLoop({ clock, logger, name: 'audit', everyMs: AUDIT_STEP_MS, firstAfterMs: FIRST_AFTER_MS, step });
  const watch = new AuditWatch({ audit, settings, alert });
  const watchStep = async (nowMs: EpochMs): Promise<void> => {
    await audit.refusals.step(nowMs);
    await watch.step(nowMs);
  };
  const watching = startLoop({ clock, logger, name: 'audit watch', everyMs: WATCH_STEP_MS, firstAfterMs: WATCH_STEP_MS, step: watchStep });
  return {
    audit,
    async [Symbol.asyncDispose]() {
      await watching[Symbol.asyncDispose]();
      await loop[Symbol.asyncDispose]();
    },
  };
}
