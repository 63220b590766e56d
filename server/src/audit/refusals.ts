import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import type { AuditEntry } from './contract.ts';

/** The same refusal again within this time is counted, and the count written when it is over. */
const SAME_MS = MINUTE_MS;
/** Kinds of refusals at a time; a flood of names and addresses beyond it is counted as one. */
const MAX_KINDS = 1_000;
const OTHERS = 'others';

type Kind = { readonly entry: AuditEntry; readonly untilMs: number; more: number };
type Deps = { readonly append: (entry: AuditEntry) => Promise<number>; readonly clock: Pick<Clock, 'now'>; readonly logger: Logger };

/** Refusals in the log: the first of its kind at once, how many more there were once a minute. A flood costs the log little. */
export class Refusals {
  readonly #deps: Deps;
  readonly #kinds = new Map<string, Kind>();

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  async note(entry: AuditEntry): Promise<void> {
    const own = JSON.stringify([entry.action, entry.actor.kind, entry.actor.id, entry.address, entry.object]);
    const isFull = !this.#kinds.has(own) && this.#kinds.size >= MAX_KINDS;
    const key = isFull ? `${OTHERS} ${entry.action}` : own;
    const known = this.#kinds.get(key);
    if (known !== undefined) {
      known.more++;
      return;
    }
    const untilMs = this.#deps.clock.now() + SAME_MS;
    const first = isFull ? { ...entry, object: { ...entry.object, id: OTHERS } } : entry;
    this.#kinds.set(key, { entry: first, untilMs, more: 0 });
    await this.#write(first);
  }

  /** Writes the counts that are due. */
  async step(nowMs: number): Promise<void> {
    for (const [key, { entry, untilMs, more }] of this.#kinds) {
      if (nowMs < untilMs) continue;
      this.#kinds.delete(key);
      if (more > 0) await this.#write({ ...entry, asked: { ...(entry.asked as object | undefined), repeated: more - 1 } });
    }
  }

  /** What was refused stays refused, whether or not the log can be written. */
  async #write(entry: AuditEntry): Promise<void> {
    try {
      await this.#deps.append(entry);
    } catch (thrown) {
      this.#deps.logger.error('a refusal is missing in the audit log', { action: entry.action, error: messageOf(thrown) });
    }
  }
}
