import assert from 'node:assert/strict';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { Http } from '../platform/http/contract.ts';
import { AUTHORIZED, T0_S, startQueryServer } from './testing/server.ts';

type Body = {
  status: string;
  data: { resultType: string; result: { metric: Record<string, string>; value: [number, string]; values: [number, string][] }[] };
  errorType: string;
  error: string;
  warnings?: string[];
};
async function get(http: Http, path: string, params: Record<string, string> = {}): Promise<{ status: number; body: Body; text: string }> {
  const answer = await http.inject({ method: 'GET', url: `${path}?${new URLSearchParams(params)}`, headers: AUTHORIZED });
  return { status: answer.statusCode, body: answer.json() as Body, text: answer.body };
}
const at = (seconds: number): string => String(T0_S + seconds);

test('an instant query answers in the shape of Prometheus, by GET and by form', async (t) => {
  const http = await startQueryServer(t);
  const expected = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a"},"value":[${at(60)},"1"]}]}}`;
  assert.equal((await get(http, '/api/v1/query', { query: 'up == 1', time: at(60) })).text, expected);
  const form = await http.inject({
    method: 'POST',
    url: '/api/v1/query',
    headers: { ...AUTHORIZED, 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ query: 'up == 1', time: at(60) }).toString(),
  });
  assert.equal(form.body, expected);
  assert.match(String(form.headers['content-type']), /^application\/json/);
});

test('scalars and strings have their own shapes', async (t) => {
  const http = await startQueryServer(t);
  assert.deepEqual((await get(http, '/api/v1/query', { query: '1 + 1', time: at(0) })).body.data, {
    resultType: 'scalar',
    result: [T0_S, '2'],
  });
  assert.deepEqual((await get(http, '/api/v1/query', { query: '"x"', time: at(0) })).body.data, {
    resultType: 'string',
    result: [T0_S, 'x'],
  });
});

test('a range query gives both ends, one point per step', async (t) => {
  const http = await startQueryServer(t);
  const { body } = await get(http, '/api/v1/query_range', {
    query: 'increase(requests_total[1m])',
    start: at(120),
    end: at(180),
    step: '30',
  });
  assert.equal(body.data.resultType, 'matrix');
  assert.deepEqual(body.data.result[0]?.values, [
    [T0_S + 120, '120'],
    [T0_S + 150, '120'],
    [T0_S + 180, '120'],
  ]);
  assert.deepEqual(body.data.result[0]?.metric, { 'http.code': '200', job: 'a' });
});

test('errors carry the type, the place and the status of Prometheus', async (t) => {
  const http = await startQueryServer(t);
  const syntax = await get(http, '/api/v1/query', { query: 'sum(', time: at(0) });
  assert.deepEqual([syntax.status, syntax.body.status, syntax.body.errorType], [400, 'error', 'bad_data']);
  assert.match(syntax.body.error, /1:\d+: parse error: /);
  const empty = await get(http, '/api/v1/query');
  assert.deepEqual([empty.status, empty.body.errorType], [400, 'bad_data']);
  const many = await get(http, '/api/v1/query_range', { query: 'up', start: '0', end: '11001', step: '1' });
  assert.deepEqual([many.status, many.body.errorType], [400, 'bad_data']);
  const ms = await get(http, '/api/v1/query', { query: 'up', time: '1795226400000' });
  assert.match(ms.body.error, /looks like milliseconds/);
  const twice = await get(http, '/api/v1/query', { query: 'up * on() up', time: at(60) });
  assert.deepEqual([twice.status, twice.body.errorType], [422, 'execution']);
});

test('without a credential the refusal too is in the shape of Prometheus', async (t) => {
  const http = await startQueryServer(t);
  const answer = await http.inject({ method: 'GET', url: '/api/v1/query?query=up' });
  assert.deepEqual([answer.statusCode, answer.json().status], [401, 'error']);
});

