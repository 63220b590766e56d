import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatProblem } from '../../platform/config/load.ts';
import { type ScrapeFiles, loadScrapeFiles } from './prometheus-file.ts';

function loaded(
  files: Readonly<Record<string, string>>,
  patterns: readonly string[] = ['prometheus.yml'],
): ScrapeFiles & { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'nines-scrape-'));
  try {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    return { ...loadScrapeFiles(patterns, folder), folder };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const problemsOf = (text: string): readonly string[] => {
  const { problems, folder } = loaded({ 'prometheus.yml': text });
  return problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''));
};

test('the file that Prometheus ships is taken as it is', () => {
  const { files, problems, warnings, folder } = loaded({
    'prometheus.yml': `# my global config
global:
  scrape_interval: 15s # Set the scrape interval to every 15 seconds. Default is every 1 minute.
  evaluation_interval: 15s
  # scrape_timeout is set to the global default (10s).

alerting:
  alertmanagers:
    - static_configs:
        - targets:
          # - alertmanager:9093

rule_files:
  # - "first_rules.yml"

scrape_configs:
  - job_name: "prometheus"
    static_configs:
      - targets: ["localhost:9090"]
        labels:
          app: "prometheus"
    scrape_native_histograms: true
`,
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(warnings, []);
  const [file] = files;
  assert.equal(file?.evaluationIntervalMs, 15_000);
  assert.deepEqual(file?.ruleFiles, []);
  const [job] = file?.jobs ?? [];
  assert.deepEqual(
    [job?.name, job?.intervalMs, job?.timeoutMs, job?.metricsPath, job?.scheme, job?.honorTimestamps],
    ['prometheus', 15_000, 10_000, '/metrics', 'http', true],
  );
  assert.deepEqual(job?.groups, [{ source: '0', labels: { app: 'prometheus' }, targets: [{ __address__: 'localhost:9090' }] }]);
  assert.equal(job?.place, join(folder, 'prometheus.yml:17'));
});

test('every setting of a job is read', () => {
  const { files, problems, folder } = loaded({
    'prometheus.yml': `
global: { scrape_interval: 5s, scrape_timeout: 4s, sample_limit: 100, external_labels: { region: eu } }
rule_files: [rules/*.yml, /etc/all.yml]
scrape_configs:
  - job_name: a
    scrape_interval: 2s
    metrics_path: /probe
    scheme: https
    params: { module: [http_2xx, other], count: [3] }
    honor_labels: true
    honor_timestamps: false
    follow_redirects: false
    enable_compression: false
    fallback_scrape_protocol: OpenMetricsText1.0.0
    scrape_protocols: [PrometheusText0.0.4]
    body_size_limit: 1.5MB
    label_limit: 30
    basic_auth: { username: user, password_file: secret.txt }
    relabel_configs:
      - { source_labels: [__address__, job], regex: '(.*):\\d+;a', target_label: host }
      - { action: Drop, source_labels: [host], regex: none }
    metric_relabel_configs:
      - { action: labeldrop, regex: pod }
    static_configs:
      - targets: [one:1, two:2]
        labels: { port: 9090 }
`,
  });
  assert.deepEqual(problems, []);
  assert.deepEqual(files[0]?.externalLabels, { region: 'eu' });
  assert.deepEqual(files[0]?.ruleFiles, [join(folder, 'rules/*.yml'), '/etc/all.yml']);
  const job = files[0]?.jobs[0];
  assert.ok(job !== undefined);
  assert.deepEqual(
    [job.intervalMs, job.timeoutMs, job.metricsPath, job.scheme],
    [2_000, 2_000, '/probe', 'https'],
    'the global timeout is cut to the interval',
  );
  assert.deepEqual(job.params, { module: ['http_2xx', 'other'], count: ['3'] });
  assert.deepEqual(
    [job.honorLabels, job.honorTimestamps, job.http.followRedirects, job.compression, job.fallback],
    [true, false, false, false, 'openmetrics'],
  );
  assert.equal(job.accept, 'text/plain;version=0.0.4;q=0.2,*/*;q=0.1');
  assert.deepEqual(job.limits, {
    bodyBytes: 1_572_864,
    samples: 100,
    targets: 0,
    labels: 30,
    labelNameLength: 0,
    labelValueLength: 0,
    buckets: 0,
  });
  assert.deepEqual(job.http.auth, { kind: 'basic', username: { text: 'user' }, password: { file: join(folder, 'secret.txt') } });
  assert.deepEqual(
    job.relabelRules.map(({ action }) => action),
    ['replace', 'drop'],
  );
  assert.deepEqual(job.groups[0], { source: '0', labels: { port: '9090' }, targets: [{ __address__: 'one:1' }, { __address__: 'two:2' }] });
});

test('external labels take values of the environment', () => {
  process.env['SCRAPE_TEST_ZONE'] = 'b';
  const text = 'global: { external_labels: { a: "eu-${SCRAPE_TEST_ZONE}", b: $SCRAPE_TEST_ZONE/x, c: $SCRAPE_TEST_NONE, d: 5$$ } }\n';
  assert.deepEqual(loaded({ 'prometheus.yml': text }).files[0]?.externalLabels, { a: 'eu-b', b: 'b/x', c: '', d: '5$' });
  delete process.env['SCRAPE_TEST_ZONE'];
});

test('what is not supported is refused with its key, line and column; what is mistyped with the key that was meant', () => {
  const job = (lines: string): string => `scrape_configs:\n  - job_name: a\n${lines}`;
  const cases: readonly (readonly [string, string])[] = [
    [
      job('    consul_sd_configs:\n      - server: x\n'),
      'prometheus.yml:3:5: key "consul_sd_configs" in scrape_configs[0] is not supported',
    ],
    [
      job('    tls_config: { cert_file: x }\n'),
      'prometheus.yml:3:17: scrape_configs[0].tls_config: a client certificate needs its key: write key_file',
    ],
    [
      job('    proxy_url: socks5://x\n'),
      'prometheus.yml:3:16: scrape_configs[0].proxy_url: write an http:// or https:// proxy; others are not supported',
    ],
    ['remote_write:\n  - url: http://x\n', 'prometheus.yml:1:1: key "remote_write" is not supported'],
    ['otlp: {}\nstorage: {}\n', 'prometheus.yml:1:1: key "otlp" is not supported'],
    [
      job('    scrape_intervall: 5s\n'),
      'prometheus.yml:3:5: unknown key "scrape_intervall" in scrape_configs[0]; did you mean "scrape_interval"?',
    ],
    ['scrape_configs:\n  - static_configs: []\n', 'prometheus.yml:2:5: missing key "job_name" in scrape_configs[0]'],
    [
      job('    scrape_interval: 5 parsecs\n'),
      'prometheus.yml:3:22: scrape_configs[0].scrape_interval: not a duration: "5 parsecs" (write for example 30s, 5m, 1h30m, 7d)',
    ],
    [
      job('    scrape_interval: 1s\n    scrape_timeout: 2s\n'),
      'prometheus.yml:4:21: scrape_configs[0].scrape_timeout: is longer than the scrape interval',
    ],
    [job('  - job_name: a\n'), 'prometheus.yml:3:15: scrape_configs[1].job_name: the job "a" stands here twice'],
    [
      job('    static_configs: [{ targets: ["http://x/metrics"] }]\n'),
      'prometheus.yml:3:34: scrape_configs[0].static_configs[0].targets[0]: is not host:port; the path belongs into metrics_path, the scheme into scheme',
    ],
    [
      job('    static_configs: [{ targets: ["x:99999"] }]\n'),
      'prometheus.yml:3:34: scrape_configs[0].static_configs[0].targets[0]: is not host:port',
    ],
    [
      job('    static_configs: [{ targets: [""] }]\n'),
      'prometheus.yml:3:34: scrape_configs[0].static_configs[0].targets[0]: is not host:port',
    ],
    [
      job('    relabel_configs: [{ action: hashmod, target_label: x }]\n'),
      'prometheus.yml:3:23: scrape_configs[0].relabel_configs[0]: hashmod needs a modulus above 0',
    ],
    [
      job('    relabel_configs: [{ source_labels: [a], replacement: x }]\n'),
      'prometheus.yml:3:23: scrape_configs[0].relabel_configs[0]: action replace needs a target_label',
    ],
    [
      job('    bearer_token: x\n    basic_auth: { username: y }\n'),
      'prometheus.yml:2:5: scrape_configs[0]: at most one of basic_auth, authorization, oauth2, bearer_token and bearer_token_file',
    ],
  ];
  for (const [text, first] of cases) assert.equal(problemsOf(text)[0], first);
  assert.match(
    problemsOf(job('    relabel_configs: [{ regex: "(", target_label: x }]\n'))[0] ?? '',
    /^prometheus\.yml:3:32: .*invalid regular expression/,
  );
  assert.match(problemsOf('global: [')[0] ?? '', /^prometheus\.yml:1:\d+: /);
});

test('the Alertmanagers of a file are read with their labels, discoveries and clients', () => {
  const { files, problems, folder } = loaded({
    'prometheus.yml': `
global: { external_labels: { region: eu } }
alerting:
  alert_relabel_configs: [{ action: labeldrop, regex: replica }]
  alertmanagers:
    - api_version: v2
      scheme: https
      path_prefix: /am
      timeout: 3s
      bearer_token_file: token
      tls_config: { ca_file: ca.pem }
      file_sd_configs: [{ files: [am.yml] }]
      relabel_configs: [{ source_labels: [zone], regex: eu, action: keep }]
    - static_configs: [{ targets: ['localhost:9093'] }]
`,
  });
  assert.deepEqual(problems, []);
  const alerting = files[0]?.alerting;
  assert.deepEqual([alerting?.file, alerting?.externalLabels], [join(folder, 'prometheus.yml'), { region: 'eu' }]);
  assert.equal(alerting?.alertRelabelRules[0]?.action, 'labeldrop');
  const [first, second] = alerting?.managers ?? [];
  assert.deepEqual([first?.scheme, first?.pathPrefix, first?.timeoutMs, first?.discoveries[0]?.kind], ['https', '/am', 3_000, 'file']);
  assert.deepEqual(first?.http.tls.ca, { file: join(folder, 'ca.pem') });
  assert.equal(first?.relabelRules[0]?.action, 'keep');
  assert.deepEqual([second?.scheme, second?.timeoutMs, second?.groups[0]?.targets], ['http', 10_000, [{ __address__: 'localhost:9093' }]]);
  const managers = (more: string): string => `alerting: { alertmanagers: [{ ${more} }] }\n`;
  assert.match(
    problemsOf(managers('api_version: v1'))[0] ?? '',
    /prometheus\.yml:1:\d+: alerting\.alertmanagers\[0\]\.api_version: is not supported: write v2/,
  );
  assert.match(problemsOf(managers('consul_sd_configs: []'))[0] ?? '', /key "consul_sd_configs".* is not supported/);
  assert.match(problemsOf(managers('sigv4: {}'))[0] ?? '', /key "sigv4".* is not supported/);
});

test('globs are followed, missing files are warnings, and one job name stands once over all files', () => {
  const job = 'scrape_configs: [{ job_name: same }]\n';
  const { files, problems, warnings } = loaded({ 'a.yml': job, 'b.yml': job }, ['*.yml', 'gone.yml', 'none-*.yml']);
  assert.equal(files.length, 2);
  assert.deepEqual(
    warnings.map(({ file, message }) => [file, message]),
    [
      ['gone.yml', 'no such Prometheus configuration file'],
      ['none-*.yml', 'no such Prometheus configuration file'],
    ],
  );
  assert.equal(problems.length, 1);
  assert.match(problems[0]?.message ?? '', /the job "same" already stands in .*a\.yml:1/);
});
