import { globSync, existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { formatDuration } from '@nines/base/duration.ts';
import { type AlertingSettings, alertingSettings } from '../../alertmanagers/contract.ts';
import { type DiscoveryConfig, type TargetGroup, discoveriesOf, groupOf } from '../../discover/contract.ts';
import { fingerprint } from '../../platform/config/fingerprint.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { ConfigProblem } from '../../platform/config/source.ts';
import { type HttpClientSettings, httpClientOf, within } from '../../platform/fetch/client-config.ts';
import type { RelabelRule } from '@nines/model/relabel.ts';
import type { ScrapedFormat } from './fetch-exposition.ts';
import {
  prometheusSchema,
  type ScrapeProtocol,
  UNSUPPORTED,
  type WrittenFile,
  type WrittenJob,
  scrapeConfigFileSchema,
} from './prometheus-schema.ts';

/** One `scrape_configs` entry with every default in place. */
export type ScrapeJob = {
  readonly name: string;
  /** `prometheus.yml:12`. */
  readonly place: string;
  /** Equal exactly when two readings of the entry mean the same but for the targets they list. */
  readonly fingerprint: string;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly scheme: 'http' | 'https';
  readonly metricsPath: string;
  readonly params: Readonly<Record<string, readonly string[]>>;
  readonly honorLabels: boolean;
  readonly honorTimestamps: boolean;
  readonly trackTimestampsStaleness: boolean;
  readonly compression: boolean;
  /** Native histograms are taken, where the target speaks protobuf. */
  readonly nativeHistograms: boolean;
  /** Only names of the classic alphabet are taken. */
  readonly legacyNames: boolean;
  /** Whether the timeout, the sample limit and the size of the body become series too. */
  readonly extraMetrics: boolean;
  /** The classic buckets of a native histogram are taken too. */
  readonly classicToo: boolean;
  /** Neighbouring buckets of native histograms are at least this far apart; 0 leaves them as they are. */
  readonly minBucketFactor: number;
  readonly accept: string;
  /** The format of an answer whose content type does not tell. */
  readonly fallback: ScrapedFormat | undefined;
  readonly http: HttpClientSettings;
  /** Targets that stand in the entry itself. */
  readonly groups: readonly TargetGroup[];
  /** Where further targets come from. */
  readonly discoveries: readonly DiscoveryConfig[];
  /** How many dropped targets are kept to be shown; 0 for as many as are shown at all. */
  readonly keepDropped: number;
  readonly relabelRules: readonly RelabelRule[];
  readonly metricRelabelRules: readonly RelabelRule[];
  /** 0 is no limit. */
  readonly limits: ScrapeLimits;
  /** The entry as written, with what the file's global section and the defaults add. Secrets are in the clear. */
  readonly effective: Readonly<Record<string, unknown>>;
};
export type ScrapeLimits = {
  readonly bodyBytes: number;
  readonly samples: number;
  readonly targets: number;
  readonly labels: number;
  readonly labelNameLength: number;
  readonly labelValueLength: number;
  /** Buckets of a native histogram. */
  readonly buckets: number;
};
/** What a Prometheus configuration file brings along. Paths are absolute. */
export type PrometheusFile = {
  readonly file: string;
  readonly evaluationIntervalMs: number;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Patterns of rule files, for `rules`. */
  readonly ruleFiles: readonly string[];
  /** Where alerts are sent besides our own channels, for `alertmanagers`. */
  readonly alerting: AlertingSettings;
  readonly jobs: readonly ScrapeJob[];
};

export type ScrapeFiles = {
  readonly files: readonly PrometheusFile[];
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
};

/** Bodies without a configured limit end here: a target that never stops sending must not fill the memory. */
const DEFAULT_BODY_BYTES = 64 * 1024 * 1024;

/**
 * Reads the files that the patterns name, relative to `baseDir`. A pattern without a file is a warning; a file with a problem
 * gives nothing but its problems.
 */
export function loadScrapeFiles(patterns: readonly string[], baseDir: string): ScrapeFiles {
  const files: PrometheusFile[] = [];
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  for (const pattern of patterns) {
    const found = pathsOf(pattern, baseDir);
    if (found.length === 0) warnings.push({ file: pattern, line: 0, column: 0, message: 'no such Prometheus configuration file' });
    for (const path of found) {
      const read = readPrometheusFile(path);
      warnings.push(...read.warnings);
      problems.push(...read.problems);
      if (read.file !== undefined) files.push(read.file);
    }
  }
  problems.push(...repeatedJobs(files));
  return { files, problems, warnings };
}

function pathsOf(pattern: string, baseDir: string): readonly string[] {
  const path = isAbsolute(pattern) ? pattern : join(baseDir, pattern);
  if (existsSync(path)) return [path];
  return /[*?[{]/.test(pattern) ? globSync(path).sort() : [];
}

export function repeatedJobs(files: readonly PrometheusFile[]): readonly ConfigProblem[] {
  const places = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const { file, jobs } of files) {
    for (const { name, place } of jobs) {
      const other = places.get(name);
      const line = Number(place.slice(place.lastIndexOf(':') + 1));
      if (other !== undefined) problems.push({ file, line, column: 1, message: `the job "${name}" already stands in ${other}` });
      places.set(name, place);
    }
  }
  return problems;
}

type ReadFile = {
  readonly file: PrometheusFile | undefined;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
};

/** With a text as if it stood in the file. */
export function readPrometheusFile(path: string, text?: string): ReadFile {
  const loaded = loadConfig({ schema: prometheusSchema, file: path, text });
  if (!loaded.ok) return { file: undefined, problems: loaded.problems.map(sayUnsupported), warnings: [] };
  const { config, place } = loaded;
  const dir = dirname(path);
  const more = jobsOfFiles(config.scrape_config_files, dir, config.global);
  if (more.problems.length > 0) return { file: undefined, problems: more.problems, warnings: [] };
  const own = config.scrape_configs.map((job, index) =>
    jobOf(job, config.global, { dir, place: place(['scrape_configs', index]), written: entryOf(loaded.written, index) }),
  );
  const jobs = [...own, ...more.jobs];
  const warnings: ConfigProblem[] = [...loaded.warnings, ...more.warnings];
  const externalLabels = expanded(config.global?.external_labels ?? {}, process.env);
  const file: PrometheusFile = {
    file: path,
    evaluationIntervalMs: config.global?.evaluation_interval ?? 60_000,
    externalLabels,
    ruleFiles: config.rule_files.map((pattern) => within(dir, pattern)),
    alerting: alertingSettings(config.alerting, { file: path, dir, externalLabels }),
    jobs,
  };
  return { file, problems: [], warnings };
}

/** `$NAME` and `${NAME}` of the environment, nothing where that has none; `$$` is a dollar sign. */
function expanded(labels: Readonly<Record<string, string>>, environment: Readonly<Record<string, string | undefined>>) {
  const valueOf = (found: string, braced: string | undefined, plain: string | undefined): string =>
    found === '$$' ? '$' : (environment[braced ?? plain ?? ''] ?? '');
  return Object.fromEntries(Object.entries(labels).map(([name, text]) => [name, text.replace(/\$(?:\$|\{([^}]*)\}|(\w+))/g, valueOf)]));
}

type MoreJobs = { readonly jobs: ScrapeJob[]; readonly problems: ConfigProblem[]; readonly warnings: ConfigProblem[] };

/** The jobs of the files that `scrape_config_files` names. */
function jobsOfFiles(patterns: readonly string[], dir: string, global: WrittenFile['global']): MoreJobs {
  const found: MoreJobs = { jobs: [], problems: [], warnings: [] };
  for (const path of new Set(patterns.flatMap((pattern) => pathsOf(pattern, dir)))) {
    const loaded = loadConfig({ schema: scrapeConfigFileSchema, file: path });
    if (!loaded.ok) {
      found.problems.push(...loaded.problems.map(sayUnsupported));
      continue;
    }
    found.warnings.push(...loaded.warnings);
    loaded.config.scrape_configs.forEach((job, index) => {
      const at = { dir: dirname(path), place: loaded.place(['scrape_configs', index]), written: entryOf(loaded.written, index) };
      found.jobs.push(jobOf(job, global, at));
    });
  }
  return found;
}

/** Prometheus knows more keys than we do; one of those is not a mistake of the author. */
function sayUnsupported(problem: ConfigProblem): ConfigProblem {
  const found = /^unknown key "([^"]+)"( in [^;]+)?/.exec(problem.message);
  if (found === null || !UNSUPPORTED.has(found[1] ?? '')) return problem;
  return { ...problem, message: `key "${found[1]}"${found[2] ?? ''} is not supported` };
}

