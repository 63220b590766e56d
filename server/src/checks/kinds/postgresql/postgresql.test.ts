import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
  type AnyCheck,
  attempt,
  Authority,
  babbler,
  closedPort,
  faultsOf,
  figuresOf,
  said,
  silent,
} from '../../../../../test/harness/checks.ts';
import { type PostgresServer, startPostgres } from '../../../../../test/harness/postgres.ts';

const authority = new Authority();
after(() => authority[Symbol.dispose]());
const ca = authority.cert;

type Postgresql = Extract<AnyCheck, { kind: 'postgresql' }>;
const check = (port: number, more: Partial<Postgresql> = {}): Postgresql => ({
  kind: 'postgresql',
  address: `127.0.0.1:${port}`,
  username: 'anne',
  password: 's3cret',
  timeout: '8s',
  ...more,
});

let server: PostgresServer;
before(async () => {
  const { key, cert } = authority.issue({ days: 10 });
  const hba = 'local all all trust\nhost all bob 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n';
  server = await startPostgres(await closedPort(), {
    files: { 'key.pem': key, 'cert.pem': cert, 'hba.conf': hba },
    settings: ['ssl=on', 'ssl_key_file={directory}/key.pem', 'ssl_cert_file={directory}/cert.pem', 'hba_file={directory}/hba.conf'],
  });
  await server.run(`create role anne login password 's3cret'; create role bob login; create role carl login connection limit 0 password 's3cret';
    create table orders (id int); insert into orders values (1), (2), (3); grant all on orders to anne`);
});
// A server that was stopped would not hear its guard.
after(() => server.process.kill('SIGCONT'));

test('a server that takes the login is up, in plain text and over TLS', async () => {
  const plain = await attempt(check(server.port));
  assert.deepEqual([said(plain), plain.tls, plain.target], ['up', undefined, `127.0.0.1:${server.port}/postgres`]);
  assert.equal(said(await attempt(check(server.port, { username: 'bob', password: undefined }))), 'up');
  const secure = await attempt(check(server.port, { encryption: 'tls', tls: { ca } }));
  assert.deepEqual([said(secure), secure.tls], ['up', true]);
  assert.deepEqual(Object.keys(secure.phases).sort(), ['connect', 'processing', 'resolve', 'tls']);
  const soon = check(server.port, { encryption: 'tls', tls: { ca }, certificate_valid_for: '14d' });
  assert.match(said(await attempt(soon)), /^degraded certificate_expiry: the certificate expires in 9d/);
  assert.match(said(await attempt(check(server.port, { encryption: 'tls' }))), /^down certificate: /);
});

test('a query is held against what it should give, and its number becomes a figure', async () => {
  const query = 'select count(*) from orders';
  const fits = await attempt(check(server.port, { query, expect: { value: '3', matches: '^[0-9]$', condition: '>= 3' } }));
  assert.deepEqual([said(fits), figuresOf(fits)], ['up', { probe_query_value: 3 }]);
  const asked = async (expect: NonNullable<Postgresql['expect']>, of = query): Promise<string> =>
    said(await attempt(check(server.port, { query: of, expect })));
  assert.equal(await asked({ condition: '> 3' }), 'down value: the query gives "3", expected > 3');
  assert.equal(await asked({ value: '4' }), 'down value: the query gives "3", expected "4"');
  assert.equal(await asked({ matches: 'x' }), 'down value: the query gives "3", expected a match of x');
  assert.equal(await asked({ condition: '== 0' }, "select ''"), 'down value: the query gives "", expected == 0');
  assert.equal(await asked({ value: '3' }, 'select 1 where false'), 'down value: the query gives no value');
  assert.match(await asked({ value: '3' }, 'select nothing'), /^down server_error: column "nothing" does not exist \(SQLSTATE 42703\)$/);
  assert.match(await asked({ value: '3' }, 'delete from orders'), /^down server_error: cannot execute DELETE in a read-only transaction/);
  assert.match(said(await attempt(check(server.port, { query: 'select pg_sleep(9)', timeout: '300ms' }))), /^down timeout: /);
  assert.match(said(await attempt(check(server.port, { query: 'select pg_sleep(.2)', degraded_after: '100ms' }))), /^degraded slow: /);
});

test('a wrong or missing password, an unknown database and a full server are down, each by its name', async () => {
  const wrong = await attempt(check(server.port, { password: 'wr0ng' }));
  assert.match(said(wrong), /^down auth: password authentication failed for user "anne" \(SQLSTATE 28P01\)$/);
  assert.ok(!JSON.stringify(wrong).includes('wr0ng'));
  assert.equal(
    said(await attempt(check(server.port, { password: undefined }))),
    'down auth: the server wants a password and the check has none',
  );
  assert.match(said(await attempt(check(server.port, { database: 'nowhere' }))), /^down database_not_found: .*"nowhere" does not exist/);
  assert.match(said(await attempt(check(server.port, { username: 'carl' }))), /^down too_many_connections: too many connections/);
});

test('a server that is gone, silent or no PostgreSQL is down', async (t) => {
  assert.match(said(await attempt(check(await closedPort()))), /^down connection_refused/);
  assert.match(said(await attempt(check(await silent(t), { timeout: '300ms' }))), /^down timeout: .*waiting for the first byte$/);
  assert.match(said(await attempt(check(await silent(t), { encryption: 'tls', timeout: '300ms' }))), /^down timeout: .*TLS handshake$/);
  assert.equal(said(await attempt(check(await babbler(t, 'N'), { encryption: 'tls' }))).slice(0, 9), 'down tls:');
  assert.match(said(await attempt(check(await babbler(t, '')))), /^down connection_closed: /);
  assert.match(
    said(await attempt(check(await babbler(t, 'HTTP/1.1 400 Bad Request\r\n\r\n')))),
    /^down (bad_answer|connection_closed|connection)/,
  );
});

test('an expected value without a query is refused', () => {
  const written = { kind: 'postgresql', address: 'a:5432', username: 'anne', expect: { value: '1' } };
  assert.equal(faultsOf(written), 'expect: an expected value needs the query that gives it');
  assert.match(faultsOf({ ...written, query: 'select 1', expect: { condition: 'about 3' } }), /^expect.condition: write a comparison/);
});
