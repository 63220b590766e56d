/**
 * Collect takes samples in: host metrics, self metrics, scrapes, remote write, JSON push, check results.
 * Everything goes through one `Ingest`, which bounds, stores, counts and then wakes the rules.
 * A sample is acknowledged only after the store made it durable. Never parses PromQL, never decides anything about a service.
 */
import { DAY_MS, MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Matcher } from '@nines/base/matcher.ts';
import type { Histogram as NativeHistogram } from '@nines/model/histogram.ts';
import type { ExemplarRange, SeriesExemplars } from '@nines/model/exemplar-ring.ts';
import type { Labels } from '@nines/model/labels.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import type { AppendOutcome, Scope, WriteBatch } from '@nines/model/storage.ts';
import { TRANSLATION_STRATEGIES } from '@nines/model/otlp/names.ts';
import { z } from 'zod';
import { duration, hostAndPort } from '../platform/config/fields.ts';

export type { TargetListView, TargetView } from './scrape/targets-view.ts';

export interface Ingest {
  /** Stores one request or scrape. After durability `onCommitted` is called once with the outcome, before this resolves. */
  append(batch: WriteBatch): Promise<AppendOutcome>;
  /** Counts samples that were refused before they came here. */
  refused(counts: AppendOutcome['refusedBy']): void;
  /** Convenience for a handful of samples, such as a check's. */
  appendSamples(samples: readonly { readonly labels: Labels; readonly atMs: number; readonly value: number }[]): Promise<AppendOutcome>;
}

/** Called once per committed request or scrape with the references of the series that got samples (`NO_SERIES` entries are to be skipped). */
export type OnCommitted = (refs: Uint32Array, committed: Committed) => void;
/** What was committed, valid during the call. A sample of the batch is stored unless the outcome refused it. */
export type Committed = { readonly batch: WriteBatch; readonly outcome: AppendOutcome };

/** The ways by which others bring samples themselves. */
export const ARRIVAL_WAYS = ['remote_write', 'otlp', 'push', 'influx'] as const;
export type ArrivalWay = (typeof ARRIVAL_WAYS)[number];

/** A program of this host that is scraped without standing in a file. */
export type LocalTarget = { readonly port: number; readonly program: string };

/** Label values of one child of a self metric; names must be the same at every call. */
export type SelfLabels = Readonly<Record<string, string>>;
export interface Counter {
  /** `amount` is 0 or more; default 1. */
  add(amount?: number, labels?: SelfLabels): void;
}
export interface Gauge {
  set(value: number, labels?: SelfLabels): void;
}
export interface Histogram {
  observe(value: number, labels?: SelfLabels): void;
}

/**
 * The product's own figures: served at `/metrics` and stored as series with `job="nines"`. Names begin with `nines_`, carry
 * their unit, counters end in `_total`. Registering a name twice is a fault of the code.
 */
export interface SelfMetrics {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** A gauge (or, with `type`, a counter) that is read when somebody looks. */
  watch(name: string, help: string, read: () => number, type?: 'gauge' | 'counter'): void;
  /** `buckets` are upper bounds, ascending, without infinity. */
  histogram(name: string, help: string, buckets: readonly number[]): Histogram;
}

/** Type, help and unit by metric family. Bounded; carried over a restart. */
export interface MetadataBook {
  record(family: string, metadata: MetricMetadata, source: string): void;
  get(family: string): MetricMetadata | undefined;
}

/** The exemplars that are kept. */
export interface ExemplarSource {
  /** Of the series that satisfy every matcher of some selector, sorted by labels; both ends of the range inclusive. */
  select(selectors: readonly (readonly Matcher[])[], range: ExemplarRange): readonly SeriesExemplars[];
}

/** A dotted name that stands for an expression over stored series. */
export type MetricAlias = {
  readonly name: string;
  readonly expr: string;
  /** `percent`, `ratio`, `bytes`, `bytes_per_second`, `seconds`, `celsius` or `count`. */
  readonly unit: string;
  readonly help: string;
};
/** The alias of that exact name, or undefined when it is not one. */
export type ResolveAlias = (name: string) => MetricAlias | undefined;

/** How this folder asks for stored figures; the composition root gives it the query engine. */
export interface SampleQuery {
  /** The instant vector of `expr`. */
  instant(
    expr: string,
    atMs: number,
    options?: { readonly scope?: Scope; readonly signal?: AbortSignal },
  ): Promise<readonly { readonly labels: Labels; readonly value: number; readonly histogram?: NativeHistogram }[]>;
  /**
   * Points at `fromMs`, `fromMs + stepMs`, … up to and including `toMs`. With `wholeSteps` the newest value since the step before counts
   * however old it is, so that what is measured less often than the engine looks back is found; steps below five minutes are as without.
   */
  range(
    expr: string,
    range: { readonly fromMs: number; readonly toMs: number; readonly stepMs: number },
    options?: { readonly scope?: Scope; readonly signal?: AbortSignal; readonly wholeSteps?: boolean },
  ): Promise<readonly { readonly labels: Labels; readonly times: ArrayLike<number>; readonly values: ArrayLike<number> }[]>;
}

