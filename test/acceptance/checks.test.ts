import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { CheckDetailView, TemplateView } from '@nines/server/checks/contract.ts';
import type { HealthReportView } from '@nines/server/ops/health-checks/contract.ts';
import type { ServiceView } from '@nines/server/services/contract.ts';
import { checkSchema } from '@nines/server/checks/contract.ts';
import { listen } from '../harness/checks.ts';
import { NINES, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

const PATIENCE_MS = 240_000;
/** A minute of waiting must not keep the machine busy. */
const PAUSE_MS = 200;
const until = <T>(what: string, ask: () => Promise<T>) =>
  poll(what, async () => (await ask()) || new Promise<undefined>((resolve) => setTimeout(resolve, PAUSE_MS, undefined)), PATIENCE_MS);

test('a whole server waits for a heartbeat by cron, tells of flapping, pauses checks and says how it is', async (t) => {
  let asked = 0;
  // A site that is up and down in turns.
  const site = await listen(
    t,
    createServer((_request, answer) => void answer.writeHead(asked++ % 2 === 0 ? 200 : 503).end()),
  );
  const config = `
services:
  - id: jobs
    checks:
      - { id: backup, kind: heartbeat, cron: '* * * * *', zone: Europe/Zurich, grace: 2s }
  - id: restless
    checks:
      - { id: restless-http, kind: http, url: 'http://127.0.0.1:${site}/', interval: 1s }
`;
  await using nines = await startNines({ config });
  const check = async (id: string): Promise<CheckDetailView> => (await nines.get<CheckDetailView>(`/api/checks/${id}`)).json;

  const beforeMs = Date.now();
  assert.equal((await nines.send('POST', '/api/heartbeat/backup')).status, 200);
  const heardMs = Date.now();
  await until('the job to be up', async () => (await check('backup')).state === 'up' || undefined);

  const flapping = await until('the check to flap', async () => (await check('restless-http')).flapping ?? undefined);
  assert.ok(flapping.change_percent >= 30 && flapping.leave_percent === 25);
  const services = (await nines.get<{ items: ServiceView[] }>('/api/services')).json.items;
  assert.deepEqual(
    services.map(({ id, flapping: flaps }) => [id, flaps]),
    [
      ['jobs', false],
      ['restless', true],
    ],
  );
  await until('the one notice of it', async () => {
    const { items } = (await nines.get<{ items: { labels: Record<string, string> }[] }>('/api/alerts')).json;
    return items.some(({ labels }) => labels['alertname'] === 'ServiceFlapping') || undefined;
  });

  const { items: templates } = (await nines.get<{ items: TemplateView[] }>('/api/check-templates')).json;
  assert.deepEqual(
    templates.map(({ id, check: { kind, interval, timeout } }) => `${id} ${kind} ${interval}/${timeout}`),
    [
      'trading_system http 30s/10s',
      'api_gateway http 30s/10s',
      'database tcp 60s/5s',
      'ai_models http 60s/15s',
      'market_data http 30s/10s',
    ],
  );
  for (const { check: template } of templates) {
    const whom = template.kind === 'http' ? { url: 'https://a.example/' } : { address: 'a.example:5432' };
    assert.equal(checkSchema.safeParse({ id: 'a', ...whom, ...template }).success, true);
  }

  const made = { id: 'shop', checks: [{ id: 'shop-http', kind: 'http', url: 'https://shop.invalid/', interval: '1s' }] };
  assert.equal((await nines.send('POST', '/api/services', made)).status, 201);
  assert.deepEqual((await nines.send('POST', '/api/checks/shop-http/pause')).json, { id: 'shop-http', paused: true });
  const paused = await until('the check to be paused', async () => {
    const view = await check('shop-http');
    return view.unknown_reason === 'paused' || view.unknown_reason === 'not_yet_monitored' ? view : undefined;
  });
  assert.deepEqual([paused.paused, paused.state], [true, 'unknown']);
  const env = { ...process.env, NINES_URL: nines.base };
  const { stderr } = await promisify(execFile)(NINES, ['resume', 'shop-http'], { env });
  assert.equal(stderr.trim(), 'shop-http goes on');
  await until('it to be asked again', async () => (await check('shop-http')).state === 'down' || undefined);
  const refused = await nines.send<{ detail: string }>('POST', '/api/checks/backup/pause');
  assert.deepEqual([refused.status, /is declared at \S*nines\.yml:\d+ and is changed there/.test(refused.text)], [409, true]);
  assert.equal((await nines.send('POST', '/api/checks/none/pause')).status, 404);

  const report = await until('figures of the host', async () => {
    const { json } = await nines.get<HealthReportView>('/api/health/checks');
    return json.at_ms === null ? undefined : json;
  });
  assert.equal(report.checks.length, 5);
  const memory = report.checks[0]?.measures.find(({ id }) => id === 'memory');
  assert.ok(memory?.value !== null && (memory?.value ?? 0) > 0);
  const { stdout } = await promisify(execFile)(NINES, ['health', '--format', 'csv'], { env });
  assert.match(stdout, /^check,figure,level,value,warning,critical,trend\r?\nsystem_resources,/);

  const missing = await until('the missing signal', async () => {
    const view = await check('backup');
    return view.state === 'down' ? view : undefined;
  });
  assert.equal(missing.since_at_ms % 60_000, 0, 'down from the minute when it was due');
  assert.ok(missing.since_at_ms > beforeMs && missing.since_at_ms - heardMs <= 60_000);
  assert.equal(missing.last_failure?.code, 'missing');
  assert.equal((await nines.send('POST', '/api/heartbeat/backup')).status, 200);
  await until('the job to be up again', async () => (await check('backup')).state === 'up' || undefined);
});
