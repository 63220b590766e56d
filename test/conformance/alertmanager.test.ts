import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAlertmanager } from '../harness/alertmanager.ts';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

const PROMETHEUS = `
global: { external_labels: { region: eu, team: nobody } }
rule_files: [rules.yml]
alerting:
  alert_relabel_configs:
    - { action: labeldrop, regex: replica }
    - { source_labels: [alertname], regex: Quiet, action: drop }
  alertmanagers:
    - path_prefix: am/
      file_sd_configs: [{ files: [managers.yml] }]
      relabel_configs: [{ source_labels: [__address__], regex: 'elsewhere:.*', action: drop }]
`;
const RULES = `
groups:
  - name: g
    interval: 1s
    rules:
      - { alert: Down, expr: m > 0, labels: { team: a, replica: '1' }, annotations: { summary: '{{ $labels.instance }} in {{ $externalLabels.region }}' } }
      - { alert: Quiet, expr: m > 0 }
`;

async function write(nines: Nines, value: number): Promise<void> {
  const series = [{ labels: { __name__: 'm', instance: 'i' }, samples: [[Date.now(), value] as [number, number]] }];
  const body = new Uint8Array(writeBody(series));
  assert.ok((await fetch(`${nines.base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body })).ok);
}

test('a real Alertmanager of a prometheus.yml shows what fires, relabelled, until it ends', async () => {
  await using manager = await startAlertmanager();
  await using nines = await startNines({
    config: `
scrape: { files: [prometheus.yml] }
collect: { host: { enabled: false } }
rules: { packs: [], thresholds: [{ id: above, metric: m, condition: '>', threshold: 0, severity: critical, annotations: { at: '{{ $externalLabels.region }}' } }] }
`,
    files: { 'prometheus.yml': PROMETHEUS, 'rules.yml': RULES, 'managers.yml': '[]\n' },
  });
  await write(nines, 1);
  await poll('two firing alerts', async () => (await nines.get<{ items: unknown[] }>('/api/alerts')).json.items.length === 3);

  // Found after the alerts began: it hears of them at once, not at the next repeat.
  writeFileSync(join(nines.folder, 'managers.yml'), `- targets: ['${manager.address}', 'elsewhere:9093']\n`);
  const shown = await poll('both alerts', async () => {
    const alerts = await manager.alerts();
    return alerts.length === 2 ? alerts : undefined;
  });
  const of = (name: string) => shown.find(({ labels }) => labels['alertname'] === name) ?? assert.fail(name);
  // The alert's own label wins over the external one.
  assert.deepEqual(of('Down').labels, { alertname: 'Down', instance: 'i', region: 'eu', team: 'a' });
  assert.deepEqual(of('Down').annotations, { summary: 'i in eu' });
  assert.equal(of('above').labels['region'], 'eu');
  const validMs = Date.parse(of('Down').endsAt) - Date.now();
  assert.ok(validMs > 200_000 && validMs <= 240_000, `valid for ${validMs} ms`);

  type Listed = { data: { activeAlertmanagers: { url: string }[]; droppedAlertmanagers: { url: string }[] } };
  const { data } = (await nines.get<Listed>('/api/v1/alertmanagers')).json;
  assert.deepEqual(data.activeAlertmanagers, [{ url: `http://${manager.address}/am/api/v2/alerts` }]);
  assert.deepEqual(data.droppedAlertmanagers, [{ url: 'http://elsewhere:9093/am/api/v2/alerts' }]);

  await write(nines, 0);
  await poll('no alert', async () => (await manager.alerts()).length === 0);
  assert.ok((await manager.figure('alertmanager_alerts_received_total{status="resolved",version="v2"}')) >= 2);
  assert.equal(await manager.figure('alertmanager_alerts_invalid_total'), 0);
});
