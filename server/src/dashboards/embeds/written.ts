import type { Clock } from '@nines/base/clock.ts';
import { SECOND_MS } from '@nines/base/units.ts';

/** However many look, a board is written once within this. */
const FRESH_MS = 10 * SECOND_MS;
const MOST_KEPT = 200;

export type Written = { readonly html: string; readonly atMs: number };

type Writing = { readonly board: Promise<Written>; doneAtMs: number | undefined };

/** Boards as they were written last, at most 200: the oldest go first. One that failed is not kept. */
export class WrittenBoards {
  readonly #clock: Pick<Clock, 'now'>;
  /** By link and sight. */
  readonly #kept = new Map<string, Writing>();

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock;
  }

  /** The board of `link` for those who see `sight`: the kept one while it is fresh or still being written, else what `write` makes now. */
  get(link: string, sight: string, write: (atMs: number) => Promise<Written>): Promise<Written> {
    const key = `${link} ${sight}`;
    const nowMs = this.#clock.now();
    const kept = this.#kept.get(key);
    // One that takes long is waited for: who asks again must not begin it again.
    if (kept !== undefined && (kept.doneAtMs === undefined || nowMs - kept.doneAtMs < FRESH_MS)) return kept.board;
    const writing: Writing = { board: write(nowMs), doneAtMs: undefined };
    this.#kept.delete(key);
    this.#kept.set(key, writing);
    writing.board.then(
      () => (writing.doneAtMs = this.#clock.now()),
      () => this.#kept.get(key) === writing && this.#kept.delete(key),
    );
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST_KEPT) break;
      this.#kept.delete(oldest);
    }
    return writing.board;
  }

  /** Forgets what was written for `link`, whoever sees it. */
  forget(link: string): void {
    for (const key of this.#kept.keys()) if (key.startsWith(`${link} `)) this.#kept.delete(key);
  }
}
