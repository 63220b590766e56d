import type { Clock } from '@nines/base/clock.ts';
import { AlertHistory, type HistoryDeps, type Kept } from './history.ts';
import { type SnapshotDeps, Snapshots } from './snapshots.ts';
import { createTopProcesses } from './top-processes.ts';

export type AlertHistoryDeps = Omit<SnapshotDeps, 'topProcesses' | 'clock'> &
  HistoryDeps &
  Kept & {
    readonly clock: Clock;
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
