import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { createCipher } from '@nines/tsdb/cipher.ts';
import fc from 'fast-check';
import { sql } from 'kysely';
import { forEachDatabase, freshSource, openSqliteForTest } from '../../../../test/harness/databases.ts';
import { recordingLogger, silentLogger } from '../../../../test/harness/logs.ts';
import { migrate } from '../db/migrate.ts';
import { MIGRATIONS } from '../db/migrations/index.ts';
import { type Db, openDb } from '../db/open.ts';
import type { SecretPlace } from './contract.ts';
import { SECRET_KEYS_FILE, readSecretKeys, writeSecretKeys } from './key-file.ts';
import { finishRotation, rotateSecretKey } from './rotate.ts';
import { SecretKey, openText, rewrap, sealText } from './sealed-text.ts';
import { openSecrets } from './service.ts';

const sealing = (byte: number) => createCipher(new Uint8Array(32).fill(byte)).key('secrets');
const place = (id: string): SecretPlace => ({ table: 'notify_keys', id, column: 'secret' });

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-secrets-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

const open = (db: Db, dataDir: string, more: { logger?: typeof silentLogger; sealing?: ReturnType<typeof sealing> } = {}) =>
  openSecrets({ db, dataDir, sealing: more.sealing, logger: more.logger ?? silentLogger, nowMs: 1 });

const keep = (db: Db, id: string, secret: string) => db.kysely.insertInto('notify_keys').values({ id, secret, made_at_ms: 1 }).execute();
const kept = async (db: Db, id: string): Promise<string> =>
  (await db.kysely.selectFrom('notify_keys').select('secret').where('id', '=', id).executeTakeFirstOrThrow()).secret;

test('what is sealed opens in its place alone, with its key alone (attack: copying sealed texts between rows, columns and tables)', () => {
  const [key, other] = [SecretKey.create(1), SecretKey.create(1)];
  const keys = new Map([[key.id, key]]);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.tuple(fc.string(), fc.string(), fc.string()), (text, [table, id, column]) => {
      const at = { table, id, column };
      const sealed = sealText(key, at, text);
      assert.deepEqual(openText(keys, at, sealed), { text });
      for (const moved of [
        { ...at, table: `${table}x` },
        { ...at, id: `${id}x` },
        { ...at, column: `${column}x` },
      ])
        assert.equal(openText(keys, moved, sealed), 'does_not_open');
      assert.equal(openText(new Map([[other.id, other]]), at, sealed), 'unknown_key');
      assert.equal(openText(new Map([[key.id, other]]), at, sealed), 'does_not_open');
      assert.notEqual(sealText(key, at, text), sealed);
    }),
    { numRuns: 100 },
  );
  const [a, b] = ['a', 'b'].map((text) => sealText(key, place('x'), text).split('.'));
  assert.equal(openText(keys, place('x'), [...(a ?? []).slice(0, 3), b?.[3]].join('.')), 'does_not_open');
});

test('no altered character opens as something else (attack: writing into the database)', () => {
  const key = SecretKey.create(1);
  const keys = new Map([[key.id, key]]);
  const sealed = sealText(key, place('x'), 'hunter2');
  fc.assert(
    fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
      const altered = sealed.slice(0, at) + String.fromCharCode(sealed.charCodeAt(at) ^ change) + sealed.slice(at + 1);
      const opened = openText(keys, place('x'), altered);
      // Base64url has spare bits at its end: what opens is the text itself.
      assert.ok(typeof opened === 'string' || opened.text === 'hunter2');
      assert.doesNotThrow(() => rewrap(altered, keys, SecretKey.create(2)));
    }),
    { numRuns: 1000 },
  );
});

test('the key file is its owner’s alone, sealed where the directory is encrypted, and never replaced when it cannot be used', async (t) => {
  const { db } = await openSqliteForTest(t);
  const dir = folder(t);
  const file = join(dir, SECRET_KEYS_FILE);
  const first = await open(db, dir);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  const sealed = first.seal(place('x'), 'text');
  const { key } = JSON.parse(readFileSync(file, 'utf8')).current as { key: string };
  const second = await open(db, dir, { sealing: sealing(1) });
  assert.deepEqual(second.open(place('x'), sealed), { ok: true, value: 'text' });
  assert.ok(!readFileSync(file, 'utf8').includes(key), 'sealed by the first start with a key');
  await assert.rejects(open(db, dir), { code: 'secret_keys_damaged', message: /sealed/ });
  await assert.rejects(open(db, dir, { sealing: sealing(2) }), { code: 'secret_keys_damaged', message: /do not open/ });
  for (const text of ['{', '{}', '{"format":2}']) {
    writeFileSync(file, text);
    await assert.rejects(open(db, dir), { code: 'secret_keys_damaged', message: /backup/ });
    assert.equal(readFileSync(file, 'utf8'), text);
  }
});

