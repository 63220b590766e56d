import assert from 'node:assert/strict';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { mustMatcher } from '@nines/base/matcher.ts';
import { epochMs } from '@nines/base/units.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { FaultDisk } from '@nines/tsdb/testing/fault-disk.ts';
import { append } from '@nines/tsdb/testing/samples.ts';
import fc from 'fast-check';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { migrate } from '../db/migrate.ts';
import { openDb } from '../db/open.ts';
import { STATE_FILE, STORE_DIR } from '../directory.ts';
import { encryptData, movingSteps, prepareEncryption } from './encrypt.ts';
import { ENVELOPE_FILE, type Envelope, parseEnvelope, unwrap, wrap, writeEnvelope } from './envelope.ts';
import { type Findings, judgeKeys } from './judge.ts';
import { CONVERSION_DIR, openKeys } from './keys.ts';
import { MasterKey, readMasterKey } from './master-key.ts';
import { createKeyFile, rotateKey } from './rotate.ts';

const NOW = epochMs(1_760_000_000_000);
const keyOf = (byte: number): MasterKey => new MasterKey(new Uint8Array(32).fill(byte), `key ${byte}`);
const dataKey = new Uint8Array(32).fill(9);
const hasCode =
  (code: string, words = '') =>
  (thrown: unknown): boolean =>
    thrown instanceof AppError && thrown.code === code && thrown.message.includes(words);

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'nines-keys-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** Every file below with its bytes. */
function snapshot(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(dir, name)).isFile());
  return Object.fromEntries(files.sort().map((name) => [name, readFileSync(join(dir, name)).toString('base64')]));
}

const places = { env: { NINES_KEY: 'ab'.repeat(32), EMPTY: '' }, resolve: (path: string) => path };

test('a key is 32 bytes in hexadecimal or base64, from a file or a variable', (t) => {
  const dir = folder(t);
  const bytes = Buffer.alloc(32, 0xab);
  const read = (text: string): MasterKey => {
    writeFileSync(join(dir, 'k'), text, { mode: 0o600 });
    return readMasterKey({ key_file: join(dir, 'k') }, places).key;
  };
  const { id } = readMasterKey({ key_env: 'NINES_KEY' }, places).key;
  for (const text of [
    bytes.toString('hex'),
    `${bytes.toString('hex').toUpperCase()}\r\n`,
    bytes.toString('base64'),
    bytes.toString('base64url'),
  ])
    assert.equal(read(text).id, id);
  for (const text of ['', 'secret', bytes.toString('hex').slice(2), `${bytes.toString('hex')}00`, Buffer.alloc(31).toString('base64')])
    assert.throws(() => read(text), hasCode('key_unreadable', '64 hexadecimal digits'), JSON.stringify(text));
  assert.throws(() => read('a'.repeat(5000)), hasCode('key_unreadable', '5000 bytes'));
  assert.throws(() => readMasterKey({ key_env: 'NOWHERE' }, places), hasCode('key_unreadable', 'NOWHERE is not set'));
  assert.throws(() => readMasterKey({ key_file: join(dir, 'absent') }, places), hasCode('key_unreadable', join(dir, 'absent')));
  assert.ok(!JSON.stringify(read(bytes.toString('hex'))).includes('abab'));
});

