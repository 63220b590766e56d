import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { State } from '@nines/maths/slo/types.ts';
import { type Expectation, expectationsOf, type RecoveryAction } from './contract.ts';
import type { ProveContext } from './perform.ts';

/** Between two looks whether the post-conditions hold. */
const LOOK_MS = 500;
/** Between two extra attempts of the check. */
const ASK_AGAIN_MS = 5 * SECOND_MS;

export type VerifyDeps = {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Why a post-condition does not hold; undefined when it does. */
  readonly unmet: (expected: Expectation, context: ProveContext) => Promise<string | undefined>;
  /** Asks the check again now; resolves when its result is in the ledger. Kinds that only wait are not asked. */
  readonly askCheck: (check: string) => Promise<void>;
  readonly stateOf: (check: string) => State;
  readonly commands: readonly string[];
  readonly freedBytes: number;
};

/** Why an action did not help; undefined when it did: what it is to bring about is so, and the check is no longer down. */
export async function whyNotHelped(action: RecoveryAction, deps: VerifyDeps): Promise<string | undefined> {
  const { clock, signal, stateOf } = deps;
  const endMs = clock.monotonic() + action.within;
  const isUp = (check: string): boolean => stateOf(check) === 'up' || stateOf(check) === 'degraded';
  const context: ProveContext = { clock, signal, commands: deps.commands, freedBytes: deps.freedBytes, isUp };
  for (const expected of expectationsOf(action)) {
    for (;;) {
      if (expected.kind === 'check') await deps.askCheck(expected.check);
      const why = await deps.unmet(expected, context).catch((thrown: unknown) => messageOf(thrown));
      signal.throwIfAborted();
      if (why === undefined) break;
      // What was freed does not change by waiting.
      if (clock.monotonic() >= endMs || expected.kind === 'freed') return why;
      await clock.sleep(LOOK_MS, { signal });
    }
  }
  for (;;) {
    await deps.askCheck(action.check);
    signal.throwIfAborted();
    if (isUp(action.check)) return undefined;
    const restMs = endMs - clock.monotonic();
    if (restMs <= 0) return `the check ${action.check} is still ${stateOf(action.check)}`;
    await clock.sleep(Math.min(ASK_AGAIN_MS, restMs), { signal });
  }
}
