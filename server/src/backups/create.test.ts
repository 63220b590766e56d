import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, it } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import type { Store } from '@nines/tsdb/contract.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { DAY, T0, append, bitsOfNumber, collectingLogger, contentsOf, keyOf } from '@nines/tsdb/testing/samples.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { migrate } from '../platform/db/migrate.ts';
import { type Db, openDb } from '../platform/db/open.ts';
import { MANIFEST, type Manifest, PARTIAL_MANIFEST, RESTORE_MARK } from './contract.ts';
import { createBackup } from './create.ts';
import { readManifest, sealed } from './manifest.ts';
import { refuseUnfinishedRestore, restoreBackup } from './restore.ts';
import { liveSources, restingSources } from './sources.ts';
import { verifyBackup } from './verify.ts';

const HOSTS = ['a', 'b', 'c'];

async function world(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'nines-backup-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  const dataDir = join(root, 'data');
  const clock = manualClock(T0);
  const open = async (dir: string): Promise<{ store: Store; db: Db; close: () => Promise<void> }> => {
    const store = await openStore({ dir: join(dir, 'tsdb'), retentionMs: 30 * DAY, logger: collectingLogger() });
    const db = await openDb({ kind: 'sqlite', path: join(dir, 'state', 'nines.db') });
    await migrate(db, clock.now());
    return {
      store,
      db,
      close: async () => {
        await store.close();
        await db.close();
      },
    };
  };
  const live = await open(dataDir);
  t.after(() => live.close());
  let ticks = 0;
  /** One scrape a minute. */
  const scrape = async (): Promise<number> => {
    const atMs = epochMs(T0 + ticks++ * 60_000);
    await append(
      live.store,
      HOSTS.map((host) => ({ series: { __name__: 'up', host }, atMs, bits: bitsOfNumber(ticks) })),
      atMs,
    );
    return atMs;
  };
  const entity = (id: string) =>
    live.db.kysely
      .insertInto('entities')
      .values({
        id,
        kind: 'service',
        slug: id,
        name: id,
        team_id: 'default',
        origin: 'ui',
        origin_place: '',
        spec: '{}',
        created_at_ms: 1,
        retired_at_ms: null,
        revision: 1,
      })
      .execute();
  const create = (to: string) =>
    createBackup({ clock, version: '0.0.0', dataDir, sources: liveSources(dataDir, live.store, live.db) }, { to });
  return { root, dataDir, clock, open, live, scrape, entity, create };
}

it('holds every sample acknowledged before it began, while samples, flushes and deletions go on', async (t) => {
  const { root, dataDir, clock, open, live, scrape, entity, create } = await world(t);
  for (let i = 0; i < 300; i++) await scrape();
  await live.store.flush(epochMs(T0 + 300 * 60_000));
  for (let i = 0; i < 10; i++) await scrape();
  await entity('before');
  mkdirSync(join(dataDir, 'documents', '3a'), { recursive: true });
  writeFileSync(join(dataDir, 'documents', '3a', '3a7b'), 'a report');
  writeFileSync(join(dataDir, 'documents', '3a', '3a7c.partial'), 'half');
  const acknowledged = await contentsOf(live.store);

  const making = create(join(root, 'b'));
  const disturbance = (async () => {
    for (let i = 0; i < 20; i++) await scrape();
    await live.store.flush(T0, { all: true });
    await live.store.deleteBefore(epochMs(T0 + 3_600_000));
    await entity('after');
  })();
  const report = await making;
  await disturbance;
  assert.equal(report.manifest.complete_until_ms, clock.now());
  assert.deepEqual(await readManifest(join(root, 'b')), report.manifest);
  const paths = report.manifest.files.map(({ path }) => path);
  assert.ok(paths.includes('tsdb/pages.db') && paths.includes('state/nines.db') && paths.includes('documents/3a/3a7b'), paths.join());
  assert.ok(!paths.some((path) => /lock|partial|-shm/.test(path)), paths.join());

  await restoreBackup({ from: join(root, 'b'), to: join(root, 'again'), force: false, clock });
  const restored = await open(join(root, 'again'));
  const contents = await contentsOf(restored.store);
  for (const [key, held] of acknowledged)
    for (const [atMs, bits] of held) assert.equal(contents.get(key)?.get(atMs), bits, `${key} at ${atMs}`);
  const { damage } = restored.store.stats();
  assert.deepEqual([damage.corruptFrames, damage.corruptPages, damage.orphanSamples, damage.tornTails], [0, 0, 0, 0]);
  const names = await restored.db.kysely.selectFrom('entities').select('id').execute();
  assert.deepEqual(
    names.map(({ id }) => id),
    ['before'],
  );
  assert.equal(readFileSync(join(root, 'again', 'documents', '3a', '3a7b'), 'utf8'), 'a report');
  await append(restored.store, [{ series: { __name__: 'up', host: 'a' }, atMs: T0 + DAY, bits: 1n }], epochMs(T0 + DAY));
  assert.equal((await contentsOf(restored.store)).get(keyOf({ __name__: 'up', host: 'a' }))?.get(T0 + DAY), 1n);
  await restored.close();
});