test('a key file that others can read is used with a warning; one that is made is only its owner’s and never written over', (t) => {
  const file = join(folder(t), 'k');
  createKeyFile(file);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(readMasterKey({ key_file: file }, places).warnings, []);
  chmodSync(file, 0o640);
  assert.match(readMasterKey({ key_file: file }, places).warnings.join(), /mode 0640.*chmod 600/);
  const before = readFileSync(file, 'utf8');
  assert.throws(() => createKeyFile(file), hasCode('key_file_unwritable', 'never written over'));
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('the data key comes back from its envelope with the same key only, and from no envelope that was changed', () => {
  const key = keyOf(1);
  const envelope = wrap(dataKey, key, { createdAtMs: 5, nowMs: NOW });
  assert.deepEqual(new Uint8Array(unwrap(envelope, key) ?? []), dataKey);
  assert.equal(unwrap(envelope, keyOf(2)), undefined);
  const text = JSON.stringify(envelope);
  fc.assert(
    fc.property(fc.nat(text.length - 1), fc.integer({ min: 1, max: 127 }), (at, change) => {
      const changed = text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ change) + text.slice(at + 1);
      const parsed = parseEnvelope(changed);
      const opened = parsed.ok ? unwrap(parsed.value, key) : undefined;
      // Base64 has spare bits at its end, JSON has two ways to write some characters: what opens must be the key itself.
      assert.ok(opened === undefined || Buffer.from(opened).equals(Buffer.from(dataKey)));
      if (parsed.ok && opened !== undefined)
        assert.deepEqual({ ...parsed.value, wrapped: '' }, { ...envelope, wrapped: '' }, `${changed} opens`);
    }),
    { numRuns: 2000 },
  );
});

for (const how of ['before', 'half', 'after'] as const) {
  test(`with the power cut at any write of a rotation (${how} it), exactly one of the two keys opens`, async () => {
    const [from, to] = [keyOf(1), keyOf(2)];
    const make = async (): Promise<FaultDisk> => {
      const disk = new FaultDisk();
      await writeEnvelope(disk, wrap(dataKey, from, { createdAtMs: 1, nowMs: 1 }));
      return disk;
    };
    const whole = await make();
    const first = whole.steps;
    const next = wrap(dataKey, to, { createdAtMs: 1, nowMs: 2 });
    await writeEnvelope(whole, next);
    const opened = new Set<string>();
    for (let step = first; step < whole.steps; step++) {
      for (const keepUnsynced of [0, 0.5, 1]) {
        const disk = await make();
        disk.cutAt({ step, how });
        await assert.rejects(writeEnvelope(disk, next));
        disk.crash(keepUnsynced);
        const parsed = parseEnvelope(new TextDecoder().decode(await disk.read(ENVELOPE_FILE)));
        assert.ok(parsed.ok, `write ${step}`);
        const opens = [from, to].filter((key) => unwrap(parsed.value, key) !== undefined);
        assert.equal(opens.length, 1);
        opened.add(opens[0]?.origin ?? '');
        await writeEnvelope(disk, next);
        assert.equal(new TextDecoder().decode(await disk.read(ENVELOPE_FILE)), `${JSON.stringify(next, null, 2)}\n`);
      }
    }
    assert.ok(opened.has('key 1'));
  });
}

test('key and data must fit, and every refusal says what to do', () => {
  const envelope: Envelope = { format: 1, key_id: keyOf(1).id, wrapped: '', created_at_ms: 0, wrapped_at_ms: 0 };
  const empty: Findings = { envelope: { kind: 'absent' }, encryptedFile: undefined, plainFile: undefined, converting: false };
  const read = { ...empty, envelope: { kind: 'read', envelope } } as const;
  const cases: readonly (readonly [Findings, MasterKey | undefined, string, RegExp?])[] = [
    [empty, undefined, 'plain'],
    [empty, keyOf(1), 'make'],
    [{ ...empty, plainFile: 'D/p' }, undefined, 'plain'],
    [{ ...empty, plainFile: 'D/p' }, keyOf(1), 'not_encrypted', /nines key encrypt/],
    [{ ...empty, encryptedFile: 'D/log' }, undefined, 'keys_missing', /D\/log.*keys\.json.*backup/],
    [{ ...empty, encryptedFile: 'D/log' }, keyOf(1), 'keys_missing', /backup/],
    [read, keyOf(1), 'open'],
    [read, undefined, 'key_missing', new RegExp(`${keyOf(1).id}.*key_file`)],
    [read, keyOf(2), 'wrong_key', new RegExp(`${keyOf(1).id}.*key 2 holds the key ${keyOf(2).id}`)],
    [{ ...empty, envelope: { kind: 'damaged', problem: 'it is no JSON' } }, keyOf(1), 'keys_damaged', /it is no JSON.*backup/],
    [{ ...read, converting: true }, keyOf(1), 'encryption_unfinished', /nines key encrypt/],
  ];
  for (const [found, key, expected, words] of cases) {
    const verdict = judgeKeys('D', found, key);
    assert.equal(verdict.kind === 'refuse' ? verdict.code : verdict.kind, expected);
    if (words !== undefined) assert.match(verdict.kind === 'refuse' ? verdict.message : '', words);
  }
});

const planted = { __name__: 'planted_metric', customer: 'planted-label-4711' };
const PLANTED_SERVICE = 'planted-service-name';

/** A data directory with samples on pages and in the log, and a row in the state. */
async function fill(dir: string, key: MasterKey | undefined): Promise<void> {
  const keys = await openKeys(dir, key, NOW);
  const store = await openStore({ dir: join(dir, STORE_DIR), retentionMs: 1e12, logger: silentLogger, cipher: keys?.cipher });
  const write = (atMs: number) => append(store, [{ series: planted, atMs, bits: 4711n }], NOW);
  await write(NOW - 2000);
  await write(NOW - 1000);
  await store.flush(NOW, { all: true });
  await write(NOW);
  await store.close();
  const db = await openDb({ kind: 'sqlite', path: join(dir, STATE_FILE), key: keys?.stateKey });
  await migrate(db, NOW);
  await db.kysely
    .insertInto('schema_migrations' as never)
    .values({ name: PLANTED_SERVICE, applied_at_ms: NOW } as never)
    .execute();
  await db.close();
}

/** What `fill` wrote, read back. */
async function contents(dir: string, key: MasterKey | undefined): Promise<unknown> {
  const keys = await openKeys(dir, key, NOW);
  const store = await openStore({ dir: join(dir, STORE_DIR), retentionMs: 1e12, logger: silentLogger, cipher: keys?.cipher });
  const found = await store.select([mustMatcher('__name__', '=', planted.__name__)], { fromMs: 0, toMs: NOW });
  const samples = Array.from(found, ({ labels, times, values }) => [labels, [...times], [...values]]);
  const { damage } = store.stats();
  await store.close();
  const db = await openDb({ kind: 'sqlite', path: join(dir, STATE_FILE), key: keys?.stateKey });
  const rows = await db.kysely
    .selectFrom('schema_migrations' as never)
    .select('name' as never)
    .orderBy('name' as never)
    .execute();
  await db.close();
  return { samples, damage, names: (rows as { name: string }[]).map(({ name }) => name) };
}

function readable(dir: string): readonly string[] {
  const needles = ['planted', 'schema_migrations'];
  return Object.entries(snapshot(dir)).flatMap(([name, bytes]) =>
    needles.filter((needle) => Buffer.from(bytes, 'base64').includes(needle)).map((needle) => `${needle} in ${name}`),
  );
}

test('an encrypted directory gives back what was written, and no text of it can be read on the disk', async (t) => {
  const [plain, encrypted] = [folder(t), folder(t)];
  await fill(plain, undefined);
  await fill(encrypted, keyOf(1));
  assert.ok(readable(plain).length >= 3, 'the search finds what is there');
  assert.deepEqual(readable(encrypted), []);
  assert.deepEqual(await contents(encrypted, keyOf(1)), await contents(plain, undefined));
});

test('a wrong key, no key, a missing or damaged keys.json: refused in words, and not a byte touched', async (t) => {
  const dir = folder(t);
  await fill(dir, keyOf(1));
  const envelope = join(dir, ENVELOPE_FILE);
  const text = readFileSync(envelope, 'utf8');
  const refused = async (key: MasterKey | undefined, code: string): Promise<void> => {
    const before = snapshot(dir);
    await assert.rejects(openKeys(dir, key, NOW), hasCode(code));
    assert.deepEqual(snapshot(dir), before);
  };
  await refused(keyOf(2), 'wrong_key');
  await refused(undefined, 'key_missing');
  writeFileSync(envelope, text.replace(/"created_at_ms": \d/, '"created_at_ms": 2'));
  await refused(keyOf(1), 'keys_damaged');
  writeFileSync(envelope, text.slice(0, 20));
  await refused(keyOf(1), 'keys_damaged');
  rmSync(envelope);
  await refused(keyOf(1), 'keys_missing');
  await refused(undefined, 'keys_missing');
  writeFileSync(envelope, text);
  await openKeys(dir, keyOf(1), NOW);
  const plain = folder(t);
  await fill(plain, undefined);
  const before = snapshot(plain);
  await assert.rejects(openKeys(plain, keyOf(1), NOW), hasCode('not_encrypted', 'nines key encrypt'));
  assert.deepEqual(snapshot(plain), before);
});

test('after a rotation the new key opens everything and the old one nothing; a running server refuses it', async (t) => {
  const dir = folder(t);
  await fill(dir, keyOf(1));
  const before = await contents(dir, keyOf(1));
  const store = await openStore({
    dir: join(dir, STORE_DIR),
    retentionMs: 1e12,
    logger: silentLogger,
    cipher: (await openKeys(dir, keyOf(1), NOW))?.cipher,
  });
  await assert.rejects(rotateKey(dir, { from: keyOf(1), to: keyOf(2) }, NOW), { name: 'StoreLocked' });
  await store.close();
  await assert.rejects(rotateKey(dir, { from: keyOf(3), to: keyOf(2) }, NOW), hasCode('wrong_key'));
  await rotateKey(dir, { from: keyOf(1), to: keyOf(2) }, NOW);
  await assert.rejects(openKeys(dir, keyOf(1), NOW), hasCode('wrong_key'));
  assert.deepEqual(await contents(dir, keyOf(2)), before);
  const plain = folder(t);
  await fill(plain, undefined);
  await assert.rejects(rotateKey(plain, { from: keyOf(1), to: keyOf(2) }, NOW), hasCode('not_encrypted'));
});

test('an encryption without the room for it is refused before anything is written; one with it says how far it is', async (t) => {
  const dir = folder(t);
  await fill(dir, undefined);
  const before = snapshot(dir);
  await assert.rejects(
    encryptData(dir, keyOf(1), NOW, { freeBytes: () => 64 * 1024 * 1024 }),
    hasCode('encryption_no_space', 'Nothing was changed'),
  );
  assert.deepEqual(snapshot(dir), before);
  const shares: number[] = [];
  await encryptData(dir, keyOf(1), NOW, { onProgress: (done, of) => void shares.push(done / of) });
  assert.ok(shares.length >= 3, `${shares.length} reports`);
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  );
  assert.ok(shares.every((share) => share > 0 && share <= 1));
});

