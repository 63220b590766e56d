import type { Clock } from '@nines/base/clock.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { CheckTiming, Outcome } from './contract.ts';
import { LOOP_DELAY } from './evaluate.ts';

/** When an attempt that we ourselves spoilt is followed by another, the first time and at most: longer each time it happens again. */
const FIRST_MS = 2 * SECOND_MS;
const LONGEST_MS = MINUTE_MS;

export type AskAgainDeps = { readonly clock: Clock; readonly ask: (check: string) => void };

/**
 * A check whose attempt says nothing because this process was late is not left in the dark for an interval of an hour: it is asked once
 * more, soon. Checks that are asked from several places wait for the next instant that they share.
 */
export class AskAgain implements Disposable {
  readonly #deps: AskAgainDeps;
  readonly #spoilt = new Map<string, { readonly delayMs: number; readonly timer: Disposable }>();

  constructor(deps: AskAgainDeps) {
    this.#deps = deps;
  }

  after({ check, intervalMs, vote }: Pick<CheckTiming, 'check' | 'intervalMs' | 'vote'>, outcome: Outcome): void {
    const before = this.#spoilt.get(check);
    before?.timer[Symbol.dispose]();
    this.#spoilt.delete(check);
    const isSpoilt = outcome.kind === 'void' && outcome.code === LOOP_DELAY;
    const delayMs = before === undefined ? FIRST_MS : Math.min(LONGEST_MS, before.delayMs * 2);
    if (!isSpoilt || vote !== undefined || delayMs >= intervalMs) return;
    this.#spoilt.set(check, { delayMs, timer: this.#deps.clock.after(delayMs, () => this.#deps.ask(check)) });
  }

  [Symbol.dispose](): void {
    for (const { timer } of this.#spoilt.values()) timer[Symbol.dispose]();
    this.#spoilt.clear();
  }
}