/** Where targets come from does not change how one is scraped. */
const WITHOUT_TARGETS = {
  static_configs: [],
  file_sd_configs: [],
  http_sd_configs: [],
  dns_sd_configs: [],
  kubernetes_sd_configs: [],
};

type Place = { readonly dir: string; readonly place: string; readonly written: Readonly<Record<string, unknown>> };

const entryOf = (file: unknown, index: number): Readonly<Record<string, unknown>> =>
  (file as { readonly scrape_configs: readonly Readonly<Record<string, unknown>>[] }).scrape_configs[index] ?? {};

/** The keys that an entry takes over from the global section. */
const INHERITED = [
  'scrape_protocols',
  'body_size_limit',
  'sample_limit',
  'label_limit',
  'label_name_length_limit',
  'label_value_length_limit',
  'target_limit',
  'keep_dropped_targets',
  'metric_name_validation_scheme',
  'metric_name_escaping_scheme',
] as const;

function effectiveOf(job: WrittenJob, global: WrittenFile['global'], written: Place['written']): Readonly<Record<string, unknown>> {
  const inherited = INHERITED.flatMap((key) => (global?.[key] === undefined ? [] : [[key, global[key]] as const]));
  return {
    job_name: job.job_name,
    honor_labels: job.honor_labels,
    honor_timestamps: job.honor_timestamps,
    track_timestamps_staleness: job.track_timestamps_staleness,
    metrics_path: job.metrics_path,
    scheme: job.scheme,
    enable_compression: job.enable_compression,
    ...Object.fromEntries(inherited),
    ...written,
    ...lengthsOf(job, global),
  };
}

