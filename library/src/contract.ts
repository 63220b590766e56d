/**
 * What a program sees of Nines inside of its own process. Answers have the shapes and names of the HTTP API (docs/library.md), so that
 * what is known of one is known of the other. This file stands alone: it is also what is shipped as types.
 * Refusals are thrown as `AppError` with a stable `code`, a sentence, and the `field` that was wrong.
 */
export type LabelSet = Readonly<Record<string, string>>;
/** Prometheus' syntax (`30s`, `1h30m`, `7d`), or milliseconds. */
export type Length = string | number;
/** Unix milliseconds, or a date. */
export type Instant = number | Date;
export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export type OpenOptions = {
  /** Where the state is; samples are always in files of the data directory. */
  readonly store: 'sqlite' | { readonly kind: 'postgresql'; readonly url: string };
  /** The data directory, made when it is missing. It belongs to one process: neither a server nor another program may have it open. */
  readonly path: string;
  /** A configuration file (`nines.yml`). */
  readonly config?: string;
  /** Sections of the configuration by name, as they would stand in the file; each replaces the section of `config`. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** What is written to standard error; `warn` when left out. */
  readonly log?: LogLevel | 'silent';
  /** Labels of every counter, gauge and histogram that is made here. */
  readonly labels?: LabelSet;
};

export type OpenMetrics = (options: OpenOptions) => Promise<Metrics>;

/** A sample, or what is known of its metric, as `POST /api/metrics` takes it. */
export type Item = {
  readonly name: string;
  readonly value: number;
  readonly labels?: LabelSet;
  /** Unix milliseconds; now when left out. */
  readonly at_ms?: number;
  readonly type?: MetricType;
  readonly unit?: string;
  readonly help?: string;
  readonly category?: 'system' | 'application' | 'business' | 'security' | 'network' | 'gpu' | 'ml' | 'custom';
  readonly metadata?: Readonly<Record<string, string | number | boolean | null>>;
};
export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary' | 'untyped';
/** `index` is the place of the item in what was handed over; `code` is stable (`invalid_item`, `too_old`, `series_limit`). */
export type RefusedItem = { readonly index: number; readonly name: string | null; readonly code: string; readonly detail: string };
/** What was accepted is durable. */
export type Recorded = { readonly accepted: number; readonly refused: readonly RefusedItem[] };

export type InstrumentOptions = { readonly help?: string };
export type HistogramOptions = InstrumentOptions & {
  /** Upper bounds, ascending, without infinity; 5 ms to 10 s when left out, for seconds. */
  readonly buckets?: readonly number[];
};
/** The names of labels are the same at every call. */
export interface Counter {
  /** `amount` is 0 or more; 1 when left out. */
  add(amount?: number, labels?: LabelSet): void;
}
export interface Gauge {
  set(value: number, labels?: LabelSet): void;
}
export interface Histogram {
  observe(value: number, labels?: LabelSet): void;
}

/** This host, as `GET /api/metrics/current` shows it. Null is what is not known (yet): rates need two collections. */
export type Snapshot = {
  readonly at_ms: number;
  readonly instance: string;
  readonly cpu: { readonly percent: number | null; readonly cores: readonly { readonly core: string; readonly percent: number }[] };
  readonly memory: { readonly percent: number | null; readonly used_bytes: number | null; readonly total_bytes: number | null };
  readonly swap: { readonly percent: number | null };
  readonly disk: readonly {
    readonly mount: string;
    readonly percent: number;
    readonly used_bytes: number | null;
    readonly total_bytes: number | null;
  }[];
  readonly network: { readonly receive_bytes_per_second: number | null; readonly transmit_bytes_per_second: number | null };
  readonly load: { readonly '1m': number | null; readonly '5m': number | null; readonly '15m': number | null };
  readonly temperature: { readonly celsius: number | null };
  readonly uptime_seconds: number | null;
  readonly process: { readonly rss_bytes: number | null; readonly cpu_percent: number | null };
};

/** A series' newest value; a text where it is no finite number (`NaN`, `Inf`, `-Inf`). */
export type CurrentValue = {
  readonly name: string;
  readonly labels: LabelSet;
  readonly value: number | string;
  readonly type: string;
  readonly unit: string;
  readonly help: string;
  readonly category: string | null;
  readonly metadata: Readonly<Record<string, string | number | boolean | null>>;
};

