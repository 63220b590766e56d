import { messageOf } from '@nines/base/errors.ts';
import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { HostReader } from './linux.ts';
import { type HostSample, sample } from './sample.ts';

/** A reader that has not answered after this long is left out of the collection. Longer than any healthy disk takes. */
const READER_TIMEOUT_MS = 4_000;

export type HostCollectorDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly readers: readonly HostReader[];
};

export type HostCollector = {
  /** Every figure now; none without readers. A reader that fails harms no other; it shows in `node_scrape_collector_success`. */
  collect(): Promise<readonly HostSample[]>;
};

export function createHostCollector({ clock, logger, readers }: HostCollectorDeps): HostCollector {
  const failing = new Set<string>();
  const busy = new Set<string>();
  const run = async ({ name, read }: HostReader): Promise<readonly HostSample[]> => {
    const startedMs = clock.monotonic();
    const result = busy.has(name) ? new Error('still busy with the last collection') : begin(name, read);
    // Readers that answer at once are timed at once: what follows waits for all others.
    const endedMs = result instanceof Promise ? undefined : clock.monotonic();
    const samples = await result;
    const durationMs = (endedMs ?? clock.monotonic()) - startedMs;
    if (samples instanceof Error && !failing.has(name)) {
      failing.add(name);
      logger.warn('host figures could not be read', { collector: name, error: samples.message });
    } else if (!(samples instanceof Error)) failing.delete(name);
    return [
      ...(samples instanceof Error ? [] : samples),
      sample('node_scrape_collector_duration_seconds', durationMs / 1000, 'collector', name),
      sample('node_scrape_collector_success', samples instanceof Error ? 0 : 1, 'collector', name),
    ];
  };
  const begin = (name: string, read: HostReader['read']): readonly HostSample[] | Error | Promise<readonly HostSample[] | Error> => {
    try {
      const answer = read();
      if (!(answer instanceof Promise)) return answer;
      busy.add(name);
      return withTimeout(
        clock,
        answer.finally(() => busy.delete(name)),
      ).catch(asError);
    } catch (thrown) {
      return asError(thrown);
    }
  };
  return {
    async collect() {
      const atMs = clock.now();
      const parts = await Promise.all(readers.map(run));
      return readers.length === 0 ? [] : [...parts.flat(), sample('node_time_seconds', atMs / 1000)];
    },
  };
}

const asError = (thrown: unknown): Error => new Error(messageOf(thrown), { cause: thrown });

function withTimeout<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = clock.after(READER_TIMEOUT_MS, () => reject(new Error(`no answer within ${READER_TIMEOUT_MS} ms`)));
    work.then(resolve, reject).finally(() => timer[Symbol.dispose]());
  });
}
