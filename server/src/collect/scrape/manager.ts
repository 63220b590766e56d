import { formatDuration } from '@nines/base/duration.ts';
import { ZERO_TIME } from '@nines/base/zero-time.ts';
import { type Labels, labelsToRecord } from '@nines/model/labels.ts';
import type { LocalTarget, SelfMetrics } from '../contract.ts';
import { localJobs } from './local-jobs.ts';
import { type Pool, type PoolDeps, createPool } from './pool.ts';
import { createEndings } from './endings.ts';
import type { PrometheusFile, ScrapeJob } from './prometheus-file.ts';
import type { Scraper } from './scraper.ts';
import type { ActiveTarget, ScrapedTarget, TargetListView, TargetView, TargetsView } from './targets-view.ts';
import { SECRET_KEY } from '../../platform/config/redact.ts';
import { HIDDEN, scrub } from '../../platform/scrub.ts';

/**
 * Every job's targets, each on its own grid: a target's scrapes fall on the same offset within the interval, spread over
 * targets by a hash, so that a thousand targets are not asked at once and a restart keeps the rhythm.
 */
export type ScrapeManager = AsyncDisposable & {
  /** Makes the jobs those of `files`. Unchanged targets run on; removed ones end their series. */
  apply(files: readonly PrometheusFile[]): Promise<void>;
  /** Makes these the programs of this host that are scraped beside what the files name. */
  applyLocal(targets: readonly LocalTarget[]): Promise<void>;
  view(): TargetsView;
  /** The same for the targets page. */
  list(): TargetListView;
  /** What each target exposes, for `/api/v1/targets/metadata`. */
  exposed(): readonly ScrapedTarget[];
  job(name: string): ScrapeJob | undefined;
};
export type ScrapeManagerDeps = Omit<PoolDeps, 'onSkipped' | 'endings'> & { readonly metrics: SelfMetrics };

/** Dropped targets that are shown of one job; beyond them only their number. */
const MAX_DROPPED_SHOWN = 1_000;

export function createScrapeManager(deps: ScrapeManagerDeps): ScrapeManager {
  const pools = new Map<string, Pool>();
  const scrapers = (): readonly Scraper[] => [...pools.values()].flatMap((pool) => pool.scrapers());
  deps.metrics.watch('nines_scrape_targets', 'Targets that are scraped.', () => scrapers().length);
  const late = deps.metrics.counter('nines_scrape_skipped_total', 'Scrapes left out because the one before was still running.');
  const endings = createEndings(deps.clock);
  const poolDeps: PoolDeps = { ...deps, endings, onSkipped: (count) => late.add(count) };
  let written: readonly PrometheusFile[] = [];
  let local: readonly LocalTarget[] = [];
  const manager: ScrapeManager = {
    async apply(files) {
      written = files;
      const named = files.flatMap(({ jobs }) => jobs);
      const wanted = new Map(
        [...localJobs(local, new Set(named.map(({ name }) => name))), ...named].map((job) => [job.name, job] as const),
      );
      const gone = [...pools].filter(([name]) => !wanted.has(name));
      for (const [name] of gone) pools.delete(name);
      await Promise.all(gone.map(([, pool]) => pool.retire()));
      for (const [name, job] of wanted) if (!pools.has(name)) pools.set(name, createPool(job, poolDeps));
      await Promise.all([...wanted].map(async ([name, job]) => pools.get(name)?.configure(job)));
    },
    async applyLocal(targets) {
      local = targets;
      await manager.apply(written);
    },
    view: () => ({
      activeTargets: scrapers().map(activeTarget),
      droppedTargets: [...pools.values()].flatMap((pool) =>
        droppedOf(pool).map(({ job, discovered }) => ({ discoveredLabels: shownLabels(discovered), scrapePool: job.name })),
      ),
      droppedTargetCounts: Object.fromEntries([...pools].map(([name, pool]) => [name, pool.dropped().length])),
      scrapePools: [...pools.keys()].sort(),
    }),
    list: () => ({
      items: scrapers().map(targetView),
      jobs: [...pools].map(([name, pool]) => ({ name, place: pool.job().place, dropped: pool.dropped().length })).sort(byName),
      dropped: [...pools].flatMap(([job, pool]) =>
        droppedOf(pool).map(({ discovered }) => ({ job, discovered_labels: shownLabels(discovered) })),
      ),
    }),
    exposed: () => scrapers().map((one) => ({ labels: one.target.labels, job: one.target.job.name, metricNames: () => one.metricNames() })),
    job: (name) => pools.get(name)?.job(),
    async [Symbol.asyncDispose]() {
      await Promise.all([...pools.values()].map((pool) => pool[Symbol.asyncDispose]()));
      pools.clear();
      await endings[Symbol.asyncDispose]();
    },
  };
  return manager;
}

const byName = (a: { readonly name: string }, b: { readonly name: string }): number => (a.name < b.name ? -1 : 1);

const droppedOf = (pool: Pool): ReturnType<Pool['dropped']> =>
  pool.dropped().slice(0, Math.min(pool.job().keepDropped || MAX_DROPPED_SHOWN, MAX_DROPPED_SHOWN));

/** What was found of a target; parameters of its address that are called like secrets keep theirs. */
const shownLabels = (labels: Labels): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(labelsToRecord(labels)).map(([name, value]) => [
      name,
      name.startsWith('__param_') && SECRET_KEY.test(name) ? HIDDEN : scrub(value),
    ]),
  );

function targetView({ target, state }: Scraper): TargetView {
  const { health, lastError, lastScrapeMs, lastDurationMs, lastSamples } = state();
  return {
    job: target.job.name,
    url: scrub(target.url),
    labels: labelsToRecord(target.labels),
    discovered_labels: shownLabels(target.discovered),
    state: health,
    error: scrub(lastError),
    last_scrape_at_ms: lastScrapeMs ?? null,
    duration_ms: lastDurationMs,
    samples: lastSamples,
    interval_ms: target.intervalMs,
    timeout_ms: target.timeoutMs,
  };
}

function activeTarget({ target, state }: Scraper): ActiveTarget {
  const { health, lastError, lastScrapeMs, lastDurationMs } = state();
  return {
    discoveredLabels: shownLabels(target.discovered),
    labels: labelsToRecord(target.labels),
    scrapePool: target.job.name,
    scrapeUrl: scrub(target.url),
    globalUrl: scrub(target.url),
    lastError: scrub(lastError),
    lastScrape: lastScrapeMs === undefined ? ZERO_TIME : new Date(lastScrapeMs).toISOString(),
    lastScrapeDuration: lastDurationMs / 1000,
    health,
    scrapeInterval: formatDuration(target.intervalMs),
    scrapeTimeout: formatDuration(target.timeoutMs),
  };
}
