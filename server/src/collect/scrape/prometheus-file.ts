import { globSync, existsSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { fingerprint } from '../../platform/config/fingerprint.ts';
import { loadConfig } from '../../platform/config/load.ts';
import type { ConfigProblem } from '../../platform/config/source.ts';
import { type HttpClientSettings, httpClientOf, within } from '../../platform/fetch/client-config.ts';
import type { RelabelRule } from '@nines/model/relabel.ts';
import type { ExpositionFormat } from '@nines/model/exposition.ts';
import { prometheusSchema, type ScrapeProtocol, UNSUPPORTED, type WrittenFile, type WrittenJob } from './prometheus-schema.ts';

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
  readonly accept: string;
  /** The format of an answer whose content type does not tell. */
  readonly fallback: ExpositionFormat | undefined;
  readonly http: HttpClientSettings;
  readonly targets: readonly { readonly address: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly relabelRules: readonly RelabelRule[];
  readonly metricRelabelRules: readonly RelabelRule[];
  /** 0 is no limit. */
  readonly limits: ScrapeLimits;
};
export type ScrapeLimits = {
  readonly bodyBytes: number;
  readonly samples: number;
  readonly targets: number;
  readonly labels: number;
  readonly labelNameLength: number;
  readonly labelValueLength: number;
};
/** What a Prometheus configuration file brings along. Paths are absolute. */
export type PrometheusFile = {
  readonly file: string;
  readonly evaluationIntervalMs: number;
  readonly externalLabels: Readonly<Record<string, string>>;
  /** Patterns of rule files, for `rules`. */
  readonly ruleFiles: readonly string[];
  /** The section `alerting` as written, for whoever forwards alerts. */
  readonly alerting: unknown;
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

function repeatedJobs(files: readonly PrometheusFile[]): readonly ConfigProblem[] {
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

export function readPrometheusFile(path: string): ReadFile {
  const loaded = loadConfig({ schema: prometheusSchema, file: path });
  if (!loaded.ok) return { file: undefined, problems: loaded.problems.map(sayUnsupported), warnings: [] };
  const { config, place } = loaded;
  const dir = dirname(path);
  const jobs = config.scrape_configs.map((job, index) => jobOf(job, config.global, { dir, place: place(['scrape_configs', index]) }));
  const native = [config.global, ...config.scrape_configs].some((part) => part?.scrape_native_histograms === true);
  const warnings: ConfigProblem[] = [...loaded.warnings];
  if (native)
    warnings.push({
      file: path,
      line: 0,
      column: 0,
      message: 'scrape_native_histograms: native histograms are not collected yet, classic ones are',
    });
  const file: PrometheusFile = {
    file: path,
    evaluationIntervalMs: config.global?.evaluation_interval ?? 60_000,
    externalLabels: config.global?.external_labels ?? {},
    ruleFiles: config.rule_files.map((pattern) => within(dir, pattern)),
    alerting: config.alerting,
    jobs,
  };
  return { file, problems: [], warnings };
}

/** Prometheus knows more keys than we do; one of those is not a mistake of the author. */
function sayUnsupported(problem: ConfigProblem): ConfigProblem {
  const found = /^unknown key "([^"]+)"( in [^;]+)?/.exec(problem.message);
  if (found === null || !UNSUPPORTED.has(found[1] ?? '')) return problem;
  return { ...problem, message: `key "${found[1]}"${found[2] ?? ''} is not supported` };
}

function jobOf(job: WrittenJob, global: WrittenFile['global'], at: { readonly dir: string; readonly place: string }): ScrapeJob {
  const intervalMs = job.scrape_interval ?? global?.scrape_interval ?? 60_000;
  const timeoutMs = job.scrape_timeout ?? Math.min(intervalMs, global?.scrape_timeout ?? 10_000);
  const fallback = job.fallback_scrape_protocol;
  const params = Object.fromEntries(Object.entries(job.params ?? {}));
  const protocols = job.scrape_protocols ?? global?.scrape_protocols ?? DEFAULT_PROTOCOLS;
  const limit = (key: keyof WrittenJob & keyof NonNullable<WrittenFile['global']>): number => Number(job[key] ?? global?.[key] ?? 0);
  return {
    name: job.job_name,
    place: at.place,
    fingerprint: fingerprint([{ ...job, static_configs: [] }, global, at.dir]),
    intervalMs,
    timeoutMs,
    scheme: job.scheme,
    metricsPath: job.metrics_path,
    params,
    honorLabels: job.honor_labels,
    honorTimestamps: job.honor_timestamps,
    trackTimestampsStaleness: job.track_timestamps_staleness,
    compression: job.enable_compression,
    accept: acceptOf(protocols),
    fallback: fallback === undefined ? undefined : fallback.startsWith('OpenMetrics') ? 'openmetrics' : 'text',
    http: httpClientOf(job, at.dir),
    targets: job.static_configs.flatMap(({ targets, labels }) => targets.map((address) => ({ address, labels }))),
    relabelRules: job.relabel_configs,
    metricRelabelRules: job.metric_relabel_configs,
    limits: {
      bodyBytes: limit('body_size_limit') || DEFAULT_BODY_BYTES,
      samples: limit('sample_limit'),
      targets: limit('target_limit'),
      labels: limit('label_limit'),
      labelNameLength: limit('label_name_length_limit'),
      labelValueLength: limit('label_value_length_limit'),
    },
  };
}

const DEFAULT_PROTOCOLS: readonly ScrapeProtocol[] = [
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
];
const MEDIA_TYPES: Readonly<Record<ScrapeProtocol, string | undefined>> = {
  PrometheusProto: undefined,
  'PrometheusText1.0.0': 'text/plain;version=1.0.0;escaping=allow-utf-8',
  'PrometheusText0.0.4': 'text/plain;version=0.0.4',
  'OpenMetricsText1.0.0': 'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8',
  'OpenMetricsText0.0.1': 'application/openmetrics-text;version=0.0.1',
};

/** The `Accept` header: falling weights in the order of the list, anything last. */
function acceptOf(protocols: readonly ScrapeProtocol[]): string {
  const types = protocols.flatMap((protocol) => MEDIA_TYPES[protocol] ?? []);
  return [...types.map((type, i) => `${type};q=0.${types.length + 1 - i}`), '*/*;q=0.1'].join(',');
}
