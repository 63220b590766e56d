import { realClock } from '@nines/server/platform/clock.ts';

/** Nothing is shown for what is over sooner. */
const QUIET_MS = 2_000;
const REDRAW_MS = 100;
/** Where nobody looks on, a line is enough now and then. */
const LINE_EVERY_MS = 10_000;
const BAR_CHARS = 30;

/** How far a longer task is: a bar on a terminal, plain lines elsewhere, both on standard error. Nothing in the first two seconds. */
export class Progress implements Disposable {
  readonly #what: string;
  readonly #isTerminal: boolean;
  readonly #fromMs = realClock.monotonic();
  #shownMs = Number.NEGATIVE_INFINITY;

  constructor(what: string) {
    this.#what = what;
    this.#isTerminal = process.stderr.isTTY;
  }

  show(done: number, of: number): void {
    const nowMs = realClock.monotonic();
    if (nowMs - this.#fromMs < QUIET_MS || nowMs - this.#shownMs < (this.#isTerminal ? REDRAW_MS : LINE_EVERY_MS)) return;
    this.#shownMs = nowMs;
    const share = of > 0 ? Math.min(1, done / of) : 0;
    const percent = `${Math.floor(share * 100)} %`;
    if (!this.#isTerminal) {
      process.stderr.write(`${this.#what}: ${percent}\n`);
      return;
    }
    const filled = Math.round(share * BAR_CHARS);
    process.stderr.write(`\r${this.#what} [${'#'.repeat(filled)}${' '.repeat(BAR_CHARS - filled)}] ${percent.padStart(5)}`);
  }

  [Symbol.dispose](): void {
    if (this.#isTerminal && this.#shownMs > 0) process.stderr.write('\r\u001b[K');
  }
}
