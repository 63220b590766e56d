import assert from 'node:assert/strict';
import { createSecureServer, createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { after, test, type TestContext } from 'node:test';
import fc from 'fast-check';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  figuresOf,
  listen,
  said,
  silent,
} from '../../../../../test/harness/checks.ts';
import { decodeResponse, encodeRequest } from './health.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());

type Grpc = Extract<AnyCheck, { kind: 'grpc' }>;
const check = (port: number, more: Partial<Grpc> = {}): Grpc => ({ kind: 'grpc', address: `localhost:${port}`, timeout: '5s', ...more });

/** A fake that speaks gRPC over Node's HTTP/2: the health of `shop.Orders`, and of the server as a whole. */
const STATUSES: Readonly<Record<string, number>> = { '': 1, 'shop.Orders': 1, 'shop.Search': 2 };
function answerHealth(stream: ServerHttp2Stream, path: string, body: Buffer): void {
  const trailers = (status: number): void => {
    stream.respond(
      { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': String(status), 'grpc-message': 'no%20such%20thing' },
      { endStream: true },
    );
  };
  if (path !== '/grpc.health.v1.Health/Check') return trailers(12);
  const status = STATUSES[body.subarray(7).toString()];
  if (status === undefined) return trailers(5);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.from([0, 0, 0, 0, 2, 8, status]));
}

type Answer = (stream: ServerHttp2Stream, path: string, body: Buffer) => void;
function serving(server: Http2Server, answer: Answer): Http2Server {
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => answer(stream, String(headers[':path']), Buffer.concat(chunks)));
  });
  return server;
}
const health = (t: TestContext, answer: Answer = answerHealth): Promise<number> => listen(t, serving(createServer(), answer));

test('a server that serves is up, as a whole and service by service, in plain text and over TLS', async (t) => {
  const port = await health(t);
  const result = await attempt(check(port));
  assert.equal(said(result), 'up');
  assert.equal(figuresOf(result)['probe_grpc_healthcheck_response{serving_status=SERVING}'], 1);
  assert.equal(figuresOf(result)['probe_grpc_status_code'], 0);
  assert.equal(said(await attempt(check(port, { grpc_service: 'shop.Orders' }))), 'up');
  const secure = await listen(t, serving(createSecureServer(authority.issue({ days: 5 })), answerHealth));
  const over = (more: Partial<Grpc>): Grpc => check(secure, { encryption: 'tls', tls: { ca: authority.cert }, ...more });
  assert.equal(said(await attempt(over({}))), 'up');
  assert.match(said(await attempt(over({ certificate_valid_for: '14d' }))), /^degraded certificate_expiry/);
  assert.match(said(await attempt(over({ tls: {} }))), /^down certificate/);
});

test('a service that does not serve, is not known, or has no health is down', async (t) => {
  const port = await health(t);
  const f = async (grpc_service: string): Promise<string> => said(await attempt(check(port, { grpc_service })));
  assert.equal(await f('shop.Search'), 'down not_serving: shop.Search is NOT_SERVING');
  assert.match(await f('shop.Other'), /^down service_unknown: .* knows no service shop\.Other$/);
  const bare = await health(t, (stream, _path, body) => answerHealth(stream, '/other', body));
  assert.match(said(await attempt(check(bare))), /^down no_health_service/);
  const angry = await health(t, (stream) =>
    stream.respond({ ':status': 200, 'grpc-status': '14', 'grpc-message': 'going%20down' }, { endStream: true }),
  );
  assert.equal(said(await attempt(check(angry))), 'down grpc_status: gRPC status 14: going down');
  const site = await health(t, (stream) => stream.respond({ ':status': 503 }, { endStream: true }));
  assert.equal(said(await attempt(check(site))), 'down status: HTTP status 503, expected 200');
  const broken = await health(t, (stream) => {
    stream.respond({ ':status': 200 }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.end(Buffer.from([0, 0, 0, 0, 2, 8]));
  });
  assert.match(said(await attempt(check(broken))), /^down bad_answer: the answer of .* cannot be read/);
});

test('a closed, silent, slow or foreign port is down or degraded', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout/);
  assert.match(said(await attempt(check(await babbler(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')))), /^down /);
  const slow = await health(t, (stream, path, body) => void setTimeout(() => answerHealth(stream, path, body), 120));
  assert.match(said(await attempt(check(slow, { degraded_after: '100ms' }))), /^degraded slow/);
});

test('messages are read as protobuf writes them, and broken ones fail by name', () => {
  assert.deepEqual([...encodeRequest('')], [0, 0, 0, 0, 0]);
  assert.deepEqual([...encodeRequest('a')], [0, 0, 0, 0, 3, 0x0a, 1, 97]);
  assert.equal(encodeRequest('x'.repeat(300)).length, 5 + 3 + 300);
  assert.equal(decodeResponse(Buffer.from([0, 0, 0, 0, 0])), 'UNKNOWN');
  assert.equal(decodeResponse(Buffer.from([0, 0, 0, 0, 5, 0x12, 1, 0, 8, 2])), 'NOT_SERVING', 'fields that are not known are passed over');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      try {
        decodeResponse(Buffer.from(bytes));
      } catch (thrown) {
        assert.ok(thrown instanceof RangeError, String(thrown));
      }
    }),
  );
});
