import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { DashboardView, ImportView } from '@nines/server/dashboards/contract.ts';
import { startApp } from '../harness/app.ts';
import { NINES, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { parse } from 'yaml';

const FILE = readFileSync(join(import.meta.dirname, '../grafana/hosts-classic.json'), 'utf8');

test('a dashboard of Grafana is looked at, imported under a free id, and exported so that it reads back the same', async () => {
  await using app = await startApp();
  const headers = { authorization: `Bearer ${app.token}`, 'content-type': 'application/json' };
  const send = (query: string, payload: string) =>
    app.http.inject({ method: 'POST', url: `/api/dashboards/import${query}`, headers, payload });
  const looked = (await send('?dry_run=true', FILE)).json<ImportView>();
  assert.deepEqual([looked.saved, looked.schema, looked.panels], [false, 'classic', { found: 70, converted: 70 }]);
  const missing = await app.http.inject({ url: `/api/dashboards/${looked.dashboard.id}`, headers });
  assert.equal(missing.statusCode, 404, 'a dry run keeps nothing');
  const made = await send('', FILE);
  assert.equal(made.statusCode, 201);
  assert.deepEqual(made.json<ImportView>(), { ...looked, saved: true });
  assert.equal((await send('', FILE)).json<ImportView>().dashboard.id, 'host-details-2');
  assert.equal((await send('?id=host-details', FILE)).statusCode, 409);
  const view = (await app.http.inject({ url: '/api/dashboards/host-details', headers })).json<DashboardView>();
  const exported = await app.http.inject({ url: '/api/dashboards/host-details?format=grafana', headers });
  assert.match(exported.headers['content-type'] as string, /^application\/json/);
  const again = (await send('?dry_run=true', exported.body)).json<ImportView>();
  assert.deepEqual([{ ...again.dashboard, id: 'host-details' }, again.losses], [view.spec, []]);
  const strange = await send('', '{"panels":[1]}');
  assert.deepEqual([strange.statusCode, strange.json<{ code: string; detail: string }>().code], [400, 'dashboard_not_importable']);
  assert.match(strange.json<{ detail: string }>().detail, /^panels\.0: expected a panel, found number/);
  assert.equal((await send('', '{"__proto__":{"a":1},"panels":[]}')).statusCode, 400);
  assert.equal((await send('', ' '.repeat(8 * 1024 * 1024 + 1))).statusCode, 413);
});

test('files for a Grafana and a Prometheus beside Nines: every panel has something to show on what the example measures', async (t) => {
  const config = `
services: [{ id: shop, checks: [{ id: shop-port, kind: tcp, address: '127.0.0.1:9', interval: 1s, timeout: 500ms }] }]
slas: [{ id: shop-kept, service: shop, indicator: { kind: availability }, target: 99.9%, window: { rolling: 24h } }]
`;
  await using nines = await startNines({ config });
  const mean = { id: 'mean', record: 'shop:duration:avg', expr: 'avg(probe_duration_seconds)', interval: '15s' };
  const slow = {
    id: 'slow',
    alert: 'Slow',
    expr: 'shop:duration:avg > 1',
    for: '5m',
    labels: { team: 'shop' },
    annotations: { note: '{{ $value }}' },
  };
  for (const rule of [mean, slow]) assert.equal((await nines.send('POST', '/api/rules', rule)).status, 201);
  const out = mkdtempSync(join(tmpdir(), 'nines-grafana-'));
  t.after(() => rmSync(out, { recursive: true, force: true }));
  const ask = async (query: string): Promise<readonly unknown[]> => {
    const path = `/api/v1/query?query=${encodeURIComponent(query)}`;
    return (await nines.get<{ data: { result: readonly unknown[] } }>(path)).json.data.result;
  };
  await poll('the figures of the contract', async () => (await ask('sla_attained_ratio')).length > 0);
  await poll('two samples of the host', async () => (await ask('rate(node_cpu_seconds_total[5m])')).length > 0);
  const args = ['--url', nines.base, 'export', 'grafana', out, '--reach', 'https://nines.example:7070'];
  const run = spawnSync(NINES, args, { encoding: 'utf8' });
  assert.equal(run.status, 0, run.stderr);
  const names = readdirSync(join(out, 'grafana/dashboards')).sort();
  for (const name of ['executive', 'technical', 'operations', 'business', 'models']) assert.ok(names.includes(`${name}.json`), name);
  for (const name of names) {
    const { panels } = JSON.parse(readFileSync(join(out, 'grafana/dashboards', name), 'utf8')) as { panels: readonly Drawn[] };
    for (const { title, targets = [] } of panels) {
      const found = await Promise.all(targets.map(({ expr }) => ask(expr.replace(/\$__(rate_)?interval|\$__range/g, '5m'))));
      assert.ok(targets.length === 0 || found.some((one) => one.length > 0), `${name}: ${title} is empty`);
    }
  }
  for (const path of ['kubernetes/grafana-dashboards.yml', 'kubernetes/prometheus.yml', 'grafana/provisioning/datasources/nines.yml'])
    assert.ok(existsSync(join(out, path)), path);
  assert.match(readFileSync(join(out, 'prometheus/prometheus.yml'), 'utf8'), /metrics_path: \/federate[^]*nines\.example:7070/);
  const { groups } = parse(readFileSync(join(out, 'prometheus/rules/nines.yml'), 'utf8')) as { groups: readonly unknown[] };
  const written = ({ id: _id, interval: _interval, ...rule }: Record<string, unknown>) => rule;
  assert.deepEqual(
    groups.slice(1),
    [
      { name: 'nines/mean', interval: '15s', rules: [written(mean)] },
      { name: 'nines/slow', interval: '1m', rules: [written(slow)] },
    ],
    'saved rules as they were written',
  );
  const checked = spawnSync('promtool', ['check', 'rules', join(out, 'prometheus/rules/nines.yml')], { encoding: 'utf8' });
  if (checked.error === undefined) assert.equal(checked.status, 0, checked.stderr);
});

type Drawn = { readonly title: string; readonly targets?: readonly { readonly expr: string }[] };