test('a sealed text and no key: the start is refused, and no other key is made', async (t) => {
  const { db } = await openSqliteForTest(t);
  const dir = folder(t);
  await keep(db, 'x', (await open(db, dir)).seal(place('x'), 'text'));
  rmSync(join(dir, SECRET_KEYS_FILE));
  await assert.rejects(open(db, dir), { code: 'secret_keys_missing', message: /backup/ });
  assert.ok(!existsSync(join(dir, SECRET_KEYS_FILE)));
});

test('what does not open is named once in the log, counted and in the health, and is over when it is written anew', async (t) => {
  const { db } = await openSqliteForTest(t);
  const logger = recordingLogger();
  const secrets = await open(db, folder(t), { logger });
  const sealed = secrets.seal(place('x'), 'hunter2');
  const altered = `${sealed.slice(0, 120)}${sealed[120] === 'A' ? 'B' : 'A'}${sealed.slice(121)}`;
  for (let again = 0; again < 3; again++) {
    const opened = secrets.open(place('x'), altered);
    assert.ok(!opened.ok);
    assert.match(opened.error, /notify_keys x secret cannot be read: it was altered, or belongs elsewhere/);
  }
  assert.equal(logger.lines.filter(({ level }) => level === 'error').length, 1);
  assert.deepEqual(secrets.health(), { status: 'degraded', detail: 'cannot be read, write them anew: notify_keys x secret' });
  secrets.seal(place('x'), 'anew');
  assert.equal(secrets.health().status, 'ok');
  assert.equal(secrets.unreadable, 0);
});

test('what an older version kept open is sealed at the start, and nothing of it is left in the file', async (t) => {
  const { db, source } = await openSqliteForTest(t);
  const dir = folder(t);
  const canary = 'canary-of-an-older-version';
  await keep(db, 'gone', `${canary}-deleted`);
  await keep(db, 'x', canary);
  await db.kysely.deleteFrom('notify_keys').where('id', '=', 'gone').execute();
  const secrets = await open(db, dir);
  await secrets.scrub();
  assert.deepEqual(secrets.open(place('x'), await kept(db, 'x')), { ok: true, value: canary });
  assert.ok(source.kind === 'sqlite');
  for (const path of [source.path, `${source.path}-wal`])
    if (existsSync(path)) assert.ok(!readFileSync(path).includes(canary), `${path} still holds it`);
  assert.equal(readSecretKeys(dir, undefined)?.keys.scrubbed, true);

  // A later version seals a column more: the file is written anew once more, also when the start that found it was cut short.
  const subscriber = { id: 's', page: 'p', kind: 'webhook', address: `https://hooks.example/${canary}`, confirmed_at_ms: 1 };
  await db.kysely.insertInto('status_subscribers').values(subscriber).execute();
  await open(db, dir);
  assert.equal(readSecretKeys(dir, undefined)?.keys.scrubbed, false);
  const again = await open(db, dir);
  await again.scrub();
  const { address } = await db.kysely.selectFrom('status_subscribers').select('address').executeTakeFirstOrThrow();
  assert.deepEqual(again.open({ table: 'status_subscribers', id: 's', column: 'address' }, address), {
    ok: true,
    value: subscriber.address,
  });
  for (const path of [source.path, `${source.path}-wal`])
    if (existsSync(path)) assert.ok(!readFileSync(path).includes(canary), `${path} still holds it`);
});

forEachDatabase((_name, openDatabase) => {
  test('after a rotation the old key is gone and everything opens; what was altered is named and left', async (t) => {
    const { db } = await openDatabase(t);
    const dir = folder(t);
    const before = await open(db, dir);
    const texts = Array.from({ length: 1_100 }, (_, index) => `s${index}`);
    for (const id of texts) await keep(db, id, before.seal(place(id), `the text of ${id}`));
    await keep(db, 'altered', (await kept(db, 's1')).replace(/\.[^.]{6}/, '.000000'));
    await keep(
      db,
      'wrapped',
      (await kept(db, 's2')).replace(/^(.{40})(.)/, (_all, head, one) => `${head}${one === 'A' ? 'B' : 'A'}`),
    );
    const page = { id: 'p', spec: JSON.stringify({ token: { $sealed: before.seal(place('p'), 'in JSON') } }), made_by: '', made_at_ms: 1 };
    await db.kysely.insertInto('status_pages').values(page).execute();
    const old = readSecretKeys(dir, undefined)?.keys.current;
    const rotation = await rotateSecretKey({ db: db.kysely, dataDir: dir, sealing: undefined }, 2);
    assert.equal(rotation?.rewrapped, texts.length + 1);
    assert.deepEqual(
      rotation.lost.map(({ id, fault }) => [id, fault]),
      [
        ['altered', 'unknown_key'],
        ['wrapped', 'does_not_open'],
      ],
    );
    const now = readSecretKeys(dir, undefined)?.keys;
    assert.deepEqual([now?.retiring, now?.current.id === old?.id, now?.current.createdAtMs], [[], false, 2]);
    const after = await open(db, dir);
    for (const id of texts) assert.deepEqual(after.open(place(id), await kept(db, id)), { ok: true, value: `the text of ${id}` });
    const { spec } = await db.kysely.selectFrom('status_pages').select('spec').executeTakeFirstOrThrow();
    assert.deepEqual(after.open(place('p'), JSON.parse(spec).token.$sealed), { ok: true, value: 'in JSON' });
    assert.ok(!after.open(place('altered'), await kept(db, 'altered')).ok);
    assert.ok(old !== undefined);
    assert.equal(openText(new Map([[old.id, old]]), place('s0'), await kept(db, 's0')), 'unknown_key');
  });
});