test('a plain directory becomes an encrypted one with the same contents, wherever the conversion is interrupted', async (t) => {
  const plain = folder(t);
  await fill(plain, undefined);
  const expected = await contents(plain, undefined);
  const steps = movingSteps(plain).length;
  assert.ok(steps >= 8);
  for (let done = -1; done <= steps; done++) {
    const dir = join(folder(t), 'data');
    cpSync(plain, dir, { recursive: true });
    if (done >= 0) {
      await prepareEncryption(dir, keyOf(1), NOW);
      for (const step of movingSteps(dir).slice(0, done)) step();
      const isOver = !existsSync(join(dir, CONVERSION_DIR));
      if (!isOver) await assert.rejects(openKeys(dir, keyOf(1), NOW), hasCode('encryption_unfinished'), `after ${done} steps`);
      if (isOver) continue;
    } else {
      // A crash in the middle of the writing.
      mkdirSync(join(dir, CONVERSION_DIR, STORE_DIR), { recursive: true });
      writeFileSync(join(dir, CONVERSION_DIR, STORE_DIR, 'pages.db.plain'), 'half');
      assert.deepEqual(await contents(dir, undefined), expected);
    }
    assert.deepEqual(await encryptData(dir, keyOf(1), NOW), { lost: [] });
    assert.deepEqual(readdirSync(dir).sort(), [ENVELOPE_FILE, dirname(STATE_FILE), STORE_DIR].sort());
    assert.deepEqual(readable(dir), []);
    assert.deepEqual(await contents(dir, keyOf(1)), expected);
    await assert.rejects(encryptData(dir, keyOf(1), NOW), hasCode('already_encrypted'));
  }
  const empty = folder(t);
  await assert.rejects(encryptData(empty, keyOf(1), NOW), hasCode('nothing_to_encrypt'));
});