it('of a data directory that nobody serves needs no server, and is refused while one does', async (t) => {
  const { root, dataDir, clock, open, live, scrape } = await world(t);
  await scrape();
  assert.throws(() => restingSources(dataDir, 'sqlite'), /already open in another process/);
  const before = await contentsOf(live.store);
  await live.close();
  using sources = restingSources(dataDir, 'sqlite');
  await createBackup({ clock, version: '0.0.0', dataDir, sources }, { to: join(root, 'b') });
  await restoreBackup({ from: join(root, 'b'), to: join(root, 'again'), force: false, clock });
  const restored = await open(join(root, 'again'));
  assert.deepEqual(await contentsOf(restored.store), before);
  await restored.close();
});

it('of what a killed process left takes the write-ahead files along', async (t) => {
  const { root, dataDir, clock, open, live, scrape, entity } = await world(t);
  for (let i = 0; i < 10; i++) await scrape();
  await live.store.flush(T0, { all: true });
  await scrape();
  await entity('only in the write-ahead file');
  const killed = join(root, 'killed');
  cpSync(dataDir, killed, { recursive: true, filter: (path) => !/-shm$|lock/.test(path) });
  const to = join(root, 'b');
  {
    using sources = restingSources(killed, 'sqlite');
    const { manifest } = await createBackup({ clock, version: '0.0.0', dataDir: killed, sources }, { to });
    const paths = manifest.files.map(({ path }) => path);
    assert.ok(paths.includes('state/nines.db-wal') && paths.includes('tsdb/pages.db-wal'), paths.join());
  }
  await restoreBackup({ from: to, to: join(root, 'again'), force: false, clock });
  const restored = await open(join(root, 'again'));
  assert.deepEqual(await contentsOf(restored.store), await contentsOf(live.store));
  assert.equal((await restored.db.kysely.selectFrom('entities').select('id').execute()).length, 1);
  await restored.close();
});

it('never looks whole when it is not', async (t) => {
  const { root, clock, dataDir, live, scrape, create } = await world(t);
  await scrape();
  const failing = {
    ...liveSources(dataDir, live.store, live.db),
    open: async () => {
      const files = await liveSources(dataDir, live.store, live.db).open();
      const broken = { path: 'documents/x', bytes: 5, open: async () => ({ ...never, bytes: 5 }), release: async () => {} };
      return [...files, broken];
    },
  };
  const never = {
    name: 'x',
    read: () => Promise.reject(Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })),
    release: async () => {},
  };
  const to = join(root, 'b');
  await assert.rejects(createBackup({ clock, version: '0', dataDir, sources: failing }, { to }), /EIO/);
  assert.deepEqual(readdirSync(to), []);
  // What a crash leaves: the mark and some files. It is no backup, and making it again clears it.
  writeFileSync(join(to, PARTIAL_MANIFEST), '');
  writeFileSync(join(to, 'rubbish'), '');
  await assert.rejects(restoreBackup({ from: to, to: join(root, 'again'), force: false, clock }), /was not finished/);
  await create(to);
  assert.ok(!existsSync(join(to, 'rubbish')));
  await assert.rejects(create(to), /is not empty/);
  await assert.rejects(create(join(dataDir, 'backups')), /lies in the data directory/);
  await assert.rejects(create(root), /holds the data directory/);
});