export type Point = readonly [atMs: number, value: number];
export type History = {
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly step_ms: number;
  readonly series: readonly {
    readonly metric: string;
    readonly unit: string;
    readonly labels: LabelSet;
    readonly points: readonly Point[];
  }[];
};

/** Prometheus' JSON of a native histogram; a bucket is `[rule, lower, upper, count]`. */
export type NativeHistogram = {
  readonly count: string;
  readonly sum: string;
  readonly buckets?: readonly (readonly [rule: number, lower: string, upper: string, count: string])[];
};
/** Of an element or point with a histogram the value is NaN. */
export type Element = { readonly labels: LabelSet; readonly at_ms: number; readonly value: number; readonly histogram?: NativeHistogram };
export type Series = {
  readonly labels: LabelSet;
  readonly points: readonly Point[];
  readonly histograms?: readonly (readonly [atMs: number, histogram: NativeHistogram])[];
};
export type Remarks = { readonly warnings: readonly string[]; readonly infos: readonly string[] };
export type InstantAnswer = Remarks &
  (
    | { readonly kind: 'vector'; readonly items: readonly Element[] }
    | { readonly kind: 'matrix'; readonly items: readonly Series[] }
    | { readonly kind: 'scalar'; readonly at_ms: number; readonly value: number }
    | { readonly kind: 'string'; readonly at_ms: number; readonly value: string }
  );
export type RangeAnswer = Remarks & { readonly items: readonly Series[] };

export type ExportFormat = 'json' | 'csv' | 'prometheus' | 'openmetrics';

/** Why a part of an answer is missing. */
export type Refused = { readonly reason: string; readonly message: string };
export type Trend = {
  readonly per_day: number;
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
  readonly p: number;
  readonly direction: 'rising' | 'falling' | 'none';
  readonly n: number;
};
export type Algorithm = 'zscore' | 'robust_zscore' | 'isolation_forest' | 'seasonal';
export type Anomalies = {
  /** One of 0 to 1 per point. */
  readonly scores: readonly number[];
  readonly episodes: readonly {
    readonly from_at_ms: number;
    readonly to_at_ms: number;
    readonly score: number;
    readonly reason: string;
  }[];
  readonly method: Algorithm;
  readonly sensitivity: number;
  readonly notes: readonly string[];
};
export type Forecast = {
  readonly points: readonly { readonly at_ms: number; readonly value: number; readonly lower: number; readonly upper: number }[];
  readonly level: number;
  readonly method: string;
  readonly season: number;
  /** How it did on the past: below `naive_mase`, `mase` beats repeating the last season. */
  readonly backtest: {
    readonly mase: number;
    readonly naive_mase: number;
    readonly smape: number;
    readonly coverage: number;
    readonly origins: number;
    readonly horizon: number;
  };
  readonly notes: readonly string[];
};
export type Summary = {
  readonly count: number;
  readonly missing: number;
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly median: number;
  readonly p95: number;
  readonly last: number;
};
type Found = { readonly name: string; readonly expr: string; readonly labels: LabelSet; readonly points: readonly Point[] };
type Window<S> = {
  readonly pattern: string;
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly step_ms: number;
  readonly series: readonly S[];
  readonly notes: readonly string[];
};
export type AnalysedSeries = Found & {
  readonly summary: Summary;
  readonly trend: Trend | Refused;
  readonly anomalies?: Anomalies | Refused | undefined;
  readonly forecast?: Forecast | Refused | undefined;
};
export type Analysed = Window<AnalysedSeries>;
export type DetectedSeries = Found & { readonly anomalies: Anomalies | Refused };
export type Detected = Window<DetectedSeries>;
export type PredictedSeries = Found & { readonly trend: Trend | Refused; readonly forecast: Forecast | Refused };
export type Predicted = Window<PredictedSeries>;

