import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { HOUSE, type Nines, freePort, startNines } from '../harness/nines.ts';
import { type Target, startTarget } from '../harness/peers.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

/** The paths and shapes that clients rely on, with the example configuration and a target that answers. */
let nines: Nines;
let target: Target;

before(async () => {
  target = await startTarget();
  const example = readFileSync(join(HOUSE, 'examples/nines.yml'), 'utf8');
  const nobody = await freePort();
  nines = await startNines({
    config: example.replaceAll('127.0.0.1:9999', `127.0.0.1:${target.port}`).replaceAll('127.0.0.1:5432', `127.0.0.1:${nobody}`),
  });
});
after(async () => {
  await nines[Symbol.asyncDispose]();
  await target[Symbol.asyncDispose]();
});

type Shape = 'number' | 'string' | 'boolean' | 'object' | 'array' | 'number|null' | 'string|null';

/** Every named field is there and of its type; more fields may be. */
function assertShape(value: unknown, shape: Readonly<Record<string, Shape>>, where: string): void {
  const record = value as Record<string, unknown>;
  for (const [path, type] of Object.entries(shape)) {
    const found = path.split('.').reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], record);
    const kind = found === null ? 'null' : Array.isArray(found) ? 'array' : typeof found;
    assert.ok(type.split('|').includes(kind), `${where}: ${path} should be ${type}, found ${kind} (${JSON.stringify(found)})`);
  }
}

const items = async (path: string): Promise<Record<string, unknown>[]> => {
  const answer = await nines.get<{ items: Record<string, unknown>[] }>(path);
  assert.equal(answer.status, 200, answer.text);
  return answer.json.items;
};

test('within ten seconds the host is measured without any configuration, and its series grow', async () => {
  const values = async (): Promise<number> => {
    const answer = await nines.get<{ data: { result: { values: unknown[] }[] } }>('/api/v1/query?query=node_memory_MemTotal_bytes%5B5m%5D');
    return answer.json.data.result[0]?.values.length ?? 0;
  };
  const first = await poll('a host series', async () => ((await values()) > 0 ? values() : undefined), 10_000);
  await poll('another sample of it', async () => (await values()) > first, 10_000);
});

test('current figures', async () => {
  await poll('a rate', async () =>
    (await nines.get<{ cpu: { percent: number | null } }>('/api/metrics/current')).json.cpu.percent === null ? undefined : true,
  );
  const { json } = await nines.get<{ disk: unknown[] }>('/api/metrics/current');
  assertShape(
    json,
    {
      at_ms: 'number',
      'cpu.percent': 'number',
      'memory.percent': 'number',
      'memory.used_bytes': 'number',
      'memory.total_bytes': 'number',
      disk: 'array',
      'network.receive_bytes_per_second': 'number|null',
      'network.transmit_bytes_per_second': 'number|null',
      'load.1m': 'number',
      'process.rss_bytes': 'number',
    },
    'current',
  );
  assertShape(json.disk[0], { mount: 'string', percent: 'number' }, 'disk');
});

test('services, checks and downtime', async () => {
  const [service] = await poll('the shop to be up', async () => {
    const found = (await items('/api/services')).filter(({ id, state }) => id === 'shop' && state === 'up');
    return found.length === 1 ? found : undefined;
  });
  assertShape(
    service,
    { id: 'string', name: 'string', owner: 'string', state: 'string', since_at_ms: 'number', depends_on: 'array', checks: 'array' },
    'service',
  );
  const checks = await items('/api/checks');
  assert.deepEqual(new Set(checks.map(({ id }) => id)), new Set(['db-port', 'shop-http', 'shop-port']));
  await target.stop();
  await poll('a downtime of the shop', async () => (await items('/api/downtime?service=shop'))[0]);
  await target.start();
  const downtime = await poll('its end', async () => (await items('/api/downtime?service=shop')).find(({ to_at_ms }) => to_at_ms !== null));
  assertShape(
    downtime,
    {
      id: 'string',
      service: 'string',
      from_at_ms: 'number',
      to_at_ms: 'number',
      from_bounds_at_ms: 'array',
      to_bounds_at_ms: 'array',
      reason: 'string',
      checks: 'array',
      excluded: 'boolean',
      revision: 'number',
    },
    'downtime',
  );
});

