import assert from 'node:assert/strict';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { poll } from '../../../test/harness/poll.ts';
import type { AuditEntry } from '../audit/contract.ts';
import { checkSchema, type CheckSpec, toSpec, type WrittenCheck } from '../checks/contract.ts';
import { realClock } from '../platform/clock.ts';
import { createOutbound } from '../platform/fetch/outbound.ts';
import type { Actor } from '../platform/http/contract.ts';
import { analyticsConfig, type LoadTestConfig } from './config.ts';
import type { LoadTestBody, LoadTestView } from './contract.ts';
import { pointsOf, stepView, stopReason, type Exchange } from './load-test.ts';
import { LoadTests } from './load-tests.ts';
import { openCalculations } from './start.ts';

const ADA: Actor = { kind: 'user', id: 'u1', name: 'ada', role: 'operator', teamId: 'default', scope: FULL_SCOPE };
const WAIT_MS = 120_000;

/** A server whose requests wait for each other: one alone takes 20 ms, each other one under way adds a tenth. */
async function slowing(t: TestContext) {
  const seen = { underWay: 0, most: 0, requests: 0, status: 200, headers: {} as Record<string, unknown> };
  const server = createServer((request, response: ServerResponse) => {
    seen.requests++;
    seen.headers = request.headers;
    seen.most = Math.max(seen.most, ++seen.underWay);
    setTimeout(
      () => {
        seen.underWay--;
        response.writeHead(seen.status).end('ok');
      },
      20 * (1 + 0.1 * (seen.underWay - 1)),
    );
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { seen, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const specOf = (written: WrittenCheck, trust: CheckSpec['trust'] = 'trusted'): CheckSpec =>
  toSpec(checkSchema.parse(written), { service: 'shop', trust });

async function openLoadTests(t: TestContext, specs: readonly CheckSpec[], limits: Partial<LoadTestConfig> = {}) {
  const { db } = await openSqliteForTest(t);
  const clock = realClock;
  const calculations = openCalculations({ clock });
  const outbound = createOutbound({ clock });
  const entries: AuditEntry[] = [];
  const open = (): LoadTests =>
    new LoadTests({
      sql: db.kysely,
      clock,
      ids: countingIds(),
      logger: recordingLogger(),
      ask: calculations.ask,
      outbound,
      audit: { append: async (entry) => void entries.push(entry) },
      checks: () => specs,
    });
  const tests = open();
  const allowed = specs.map(({ check }) => check);
  const config = analyticsConfig.parse({ load_test: { checks: allowed } }).load_test;
  assert.ok(config !== undefined);
  tests.configure({ ...config, ...limits });
  t.after(async () => {
    await tests[Symbol.asyncDispose]();
    await outbound[Symbol.asyncDispose]();
    await calculations[Symbol.asyncDispose]();
  });
  const ended = (): Promise<LoadTestView> =>
    poll(
      'the end of the load test',
      async () => {
        const { running, items } = await tests.list();
        return running === null ? items[0] : undefined;
      },
      WAIT_MS,
    );
  return { tests, entries, open, ended, config };
}

const codeOf = async (begun: Promise<unknown>): Promise<string> => {
  try {
    await begun;
    return 'begun';
  } catch (thrown) {
    return `${(thrown as { code?: string }).code}: ${(thrown as Error).message}`;
  }
};

test('a load test measures step by step, fits the law, is kept, and stands in the audit log', async (t) => {
  const { seen, url } = await slowing(t);
  const spec = specOf({ id: 'home', kind: 'http', url, interval: '30s', headers: { 'X-Key': 'k' }, auth: { bearer: 't0ken' } });
  const { tests, entries, open, ended } = await openLoadTests(t, [spec], { max_rps: 500, max_latency: 30_000 as never });
  const begun = await tests.start({ check: 'home', steps: [1, 2, 4, 8], seconds: 2 }, ADA);
  assert.deepEqual(
    [begun.state, begun.load, begun.by, seen.headers['x-key'], seen.headers['authorization']],
    ['running', null, 'ada', 'k', 'Bearer t0ken'],
  );
  assert.match(await codeOf(tests.start({ check: 'home', steps: [1], seconds: 2 }, ADA)), /^load_test_running/);
  const view = await ended();
  assert.deepEqual([view.state, view.reason, view.steps.map(({ concurrency }) => concurrency)], ['done', null, [1, 2, 4, 8]]);
  assert.ok(seen.most > 1 && seen.most <= 8, 'never more at once than asked');
  const [alone] = view.steps;
  assert.ok(alone !== undefined);
  assert.equal(view.requests + 1, seen.requests, 'each is counted, beside the first that is tried');
  assert.deepEqual([alone.errors, alone.statuses], [0, { '200': alone.requests }]);
  // How long an answer takes at most is the machine's; it takes no less than the target waits, and one is never two.
  assert.ok((alone.latency?.median ?? 0) >= 0.019 && alone.under_way > 0 && alone.under_way <= 1.01, JSON.stringify(view.steps));
  assert.equal(view.points.length, 4);
  // Where the machine itself holds up the requests, the law may rightly be refused: the tests of the law fit exact figures.
  assert.ok(view.load !== null && ('parameters' in view.load || view.load.reason !== ''), JSON.stringify([view.load, view.points]));
  assert.deepEqual(
    entries.map(({ action, object, phase, before }) => [action, object.id, phase, before]),
    [['load_test.ended', 'home', 'done', undefined]],
  );
  assert.deepEqual((await open().list()).items, [view], 'kept over a restart');
});

test('a load test stops when the target fails, and ends when people or the configuration say so', async (t) => {
  const { seen, url } = await slowing(t);
  const specs = ['home', 'other'].map((id) => specOf({ id, kind: 'http', url, interval: '30s' }));
  const { tests, entries, ended, config } = await openLoadTests(t, specs, { max_seconds: 600 });
  const asked: LoadTestBody = { check: 'home', steps: [2], seconds: 300 };
  await tests.start(asked, ADA);
  seen.status = 503;
  const failed = await ended();
  assert.deepEqual([failed.state, failed.reason], ['stopped', '5 requests failed one after the other']);
  assert.ok((failed.steps[0]?.errors ?? 0) >= 5 && (failed.steps[0]?.statuses['503'] ?? 0) >= 5);
  assert.ok(failed.load !== null && 'reason' in failed.load);
  assert.match(await codeOf(tests.start(asked, ADA)), /^load_test_unfit: .*a first request was answered with status 503/);
  seen.status = 200;
  await tests.start(asked, ADA);
  assert.match(await codeOf(tests.abort({ check: 'other' }, ADA)), /^load_test_not_found/);
  assert.equal((await tests.abort({ check: 'home' }, ADA)).state, 'aborted');
  assert.equal((await ended()).reason, 'ada ended it');
  assert.match(await codeOf(tests.abort({}, ADA)), /^load_test_not_found: no load test is under way/);
  await tests.start({ ...asked, check: 'other' }, ADA);
  tests.configure({ ...config, checks: ['home'] });
  assert.equal((await ended()).reason, 'the configuration does not allow it any more');
  const idle = seen.requests;
  assert.equal(entries.length, 3);
  assert.match(JSON.stringify(entries[1]?.before), /"state":"stopped"/);
  assert.equal(seen.underWay <= 2 && seen.requests === idle, true, 'nothing is asked any more');
});

test('what is not allowed, too much, no plain reading, or out of reach is refused in words before anything is asked', async (t) => {
  const { seen, url } = await slowing(t);
  const common = { kind: 'http', url, interval: '30s' } as const;
  const specs = [
    specOf({ ...common, id: 'home' }),
    specOf({ ...common, id: 'post', method: 'POST' }),
    specOf({ ...common, id: 'bodied', body: 'x' }),
    specOf({ id: 'port', kind: 'tcp', address: '127.0.0.1:1', interval: '30s' }),
    specOf({ ...common, id: 'private' }, 'operator'),
    specOf({ ...common, id: 'gone', url: 'http://127.0.0.1:1/' }),
    specOf({ ...common, id: 'lax', url: 'https://127.0.0.1:1/', tls: { verify: false } }),
  ];
  const { tests, config } = await openLoadTests(t, specs, { max_seconds: 10, max_concurrency: 5 });
  const start = (more: Partial<LoadTestBody>): Promise<string> =>
    codeOf(tests.start({ check: 'home', steps: [1], seconds: 2, ...more }, ADA));
  assert.match(await start({ check: 'nowhere' }), /^load_test_not_allowed: .*load_test\.checks/);
  assert.match(await start({ steps: [1, 6] }), /^load_test_not_allowed: 6 at once are more than max_concurrency, 5/);
  assert.match(await start({ steps: [1, 2, 3], seconds: 4 }), /^load_test_not_allowed: 3 steps of 4 s take longer than max_seconds, 10/);
  assert.match(await start({ check: 'post' }), /^load_test_unfit: .*sends POST/);
  assert.match(await start({ check: 'bodied' }), /^load_test_unfit: .*sends a body/);
  assert.match(await start({ check: 'port' }), /^load_test_unfit: .*kind tcp/);
  assert.match(await start({ check: 'lax' }), /^load_test_unfit: .*TLS/);
  assert.match(await start({ check: 'private' }), /^load_test_unfit: .*127\.0\.0\.1 is internal/);
  assert.match(await start({ check: 'gone' }), /^load_test_unfit: .*got no answer/);
  tests.configure({ ...config, checks: ['vanished'] });
  assert.match(await start({ check: 'vanished' }), /^check_not_found/);
  tests.configure(undefined);
  assert.match(await start({}), /^load_test_not_allowed: load tests are off: .*analytics\.load_test/);
  assert.equal(seen.requests, 0);
});

const exchange = (fromMs: number, toMs: number, status = 200): Exchange => ({ fromMs, toMs, answer: { status }, good: status < 400 });

test('rates, numbers under way and reasons to stop come from the requests alone', () => {
  const exchanges = Array.from({ length: 60 }, (_, i) => exchange(i * 100, i * 100 + 50));
  const measured = { concurrency: 1, fromMs: 0, toMs: 6_000, exchanges, heldBack: 60 };
  const step = stepView(measured);
  assert.deepEqual([step.throughput, step.under_way, step.latency?.p95, step.held_back], [10, 0.5, 0.05, 60]);
  assert.deepEqual(
    pointsOf(measured),
    Array.from({ length: 5 }, () => [0.5, 10]),
  );
  assert.deepEqual(pointsOf({ ...measured, toMs: 1_500 }), [], 'too short to leave out its start');
  const fromMs = 2_500.0397;
  const two = { ...measured, fromMs, toMs: fromMs + 2_000, exchanges: [exchange(fromMs + 1_100, fromMs + 1_200)] };
  assert.ok(two.toMs - two.fromMs < 2_000, 'a sum of two numbers that is a little less than it should be');
  assert.equal(pointsOf(two).length, 1, 'two seconds on a running clock are two seconds');
  const limits = { maxErrors: 0.1, maxLatencyMs: 100 };
  assert.equal(stopReason(exchanges, limits), undefined);
  assert.equal(stopReason(exchanges.slice(0, 10), { ...limits, maxLatencyMs: 1 }), undefined, 'too few to judge');
  assert.match(stopReason(exchanges, { ...limits, maxLatencyMs: 49 }) ?? '', /took longer than 50 ms, at most 49 ms/);
  const mixed = exchanges.map((one, i) => (i % 8 === 0 ? exchange(one.fromMs, one.toMs, 500) : one));
  assert.match(stopReason(mixed, limits) ?? '', /^6 of the last 50 requests failed, at most 10 % may$|^7 of the last 50/);
  assert.match(
    stopReason(mixed.slice(0, 1).concat(Array.from({ length: 5 }, (_, i) => exchange(i, i + 1, 404))), limits) ?? '',
    /^5 requests/,
  );
});
