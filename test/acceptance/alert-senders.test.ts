/** Debian's Prometheus and vmalert send their alerts to Nines, which has taken over an Alertmanager's configuration. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { NINES, startNines } from '../harness/nines.ts';
import { startReceiver } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { startPrometheus } from '../harness/prometheus.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';
import { startVmalert } from '../harness/vmalert.ts';

const run = promisify(execFile);

const alertmanager = (hook: string): string => `
route:
  receiver: nobody
  routes:
    - receiver: team queues
      matchers: [site="north"]
      group_by: [alertname]
      group_wait: 0s
      group_interval: 1s
    - { receiver: nights, matchers: [site="south"], mute_time_intervals: [always] }
inhibit_rules:
  - { source_matchers: [severity="critical"], target_matchers: [severity="warning"], equal: [site] }
time_intervals: [{ name: always, time_intervals: [{ years: ['2000:2999'] }] }]
receivers:
  - { name: nobody }
  - { name: nights, webhook_configs: [{ url: '${hook}' }] }
  - name: team queues
    webhook_configs: [{ url: '${hook}' }]
    pushover_configs: [{ user_key: u, token: t }]
`;
const CONFIG = `
collect: { host: { enabled: false } }
rules: { packs: [] }
routing: { alertmanager_file: alertmanager.yml }
`;
const ruleFile = (alert: string, expr: string, severity: string): string => `
groups:
  - name: it
    interval: 1s
    rules: [{ alert: ${alert}, expr: '${expr}', labels: { severity: ${severity}, site: north }, annotations: { summary: long } }]
`;

test('alerts of Prometheus and vmalert arrive, are routed and inhibited as in Alertmanager, and resolve', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'senders-'));
  await using _folder = { [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true, force: true }) };
  const [ofPrometheus, ofVmalert] = [join(folder, 'prometheus.yml'), join(folder, 'vmalert.yml')];
  writeFileSync(ofPrometheus, ruleFile('QueueStuck', 'queue_stuck > 0', 'critical'));
  writeFileSync(ofVmalert, ruleFile('QueueSlow', 'queue_slow > 0', 'warning'));
  await using receiver = await startReceiver();
  await using nines = await startNines({ config: CONFIG, files: { 'alertmanager.yml': alertmanager(receiver.url) } });
  const address = new URL(nines.base).host;
  await using prometheus = await startPrometheus({
    config: `global: { scrape_interval: 1h, evaluation_interval: 1s }
rule_files: ['${ofPrometheus}']
alerting: { alertmanagers: [{ static_configs: [{ targets: ['${address}'] }] }] }
`,
  });
  await using _vmalert = await startVmalert({ rules: ofVmalert, datasource: nines.base, notifier: nines.base });

  const write = async (base: string, name: string, value: number): Promise<void> => {
    const body = writeBody([{ labels: { __name__: name }, samples: [[Date.now(), value]] }]);
    const answer = await fetch(`${base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body: body as Uint8Array<ArrayBuffer> });
    assert.equal(answer.status, 204, await answer.text());
  };
  const told = (alertname: string, status: string) => () =>
    receiver.received.find(({ payload }) => payload.groupLabels['alertname'] === alertname && payload.status === status)?.payload;
  type Shown = {
    readonly fingerprint: string;
    readonly labels: Record<string, string>;
    readonly status: { readonly inhibitedBy: readonly string[]; readonly state: string };
  };
  const shown = async (alertname: string): Promise<Shown | undefined> =>
    (await nines.get<readonly Shown[]>('/api/v2/alerts')).json.find(({ labels }) => labels['alertname'] === alertname);

  // What it sends before it has found an Alertmanager is lost for a minute.
  await poll('Prometheus to find us', async () =>
    /activeAlertmanagers":\[\{/.test(await (await fetch(`${prometheus.base}/api/v1/alertmanagers`)).text()),
  );
  await write(prometheus.base, 'queue_stuck', 1);
  const stuck = await poll('the alert of Prometheus', told('QueueStuck', 'firing'));
  assert.deepEqual([stuck.receiver, stuck.groupKey], ['team queues', '{}/{site="north"}:{alertname="QueueStuck"}']);
  assert.match(stuck.alerts[0]?.generatorURL ?? '', /\/graph\?/);

  await write(nines.base, 'queue_slow', 1);
  const slow = await poll('the alert of vmalert', () => shown('QueueSlow'));
  assert.deepEqual(slow.status, { ...slow.status, inhibitedBy: [(await shown('QueueStuck'))?.fingerprint], state: 'suppressed' });
  type Ours = { readonly items: readonly { readonly id: string; readonly alertname: string }[] };
  const ours = (await nines.get<Ours>('/api/alerts')).json.items.find(({ alertname }) => alertname === 'QueueSlow');
  const detail = await nines.get<{ readonly kept_by: string }>(`/api/alerts/${ours?.id}`);
  assert.match(
    detail.json.kept_by,
    /^inhibited by QueueStuck \(alert .*\): \{severity="critical"\} inhibits \{severity="warning"\} with equal site$/,
  );

  const labels = ['alertname=Other', 'site=north', 'severity=warning'];
  const cli = await run(NINES, ['routes', 'test', ...labels, '--url', nines.base, '--format', 'csv']);
  assert.match(cli.stdout, /^team queues,team-queues-webhook,"\{\}\/\{site=""north""\}:\{alertname=""Other""\}",no\r?$/m);
  assert.match(cli.stderr, /^but nobody is told: inhibited by QueueStuck/);
  const explained = await run(NINES, ['routes', 'test', 'site=south', '--explain', '--url', nines.base]);
  assert.match(explained.stdout, /^0 +failed +site="north" does not hold: site is "south"$/m);
  const south = await run(NINES, ['routes', 'test', 'site=south', '--url', nines.base]);
  assert.match(south.stdout, /^nights +nights-webhook .* muted in the time interval "always"$/m);
  assert.match(
    (await run(NINES, ['routes', 'show', '--url', nines.base])).stdout,
    /^ {2}site="north" +team queues +team-queues-webhook +alertname$/m,
  );
  const checked = await run(NINES, ['check', 'config', join(nines.folder, 'nines.yml')]);
  assert.match(checked.stderr, /alertmanager\.yml:\d+:\d+: pushover_configs is not taken over/);
  assert.equal(told('QueueSlow', 'firing')(), undefined);

  await write(prometheus.base, 'queue_stuck', 0);
  await poll('the end of the alert of Prometheus', told('QueueStuck', 'resolved'));
  await poll('what it explained', told('QueueSlow', 'firing'));
  await write(nines.base, 'queue_slow', 0);
  await poll('the end of the alert of vmalert', told('QueueSlow', 'resolved'));
});
