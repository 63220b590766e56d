import { statfs } from 'node:fs/promises';
import { formatDuration } from '@nines/base/duration.ts';
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { RetentionReport, StoreStats } from '@nines/tsdb/contract.ts';
import type { AuditVerdict } from '../audit/contract.ts';
import type { Db } from '../platform/db/open.ts';
import type { OutboxStatus } from '../platform/records/outbox-store.ts';
import type { PartHealth } from './contract.ts';

/** A row that waits this long says that a receiver is away, or that nothing is sent at all. */
const OUTBOX_LATE_MS = 5 * MINUTE_MS;

/** A torn tail is what a crash leaves and costs nothing acknowledged; corruption costs samples and is said until the next start. */
export function storeHealth(
  { series, headSamples, pageSamples, damage }: Pick<StoreStats, 'series' | 'headSamples' | 'pageSamples' | 'damage'>,
  retention: RetentionReport | undefined,
): PartHealth {
  const corrupt = damage.corruptFrames + damage.corruptPages;
  if (corrupt > 0)
    return { status: 'degraded', detail: `${corrupt} damaged places, the rest is served: ${damage.places.slice(0, 3).join(', ')}` };
  if (retention?.clock.kind === 'leap') {
    const { byMs, believedAtMs } = retention.clock;
    const until = new Date(believedAtMs).toISOString();
    return {
      status: 'degraded',
      detail: `retention waits: the clock is ${formatDuration(Math.round(byMs / HOUR_MS) * HOUR_MS)} ahead of its last run, and is believed at ${until}`,
    };
  }
  if (retention !== undefined && retention.excessBytes > 0)
    return { status: 'degraded', detail: `${retention.excessBytes} bytes more than retention.size, and what is left is too young to go` };
  const [over] = retention?.ruleExcess ?? [];
  if (over !== undefined)
    return {
      status: 'degraded',
      detail: `${over.bytes} bytes more than retention.rules[${over.rule}].size, and what is left is too young to go`,
    };
  return { status: 'ok', detail: `${series} series, ${headSamples + pageSamples} samples` };
}

/** Says what is encrypted at rest; never less than ok, because plain data are a choice. */
export function encryptionHealth(keyId: string | undefined, state: 'sqlite' | 'postgresql'): PartHealth {
  if (keyId === undefined) return { status: 'ok', detail: 'off: samples and state are stored as they are' };
  const what = state === 'sqlite' ? 'samples and state' : 'samples (the state is in PostgreSQL)';
  return { status: 'ok', detail: `on: ${what}, AES-256, key ${keyId}` };
}

export function auditHealth(verdict: AuditVerdict | undefined): PartHealth {
  if (verdict === undefined) return { status: 'ok', detail: 'not examined yet' };
  if (verdict.fault !== null) return { status: 'degraded', detail: `broken: ${verdict.fault.detail}` };
  return { status: 'ok', detail: `whole when last examined: ${verdict.entries} entries` };
}

/** Asks the state database something; whoever asks waits no longer than the health of a part may take. */
export async function stateHealth({ kind, kysely }: Pick<Db, 'kind' | 'kysely'>): Promise<PartHealth> {
  await kysely.selectFrom('users').select('id').limit(1).execute();
  return { status: 'ok', detail: kind };
}

/** Enough for hours of samples and for the log to turn over. */
const DISK_LOW_BYTES = 1024 ** 3;
/** From here on the next burst fails. */
const DISK_FULL_BYTES = 64 * 1024 ** 2;

/** The room on the disk that the data directory is on. */
export async function diskHealth(dataDir: string): Promise<PartHealth> {
  const { bavail, bsize, blocks } = await statfs(dataDir);
  const free = bavail * bsize;
  const mib = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`;
  const detail = `${mib(free)} of ${mib(blocks * bsize)} are free`;
  return { status: free < DISK_FULL_BYTES ? 'failing' : free < DISK_LOW_BYTES ? 'degraded' : 'ok', detail };
}

export function outboxHealth({ open, dead, oldestOpenAtMs }: OutboxStatus, nowMs: number): PartHealth {
  const waitedMs = oldestOpenAtMs === null ? 0 : nowMs - oldestOpenAtMs;
  if (waitedMs > OUTBOX_LATE_MS)
    return { status: 'degraded', detail: `${open} notifications wait, the oldest for ${Math.round(waitedMs / MINUTE_MS)} min` };
  return { status: 'ok', detail: `${open} waiting, ${dead} given up` };
}

/** How many services, SLAs and alerts are in which state, for the status in brief. */
export async function statesCounted(of: {
  readonly services: () => readonly string[];
  readonly slas: () => Promise<readonly { readonly status: string }[]>;
  readonly alerts: () => readonly { readonly state: string }[];
}): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> {
  return {
    services: countBy(of.services()),
    slas: countBy((await of.slas()).map(({ status }) => status)),
    alerts: countBy(of.alerts().map(({ state }) => state)),
  };
}

/** How often each of `values` occurs: `{ up: 3, down: 1 }`. */
function countBy(values: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}
