import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { AppError } from '@nines/base/errors.ts';
import { countingIds } from '../../../../test/harness/ids.ts';
import { recordingLogger } from '../../../../test/harness/logs.ts';
import { poll } from '../../../../test/harness/poll.ts';
import type { Actor, DirectHandler, Gate, Http } from './contract.ts';
import { createHttp } from './server.ts';

const actor = (role: Actor['role']): Actor => ({ kind: 'token', id: '1', name: 'a', role, teamId: 'default', scope: FULL_SCOPE });
const ACTORS: Readonly<Record<string, Actor>> = { 'Bearer agent': actor('ingest'), 'Bearer reader': actor('read-only') };
const AGENT = { authorization: 'Bearer agent', 'content-type': 'application/x-protobuf' };

const receive: DirectHandler = async (request) => {
  let body = '';
  for await (const chunk of request) body += String(chunk);
  if (body === 'bug') throw new Error('secret inside');
  if (body === 'full') throw new AppError('unavailable', 'store_full', 'the disk is full', { retryAfterMs: 5_000 });
  if (body === 'busy') return { status: 429, text: 'busy\n', headers: { 'content-type': 'text/plain; charset=utf-8', 'retry-after': '1' } };
  if (body === 'refused') return { status: 400, text: 'größer\n', headers: { 'content-type': 'text/plain; charset=utf-8' } };
  return { status: 204, text: '', headers: { 'x-written': String(body.length) } };
};

type Served = {
  readonly http: Http;
  readonly port: number;
  readonly logger: ReturnType<typeof recordingLogger>;
  readonly asked: () => number;
};

async function serve(
  t: TestContext,
  { hosts = 'any', handle = receive }: { hosts?: 'any' | 'loopback'; handle?: DirectHandler } = {},
): Promise<Served> {
  const logger = recordingLogger();
  let asked = 0;
  const gate: Gate = {
    async authenticate(request) {
      asked++;
      return ACTORS[request.headers.authorization ?? ''];
    },
    allows: (who, permission) => who.role === 'ingest' && permission === 'ingest',
    recall: (headers) => ACTORS[headers.authorization ?? ''],
  };
  const http = await createHttp({ logger, ids: countingIds(), gate, hosts, version: '1' });
  t.after(() => http.close());
  http.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
    scope.post('/write', { config: { permission: 'ingest', direct: handle } }, async (request, reply) => {
      const { status, text, headers } = await handle(request.raw);
      return status === 204
        ? reply
            .code(204)
            .headers(headers ?? {})
            .send()
        : reply
            .code(status)
            .headers(headers ?? {})
            .serializer(String)
            .send(text);
    });
  });
  await http.listen({ host: '127.0.0.1', port: 0 });
  return { http, port: (http.server.address() as AddressInfo).port, logger, asked: () => asked };
}

type Answer = { readonly status: number | undefined; readonly headers: IncomingHttpHeaders; readonly text: string };

async function post(port: number, headers: Record<string, string>, body: string, chunked = false): Promise<Answer> {
  const length: Record<string, string> = chunked
    ? { 'transfer-encoding': 'chunked' }
    : { 'content-length': String(Buffer.byteLength(body)) };
  const sent = httpRequest({ port, path: '/write', method: 'POST', headers: { ...headers, ...length } });
  sent.end(body);
  const [answer] = (await once(sent, 'response')) as [IncomingMessage];
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return { status: answer.statusCode, headers: answer.headers, text };
}

/** What may differ between two answers of the same server, or belongs to the connection. */
const OWN = new Set(['x-request-id', 'date', 'connection', 'keep-alive']);
const comparable = (headers: IncomingHttpHeaders): unknown =>
  Object.entries(headers)
    .filter(([name]) => !OWN.has(name))
    .map(([name, value]) => `${name}: ${String(value)}`)
    .sort();

describe('the short way', () => {
  it('answers as fastify does, byte for byte, without asking for the actor again', async (t) => {
    const { http, port, asked } = await serve(t);
    for (const body of ['samples', '', 'refused', 'busy', 'full', 'bug']) {
      const before = asked();
      const short = await post(port, AGENT, body);
      assert.equal(asked(), before, body);
      // Injected requests never reach the listener, so they go through fastify.
      const long = await http.inject({ method: 'POST', url: '/write', headers: AGENT, payload: body });
      assert.equal(asked(), before + 1, body);
      assert.deepEqual([short.status, short.text], [long.statusCode, long.body], body);
      assert.deepEqual(comparable(short.headers), comparable(long.headers as IncomingHttpHeaders), body);
      assert.notEqual(short.headers['x-request-id'], long.headers['x-request-id']);
    }
  });

  it('logs a bug under the id that its answer carries', async (t) => {
    const { port, logger } = await serve(t);
    const answer = await post(port, AGENT, 'bug');
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.text, /secret/);
    assert.deepEqual([logger.lines[0]?.fields['request_id'], logger.lines[0]?.fields['path']], [answer.headers['x-request-id'], '/write']);
  });

  it('leaves every refusal and every unusual request to fastify', async (t) => {
    const { port, asked } = await serve(t);
    const anonymous = { 'content-type': 'application/x-protobuf' };
    const unusual: readonly (readonly [headers: Record<string, string>, status: number, code: string])[] = [
      [anonymous, 401, 'unauthenticated'],
      [{ ...anonymous, authorization: 'Bearer stranger' }, 401, 'unauthenticated'],
      [{ ...anonymous, authorization: 'Bearer reader' }, 403, 'forbidden'],
      [{ ...anonymous, origin: 'http://elsewhere.example' }, 403, 'cross_site_request'],
      [{ ...anonymous, 'sec-fetch-site': 'cross-site' }, 403, 'cross_site_request'],
    ];
    for (const [headers, status, code] of unusual) {
      const answer = await post(port, headers, 'samples');
      assert.deepEqual([answer.status, JSON.parse(answer.text).code], [status, code]);
      assert.equal(answer.headers['www-authenticate'], status === 401 ? 'Bearer realm="nines"' : undefined);
    }
    assert.equal(asked(), unusual.length);
    assert.equal((await post(port, AGENT, 'samples', true)).status, 204);
    assert.equal((await post(port, { ...AGENT, origin: 'http://elsewhere.example' }, 'samples')).status, 204);
    assert.equal(asked(), unusual.length + 2);
  });

  it('answers no foreign host name when authentication is off', async (t) => {
    const { port } = await serve(t, { hosts: 'loopback' });
    const answer = await post(port, { ...AGENT, host: 'rebound.example' }, 'samples');
    assert.deepEqual([answer.status, JSON.parse(answer.text).code], [403, 'host_refused']);
    assert.equal((await post(port, { ...AGENT, host: 'localhost' }, 'samples')).status, 204);
  });

  it('finishes what is under way when the server stops, and closes its connection', async (t) => {
    const entered = Promise.withResolvers<void>();
    const finish = Promise.withResolvers<void>();
    const { http, port } = await serve(t, {
      handle: async (request) => {
        entered.resolve();
        await finish.promise;
        return receive(request);
      },
    });
    const answer = post(port, { ...AGENT, connection: 'keep-alive' }, 'samples');
    await entered.promise;
    const closed = http.close();
    await poll('the server to stop listening', () => !http.server.listening);
    finish.resolve();
    assert.deepEqual([(await answer).status, (await answer).headers.connection], [204, 'close']);
    await closed;
  });
});