test('series, label names and label values are listed, filtered and cut', async (t) => {
  const http = await startQueryServer(t);
  const series = await get(http, '/api/v1/series', { 'match[]': 'up' });
  assert.deepEqual(series.body.data, [
    { __name__: 'up', job: 'a' },
    { __name__: 'up', job: 'b' },
  ]);
  assert.deepEqual((await get(http, '/api/v1/labels')).body.data, ['__name__', 'http.code', 'job', 'n']);
  assert.deepEqual((await get(http, '/api/v1/labels', { 'match[]': 'up' })).body.data, ['__name__', 'job']);
  assert.deepEqual((await get(http, '/api/v1/label/job/values', { 'match[]': '{__name__=~".+",job!="a"}' })).body.data, ['b']);
  assert.deepEqual((await get(http, '/api/v1/label/U__http_2e_code/values')).body.data, ['200']);
  const cut = await get(http, '/api/v1/series', { 'match[]': '{job=~".+"}', limit: '1' });
  assert.deepEqual([(cut.body.data as unknown as object[]).length, cut.body.warnings], [1, ['results truncated due to limit']]);
  assert.deepEqual((await get(http, '/api/v1/label/job/values', { limit: '1' })).body.warnings, ['results truncated due to limit']);
  assert.deepEqual((await get(http, '/api/v1/series', { 'match[]': 'up', start: at(10_000) })).body.data, []);
});

test('series needs a selector, and a selector alone', async (t) => {
  const http = await startQueryServer(t);
  assert.equal((await get(http, '/api/v1/series')).body.error, 'no match[] parameter provided');
  for (const bad of ['sum(up)', 'up offset 5m', 'up{', 'up[5m]']) {
    const answer = await get(http, '/api/v1/series', { 'match[]': bad });
    assert.deepEqual([answer.status, answer.body.errorType], [400, 'bad_data'], bad);
    assert.match(answer.body.error, /invalid parameter "match\[\]"/);
  }
});

test('queries are formatted, and the API says what it is', async (t) => {
  const http = await startQueryServer(t);
  assert.deepEqual((await get(http, '/api/v1/format_query', { query: 'sum( up )by(job)' })).body.data, 'sum by (job) (up)');
  assert.equal((await get(http, '/api/v1/format_query', { query: 'sum(' })).status, 400);
  const info = (await get(http, '/api/v1/status/buildinfo')).body.data as unknown as { version: string };
  assert.match(info.version, /^\d+\.\d+\.\d+$/);
});

test('a query ends when its time is up', async (t) => {
  const http = await startQueryServer(t);
  const { status, body } = await get(http, '/api/v1/query', { query: 'sum(wide) + count(wide)', time: at(60), timeout: '0' });
  assert.deepEqual([status, body.errorType, body.error], [503, 'timeout', 'query timed out in expression evaluation']);
});

test('a query ends when its client leaves, and the server goes on', async (t) => {
  const http = await startQueryServer(t);
  await http.listen({ host: '127.0.0.1', port: 0 });
  const { port } = http.server.address() as AddressInfo;
  const query = new URLSearchParams({ query: 'sum(sum_over_time(up[10m:10ms]))', start: at(0), end: at(600), step: '1' });
  await new Promise<void>((resolve) => {
    const asked = request({ port, path: `/api/v1/query_range?${query}`, headers: AUTHORIZED });
    asked.on('error', () => resolve());
    asked.end(() => asked.destroy());
  });
  assert.equal((await get(http, '/api/v1/query', { query: 'up', time: at(60) })).status, 200);
});

test('a large answer streams whole', async (t) => {
  const http = await startQueryServer(t);
  const { body } = await get(http, '/api/v1/query_range', { query: 'up', start: at(0), end: at(600), step: '0.1' });
  assert.deepEqual(
    body.data.result.map(({ values }) => values.length),
    [6_001, 6_001],
  );
});
