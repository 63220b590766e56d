import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import type { Kysely } from 'kysely';
import type { Database } from '../platform/db/schema.ts';
import { type Loop, startLoop } from '../platform/loop.ts';
import { type AlertView, type RuleReads, SYSTEM } from './contract.ts';
import { type PastAlert, firedIn, pastOf, purgeAlerts } from './history-store.ts';
import { type AlertStatistics, statisticsOf } from './statistics.ts';

/** Alerts that statistics look at; a longer stretch is cut at its beginning, and says so. */
const MAX_COUNTED = 100_000;
const MAX_PAST = 500;
const PURGE_EVERY_MS = HOUR_MS;
/** Rows that one transaction removes, and transactions of one run: writers wait between them, and the next run goes on. */
const PURGED_AT_ONCE = 500;
const MAX_PURGES = 200;

export type HistoryDeps = {
  readonly sql: Kysely<Database>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readsOf: (ruleId: string) => RuleReads | undefined;
};

/** Removes at most `limit` of what was over before `beforeMs` and returns how many; fewer is the end of the work. */
type Purge = (beforeMs: number, limit: number) => Promise<number>;
export type Kept = {
  /** How long ended alerts are kept. */
  readonly keptMs: number;
  /** What else goes with them: notifications, problems. */
  readonly others: readonly Purge[];
};

/** What can be learned from alerts of the past. */
export class AlertHistory {
  readonly #deps: HistoryDeps;

  constructor(deps: HistoryDeps) {
    this.#deps = deps;
  }

  /** When the same problem fired before, over the last `days`. */
  past({ rule, fingerprint }: Pick<AlertView, 'rule' | 'fingerprint'>, days: number): Promise<readonly PastAlert[]> {
    const toMs = this.#deps.clock.now() + 1;
    return pastOf(this.#deps.sql, { rule, fingerprint, fromMs: toMs - days * DAY_MS, toMs, limit: MAX_PAST });
  }

  async statistics(asked: {
    readonly fromMs: number;
    readonly toMs: number;
    readonly service: string | undefined;
  }): Promise<AlertStatistics & { readonly complete: boolean }> {
    const { sql, readsOf } = this.#deps;
    const alerts = await firedIn(sql, { ...asked, system: SYSTEM, limit: MAX_COUNTED + 1 });
    const counted = alerts.slice(0, MAX_COUNTED);
    return { ...statisticsOf({ ...asked, alerts: counted, readsOf }), complete: counted.length === alerts.length };
  }

  /** Removes each hour what ended longer ago than `keptMs`. */
  startPurging({ keptMs, others }: Kept): Loop {
    const { sql, clock, logger } = this.#deps;
    const step = async (nowMs: number, signal: AbortSignal): Promise<void> => {
      const beforeMs = nowMs - keptMs;
      let removed = 0;
      for (let round = 0; round < MAX_PURGES && !signal.aborted; round++) {
        const { alerts, steps } = await purgeAlerts(sql, beforeMs, PURGED_AT_ONCE);
        let most = Math.max(alerts, steps);
        removed += alerts;
        for (const purge of others) {
          const gone = await purge(beforeMs, PURGED_AT_ONCE);
          most = Math.max(most, gone);
          removed += gone;
        }
        if (most < PURGED_AT_ONCE) break;
      }
      if (removed > 0)
        logger.info('old alerts and what belongs to them were removed', { removed, endedBefore: new Date(beforeMs).toISOString() });
    };
    return startLoop({ clock, logger, name: 'alert history', everyMs: PURGE_EVERY_MS, firstAfterMs: PURGE_EVERY_MS / 60, step });
  }
}