test('SLAs', async () => {
  const slas = await items('/api/slas');
  assert.deepEqual(
    slas.map(({ id }) => id),
    ['shop-availability', 'shop-latency'],
  );
  for (const sla of slas) {
    assertShape(
      sla,
      {
        id: 'string',
        service: 'string',
        status: 'string',
        target: 'number',
        attained: 'number|null',
        'window.from_at_ms': 'number',
        'window.to_at_ms': 'number',
        young: 'boolean',
        observed_ms: 'number',
        'indicator.kind': 'string',
        'objective.op': 'string',
        'objective.value': 'number',
        'objective.unit': 'string',
        'objective.statistic': 'string|null',
        value: 'number|null',
        'budget.unit': 'string',
        'budget.total_ms': 'number',
        'budget.spent_ms': 'number',
        'budget.remaining_ms': 'number',
        burn: 'array',
        violations_open: 'number',
      },
      String(sla['id']),
    );
    const { buckets, window } = sla as { buckets: Record<string, number>; window: { from_at_ms: number; to_at_ms: number } };
    assert.deepEqual(Object.keys(buckets).sort(), ['degraded_ms', 'down_ms', 'excluded_ms', 'out_of_hours_ms', 'unknown_ms', 'up_ms']);
    assert.equal(
      Object.values(buckets).reduce((a, b) => a + b, 0),
      window.to_at_ms - window.from_at_ms,
      'buckets sum to the window',
    );
  }
  const one = await nines.get<{ budget: { total_ms: number } }>('/api/slas/shop-availability');
  assert.equal(one.json.budget.total_ms, 86_400);
});

test('alerts, one at a time and many at once', async () => {
  const alert = await poll('the alert of the database that is not there', async () =>
    (await items('/api/alerts')).find(({ service }) => service === 'db'),
  );
  assertShape(
    alert,
    {
      id: 'string',
      fingerprint: 'string',
      kind: 'string',
      rule: 'string',
      state: 'string',
      severity: 'string',
      labels: 'object',
      annotations: 'object',
      value: 'number',
      starts_at_ms: 'number',
      ends_at_ms: 'number|null',
    },
    'alert',
  );
  assert.deepEqual([alert['rule'], alert['state'], alert['severity']], ['RULE_004', 'firing', 'emergency']);
  const answer = await nines.send('POST', '/api/alerts/acknowledge', { ids: [alert['id']] });
  assert.ok(answer.status < 300, answer.text);
  const after = await items('/api/alerts?service=db&severity=emergency');
  assert.deepEqual(
    after.map(({ state }) => state),
    ['acknowledged'],
  );
  assert.equal((await nines.send('POST', '/api/alerts/no-such-alert/acknowledge', {})).status, 404);
});

test('health, status, configuration, OpenAPI, metrics', async () => {
  const health = await nines.get<{ components: unknown[] }>('/api/health');
  assertShape(health.json, { status: 'string', components: 'array' }, 'health');
  assertShape(health.json.components[0], { name: 'string', status: 'string', detail: 'string' }, 'component');
  assertShape((await nines.get('/api/status')).json, { status: 'string', version: 'string', uptime_ms: 'number' }, 'status');
  assertShape((await nines.get('/api/config')).json, { server: 'object', services: 'array', slas: 'array' }, 'config');
  assertShape((await nines.get('/api/openapi.json')).json, { openapi: 'string', paths: 'object' }, 'openapi');
  const metrics = await nines.get('/metrics');
  assert.match(metrics.text, /^nines_ingest_samples_total \d+/m);
  for (const path of ['/-/healthy', '/-/ready']) assert.equal((await nines.get(path)).status, 200, path);
  assert.equal((await nines.send('POST', '/-/reload')).status, 200);
});