forEachDatabase((name) => {
  test('addresses and messages of an older version come through its upgrade whole, and sealed', async (t) => {
    const { source, remove } = await freshSource(name);
    const db = await openDb(source);
    t.after(async () => {
      await db.close();
      remove();
    });
    const { '0068-sealed-addresses': _step, ...older } = MIGRATIONS;
    await migrate(db, epochMs(1), older);
    const hook = 'https://hooks.example/canary';
    for (const id of ['a', 'b'])
      await sql`insert into status_subscribers (id, page, kind, address, confirmed_at_ms)
        values (${id}, ${id}, 'webhook', ${hook}, 1)`.execute(db.kysely);
    await sql`insert into push_subscriptions (id, channel, actor, endpoint, p256dh, auth, created_at_ms)
      values ('p', 'push', 'ann', ${hook}, 'x', 'y', 1)`.execute(db.kysely);
    for (const [id, topic] of [['m', 'status.confirm'] as const, ['n', 'notify.send'] as const])
      await sql`insert into outbox (id, topic, key, payload, state, tries, next_at_ms, created_at_ms)
        values (${id}, ${topic}, ${topic === 'status.confirm' ? `webhook/${hook}` : 'group'}, ${JSON.stringify({ hook })}, 'queued', 0, 1, 1)`.execute(
        db.kysely,
      );
    assert.deepEqual(await migrate(db, epochMs(2)), ['0068-sealed-addresses']);
    const secrets = await open(db, folder(t));
    const rows = {
      status_subscribers: await db.kysely.selectFrom('status_subscribers').selectAll().orderBy('id').execute(),
      push_subscriptions: await db.kysely.selectFrom('push_subscriptions').selectAll().execute(),
      outbox: await db.kysely.selectFrom('outbox').selectAll().orderBy('id').execute(),
    };
    assert.doesNotMatch(JSON.stringify(rows), /canary/);
    const opened = (table: string, id: string, column: string, sealed: string) => secrets.open({ table, id, column }, sealed);
    for (const { id, address } of rows.status_subscribers)
      assert.deepEqual(opened('status_subscribers', id, 'address', address), { ok: true, value: hook });
    for (const { id, endpoint } of rows.push_subscriptions)
      assert.deepEqual(opened('push_subscriptions', id, 'endpoint', endpoint), { ok: true, value: hook });
    for (const { id, payload } of rows.outbox)
      assert.deepEqual(opened('outbox', id, 'payload', payload), { ok: true, value: JSON.stringify({ hook }) });
    assert.deepEqual(
      rows.outbox.map(({ key }) => key),
      ['m', 'group'],
    );
    assert.deepEqual([rows.status_subscribers.length, rows.push_subscriptions.length], [2, 1]);
  });
});

test('a rotation that is cut at any row leaves everything openable, and the next start finishes it', async (t) => {
  const ids = ['a', 'b', 'c', 'd'];
  for (let cutAfter = 0; cutAfter <= ids.length; cutAfter++) {
    const { db } = await openSqliteForTest(t);
    const dir = folder(t);
    const before = await open(db, dir);
    for (const id of ids) await keep(db, id, before.seal(place(id), id));
    const keys = readSecretKeys(dir, undefined)?.keys;
    assert.ok(keys !== undefined);
    const next = { ...keys, current: SecretKey.create(2), retiring: [keys.current] };
    await writeSecretKeys(dir, next, undefined);
    const byId = new Map([next.current, keys.current].map((key) => [key.id, key]));
    for (const id of ids.slice(0, cutAfter)) {
      const { value } = rewrap(await kept(db, id), byId, next.current);
      await db.kysely.updateTable('notify_keys').set({ secret: value }).where('id', '=', id).execute();
    }
    for (const id of ids) assert.deepEqual(openText(byId, place(id), await kept(db, id)), { text: id }, 'before the restart');
    const restarted = await open(db, dir);
    for (const id of ids) assert.deepEqual(restarted.open(place(id), await kept(db, id)), { ok: true, value: id });
    assert.deepEqual(readSecretKeys(dir, undefined)?.keys.retiring, []);
    assert.equal((await finishRotation({ db: db.kysely, dataDir: dir, sealing: undefined }, next)).rewrapped, 0);
  }
});
