import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scraping } from '../testing/scraping.ts';
import type { ScrapeJob } from './prometheus-file.ts';

/** Configurations as they stand in production, with addresses that nobody answers at: each is taken as it is and its jobs run. */
type Case = {
  readonly text: string;
  /** What the file means, job by job. */
  readonly means: (jobs: (name: string) => ScrapeJob) => void;
  /** Targets that stand in the file itself. */
  readonly urls: readonly string[];
};
const CASES: Readonly<Record<string, Case>> = {
  'probes through a blackbox exporter': {
    text: `
global: { scrape_interval: 30s, scrape_timeout: 20s }
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    params: { module: [http_2xx] }
    static_configs:
      - targets: ['https://shop.test/login', 'shop.test:443']
        labels: { team: shop }
    relabel_configs:
      - { source_labels: [__address__], target_label: __param_target }
      - { source_labels: [__param_target], target_label: instance }
      - { target_label: __address__, replacement: '127.0.0.1:1' }
`,
    means: (job) => assert.deepEqual([job('blackbox').intervalMs, job('blackbox').timeoutMs], [30_000, 20_000]),
    urls: [
      'http://127.0.0.1:1/probe?module=http_2xx&target=https%3A%2F%2Fshop.test%2Flogin',
      'http://127.0.0.1:1/probe?module=http_2xx&target=shop.test%3A443',
    ],
  },
  'a federated Prometheus': {
    text: `
scrape_configs:
  - job_name: federate
    scrape_interval: 15s
    honor_labels: true
    metrics_path: /federate
    params:
      'match[]':
        - '{job="prometheus"}'
        - '{__name__=~"job:.*"}'
    static_configs: [{ targets: ['127.0.0.1:1'] }]
`,
    means: (job) => assert.equal(job('federate').honorLabels, true),
    urls: ['http://127.0.0.1:1/federate?match%5B%5D=%7Bjob%3D%22prometheus%22%7D&match%5B%5D=%7B__name__%3D%7E%22job%3A.*%22%7D'],
  },
  'exporters behind TLS, tokens and a proxy, with every limit': {
    text: `
global:
  scrape_interval: 1m
  scrape_timeout: 10s
  evaluation_interval: 1m
  rule_query_offset: 30s
  external_labels: { cluster: eu-1, replica: a }
  body_size_limit: 20MB
  sample_limit: 50000
  label_limit: 64
  label_name_length_limit: 256
  label_value_length_limit: 2048
  target_limit: 500
  keep_dropped_targets: 20
scrape_configs:
  - job_name: node
    scheme: https
    tls_config: { insecure_skip_verify: true, server_name: node.test, min_version: TLS12 }
    basic_auth: { username: scraper, password: hush }
    sample_limit: 0
    static_configs: [{ targets: ['127.0.0.1:1'] }]
  - job_name: behind-oauth
    oauth2:
      client_id: nines
      client_secret: hush
      token_url: https://id.test/token
      scopes: [metrics.read]
      endpoint_params: { audience: metrics }
    proxy_url: http://127.0.0.1:2
    no_proxy: localhost,10.0.0.0/8
    proxy_connect_header: { X-Reason: [scrape] }
    http_headers: { X-Scope-OrgID: { values: [tenant-1] } }
    track_timestamps_staleness: true
    metric_relabel_configs:
      - { source_labels: [__name__], regex: 'go_gc_.*|process_.*', action: drop }
      - { action: labeldrop, regex: 'id|uid' }
    static_configs: [{ targets: ['metrics.test'] }]
  - job_name: legacy
    metric_name_validation_scheme: legacy
    metric_name_escaping_scheme: underscores
    scrape_protocols: [PrometheusText0.0.4]
    fallback_scrape_protocol: PrometheusText0.0.4
    enable_compression: false
    follow_redirects: false
    enable_http2: false
    authorization: { type: Token, credentials: hush }
    static_configs: [{ targets: ['127.0.0.1:3'] }]
`,
    means: (job) => {
      assert.deepEqual(
        [job('node').limits.samples, job('legacy').limits.samples, job('legacy').limits.bodyBytes],
        [0, 50_000, 20 * 1024 ** 2],
      );
      assert.equal(job('node').http.tls.minVersion, 'TLSv1.2');
      assert.deepEqual([job('behind-oauth').http.auth?.kind, job('behind-oauth').http.proxy?.kind], ['oauth2', 'url']);
      assert.deepEqual([job('legacy').legacyNames, job('legacy').accept], [true, 'text/plain;version=0.0.4;q=0.2,*/*;q=0.1']);
    },
    urls: ['https://127.0.0.1:1/metrics', 'http://metrics.test/metrics', 'http://127.0.0.1:3/metrics'],
  },
  'everything discovered': {
    text: `
scrape_configs:
  - job_name: files
    file_sd_configs: [{ files: ['targets/*.json', 'more.yml'], refresh_interval: 1m }]
  - job_name: inventory
    http_sd_configs: [{ url: 'http://127.0.0.1:1/targets', refresh_interval: 30s, authorization: { credentials: hush } }]
  - job_name: names
    dns_sd_configs: [{ names: [_metrics._tcp.shop.invalid], refresh_interval: 5m }, { names: [a.invalid], type: A, port: 9100 }]
  - job_name: nodes
    kubernetes_sd_configs: [{ role: node, api_server: 'http://127.0.0.1:1', bearer_token: hush }]
    relabel_configs: [{ action: labelmap, regex: '__meta_kubernetes_node_label_(.+)' }]
  - job_name: pods
    kubernetes_sd_configs:
      - role: pod
        api_server: http://127.0.0.1:1
        namespaces: { names: [shop, pay] }
        selectors: [{ role: pod, label: 'app in (web, api)', field: status.phase=Running }]
        attach_metadata: { node: true, namespace: true }
    relabel_configs:
      - { source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_scrape], action: keep, regex: true }
      - { source_labels: [__meta_kubernetes_pod_annotation_prometheus_io_path], target_label: __metrics_path__, regex: (.+) }
      - source_labels: [__address__, __meta_kubernetes_pod_annotation_prometheus_io_port]
        regex: ([^:]+)(?::\\d+)?;(\\d+)
        replacement: $1:$2
        target_label: __address__
      - { source_labels: [__meta_kubernetes_namespace], target_label: namespace }
  - job_name: services
    metrics_path: /probe
    kubernetes_sd_configs: [{ role: service, api_server: 'http://127.0.0.1:1' }, { role: ingress, api_server: 'http://127.0.0.1:1' }]
  - job_name: endpoints
    kubernetes_sd_configs: [{ role: endpoints, api_server: 'http://127.0.0.1:1' }, { role: EndpointSlice, api_server: 'http://127.0.0.1:1' }]
`,
    means: (job) => {
      const kinds = (name: string): readonly string[] =>
        job(name).discoveries.map((one) => (one.kind === 'kubernetes' ? one.role : one.kind));
      assert.deepEqual(['files', 'inventory', 'names', 'nodes', 'pods', 'services', 'endpoints'].map(kinds), [
        ['file'],
        ['http'],
        ['dns', 'dns'],
        ['node'],
        ['pod'],
        ['service', 'ingress'],
        ['endpoints', 'endpointslice'],
      ]);
    },
    urls: [],
  },
  'targets spread over shards, intervals chosen by labels': {
    text: `
scrape_configs:
  - job_name: sharded
    static_configs: [{ targets: ['10.0.0.1:1', '10.0.0.2:1', '10.0.0.3:1', '10.0.0.4:1'], labels: { __scrape_interval__: 5m, __scrape_timeout__: 9s } }]
    relabel_configs:
      - { source_labels: [__address__], modulus: 4, target_label: __tmp_shard, action: hashmod }
      - { source_labels: [__tmp_shard], regex: '^(0|1|2|3)$', action: keep }
      - { source_labels: [__address__], regex: '10\\.0\\.0\\.4:1', action: drop }
      - { source_labels: [__address__], target_label: host, regex: '(.*):\\d+', replacement: '\${1}' }
`,
    means: (job) => assert.equal(job('sharded').relabelRules.length, 4),
    urls: ['http://10.0.0.1:1/metrics', 'http://10.0.0.2:1/metrics', 'http://10.0.0.3:1/metrics'],
  },
};

for (const [name, { text, means, urls }] of Object.entries(CASES)) {
  test(`${name}: the file runs as it is`, async () => {
    await using on = await scraping(() => text);
    means((wanted) => {
      const job = on.manager.job(wanted);
      assert.ok(job !== undefined, wanted);
      return job;
    });
    assert.deepEqual(
      on.manager
        .view()
        .activeTargets.map(({ scrapeUrl }) => scrapeUrl)
        .sort(),
      [...urls].sort(),
    );
  });
}
