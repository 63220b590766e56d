import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { labelValue, METRIC_NAME } from '@nines/model/labels.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { poll } from '../../../test/harness/poll.ts';
import { Imports } from '../availability/imports/service.ts';
import { createImportStore } from '../availability/imports/store.ts';
import { availabilityRoutes } from '../availability/routes.ts';
import { Availability } from '../availability/service.ts';
import { checkRoutes } from '../checks/routes.ts';
import { createResolve } from '../checks/resolve.ts';
import { CheckService, samplesThenLedger } from '../checks/service.ts';
import type { ResultSample } from '../checks/series.ts';
import { createTestSecrets } from '../platform/secrets/testing/secrets.ts';
import { createBus } from '../platform/bus.ts';
import { realClock } from '../platform/clock.ts';
import { judgeAddress } from '../platform/fetch/judge.ts';
import { runProgram } from '../platform/programs.ts';
import { createHttp } from '../platform/http/server.ts';
import { createIds } from '../platform/ids.ts';
import { startLoop } from '../platform/loop.ts';
import { serviceSchema, type WrittenService } from './contract.ts';
import { serviceRoutes } from './routes.ts';
import { Services } from './service.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
type Json = { readonly [field: string]: unknown; readonly items: readonly Json[] };

/** The whole of catalogue, checks and ledger, served; the store of samples is a list. */
async function serve(t: TestContext, written: readonly WrittenService[]) {
  // Hooks run in the order of their registration: what was built last must be stopped before the database closes.
  const teardown = new AsyncDisposableStack();
  t.after(() => teardown.disposeAsync());
  const { db } = await openSqliteForTest(t);
  const [clock, ids, bus] = [realClock, createIds(realClock), createBus(() => {})];
  const samples: ResultSample[] = [];
  const ledger = new Availability({ db: db.kysely, clock, ids, logger: quiet, bus, replay: async () => new Map() });
  await ledger.start();
  const ingest = {
    appendSamples: async (more: readonly ResultSample[]) => {
      samples.push(...more);
      return { accepted: more.length, refusedCount: 0, refusedBy: {}, refused: [], refs: new Uint32Array() };
    },
  };
  const sink = samplesThenLedger(ingest, (result) => ledger.record(result));
  const checks = new CheckService({
    clock,
    logger: quiet,
    bus,
    resolve: createResolve(),
    run: runProgram,
    judge: judgeAddress,
    query: async () => [],
    commands: [],
    sink,
  });
  const services = new Services({
    db: db.kysely,
    clock,
    ids,
    logger: quiet,
    bus,
    secrets: createTestSecrets(),
    enforce: async ({ plans, specs }) => {
      await ledger.configure(plans);
      checks.configure(specs);
    },
  });
  await services.declare(written.map((one, i) => ({ spec: serviceSchema.parse(one), place: `nines.yml:${i + 1}` })));
  const loop = startLoop({ clock, logger: quiet, name: 'ledger', everyMs: 200, step: (nowMs) => ledger.step(nowMs) });
  const anyone = { kind: 'user', id: 'u', name: 'alice', role: 'administrator', teamId: 'default', scope: FULL_SCOPE } as const;
  const gate = { authenticate: () => Promise.resolve(anyone), allows: () => true };
  const http = await createHttp({ logger: quiet, ids, gate, hosts: 'any', version: '0' });
  serviceRoutes(http, {
    imports: { imported: async () => [] },
    maintenance: { occurrences: () => [] },
    alerting: { acknowledgements: async () => [5_000, 7_000] },
    services,
    ledger,
    checks,
    clock,
  });
  checkRoutes(http, { checks, ledger, clock, failures: { list: async () => [] } });
  const imports = new Imports({ store: createImportStore(db.kysely), clock, ids, refuses: () => undefined, enforce: async () => {} });
  availabilityRoutes(http, { availability: ledger, imports, clock, onPastChanged: async () => {}, recovery: { evidence: async () => [] } });
  teardown.defer(() => ledger.stop());
  teardown.use(loop);
  teardown.defer(() => checks.stop());
  teardown.defer(() => http.close());
  const ask = async (method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', url: string, payload?: object) => {
    const answer = await http.inject({ method, url, ...(payload === undefined ? {} : { payload }) });
    return { status: answer.statusCode, json: (answer.body === '' ? {} : answer.json()) as Json };
  };
  return { ask, samples };
}

