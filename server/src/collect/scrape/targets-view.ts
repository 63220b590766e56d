import type { Labels } from '@nines/model/labels.ts';
import { z } from 'zod';

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

const labelRecord = z.record(z.string(), z.string());

/** A target as the targets page shows it. */
const targetView = z.object({
  job: z.string(),
  url: z.string(),
  labels: labelRecord,
  /** Before relabelling. */
  discovered_labels: labelRecord,
  state: z.enum(['up', 'down', 'unknown']),
  /** Why it is down, or which samples of an up one are missing; '' when nothing is wrong. */
  error: z.string(),
  /** Null until the first scrape. */
  last_scrape_at_ms: z.number().nullable(),
  duration_ms: z.number(),
  /** Samples of the last scrape, before relabelling. */
  samples: z.number(),
  interval_ms: z.number(),
  timeout_ms: z.number(),
});
export type TargetView = z.output<typeof targetView>;

/** `GET /api/targets`: every target that is scraped, and those that relabelling dropped as far as they are kept. */
export const targetListView = z.object({
  items: z.array(targetView),
  /** Every job with the place of its entry, sorted; also those without targets. */
  jobs: z.array(z.object({ name: z.string(), place: z.string(), dropped: z.number() })),
  dropped: z.array(z.object({ job: z.string(), discovered_labels: labelRecord })),
});
export type TargetListView = z.output<typeof targetListView>;
