import type { Logger } from '@nines/base/logger.ts';
import type { Clock } from '@nines/base/clock.ts';
import { startLoop } from '../platform/loop.ts';
import { RECEIVED_STEP_MS, ReceivedAlerts, type ReceivedAlertsDeps } from './service.ts';

export type Received = { readonly received: ReceivedAlerts } & AsyncDisposable;

/** Reads what was received before, and from now on ends what nobody keeps up. */
export async function openReceived(deps: ReceivedAlertsDeps & { readonly clock: Clock; readonly logger: Logger }): Promise<Received> {
  const received = new ReceivedAlerts(deps);
  await received.load();
  const loop = startLoop({ ...deps, name: 'received alerts', everyMs: RECEIVED_STEP_MS, step: (nowMs) => received.step(nowMs) });
  return { received, [Symbol.asyncDispose]: async () => loop[Symbol.asyncDispose]() };
}