test('a watched target that stops and starts again is told by every route with one set of figures', async (t) => {
  const target = createServer((_request, response) => response.end('all ok'));
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  const { port } = target.address() as AddressInfo;
  t.after(() => target.close());
  const { ask, samples } = await serve(t, [
    {
      id: 'shop',
      name: 'Web shop',
      owner: 'platform',
      checks: [
        {
          id: 'shop-http',
          kind: 'http',
          url: `http://127.0.0.1:${port}/`,
          interval: '1s',
          timeout: '500ms',
          expect: { body_contains: 'ok' },
        },
        { id: 'shop-port', kind: 'tcp', address: `127.0.0.1:${port}`, interval: '1s', timeout: '500ms' },
      ],
    },
  ]);
  const state = async (wanted: string): Promise<void> =>
    void (await poll(wanted, async () => ((await ask('GET', '/api/services/shop')).json['state'] === wanted ? true : undefined)));
  await state('up');
  // Who is answered is answered to the end: a connection that was cut would be another failure than one that is refused.
  target.close();
  target.closeIdleConnections();
  await once(target, 'close');
  await state('down');
  const open = (await ask('GET', '/api/downtime?service=shop')).json.items[0];
  assert.equal(open?.['to_at_ms'], null);
  const shop = (await ask('GET', '/api/services')).json.items[0];
  assert.match(String(shop?.['why']), new RegExp(`connection refused by 127\\.0\\.0\\.1:${port}`));
  await poll(
    'both checks to fail',
    async () => ((await ask('GET', '/api/downtime')).json.items[0]?.['checks'] as string[] | undefined)?.length === 2 || undefined,
  );
  target.listen(port, '127.0.0.1');
  await state('up');

  const closed = (await ask('GET', `/api/downtime/${String(open?.['id'])}`)).json as unknown as {
    from_at_ms: number;
    to_at_ms: number;
    checks: string[];
    revision: number;
  };
  assert.deepEqual(closed.checks, ['shop-http', 'shop-port']);
  const window = `from=${(closed.from_at_ms - 500) / 1000}&to=${(closed.to_at_ms + 1) / 1000}`;
  const timeline = (await ask('GET', `/api/services/shop/timeline?${window}`)).json as unknown as {
    intervals: { state: string; from_at_ms: number; to_at_ms: number }[];
    buckets: Record<string, number>;
  };
  assert.deepEqual(
    timeline.intervals.filter((one) => one.state === 'down').map((one) => [one.from_at_ms, one.to_at_ms]),
    [[closed.from_at_ms, closed.to_at_ms]],
  );
  assert.equal(
    Object.values(timeline.buckets).reduce((a, b) => a + b),
    closed.to_at_ms + 1 - (closed.from_at_ms - 500),
  );
  const zero = samples.find(({ labels, value }) => labelValue(labels, METRIC_NAME) === 'probe_success' && value === 0);
  assert.equal(zero?.atMs, closed.from_at_ms);

  const check = (await ask('GET', '/api/checks/shop-http')).json as unknown as {
    results: { at_ms: number }[];
    last_failure: { code: string };
    last: { phases_ms: object; status_code: number };
  };
  assert.equal(check.last_failure.code, 'connection_refused');
  assert.ok(check.results.length >= 2);
  assert.equal(check.last.status_code, 200);
  const edited = await ask('PATCH', `/api/downtime/${String(open?.['id'])}`, { reason: 'software_bug', note: 'release 4' });
  assert.deepEqual([edited.json['reason'], edited.json['note'], edited.json['revision']], ['software_bug', 'release 4', 2]);
  const id = String(open?.['id']);
  assert.deepEqual((await ask('POST', `/api/downtime/${id}/undo`)).json['reason'], 'unplanned_outage');
  const said = (await ask('GET', `/api/downtime/${id}/revisions`)).json.items.map(({ revision, reason, by }) => [revision, reason, by]);
  assert.deepEqual(said, [
    [1, 'unplanned_outage', null],
    [2, 'software_bug', 'alice'],
    [3, 'unplanned_outage', 'alice'],
  ]);

  const figures = (await ask('GET', `/api/services/shop/reliability?${window}`)).json;
  const downMs = closed.to_at_ms - closed.from_at_ms;
  assert.deepEqual(
    [figures['outages'], figures['down_ms'], figures['mttr_ms'], figures['longest_ms'], figures['mtta_ms'], figures['detected']],
    [1, downMs, downMs, downMs, 6_000, 1],
  );
  assert.ok(Number(figures['mttd_ms']) > 0 && Number(figures['mttd_ms']) < downMs, 'known before it was over');
  const known = async (atMs: number) => (await ask('GET', `/api/downtime?service=shop&${window}&known_at=${atMs / 1000}`)).json.items;
  assert.deepEqual(await known(closed.from_at_ms - 1), []);
  const then = (await known(closed.to_at_ms - 1))[0];
  assert.deepEqual([then?.['id'], then?.['to_at_ms']], [id, null], 'while it lasted nobody knew its end');
});