/** The collection interval of this host's figures. */
export const HOST_INTERVAL_MS = { default: 15 * SECOND_MS, shortest: SECOND_MS, longest: 5 * MINUTE_MS };

/** Exemplars kept of all series together, by default and at most. Source of the default: prometheus config.DefaultExemplarsConfig. */
export const EXEMPLARS = { default: 100_000, most: 1_000_000 };

/** Of statsd_exporter's histograms, in seconds. */
const STATSD_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Off until it has somewhere to listen: whoever can send there can write samples. */
const statsdConfig = z
  .strictObject({
    /** UDP. */
    listen: hostAndPort.optional(),
    listen_tcp: hostAndPort.optional(),
    /** How often what came in is written. */
    interval: duration({ minMs: SECOND_MS, maxMs: 5 * MINUTE_MS }).prefault('10s'),
    /** A metric without samples for this long ends. */
    ttl: duration({ minMs: MINUTE_MS, maxMs: 30 * DAY_MS }).prefault('1h'),
    /** Names with their tags that are kept. */
    max_metrics: z.int().min(1).max(1_000_000).default(50_000),
    /** Upper bounds of timers, histograms and distributions; timers are in seconds. */
    buckets: z
      .array(z.number())
      .min(1)
      .max(100)
      .default(STATSD_BUCKETS)
      .refine((bounds) => bounds.every((bound, i) => i === 0 || bound > (bounds[i - 1] ?? 0)), 'must ascend'),
  })
  .prefault({});

/** The configuration section `collect`: this host's own figures, and what comes in. */
export const collectConfig = z.strictObject({
  statsd: statsdConfig,
  exemplars: z
    .strictObject({
      /** Of all series together; the oldest make room. 0 keeps none. */
      max_exemplars: z.int().min(0).max(EXEMPLARS.most).default(EXEMPLARS.default),
    })
    .prefault({}),
  /** Groups of metrics that are pushed in Pushgateway's manner. */
  pushgateway: z
    .strictObject({
      /** How often the groups are written again; the interval at which a Pushgateway would be scraped. */
      interval: duration({ minMs: SECOND_MS, maxMs: 5 * MINUTE_MS }).prefault('15s'),
    })
    .prefault({}),
  host: z
    .strictObject({
      enabled: z.boolean().default(true),
      interval: duration({ minMs: HOST_INTERVAL_MS.shortest, maxMs: HOST_INTERVAL_MS.longest }).prefault('15s'),
      /** The label `instance` of the host's and the product's own series; the host's name when left out. */
      instance: z.string().min(1).optional(),
    })
    .prefault({}),
});

export type CollectConfig = z.output<typeof collectConfig>;

/** The configuration section `scrape`. Paths are relative to the configuration file. */
export const scrapeConfig = z.strictObject({
  /** Prometheus configuration files; their `scrape_configs`, `rule_files` and `alerting` are taken over. */
  files: z.array(z.string()).default([]),
});

const attributeKeys = z
  .array(z.string().min(1))
  .default([])
  .superRefine((keys, context) => {
    keys.forEach((key, index) => {
      if (keys.indexOf(key) !== index)
        context.addIssue({ code: 'custom', message: `the attribute "${key}" is listed twice`, path: [index] });
    });
  });

/** The configuration section `otlp`: Prometheus' keys, so that its section can be copied. */
export const otlpConfig = z
  .strictObject({
    translation_strategy: z.enum(TRANSLATION_STRATEGIES).default('UnderscoreEscapingWithSuffixes'),
    /** Resource attributes that become labels of every series. */
    promote_resource_attributes: attributeKeys,
    promote_all_resource_attributes: z.boolean().default(false),
    /** Exceptions from `promote_all_resource_attributes`. */
    ignore_resource_attributes: attributeKeys,
    /** Whether `target_info` also says service.name, service.namespace and service.instance.id. */
    keep_identifying_resource_attributes: z.boolean().default(false),
    /** Histograms with explicit buckets become native histograms with custom buckets. */
    convert_histograms_to_nhcb: z.boolean().default(false),
    /** Adds the labels otel_scope_name, otel_scope_version, otel_scope_schema_url and otel_scope_<attribute>. */
    promote_scope_metadata: z.boolean().default(false),
    label_name_underscore_sanitization: z.boolean().default(true),
    label_name_preserve_multiple_underscores: z.boolean().default(true),
  })
  .superRefine((otlp, context) => {
    if (otlp.promote_all_resource_attributes && otlp.promote_resource_attributes.length > 0)
      context.addIssue({
        code: 'custom',
        message: 'promote_all_resource_attributes promotes them already; leave one of the two out',
        path: ['promote_resource_attributes'],
      });
    if (!otlp.promote_all_resource_attributes && otlp.ignore_resource_attributes.length > 0)
      context.addIssue({
        code: 'custom',
        message: 'this only has a meaning with promote_all_resource_attributes: true',
        path: ['ignore_resource_attributes'],
      });
  });
export type OtlpConfig = z.output<typeof otlpConfig>;