type Asked = {
  /** The name of a metric, a dotted name, a glob over them such as `system.*`, or PromQL. */
  readonly pattern: string;
  /** How far back. */
  readonly window?: Length;
  /** Distance of the points; chosen by the window when left out. */
  readonly step?: Length;
};
export type AnalyticsAsk = Asked & {
  readonly detectAnomalies?: boolean;
  /** How far ahead. */
  readonly forecast?: Length;
  readonly algorithm?: Algorithm;
  readonly sensitivity?: number;
};
export type DetectionAsk = Asked & {
  readonly algorithm?: Algorithm;
  /** The score from which on something is an anomaly: above 0, below 1; 0.95 when left out. */
  readonly sensitivity?: number;
};
export type PredictionAsk = Asked & {
  /** How far ahead; a day when left out. */
  readonly horizon?: Length;
  /** The share of values that the interval is to hold: above 0.5, below 1; 0.95 when left out. */
  readonly confidence?: number;
};

/** A rule as it would stand in the configuration under `rules`, with its kind. */
export type Rule = {
  readonly kind: 'threshold' | 'composite' | 'absence' | 'change' | 'forecast' | 'anomaly' | 'compliance';
  readonly id: string;
  readonly [key: string]: unknown;
};
/** A rule as `GET /api/rules` shows it. */
export type RuleView = {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  /** `ui`: saved on the screen or through the API of a server on the same directory. */
  readonly origin: 'shipped' | 'file' | 'ui';
  readonly query: string;
  readonly health: string;
  readonly last_error: string;
  readonly evaluated_at_ms: number | null;
  readonly alerts_open: number;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly spec: Readonly<Record<string, unknown>>;
};

export type Target = {
  /** The label `job`; one target per job, others are written in Prometheus' files (`settings.scrape.files`). */
  readonly job: string;
  readonly url: string;
  readonly interval?: Length;
  readonly timeout?: Length;
  readonly labels?: LabelSet;
};
export type TargetView = {
  readonly job: string;
  readonly url: string;
  readonly labels: LabelSet;
  readonly state: 'up' | 'down' | 'unknown';
  readonly error: string;
  readonly last_scrape_at_ms: number | null;
  readonly duration_ms: number;
  readonly samples: number;
  readonly interval_ms: number;
  readonly timeout_ms: number;
};

/** An alert as `GET /api/alerts` shows it. */
export type Alert = {
  readonly id: string;
  readonly fingerprint: string;
  readonly rule: string;
  readonly alertname: string;
  readonly state: 'pending' | 'firing' | 'acknowledged' | 'suppressed' | 'resolved';
  readonly condition: 'pending' | 'firing' | 'resolved';
  readonly severity: 'info' | 'warning' | 'critical' | 'emergency';
  readonly labels: LabelSet;
  readonly annotations: LabelSet;
  readonly value: number;
  readonly starts_at_ms: number;
  readonly ends_at_ms: number | null;
  readonly service: string | null;
};

export type Suppression = {
  /** An alert is suppressed when it has all of these labels; `alertname` is one. */
  readonly labels: LabelSet;
  readonly for: Length;
  readonly comment: string;
};
export type Silence = {
  readonly id: string;
  readonly state: 'pending' | 'active' | 'expired';
  readonly matchers: readonly { readonly name: string; readonly op: '=' | '!=' | '=~' | '!~'; readonly value: string }[];
  readonly starts_at_ms: number;
  readonly ends_at_ms: number;
  readonly created_by: string;
  readonly comment: string;
};

export type Health = {
  readonly status: 'ok' | 'degraded' | 'failing';
  readonly components: readonly { readonly name: string; readonly status: 'ok' | 'degraded' | 'failing'; readonly detail: string }[];
};

/** What listeners are told. */
export type Events = {
  /** After each collection. */
  readonly snapshot: Snapshot;
  /** `change` is what happened: `fired`, `resolved`, `acknowledged`, … */
  readonly alert: { readonly at_ms: number; readonly change: string; readonly alert: Alert };
  /** A built-in check of this host and of Nines changed its level; they look once a minute while collection runs. */
  readonly health: { readonly at_ms: number; readonly check: string; readonly level: HealthLevel; readonly previous: HealthLevel };
  /** A service of the configuration changed its state. */
  readonly service: { readonly service: string; readonly state: ServiceState; readonly previous: ServiceState; readonly since_ms: number };
};
export type HealthLevel = 'ok' | 'unknown' | 'warning' | 'critical';
export type ServiceState = 'up' | 'degraded' | 'down' | 'unknown';

