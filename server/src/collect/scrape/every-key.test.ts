import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '../../platform/config/load.ts';
import { readPrometheusFile } from './prometheus-file.ts';

/**
 * Every key that Prometheus 3.14 documents for scraping is either carried out or refused by its name and place.
 * Source: prometheus.io/docs/prometheus/latest/configuration/configuration.
 */
function problemsOf(text: string): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'nines-keys-'));
  try {
    const file = join(folder, 'prometheus.yml');
    writeFileSync(file, text);
    return readPrometheusFile(file).problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Where the keys of a section stand: what comes before them, and how far they are indented. */
type Section = {
  readonly head: string;
  readonly indent: number;
  /** One line each; `{ a: b, c: d }` stands for a line for each of its keys. */
  readonly taken: readonly string[];
  /** What is not carried out: the key that the refusal must name, and the line that has it. */
  readonly refused?: readonly (readonly [key: string, line: string])[];
};

const JOB = 'scrape_configs:\n  - job_name: a\n';
const LIMITS = [
  'scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, OpenMetricsText0.0.1, PrometheusText1.0.0, PrometheusText0.0.4]',
  'body_size_limit: 10MB',
  'sample_limit: 1000',
  'label_limit: 30',
  'label_name_length_limit: 200',
  'label_value_length_limit: 400',
  'target_limit: 10',
  'keep_dropped_targets: 5',
  'metric_name_validation_scheme: legacy',
  'metric_name_escaping_scheme: dots',
  'scrape_native_histograms: true',
  'convert_classic_histograms_to_nhcb: false',
  'always_scrape_classic_histograms: true',
  'extra_scrape_metrics: true',
];
const LIMITS_REFUSED = [
  ['convert_classic_histograms_to_nhcb', 'convert_classic_histograms_to_nhcb: true'],
  ['scrape_failure_log_file', 'scrape_failure_log_file: failures.log'],
] as const;
const TLS = [
  'tls_config: { ca_file: ca.pem, cert_file: c.pem, key_file: k.pem }',
  'tls_config: { ca: PEM, cert: PEM, key: PEM }',
  'tls_config: { server_name: x.test, insecure_skip_verify: true, min_version: TLS12, max_version: TLS13 }',
];
const PROXY = ['proxy_url: http://proxy:3128', 'proxy_from_environment: true', 'proxy_connect_header: { Proxy-Authorization: [hush] }'];
const CLIENT = [
  'basic_auth: { username: u, password: p }',
  'basic_auth: { username_file: u.txt, password_file: p.txt }',
  'authorization: { type: Token, credentials: c }',
  'authorization: { credentials_file: c.txt }',
  'bearer_token: b',
  'bearer_token_file: b.txt',
  'oauth2: { client_id: i, client_secret: s, token_url: "http://t/token", scopes: [a, b], endpoint_params: { x: y } }',
  'oauth2: { client_id: i, client_secret_file: s, token_url: "http://t/token", tls_config: { insecure_skip_verify: true }, proxy_url: "http://p:1", no_proxy: t }',
  'follow_redirects: false',
  'enable_http2: false',
  'http_headers: { X-Scope: { values: [a], secrets: [b], files: [c.txt] } }',
  ...TLS,
  ...PROXY,
];
const CLIENT_REFUSED = (
  [
    ['grant_type', '"urn:ietf:params:oauth:grant-type:jwt-bearer"'],
    ['client_certificate_key_id', 'x'],
    ['client_certificate_key', 'x'],
    ['client_certificate_key_file', 'x'],
    ['signature_algorithm', 'RS256'],
    ['iss', 'x'],
    ['audience', 'x'],
    ['claims', '{ x: y }'],
  ] as const
).map(([key, value]) => [key, `oauth2: { client_id: i, token_url: "http://t/token", ${key}: ${value} }`] as const);
const OTHER_DISCOVERIES =
  'aws azure consul digitalocean docker dockerswarm ec2 eureka gce hetzner ionos kuma lightsail linode marathon nerve nomad openstack outscale ovhcloud puppetdb scaleway serverset stackit triton uyuni vultr';

const SECTIONS: Readonly<Record<string, Section>> = {
  'the file': {
    head: '',
    indent: 0,
    taken: ['global: {}', 'rule_files: [a.yml]', 'scrape_configs: []', 'scrape_config_files: [none-*.yml]', 'alerting: {}'],
    refused: [
      ['runtime', 'runtime: { gogc: 75 }'],
      ['remote_write', 'remote_write: [{ url: "http://x" }]'],
      ['remote_read', 'remote_read: [{ url: "http://x" }]'],
      ['otlp', 'otlp: { promote_all_resource_attributes: true }'],
      ['storage', 'storage: { exemplars: { max_exemplars: 1 } }'],
      ['tracing', 'tracing: { endpoint: x }'],
    ],
  },
  global: {
    head: 'global:\n',
    indent: 2,
    taken: [
      'scrape_interval: 15s',
      'scrape_timeout: 5s',
      'evaluation_interval: 15s',
      'rule_query_offset: 10s',
      'external_labels: { region: eu }',
      ...LIMITS,
    ],
    refused: [['query_log_file', 'query_log_file: queries.log'], ...LIMITS_REFUSED],
  },
  'a job': {
    head: JOB,
    indent: 4,
    taken: [
      'scrape_interval: 15s',
      'scrape_timeout: 5s',
      'fallback_scrape_protocol: PrometheusText0.0.4',
      'metrics_path: /probe',
      'honor_labels: true',
      'honor_timestamps: false',
      'track_timestamps_staleness: true',
      'scheme: https',
      'params: { module: [a, b] }',
      'enable_compression: false',
      'native_histogram_bucket_limit: 160',
      'native_histogram_min_bucket_factor: 1.1',
      'static_configs: [{ targets: ["a:1"], labels: { x: y } }]',
      'file_sd_configs: [{ files: [a.yml, "b/*.json"], refresh_interval: 1m }]',
      'dns_sd_configs: [{ names: [_x._tcp.test], refresh_interval: 1m }]',
      ...['A', 'AAAA', 'MX', 'NS', 'SRV'].map((type) => `dns_sd_configs: [{ names: [x.test], type: ${type}, port: 9100 }]`),
      'http_sd_configs: [{ url: "http://x/targets", refresh_interval: 1m }]',
      ...['node', 'pod', 'service', 'endpoints', 'endpointslice', 'ingress'].map((role) => `kubernetes_sd_configs: [{ role: ${role} }]`),
      ...LIMITS,
      ...CLIENT,
    ],
    refused: [
      ...LIMITS_REFUSED,
      ...CLIENT_REFUSED,
      ...OTHER_DISCOVERIES.split(' ').map((kind) => [`${kind}_sd_configs`, `${kind}_sd_configs: [{}]`] as const),
    ],
  },
  'HTTP discovery': {
    head: `${JOB}    http_sd_configs:\n      - url: http://x/\n`,
    indent: 8,
    taken: CLIENT,
    refused: CLIENT_REFUSED,
  },
  'Kubernetes discovery': {
    head: `${JOB}    kubernetes_sd_configs:\n      - role: pod\n        api_server: https://k8s:6443\n`,
    indent: 8,
    taken: [
      'namespaces: { names: [a, b] }',
      'namespaces: { own_namespace: true }',
      'selectors: [{ role: pod, label: "app=web", field: "status.phase=Running" }, { role: node, label: "zone=a" }]',
      'attach_metadata: { node: true, namespace: true }',
      ...CLIENT,
    ],
    refused: [['kubeconfig_file', 'kubeconfig_file: kube.yml'], ...CLIENT_REFUSED],
  },
  relabelling: {
    head: `${JOB}    relabel_configs:\n      - separator: '@'\n`,
    indent: 8,
    taken: [
      'target_label: x',
      '{ action: replace, source_labels: [a, b], regex: "(.*)@(.*)", target_label: x, replacement: "$2" }',
      ...['keep', 'drop'].map((action) => `{ action: ${action}, source_labels: [a], regex: b }`),
      ...['keepequal', 'dropequal', 'lowercase', 'uppercase'].map((action) => `{ action: ${action}, source_labels: [a], target_label: b }`),
      '{ action: hashmod, source_labels: [a], target_label: b, modulus: 8 }',
      ...['labeldrop', 'labelkeep'].map((action) => `{ action: ${action}, regex: "tmp_.*" }`),
      '{ action: labelmap, regex: "__meta_(.+)", replacement: "$1" }',
    ],
    refused: [['action', 'action: rename']],
  },
};

const linesOf = (written: string, indent: number): string =>
  written.startsWith('{')
    ? (written.slice(2, -2).match(/\w+: (?:\[[^\]]*\]|"[^"]*"|[^,]+)/g) ?? []).map((line) => `${' '.repeat(indent)}${line}\n`).join('')
    : `${' '.repeat(indent)}${written}\n`;

for (const [name, { head, indent, taken, refused = [] }] of Object.entries(SECTIONS)) {
  test(`every key of ${name} runs or is refused where it stands`, () => {
    for (const written of taken) assert.deepEqual(problemsOf(`${head}${linesOf(written, indent)}`), [], written);
    const line = head.split('\n').length;
    for (const [key, written] of refused) {
      const [first = '', ...more] = problemsOf(`${head}${linesOf(written, indent)}`);
      assert.deepEqual(more, [], written);
      assert.ok(first.startsWith(`prometheus.yml:${line}:`), `${written}: ${first}`);
      assert.match(first, new RegExp(`key "${key}".* is not supported$|\\.${key}: `), written);
    }
  });
}
