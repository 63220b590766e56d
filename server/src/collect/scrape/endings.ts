import type { Clock } from '@nines/base/clock.ts';
import type { Scraper } from './scraper.ts';

/**
 * Targets that are no longer scraped. Their series end under the instant at which the next scrape would have been, but that is
 * only written when a target that came back has had the time to be scraped again: two intervals and a tenth. Whatever has
 * newer samples by then has not ended. Nothing is written when the program stops, because it will go on where it was.
 * Source: prometheus scrape/scrape.go, endOfRunStaleness.
 */
export type Endings = AsyncDisposable & {
  /** `tickMs` is when the next scrape would have been. */
  end(scraper: Scraper, tickMs: number): void;
};

export function createEndings(clock: Clock): Endings {
  const waiting = new Set<Disposable>();
  const writing = new Set<Promise<void>>();
  return {
    end(scraper, tickMs) {
      const delayMs = Math.max(0, tickMs - clock.now()) + scraper.target.intervalMs * 1.1;
      const timer = clock.after(delayMs, () => {
        waiting.delete(timer);
        if (scraper.state().health === 'unknown') return;
        const written = scraper.retire(tickMs).finally(() => writing.delete(written));
        writing.add(written);
      });
      waiting.add(timer);
    },
    async [Symbol.asyncDispose]() {
      for (const timer of waiting) timer[Symbol.dispose]();
      waiting.clear();
      await Promise.all(writing);
    },
  };
}