test('pushed metrics: good items are stored, the others named', async () => {
  const good = {
    name: 'orders_total',
    value: 3,
    labels: { shop: 'a' },
    type: 'counter',
    help: 'Orders.',
    category: 'business',
    metadata: { team: 'shop' },
  };
  assert.equal((await nines.send('POST', '/api/metrics', { metrics: [good] })).status, 204);
  const mixed = await nines.send<{ details: { index: number }[] }>('POST', '/api/metrics', {
    metrics: [good, { name: '', value: 1 }, { name: 'x', value: 'y' }],
  });
  assert.equal(mixed.status, 400);
  assert.match(mixed.headers.get('content-type') ?? '', /problem\+json/);
  assert.deepEqual(
    mixed.json.details.map(({ index }) => index),
    [1, 2],
  );
  const stored = await nines.get<{ data: { result: { value: [number, string] }[] } }>('/api/v1/query?query=orders_total');
  assert.equal(stored.json.data.result[0]?.value[1], '3');
});

test("the Prometheus paths answer in Prometheus' shapes", async () => {
  const nowMs = Date.now();
  const written = await nines.send(
    'POST',
    '/api/v1/write',
    writeBody([{ labels: { __name__: 'written', a: 'b' }, samples: [[nowMs, 1.5]] }]),
    WRITE_HEADERS,
  );
  assert.deepEqual([written.status, written.text], [204, '']);
  const ask = async (path: string): Promise<unknown> => (await nines.get<{ status: string; data: unknown }>(path)).json.data;
  const time = nowMs / 1000;
  assert.deepEqual(await ask(`/api/v1/query?query=written&time=${time}`), {
    resultType: 'vector',
    result: [{ metric: { __name__: 'written', a: 'b' }, value: [time, '1.5'] }],
  });
  assert.deepEqual(await ask(`/api/v1/query_range?query=written&start=${time}&end=${time}&step=15`), {
    resultType: 'matrix',
    result: [{ metric: { __name__: 'written', a: 'b' }, values: [[time, '1.5']] }],
  });
  assert.deepEqual(await ask('/api/v1/series?match[]=written'), [{ __name__: 'written', a: 'b' }]);
  assert.deepEqual(await ask('/api/v1/labels?match[]=written'), ['__name__', 'a']);
  assert.deepEqual(await ask('/api/v1/label/a/values'), ['b']);
  const wrong = await nines.get<{ status: string; errorType: string; error: string }>('/api/v1/query?query=sum(');
  assert.deepEqual([wrong.status, wrong.json.status, wrong.json.errorType], [400, 'error', 'bad_data']);
  assert.match(wrong.json.error, /1:5: parse error/);
});

test('live facts come as server-sent events', async () => {
  const stop = new AbortController();
  const answer = await fetch(`${nines.base}/api/stream`, { signal: stop.signal });
  assert.match(answer.headers.get('content-type') ?? '', /text\/event-stream/);
  let text = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (/^data: .*\n\n/m.test(text)) break;
  }
  stop.abort();
  assertShape(
    JSON.parse(/^data: (.*)$/m.exec(text)?.[1] ?? '{}'),
    { id: 'number', topic: 'string', type: 'string', at_ms: 'number', data: 'object' },
    'event',
  );
});

test('what is not built, and what is no page, is not found', async () => {
  for (const path of ['/api/models', '/api/pipelines', '/alertmanager/api', '/config/x', '/unknown']) {
    const answer = await nines.get(path);
    assert.equal(answer.status, 404, path);
    assert.match(answer.headers.get('content-type') ?? '', /application\/problem\+json/, path);
  }
  for (const path of [
    '/',
    '/services',
    '/services/shop',
    '/slas',
    '/checks',
    '/targets',
    '/rules',
    '/agents',
    '/alerts-dashboard',
    '/status',
    '/maintenance',
    '/status-pages',
    '/settings',
    '/dashboards',
    '/dashboards/sla-overview',
    '/performance-monitoring',
    '/explore',
    '/analytics',
  ]) {
    const answer = await nines.get(path);
    assert.equal(answer.status, 200, path);
    assert.match(answer.headers.get('content-type') ?? '', /text\/html/, path);
  }
});
