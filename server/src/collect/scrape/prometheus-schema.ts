import { ms } from '@nines/base/units.ts';
import { z } from 'zod';
import { byteSize, labelMap, length, list, text } from '../../platform/config/prometheus-fields.ts';
import { alertingFields } from '../../alertmanagers/contract.ts';
import { addressFault, discoveryFields } from '../../discover/contract.ts';
import { checkHttpClient, httpClientFields } from '../../platform/fetch/client-config.ts';
import { relabelRule } from '../../platform/config/prometheus-relabel.ts';

/**
 * Prometheus' configuration file as far as Nines carries it out. Whatever else Prometheus knows stands in `UNSUPPORTED`, so
 * that a refusal can say "not supported" instead of "unknown".
 * Source: prometheus.io/docs/prometheus/latest/configuration/configuration, version 3.14.
 */
const DISCOVERIES =
  'aws azure consul digitalocean docker dockerswarm ec2 eureka gce hetzner ionos kuma lightsail linode marathon nerve nomad openstack outscale ovhcloud puppetdb scaleway serverset stackit triton uyuni vultr';
const OTHERS =
  'remote_write remote_read storage otlp tracing runtime query_log_file scrape_failure_log_file kubeconfig_file sigv4 google_iam';
/** Of <oauth2>: tokens for a signed assertion (RFC 7523) instead of for a secret. */
const ASSERTIONS =
  'grant_type client_certificate_key_id client_certificate_key client_certificate_key_file signature_algorithm iss audience claims';
export const UNSUPPORTED: ReadonlySet<string> = new Set([
  ...DISCOVERIES.split(' ').map((kind) => `${kind}_sd_configs`),
  ...OTHERS.split(' '),
  ...ASSERTIONS.split(' '),
]);

const SCRAPE_PROTOCOLS = [
  'PrometheusProto',
  'PrometheusText1.0.0',
  'PrometheusText0.0.4',
  'OpenMetricsText1.0.0',
  'OpenMetricsText0.0.1',
] as const;
export type ScrapeProtocol = (typeof SCRAPE_PROTOCOLS)[number];

/** Only what means "as it is without the key": true would promise what is not done. */
const onlyFalse = z.literal(false, { error: 'is not supported: leave it out or write false' }).optional();

const limits = {
  body_size_limit: byteSize.optional(),
  sample_limit: z.int().min(0).optional(),
  target_limit: z.int().min(0).optional(),
  label_limit: z.int().min(0).optional(),
  label_name_length_limit: z.int().min(0).optional(),
  label_value_length_limit: z.int().min(0).optional(),
  keep_dropped_targets: z.int().min(0).optional(),
  scrape_native_histograms: z.boolean().optional(),
  always_scrape_classic_histograms: z.boolean().optional(),
  convert_classic_histograms_to_nhcb: onlyFalse,
  native_histogram_bucket_limit: z.int().min(0).optional(),
  native_histogram_min_bucket_factor: z.number().min(0).optional(),
  metric_name_validation_scheme: z.enum(['utf8', 'legacy']).optional(),
  metric_name_escaping_scheme: z.enum(['allow-utf-8', 'underscores', 'dots', 'values']).optional(),
  extra_scrape_metrics: z.boolean().optional(),
  scrape_protocols: z.array(z.enum(SCRAPE_PROTOCOLS)).nonempty().optional(),
};

const global = z
  .strictObject({
    scrape_interval: length.default(ms(60_000)),
    scrape_timeout: length.default(ms(10_000)),
    evaluation_interval: length.default(ms(60_000)),
    rule_query_offset: length.optional(),
    external_labels: labelMap,
    ...limits,
  })
  .nullish();

export const scrapeConfigSchema = z
  .strictObject({
    job_name: text.refine((name) => name !== '', 'is empty'),
    scrape_interval: length.optional(),
    scrape_timeout: length.optional(),
    metrics_path: text.default('/metrics'),
    scheme: z.enum(['http', 'https']).default('http'),
    params: z.record(z.string(), list(text)).nullish(),
    honor_labels: z.boolean().default(false),
    honor_timestamps: z.boolean().default(true),
    track_timestamps_staleness: z.boolean().default(false),
    enable_compression: z.boolean().default(true),
    fallback_scrape_protocol: z.enum(SCRAPE_PROTOCOLS).optional(),
    ...discoveryFields,
    relabel_configs: list(relabelRule),
    metric_relabel_configs: list(relabelRule),
    ...httpClientFields,
    ...limits,
  })
  .superRefine(checkHttpClient)
  .superRefine(({ static_configs: groups, relabel_configs: rules }, context) => {
    // With rules, an address is what they make of it: probes are written as the addresses that they ask.
    if (rules.length > 0) return;
    groups.forEach(({ targets }, group) =>
      targets.forEach((target, index) => {
        const message = addressFault(target);
        if (message !== '') context.addIssue({ code: 'custom', message, path: ['static_configs', group, 'targets', index] });
      }),
    );
  });
export type WrittenJob = z.output<typeof scrapeConfigSchema>;

/** A file that `scrape_config_files` names. */
export const scrapeConfigFileSchema = z
  .strictObject({ scrape_configs: list(scrapeConfigSchema) })
  .superRefine(({ scrape_configs }, context) => checkJobs(scrape_configs, undefined, context));

export const prometheusSchema = z
  .strictObject({
    global,
    rule_files: list(text),
    scrape_configs: list(scrapeConfigSchema),
    scrape_config_files: list(text),
    alerting: alertingFields,
  })
  .superRefine(({ scrape_configs, global: shared }, context) => checkJobs(scrape_configs, shared, context));
export type WrittenFile = z.output<typeof prometheusSchema>;

function checkJobs(jobs: readonly WrittenJob[], shared: z.output<typeof global>, context: z.core.$RefinementCtx): void {
  const complain = (index: number, key: string, message: string): void =>
    context.addIssue({ code: 'custom', message, path: ['scrape_configs', index, key] });
  jobs.forEach((job, index) => {
    const same = jobs.findIndex(({ job_name }) => job_name === job.job_name);
    if (same !== index) complain(index, 'job_name', `the job "${job.job_name}" stands here twice`);
    const interval = job.scrape_interval ?? shared?.scrape_interval ?? 60_000;
    if (interval === 0) complain(index, 'scrape_interval', 'is zero');
    if (job.scrape_timeout !== undefined && job.scrape_timeout > interval)
      complain(index, 'scrape_timeout', 'is longer than the scrape interval');
  });
}
