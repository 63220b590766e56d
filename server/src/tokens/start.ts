import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { Evaluation } from '../alerting/contract.ts';
import { startLoop } from '../platform/loop.ts';
import type { TokenView } from './contract.ts';
import { expiryEvaluation } from './expiry-alert.ts';

export type WatchDeps = {
  readonly tokens: { list(): Promise<readonly TokenView[]> };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly alert: (evaluation: Evaluation) => Promise<void>;
};

/** Tells, every hour, of tokens in use that end within a week. */
export function watchExpiry({ tokens, clock, logger, alert }: WatchDeps): AsyncDisposable {
  const step = async (nowMs: Parameters<typeof expiryEvaluation>[1]): Promise<void> => alert(expiryEvaluation(await tokens.list(), nowMs));
  return startLoop({ clock, logger, name: 'token expiry', everyMs: HOUR_MS, firstAfterMs: MINUTE_MS, step });
}
