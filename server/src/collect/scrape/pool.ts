import { fnv1a } from '@nines/base/fnv1a.ts';
import { type Labels, labelsKey } from '@nines/model/labels.ts';
import type { Discover, DiscoveryConfig, TargetGroup } from '../../discover/contract.ts';
import type { Endings } from './endings.ts';
import type { ScrapeJob } from './prometheus-file.ts';
import { type Scraper, type ScraperDeps, createScraper } from './scraper.ts';
import { type Target, targetsOf } from './targets.ts';

export type PoolDeps = ScraperDeps & {
  readonly discover: Discover;
  /** Told how many scrapes were left out because the one before was still running. */
  readonly onSkipped: (count: number) => void;
  readonly endings: Endings;
};

/** The targets of one job: found, relabelled, scraped each on its own grid. */
export type Pool = AsyncDisposable & {
  readonly job: () => ScrapeJob;
  readonly scrapers: () => readonly Scraper[];
  readonly dropped: () => readonly { readonly job: ScrapeJob; readonly discovered: Labels }[];
  /** Takes over a new reading of the job. Unchanged targets run on; resolves when removed ones are asked no more. */
  configure(job: ScrapeJob): Promise<void>;
  /** Ends every target and its series, because the job is gone. */
  retire(): Promise<void>;
};

/** Changes that sources report within this time are taken over together: a rollout changes hundreds of pods one by one. */
const GATHER_MS = 500;
/**
 * A scrape that starts this little after its tick is stored under the tick itself: equal distances cost the store nothing.
 * Prometheus takes 2 ms; timers here may be later than that under load. Never more than 1 % of the interval.
 */
const TICK_TOLERANCE_MS = 10;

type Running = {
  readonly scraper: Scraper;
  stop(): Promise<void>;
  /** When the next scrape would be. */
  nextTickMs(): number;
};

export function createPool(first: ScrapeJob, deps: PoolDeps): Pool {
  const running = new Map<string, Running>();
  let job = first;
  let dropped: readonly { readonly job: ScrapeJob; readonly discovered: Labels }[] = [];
  let faultsSaid = '';
  /** Changes one after the other: each waits for the targets that the one before ended. */
  let last: Promise<void> = Promise.resolve();
  const inTurn = (change: () => Promise<void>): Promise<void> => (last = last.then(change, change));
  const watches = createWatches(deps, () => void inTurn(sync));

  const sync = async (): Promise<void> => {
    const list = targetsOf(job, watches.groups());
    dropped = list.dropped;
    const faults = [...list.faults, ...(list.refusal === undefined ? [] : [`${job.name}: ${list.refusal}`])].join('; ');
    if (faults !== '' && faults !== faultsSaid) deps.logger.warn('targets cannot be scraped', { reason: faults });
    faultsSaid = faults;
    const wanted = new Map(list.targets.map((target) => [target.key, target] as const));
    await end([...running].filter(([key]) => !wanted.has(key)));
    for (const [key, target] of wanted) {
      const one = running.get(key) ?? start(target, deps);
      one.scraper.refuse(list.refusal);
      running.set(key, one);
    }
  };
  const end = async (gone: readonly (readonly [string, Running])[]): Promise<void> => {
    for (const [key] of gone) running.delete(key);
    await Promise.all(gone.map(([, one]) => one.stop().then(() => deps.endings.end(one.scraper, one.nextTickMs()))));
  };
  return {
    job: () => job,
    scrapers: () => [...running.values()].map(({ scraper }) => scraper),
    dropped: () => dropped,
    configure: (next) => {
      job = next;
      watches.set(next.discoveries);
      return inTurn(sync);
    },
    retire: () => {
      watches.set([]);
      return inTurn(() => end([...running]));
    },
    [Symbol.asyncDispose]: () => {
      watches.set([]);
      return inTurn(async () => void (await Promise.all([...running.values()].map((one) => one.stop()))));
    },
  };
}

type Watches = {
  /** Everything that the sources say now. */
  groups(): readonly TargetGroup[];
  /** From now on these are the sources; those that are watched already go on. */
  set(configs: readonly DiscoveryConfig[]): void;
};

/** What the sources of one job say. `onChange` is called `GATHER_MS` after the first of the changes that it stands for. */
function createWatches({ discover, clock }: PoolDeps, onChange: () => void): Watches {
  const watched = new Map<string, Disposable>();
  const told = new Map<string, readonly TargetGroup[]>();
  let gathering: Disposable | undefined;
  const gather = (): void => {
    gathering ??= clock.after(GATHER_MS, () => {
      gathering = undefined;
      onChange();
    });
  };
  return {
    groups: () => [...told.values()].flat(),
    set(configs) {
      const wanted = new Set(configs.map(({ key }) => key));
      for (const config of configs) {
        if (watched.has(config.key)) continue;
        const subscription = discover.watch(config, (groups) => {
          told.set(config.key, groups);
          gather();
        });
        watched.set(config.key, subscription);
      }
      for (const [key, subscription] of watched) {
        if (wanted.has(key)) continue;
        subscription[Symbol.dispose]();
        watched.delete(key);
        told.delete(key);
      }
      if (wanted.size > 0) return;
      gathering?.[Symbol.dispose]();
      gathering = undefined;
    },
  };
}

function start(target: Target, deps: PoolDeps): Running {
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
      if (missed > 0) deps.onSkipped(missed);
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
    nextTickMs: () => nextTick(clock.now(), target.intervalMs, offsetMs),
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