it('knows the data directory behind a link, and says when the system makes no directory there', async (t) => {
  const { root, dataDir, scrape, create } = await world(t);
  await scrape();
  symlinkSync(dataDir, join(root, 'link'));
  await assert.rejects(create(join(root, 'link', 'a', 'b')), /lies in the data directory/);
  assert.ok(!existsSync(join(dataDir, 'a')), 'nothing was made');
  symlinkSync(root, join(root, 'up'));
  await assert.rejects(create(join(root, 'up')), /holds the data directory/);
  await assert.rejects(create('/proc/nines/b'), { code: 'backup_target_unusable', message: /cannot be used: .*ENOENT/ });
  writeFileSync(join(root, 'file'), '');
  await assert.rejects(create(join(root, 'file', 'b')), { code: 'backup_target_unusable', message: /ENOTDIR/ });
});

it('is not restored over itself or into itself', async (t) => {
  const { root, clock, scrape, create } = await world(t);
  await scrape();
  const from = join(root, 'holder', 'b');
  const { manifest } = await create(from);
  symlinkSync(from, join(root, 'link'));
  for (const to of [from, join(from, 'inside'), join(root, 'holder'), join(root, 'link')])
    await assert.rejects(restoreBackup({ from, to, force: true, clock }), { code: 'restore_refused', message: /lie one in the other/ }, to);
  assert.deepEqual(readdirSync(join(root, 'holder')), ['b']);
  assert.ok(!existsSync(join(from, 'inside')));
  assert.deepEqual(await readManifest(from), manifest);
});

it('refuses a manifest that was changed, or that leads out of the directory', async (t) => {
  const { root, clock, scrape, create } = await world(t);
  await scrape();
  const from = join(root, 'b');
  const { manifest } = await create(from);
  const restore = (changed: unknown) => {
    writeFileSync(join(from, MANIFEST), typeof changed === 'string' ? changed : JSON.stringify(changed));
    return restoreBackup({ from, to: join(root, 'again'), force: false, clock });
  };
  const { digest: _, ...rest } = manifest;
  const leading = (path: string): Manifest => sealed({ ...rest, files: [{ path, bytes: 1, sha256: '0'.repeat(64) }] });
  for (const path of ['../outside', '/etc/passwd', 'a/../../b', '..', './a', 'a//b', 'a\\b', 'a/..', ''])
    await assert.rejects(restore(leading(path)), /lead out/, path);
  await assert.rejects(restore({ ...manifest, complete_until_ms: 1 }), /changed after it was written/);
  await assert.rejects(restore({ ...manifest, format: 2 }), /format 2; this program knows format 1/);
  await assert.rejects(restore('{"format": 1'), /no JSON/);
  await assert.rejects(restore(sealed({ ...rest, files: [...rest.files, ...rest.files.slice(0, 1)] })), /listed twice/);
  assert.ok(!existsSync(join(root, 'again')), 'nothing was made');
  await assert.rejects(
    restoreBackup({ from: root, to: join(root, 'again'), force: false, clock }),
    /holds 1\. Choose one, the newest is .*\/b/,
  );
});

