import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test, type TestContext } from 'node:test';
import fc from 'fast-check';
import { type AnyCheck, attempt, faultsOf, listen, said } from '../../../../../test/harness/checks.ts';
import { findByPath, parseJsonPath } from './json-path.ts';

type Http = Extract<AnyCheck, { kind: 'http' }>;
const site = (t: TestContext, body: string): Promise<number> =>
  listen(
    t,
    createServer((_request, response) => response.end(body)),
  );
const check = (port: number, more: Partial<Http>): Http => ({ kind: 'http', url: `http://127.0.0.1:${port}/`, timeout: '5s', ...more });

test('values in a JSON answer are compared where a path finds them', async (t) => {
  const port = await site(
    t,
    JSON.stringify({ status: 'ok', queue: { 'open jobs': 7 }, nodes: [{ up: true }, { up: false }], error: null }),
  );
  const f = async (json: NonNullable<Http['expect']>['json']): Promise<string> => said(await attempt(check(port, { expect: { json } })));
  assert.equal(
    await f([
      { path: '$.status', equals: 'ok' },
      { path: "$.queue['open jobs']", min: 7, max: 7 },
      { path: '$.nodes[0].up', equals: true },
      { path: '$.nodes[-1].up', equals: false },
      { path: '$.error', equals: null },
      { path: '$.status', matches: '^o' },
      { path: '$.nodes[*].up', exists: true },
      { path: '$.gone', exists: false },
    ]),
    'up',
  );
  assert.equal(await f([{ path: '$.status', equals: 'fine' }]), 'down json: $.status is "ok", expected "fine"');
  assert.equal(await f([{ path: '$.queue.length' }]), 'down json: nothing at $.queue.length');
  assert.equal(await f([{ path: '$.error', exists: false }]), 'down json: $.error is null, expected nothing there');
  assert.equal(await f([{ path: '$.nodes[*].up', equals: true }]), 'down json: $.nodes[*].up is false, expected true');
  assert.equal(await f([{ path: "$.queue['open jobs']", max: 5 }]), "down json: $.queue['open jobs'] is 7, expected at most 5");
  assert.equal(await f([{ path: '$.status', min: 5 }]), 'down json: $.status is "ok", expected a number');
  assert.equal(await f([{ path: '$.status', matches: 'x' }]), 'down json: $.status is "ok", expected a match of x');
});

test('an answer that is no JSON is down', async (t) => {
  const port = await site(t, '<html>maintenance</html>');
  assert.match(said(await attempt(check(port, { expect: { json: [{ path: '$.a' }] } }))), /^down json: the body is not JSON/);
});

test('credentials are sent as the header that they stand for, and shown nowhere', async (t) => {
  const seen: (string | undefined)[] = [];
  const port = await listen(
    t,
    createServer((request, response) => {
      seen.push(request.headers.authorization);
      response.writeHead(401).end();
    }),
  );
  const basic = await attempt(check(port, { auth: { basic: { username: 'anne', password: 'pä:ss' } } }));
  await attempt(check(port, { auth: { bearer: 't0ken' } }));
  assert.deepEqual(seen, [`Basic ${Buffer.from('anne:pä:ss').toString('base64')}`, 'Bearer t0ken']);
  assert.equal(said(basic), 'down status: status 401, expected 2xx');
  assert.ok(!JSON.stringify(basic).includes('pä:ss'));
});

test('paths find what they name in any document', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.array(fc.oneof(fc.nat(3), fc.string())), (document, keys) => {
      let here: unknown = document;
      for (const key of keys) {
        const fits = typeof key === 'number' ? Array.isArray(here) : typeof here === 'object' && here !== null && !Array.isArray(here);
        here = fits && Object.hasOwn(here as object, key) ? (here as Record<string, unknown>)[key] : undefined;
      }
      const quoted = (key: string): string => `['${key.replace(/[\\']/g, (one) => `\\${one}`)}']`;
      const path = parseJsonPath(`$${keys.map((key) => (typeof key === 'number' ? `[${key}]` : quoted(key))).join('')}`);
      assert.ok(path.ok);
      assert.deepEqual(findByPath(document, path.value), here === undefined ? [] : [here]);
    }),
  );
});

test('paths and credentials are checked when they are read', () => {
  const f = (more: Record<string, unknown>): string => faultsOf({ kind: 'http', url: 'http://h/', ...more });
  assert.match(f({ expect: { json: [{ path: 'status' }] } }), /^expect\.json\.0\.path: not a JSONPath: "status"/);
  assert.match(f({ expect: { json: [{ path: '$..a' }] } }), /^expect\.json\.0\.path: not understood in a JSONPath: "\.\.a"/);
  assert.match(f({ auth: { bearer: 'a', basic: { username: 'b', password: 'c' } } }), /^auth: write either basic or bearer/);
  assert.match(f({ auth: { bearer: 'a' }, headers: { Authorization: 'b' } }), /^auth: there is an authorization header already/);
});