const lengthsOf = (job: WrittenJob, global: WrittenFile['global']) => {
  const { intervalMs, timeoutMs } = timesOf(job, global);
  return { scrape_interval: formatDuration(intervalMs), scrape_timeout: formatDuration(timeoutMs) };
};

function timesOf(job: WrittenJob, global: WrittenFile['global']): { readonly intervalMs: number; readonly timeoutMs: number } {
  const intervalMs = job.scrape_interval ?? global?.scrape_interval ?? 60_000;
  return { intervalMs, timeoutMs: job.scrape_timeout ?? Math.min(intervalMs, global?.scrape_timeout ?? 10_000) };
}

function jobOf(job: WrittenJob, global: WrittenFile['global'], at: Place): ScrapeJob {
  const { intervalMs, timeoutMs } = timesOf(job, global);
  const fallback = job.fallback_scrape_protocol;
  const params = Object.fromEntries(Object.entries(job.params ?? {}));
  const nativeHistograms = job.scrape_native_histograms ?? global?.scrape_native_histograms ?? false;
  const standard: readonly ScrapeProtocol[] = nativeHistograms ? ['PrometheusProto', ...DEFAULT_PROTOCOLS] : DEFAULT_PROTOCOLS;
  const protocols = job.scrape_protocols ?? global?.scrape_protocols ?? standard;
  const legacyNames = (job.metric_name_validation_scheme ?? global?.metric_name_validation_scheme) === 'legacy';
  const escaping = job.metric_name_escaping_scheme ?? global?.metric_name_escaping_scheme ?? (legacyNames ? 'underscores' : 'allow-utf-8');
  const limit = (key: keyof WrittenJob & keyof NonNullable<WrittenFile['global']>): number => Number(job[key] ?? global?.[key] ?? 0);
  return {
    name: job.job_name,
    place: at.place,
    fingerprint: fingerprint([{ ...job, ...WITHOUT_TARGETS }, global, at.dir]),
    intervalMs,
    timeoutMs,
    scheme: job.scheme,
    metricsPath: job.metrics_path,
    params,
    honorLabels: job.honor_labels,
    honorTimestamps: job.honor_timestamps,
    trackTimestampsStaleness: job.track_timestamps_staleness,
    compression: job.enable_compression,
    nativeHistograms,
    classicToo: job.always_scrape_classic_histograms ?? global?.always_scrape_classic_histograms ?? false,
    minBucketFactor: limit('native_histogram_min_bucket_factor'),
    legacyNames,
    extraMetrics: job.extra_scrape_metrics ?? global?.extra_scrape_metrics ?? false,
    accept: acceptOf(protocols, escaping),
    fallback: fallback === undefined ? undefined : formatNamed(fallback),
    http: httpClientOf(job, at.dir),
    groups: job.static_configs.map((group, index) => groupOf(group, String(index))),
    discoveries: discoveriesOf(job, at.dir),
    keepDropped: limit('keep_dropped_targets'),
    relabelRules: job.relabel_configs,
    metricRelabelRules: job.metric_relabel_configs,
    limits: {
      bodyBytes: limit('body_size_limit') || DEFAULT_BODY_BYTES,
      samples: limit('sample_limit'),
      targets: limit('target_limit'),
      labels: limit('label_limit'),
      labelNameLength: limit('label_name_length_limit'),
      labelValueLength: limit('label_value_length_limit'),
      buckets: limit('native_histogram_bucket_limit'),
    },
    effective: effectiveOf(job, global, at.written),
  };
}

const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];
function formatNamed(protocol: ScrapeProtocol): ScrapedFormat {
  if (protocol === 'PrometheusProto') return 'protobuf';
  return protocol.startsWith('OpenMetrics') ? 'openmetrics' : 'text';
}

const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string>> = {
  PrometheusProto: 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited',
  'PrometheusText1.0.0': 'text/plain;version=1.0.0',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
};

/** The formats that know how names beyond the classic alphabet may be written. */
const ESCAPING: ReadonlySet<ScrapeProtocol> = new Set(['PrometheusText1.0.0', 'OpenMetricsText1.0.0']);

/** The `Accept` header: falling weights in the order of the list, anything last. */
function acceptOf(protocols: readonly ScrapeProtocol[], escaping: string): string {
  const types = protocols.map((protocol) => `${MEDIA_TYPES[protocol]}${ESCAPING.has(protocol) ? `;escaping=${escaping}` : ''}`);
  return [...types.map((type, i) => `${type};q=0.${types.length + 1 - i}`), '*/*;q=0.1'].join(',');
}