it('is not restored nor verified when a file of it is a link, a pipe, a device, behind a linked folder, or two on other disks', async (t) => {
  const { root, clock, scrape, create } = await world(t);
  await scrape();
  const from = join(root, 'b');
  const { manifest } = await create(from);
  const { digest: _, ...rest } = manifest;
  const secret = join(root, 'secret');
  mkdirSync(secret);
  writeFileSync(join(secret, 'passwords'), 'hunter2');
  const sha256 = createHash('sha256').update('hunter2').digest('hex');
  const withFile = (path: string, bytes = 7): void =>
    writeFileSync(join(from, MANIFEST), JSON.stringify(sealed({ ...rest, files: [...rest.files, { path, bytes, sha256 }] })));
  const refused = async (why: RegExp): Promise<void> => {
    await assert.rejects(restoreBackup({ from, to: join(root, 'again'), force: false, clock }), why);
    assert.ok(!existsSync(join(root, 'again')), 'nothing was made');
  };
  symlinkSync(join(secret, 'passwords'), join(from, 'link'));
  symlinkSync(secret, join(from, 'folder'));
  symlinkSync('/dev/zero', join(from, 'device'));
  execFileSync('mkfifo', [join(from, 'pipe')]);
  for (const [path, why] of [
    ['link', /link is a link/],
    ['device', /is a link/],
    ['pipe', /is no regular file/],
    ['folder/passwords', /outside of the backup, behind a link/],
    ['state', /is a file and a folder/],
    ['STATE/other.db', /one folder where capitals do not count/],
  ] as const) {
    withFile(path);
    await refused(why);
    await assert.rejects(verifyBackup({ dir: from }), why, path);
  }
  const [first] = rest.files;
  withFile((first?.path ?? '').toUpperCase());
  await refused(/capitals do not count/);
  // As large as it says, and larger than the disk: holes cost nothing here.
  writeFileSync(join(from, 'huge'), '');
  truncateSync(join(from, 'huge'), 2 ** 43);
  withFile('huge', 2 ** 43);
  await refused(/are free at/);
});

it('is restored into an empty directory, or with --force beside what was there', async (t) => {
  const { root, dataDir, clock, live, scrape, create } = await world(t);
  await scrape();
  const from = join(root, 'b');
  await create(from);
  const to = join(root, 'again');
  mkdirSync(to);
  writeFileSync(join(to, 'precious'), 'old');
  await assert.rejects(restoreBackup({ from, to, force: false, clock }), /is not empty/);
  await assert.rejects(restoreBackup({ from, to: dataDir, force: true, clock }), /in use by a running server/);
  const { aside } = await restoreBackup({ from, to, force: true, clock });
  assert.equal(readFileSync(join(aside ?? '', 'precious'), 'utf8'), 'old');
  assert.deepEqual(new Set(readdirSync(to)), new Set([aside?.split('/').at(-1), 'state', 'tsdb']));
  const files = new Map((await readManifest(from)).files.map(({ path, sha256 }) => [path, sha256]));
  for (const [path, sha256] of files)
    assert.equal(
      createHash('sha256')
        .update(readFileSync(join(to, path)))
        .digest('hex'),
      sha256,
      path,
    );
  assert.equal(statSync(join(to, 'tsdb', 'pages.db')).mode & 0o077, 0, 'readable by its owner alone');
  await live.close();
});

it('that breaks off while being restored leaves a directory on which no server starts, and can be run again', async (t) => {
  const { root, clock, scrape, create } = await world(t);
  await scrape();
  const from = join(root, 'b');
  const { manifest } = await create(from);
  const to = join(root, 'again');
  mkdirSync(to);
  writeFileSync(join(to, 'precious'), 'old');
  const [first] = manifest.files;
  const path = join(from, first?.path ?? '');
  const good = readFileSync(path);
  const damaged = Buffer.from(good);
  damaged[damaged.length >> 1] = (damaged[damaged.length >> 1] ?? 0) ^ 1;
  writeFileSync(path, damaged);
  await assert.rejects(restoreBackup({ from, to, force: true, clock }), /is damaged/);
  assert.throws(() => refuseUnfinishedRestore(to), /did not finish/);
  writeFileSync(path, good.subarray(1));
  await assert.rejects(restoreBackup({ from, to, force: false, clock }), /bytes instead of/);
  writeFileSync(path, good);
  await restoreBackup({ from, to, force: false, clock });
  refuseUnfinishedRestore(to);
  assert.ok(!existsSync(join(to, RESTORE_MARK)));
  const aside = readdirSync(to).find((name) => name.startsWith('before-restore-'));
  assert.equal(readFileSync(join(to, aside ?? '', 'precious'), 'utf8'), 'old');
});
