import type { Labels } from '@nines/model/labels.ts';

/** A target as `GET /api/v1/targets` shows it. Names are Prometheus'. */
export type ActiveTarget = {
  readonly discoveredLabels: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly globalUrl: string;
  readonly lastError: string;
  /** RFC 3339; year 1 while it was never scraped, as Go writes a zero time. */
  readonly lastScrape: string;
  /** Seconds. */
  readonly lastScrapeDuration: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval: string;
  readonly scrapeTimeout: string;
};
export type DroppedTarget = { readonly discoveredLabels: Readonly<Record<string, string>>; readonly scrapePool: string };
export type TargetsView = {
  readonly activeTargets: readonly ActiveTarget[];
  readonly droppedTargets: readonly DroppedTarget[];
  readonly droppedTargetCounts: Readonly<Record<string, number>>;
  /** Every job, sorted. */
  readonly scrapePools: readonly string[];
};

/** What a target exposes. */
export type ScrapedTarget = {
  readonly labels: Labels;
  readonly job: string;
  readonly metricNames: () => ReadonlySet<string>;
};