test('bad requests are refused with the reason, unknown things with 404, file-owned ones with 409', async (t) => {
  const { ask } = await serve(t, [{ id: 'db', name: 'Database' }]);
  const f = async (method: Parameters<typeof ask>[0], url: string, want: string, body?: object): Promise<void> => {
    const { status, json } = await ask(method, url, body);
    assert.equal(`${status} ${(json['code'] as string | undefined) ?? ''}`.trim(), want, `${method} ${url} ${String(json['detail'])}`);
  };
  await f('GET', '/api/services/none', '404 service_not_found');
  await f('GET', '/api/services/none/timeline', '404 service_not_found');
  await f('GET', '/api/checks/none', '404 check_not_found');
  await f('GET', '/api/downtime/none', '404 downtime_not_found');
  await f('GET', '/api/downtime/none/revisions', '404 downtime_not_found');
  await f('POST', '/api/downtime/none/undo', '404 downtime_not_found');
  await f('GET', '/api/downtime?known_at=1700000000', '400 range_invalid');
  await f('GET', '/api/services/none/reliability', '404 service_not_found');
  await f('PATCH', '/api/downtime/none', '404 downtime_not_found', { note: 'x' });
  await f('PATCH', '/api/downtime/none', '400 invalid_request', { reason: 'sunspots' });
  await f('GET', '/api/services/db/timeline?from=1760000000000', '400 invalid_request');
  await f('GET', '/api/services/db/timeline?from=5&to=5', '400 service_invalid');
  await f('GET', '/api/services/db/timeline?from=0', '400 service_invalid');
  await f('PUT', '/api/services/db', '409 service_owned_by_file', { id: 'db' });
  await f('DELETE', '/api/services/db', '409 service_owned_by_file');
  await f('POST', '/api/services', '400 invalid_request', { id: 'x', colour: 'red' });
  await f('POST', '/api/services', '201', {
    id: 'x',
    depends_on: ['db'],
    checks: [{ id: 'x-port', kind: 'tcp', address: '203.0.113.1:1', interval: '1m' }],
  });
  const made = (await ask('GET', '/api/services/x')).json as unknown as { impact: { upstream: { service: string }[]; causes: object[] } };
  assert.deepEqual([made.impact.upstream.map(({ service }) => service), made.impact.causes], [['db'], []]);
  await f('PUT', '/api/services/x', '200', { id: 'x', name: 'X' });
  await f('DELETE', '/api/services/x', '204');
  await f('GET', '/api/services/x', '404 service_not_found');
  const detail = (await ask('GET', '/api/services/db')).json as unknown as {
    uptime: Record<string, { ratio: number | null; buckets: { unknown_ms: number } }>;
    origin: object;
    unknown_reason: string;
  };
  assert.deepEqual([detail.uptime['24h']?.ratio, detail.uptime['7d']?.buckets.unknown_ms], [null, 604_800_000]);
  assert.deepEqual([detail.origin, detail.unknown_reason], [{ kind: 'file', place: 'nines.yml:1' }, 'not_yet_monitored']);
});