/**
 * The engine of the server, in this process. It keeps the process alive until it is closed; closing stores what counters, gauges and
 * histograms hold and ends everything. Afterwards every call is refused with `library_closed`.
 */
export interface Metrics extends AsyncDisposable {
  /** The data directory, absolute. */
  readonly path: string;

  /** Measures this host and this process from now on, at once and then at `collect.host.interval` (15 s). */
  startCollection(): void;
  /** Waits for a collection under way. */
  stopCollection(): Promise<void>;

  /** The figures of this host as they were stored last. */
  current(): Promise<Snapshot>;
  /** The newest value of each series that a name, dotted name, glob or selector means; all series without one. At most 5 000. */
  values(pattern?: string): Promise<readonly CurrentValue[]>;
  /** `range` is how far back from `to` (now when left out); `1h` when left out. */
  history(metric: string | readonly string[], options?: { readonly range?: Length; readonly to?: Instant }): Promise<History>;

  /** The counter of that name; the same one when it was made before. Stored at the collection interval, by `flush`, and at the end. */
  counter(name: string, options?: InstrumentOptions): Counter;
  gauge(name: string, options?: InstrumentOptions): Gauge;
  histogram(name: string, options?: HistogramOptions): Histogram;
  /** Stores what counters, gauges and histograms hold now. */
  flush(): Promise<Recorded>;
  /** Stores samples. Each item is judged by itself: good ones are durable when this resolves, the others are listed with the reason. */
  record(items: readonly Item[]): Promise<Recorded>;

  /** Stored samples as text, in pieces. Without `from` only the newest sample of each series. `match` are PromQL selectors. */
  export(
    format: ExportFormat,
    options?: { readonly match?: string | readonly string[]; readonly from?: Instant; readonly to?: Instant },
  ): AsyncIterable<string>;

  /** PromQL, or a dotted name, at one instant. */
  query(expr: string, options?: { readonly at?: Instant; readonly signal?: AbortSignal }): Promise<InstantAnswer>;
  /** PromQL, or a dotted name, at `from`, `from + step`, … up to and including `to`. */
  queryRange(
    expr: string,
    range: { readonly from: Instant; readonly to: Instant; readonly step: Length; readonly signal?: AbortSignal },
  ): Promise<RangeAnswer>;

  /** Stored series with summary and trend, and with anomalies and forecast when asked for. The window is a day when left out. */
  queryWithAnalytics(ask: AnalyticsAsk): Promise<Analysed>;
  /** The window is a day when left out. */
  detectAnomalies(ask: DetectionAsk): Promise<Detected>;
  /** Learns from the window, a week when left out. */
  predictTrends(ask: PredictionAsk): Promise<Predicted>;

  /** Rules that are added last until they are removed or this is closed; those that are to outlive it stand in `settings` or `config`. */
  readonly rules: {
    list(): readonly RuleView[];
    /** Replaces a rule of the same id that was added before. */
    add(rule: Rule): Promise<void>;
    remove(id: string): Promise<void>;
  };
  /** Scraped while they are here; the same holds as for rules. */
  readonly targets: {
    list(): readonly TargetView[];
    /** Replaces the target of that job that was added before. */
    add(target: Target): Promise<void>;
    remove(job: string): Promise<void>;
  };

  /** Pending and firing ones, newest first. */
  alerts(): readonly Alert[];
  /** Nobody is told of alerts with these labels for so long. */
  suppress(suppression: Suppression): Promise<Silence>;
  unsuppress(id: string): Promise<void>;
  /** Those in force, to come, or ended within five days. */
  suppressions(): readonly Silence[];

  /** How store, state, outbox and the other parts are. */
  health(): Promise<Health>;
  /** Disposing what is returned ends it. What a listener throws is logged and harms nobody else. */
  on<E extends keyof Events>(event: E, listener: (told: Events[E]) => void): Disposable;

  /** The same as disposing; more than once is the same as once. */
  close(): Promise<void>;
}
