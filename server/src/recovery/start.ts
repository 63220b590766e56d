import type { Checks } from '../checks/contract.ts';
import { startLoop } from '../platform/loop.ts';
import type { Programs } from '../platform/programs.ts';
import { performWith, unmetWith } from './perform.ts';
import { Recovery, RECOVERY_STEP_MS, type RecoveryDeps } from './service.ts';

/** Recovery actions on this machine. Nothing is done before `run`. */
export async function openRecovery(
  deps: Omit<RecoveryDeps, 'perform' | 'unmet' | 'askCheck'> & {
    readonly checks: Pick<Checks, 'askNow'>;
    readonly programs: Pick<Programs, 'run' | 'start'>;
  },
) {
  const { clock, logger, checks, programs } = deps;
  const recovery = new Recovery({
    ...deps,
    perform: performWith(programs),
    unmet: unmetWith(programs),
    askCheck: (check) => checks.askNow(check),
  });
  await recovery.load();

  /** Looks at the checks from now on. */
  const run = (): AsyncDisposable => {
    const loop = startLoop({ clock, logger, name: 'recovery', everyMs: RECOVERY_STEP_MS, step: (nowMs) => recovery.step(nowMs) });
    return {
      async [Symbol.asyncDispose]() {
        await loop[Symbol.asyncDispose]();
        await recovery.stop();
      },
    };
  };
  return { recovery, run };
}
