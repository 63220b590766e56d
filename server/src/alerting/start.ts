import type { Clock } from '@nines/base/clock.ts';
import { AlertHistory, type HistoryDeps } from './history.ts';
import { type SnapshotDeps, Snapshots } from './snapshots.ts';
import { createTopProcesses } from './top-processes.ts';

export type AlertHistoryDeps = Omit<SnapshotDeps, 'topProcesses' | 'clock'> &
  HistoryDeps & {
    readonly clock: Clock;
    /** How long ended alerts and finished notifications are kept. */
    readonly keptMs: number;
    readonly purgeNotifications: (beforeMs: number, limit: number) => Promise<number>;
  };

/** What is kept and learned of alerts beside their state. */
export function openAlertHistory(deps: AlertHistoryDeps): {
  readonly snapshots: Snapshots;
  readonly history: AlertHistory;
} & AsyncDisposable {
  const stack = new AsyncDisposableStack();
  const snapshots = stack.use(new Snapshots({ ...deps, topProcesses: createTopProcesses(deps.clock) }));
  const history = new AlertHistory(deps);
  stack.use(history.startPurging(deps));
  return { snapshots, history, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
