/** `nines audit verify` over the data of a real server, whole, beside one that writes, and after somebody had their hands in it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, test } from 'node:test';
import { NINES, type Nines, startNines } from '../harness/nines.ts';
import { freshPostgres } from '../harness/postgres.ts';

let nines: Nines;
before(async () => {
  nines = await startNines();
});
after(() => nines[Symbol.asyncDispose]());

type Ran = { readonly code: number | null; readonly out: string; readonly err: string };
const verify = (data: string, ...more: readonly string[]): Promise<Ran> => ran('audit', 'verify', '--data', data, ...more);

async function ran(...args: readonly string[]): Promise<Ran> {
  const child = spawn(NINES, [...args]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (text) => (out += String(text)));
  child.stderr.on('data', (text) => (err += String(text)));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, out, err };
}

/** Two entries each: asked, and its outcome. */
async function silence(at: Nines, comment: string): Promise<void> {
  const matchers = [{ name: 'alertname', value: comment, isRegex: false, isEqual: true }];
  const [startsAt, endsAt] = ['2030-01-01T00:00:00Z', '2030-01-02T00:00:00Z'];
  const { status, text } = await at.send('POST', '/api/v2/silences', { matchers, startsAt, endsAt, createdBy: 'ann', comment });
  assert.equal(status, 200, text);
}

test('beside a server that goes on writing it is whole', async () => {
  for (let i = 0; i < 5; i++) await silence(nines, `before ${i}`);
  let isDone = false;
  const writing = (async () => {
    let count = 0;
    for (; !isDone; count++) await silence(nines, `during ${count}`);
    return count;
  })();
  const { code, out, err } = await verify(nines.dataDir);
  isDone = true;
  const written = await writing;
  assert.deepEqual([code, err], [0, '']);
  assert.match(out, /^whole: \d+ entries, 1 to \d+, \d+ anchors\n$/);
  assert.ok(written > 0, 'something was written meanwhile');
});

/** Whatever one does to the table, the first entry that is wrong is named. */
const ATTACKS: readonly (readonly [what: string, sql: string, said: RegExp])[] = [
  [
    'one byte of a detail',
    `update audit_entries set detail = replace(detail, 'before 1', 'before X') where seq = 4`,
    /entry 4 .*\(edited\)/,
  ],
  ['another actor', `update audit_entries set actor_id = 'eve' where seq = 5`, /entry 5 .*\(edited\)/],
  ['a row deleted', `delete from audit_entries where seq = 5`, /entry 5 is missing \(missing\)/],
  [
    'two rows swapped',
    `update audit_entries set seq = -1 where seq = 3; update audit_entries set seq = 3 where seq = 4; update audit_entries set seq = 4 where seq = -1`,
    /stands as entry 3 was written as entry 4 \(moved\)/,
  ],
  ['the end cut off', `delete from audit_entries where seq > 8`, /entries 9 to \d+ are missing \(missing\)/],
  [
    'the end cut off, and what says where it is as well',
    `delete from audit_entries where seq > 8; update audit_chain set seq = 8, digest = (select digest from audit_entries where seq = 8)`,
    /record of the first and the last entry .*\(ends_edited\)/,
  ],
  [
    'a row inserted at the end',
    `insert into audit_entries select seq + 1, at_ms, actor_kind, actor_id, action, object_kind, object_id, phase, about_seq, status, request_id, key_id, detail_digest, detail, prev, digest from audit_entries order by seq desc limit 1`,
    /entry \d+ stands after the last one that was written, \d+ \(inserted\)/,
  ],
  [
    'a row inserted before the first',
    `insert into audit_entries select 0, at_ms, actor_kind, actor_id, action, object_kind, object_id, phase, about_seq, status, request_id, key_id, detail_digest, detail, prev, digest from audit_entries where seq = 1`,
    /entry 0 .*\(inserted\)/,
  ],
];

test('attack: whoever edits the database is found out, and the first broken entry is named', async () => {
  for (let i = 0; i < 5; i++) await silence(nines, `before ${i}`);
  await nines.stop();
  assert.equal((await verify(nines.dataDir)).code, 0);
  const folder = mkdtempSync(join(tmpdir(), 'nines-audit-'));
  try {
    for (const [i, [what, sql, said]] of ATTACKS.entries()) {
      const data = join(folder, String(i));
      cpSync(nines.dataDir, data, { recursive: true });
      const db = new DatabaseSync(join(data, 'state/nines.db'));
      const state = (): string =>
        JSON.stringify([db.prepare('select * from audit_entries').all(), db.prepare('select * from audit_chain').all()]);
      const untouched = state();
      db.exec(sql);
      assert.ok(state() !== untouched, `${what}: nothing was changed`);
      db.close();
      const { code, out, err } = await verify(data);
      assert.deepEqual([code, err], [1, ''], `${what}: ${out}`);
      assert.match(out, said, what);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a directory that is none, or has no log, is told in words with 2, and nothing is made in it', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-audit-'));
  try {
    const nowhere = await verify(join(folder, 'nowhere'));
    assert.deepEqual([nowhere.code, nowhere.out], [2, '']);
    assert.match(nowhere.err, /nowhere is no directory/);
    const empty = await verify(folder);
    assert.deepEqual([empty.code, empty.out], [2, '']);
    assert.match(empty.err, /has no audit-key\.json/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('what cannot be examined is 2, never the 1 of a broken entry: a database that is none, a server that refuses, one that is away', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-audit-'));
  try {
    const data = join(folder, 'data');
    cpSync(nines.dataDir, data, { recursive: true });
    for (const name of ['nines.db-wal', 'nines.db-shm']) rmSync(join(data, 'state', name), { force: true });
    writeFileSync(join(data, 'state/nines.db'), 'no database at all');
    const damaged = await verify(data);
    assert.deepEqual([damaged.code, damaged.out], [2, ''], damaged.err);
    assert.match(damaged.err, /cannot open the state database .*nines\.db/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  await using server = await startNines({ args: [] });
  const refused = await ran('audit', 'verify', '--url', `http://127.0.0.1:${server.port}`);
  assert.deepEqual([refused.code, refused.out], [2, ''], refused.err);
  await server.stop();
  const away = await ran('audit', 'verify', '--url', `http://127.0.0.1:${server.port}`);
  assert.deepEqual([away.code, away.out], [2, ''], away.err);
});

test('two servers on one PostgreSQL write one chain at once, and it stays whole', async () => {
  const config = `state: { kind: postgresql, url: '${await freshPostgres()}' }\n`;
  await using one = await startNines({ config });
  const folder = mkdtempSync(join(tmpdir(), 'nines-'));
  for (const keys of ['audit-key.json', 'secret-keys.json']) cpSync(join(one.dataDir, keys), join(folder, 'data', keys));
  await using two = await startNines({ config, folder });
  const EACH = 20;
  await Promise.all([one, two].flatMap((at) => Array.from({ length: EACH }, (_, i) => silence(at, `${at.port} ${i}`))));
  const { code, out } = await verify(one.dataDir, '--config', join(one.folder, 'nines.yml'), '--json');
  const verdict = JSON.parse(out) as { whole: boolean; entries: number; to_seq: number; fault: unknown };
  assert.deepEqual([code, verdict.whole, verdict.fault, verdict.entries], [0, true, null, verdict.to_seq]);
  const { json } = await two.get<{ items: { phase: string }[] }>('/api/audit?action=POST%20/api/v2/silences&phase=answered&limit=200');
  assert.equal(json.items.length, 2 * EACH, 'no entry of either is lost');
});
