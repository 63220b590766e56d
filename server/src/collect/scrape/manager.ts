import { formatDuration } from '@nines/base/duration.ts';
import { fnv1a } from '@nines/base/fnv1a.ts';
import { ZERO_TIME } from '@nines/base/zero-time.ts';
import { type Labels, labelsKey, labelsToRecord } from '@nines/model/labels.ts';
import type { SelfMetrics } from '../contract.ts';
import type { PrometheusFile, ScrapeJob } from './prometheus-file.ts';
import { type Scraper, type ScraperDeps, createScraper } from './scraper.ts';
import { type Target, targetsOf } from './targets.ts';
import type { ActiveTarget, TargetsView } from './targets-view.ts';

/**
 * Every target on its own grid: its scrapes fall on the same offset within the interval, spread over targets by a hash, so
 * that a thousand targets are not asked at once and a restart keeps the rhythm.
 */
export type ScrapeManager = AsyncDisposable & {
  /** Makes the targets those of `files`. Unchanged ones run on; removed ones end their series. */
  apply(files: readonly PrometheusFile[]): Promise<void>;
  view(): TargetsView;
};
export type ScrapeManagerDeps = ScraperDeps & { readonly metrics: SelfMetrics };

/**
 * A scrape that starts this little after its tick is stored under the tick itself: equal distances cost the store nothing.
 * Prometheus takes 2 ms; timers here may be later than that under load. Never more than 1 % of the interval.
 */
const TICK_TOLERANCE_MS = 10;
/** Dropped targets that are shown; beyond them only their number. */
const MAX_DROPPED_SHOWN = 1_000;

type Running = { readonly scraper: Scraper; stop(): Promise<void> };

export function createScrapeManager(deps: ScrapeManagerDeps): ScrapeManager {
  const running = new Map<string, Running>();
  let dropped: readonly { readonly job: ScrapeJob; readonly discovered: Labels }[] = [];
  deps.metrics.watch('nines_scrape_targets', 'Targets that are scraped.', () => running.size);
  const late = deps.metrics.counter('nines_scrape_skipped_total', 'Scrapes left out because the one before was still running.');
  return {
    async apply(files) {
      const lists = files.flatMap(({ jobs }) => jobs.map(targetsOf));
      for (const fault of lists.flatMap(({ faults }) => faults)) deps.logger.warn('a target cannot be scraped', { reason: fault });
      dropped = lists.flatMap((list) => list.dropped);
      const wanted = new Map(lists.flatMap(({ targets }) => targets.map((target) => [target.key, target] as const)));
      const gone = [...running].filter(([key]) => !wanted.has(key));
      for (const [key] of gone) running.delete(key);
      await Promise.all(gone.map(([, one]) => one.stop().then(() => one.scraper.retire(deps.clock.now()))));
      for (const [key, target] of wanted)
        if (!running.has(key))
          running.set(
            key,
            start(target, deps, (count) => late.add(count)),
          );
    },
    view: () => ({
      activeTargets: [...running.values()].map(({ scraper }) => activeTarget(scraper)),
      droppedTargets: dropped
        .slice(0, MAX_DROPPED_SHOWN)
        .map(({ job, discovered }) => ({ discoveredLabels: labelsToRecord(discovered), scrapePool: job.name })),
      droppedTargetCounts: countByJob(dropped.map(({ job }) => job.name)),
    }),
    async [Symbol.asyncDispose]() {
      const all = [...running.values()];
      running.clear();
      await Promise.all(all.map((one) => one.stop()));
    },
  };
}

function start(target: Target, deps: ScraperDeps, onSkipped: (count: number) => void): Running {
  const { clock } = deps;
  const scraper = createScraper(target, deps);
  const stopping = new AbortController();
  const offsetMs = fnv1a(`${target.url} ${labelsKey(target.labels)}`) % target.intervalMs;
  let lastTickMs: number | undefined;
  const run = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      const nowMs = clock.now();
      const tickMs = nextTick(nowMs, target.intervalMs, offsetMs);
      const missed = lastTickMs === undefined ? 0 : Math.round((tickMs - lastTickMs) / target.intervalMs) - 1;
      if (missed > 0) onSkipped(missed);
      await clock.sleep(tickMs - nowMs, { signal: stopping.signal });
      lastTickMs = tickMs;
      await scraper.scrape(stampOf(clock.now(), tickMs, target.intervalMs), stopping.signal);
    }
  };
  const ended = run().catch((thrown: unknown) => {
    if (!stopping.signal.aborted) throw thrown;
  });
  return {
    scraper,
    stop: () => {
      stopping.abort(new Error('the target is not scraped any more'));
      return ended;
    },
  };
}

/** The first instant after `nowMs` that lies `offsetMs` into an interval of the epoch's grid. */
export function nextTick(nowMs: number, intervalMs: number, offsetMs: number): number {
  return nowMs - ((((nowMs - offsetMs) % intervalMs) + intervalMs) % intervalMs) + intervalMs;
}

/** The instant under which a scrape that began at `nowMs` for `tickMs` is stored. */
export function stampOf(nowMs: number, tickMs: number, intervalMs: number): number {
  return Math.abs(nowMs - tickMs) <= Math.min(TICK_TOLERANCE_MS, intervalMs / 100) ? tickMs : nowMs;
}

function activeTarget({ target, state }: Scraper): ActiveTarget {
  const { health, lastError, lastScrapeMs, lastDurationMs } = state();
  return {
    discoveredLabels: labelsToRecord(target.discovered),
    labels: labelsToRecord(target.labels),
    scrapePool: target.job.name,
    scrapeUrl: target.url,
    globalUrl: target.url,
    lastError,
    lastScrape: lastScrapeMs === undefined ? ZERO_TIME : new Date(lastScrapeMs).toISOString(),
    lastScrapeDuration: lastDurationMs / 1000,
    health,
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs),
  };
}

function countByJob(names: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = Object.create(null);
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
