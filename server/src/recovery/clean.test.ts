import assert from 'node:assert/strict';
import {
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { epochMs, HOUR_MS } from '@nines/base/units.ts';
import { cleanFiles, globOf } from './clean.ts';
import { type ActionOf, recoveryConfig, refusedFolder } from './contract.ts';

let base = '';
let folder = '';
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'nines-clean-')));
  folder = join(base, 'cache');
  mkdirSync(folder);
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const NOW_MS = epochMs(1_760_000_000_000);

/** A file that was last changed so many hours before now. */
function file(path: string, hours = 5): string {
  writeFileSync(path, 'x'.repeat(10_000));
  const at = (NOW_MS - hours * HOUR_MS) / 1000;
  utimesSync(path, at, at);
  return path;
}

function action(more: Record<string, unknown> = {}): ActionOf<'clean_files'> {
  const written = { id: 'clean', check: 'disk', kind: 'clean_files', folder, older_than: '1h', ...more };
  const [read] = recoveryConfig.parse({ actions: [written] }).actions;
  assert.ok(read?.kind === 'clean_files');
  return read;
}
const clean = (more: Record<string, unknown> = {}, dryRun = false) =>
  cleanFiles(action(more), { nowMs: NOW_MS, dryRun, signal: new AbortController().signal });

test('old files that fit go, young ones and others stay, and a dry run removes nothing', async () => {
  for (const name of ['a.tmp', 'b.tmp', 'b.log', 'a+b.tmp', 'new\nline.tmp']) file(join(folder, name));
  file(join(folder, 'young.tmp'), 0.5);
  const dry = await clean({ pattern: '*.tmp' }, true);
  assert.equal(dry.files, 4);
  assert.equal(readdirSync(folder).length, 6);
  const done = await clean({ pattern: '*.tmp' });
  assert.deepEqual([done.files, done.bytes, done.faults], [4, dry.bytes, []]);
  assert.ok(done.bytes >= 40_000);
  assert.deepEqual(readdirSync(folder).sort(), ['b.log', 'young.tmp']);
  assert.deepEqual(
    ['a+b', 'ab', 'aab', 'a.b'].map((name) => globOf('a?b').matchesWhole(name)),
    [true, false, true, true],
  );
});

test('nothing outside of the folder is touched: links stay and lead nowhere, other names of a file keep it', async () => {
  const outside = join(base, 'outside');
  mkdirSync(outside);
  const precious = file(join(outside, 'precious.tmp'));
  symlinkSync(outside, join(folder, 'folder.tmp'));
  symlinkSync(precious, join(folder, 'file.tmp'));
  symlinkSync('../outside/precious.tmp', join(folder, 'relative.tmp'));
  linkSync(precious, join(folder, 'hard.tmp'));
  const done = await clean({ depth: 5 });
  assert.deepEqual([done.files, done.bytes, done.faults], [1, 0, []], 'the second name of a file frees nothing');
  assert.deepEqual(readdirSync(folder).sort(), ['file.tmp', 'folder.tmp', 'relative.tmp']);
  assert.ok(existsSync(precious));
});

test('a folder that is a link, or lies behind one, is not cleaned', async () => {
  const real = join(base, 'real');
  mkdirSync(join(real, 'deep'), { recursive: true });
  file(join(real, 'deep', 'a.tmp'));
  symlinkSync(real, join(base, 'link'));
  await assert.rejects(clean({ folder: join(base, 'link') }), /is not cleaned: it is a link or no folder/);
  await assert.rejects(clean({ folder: join(base, 'link', 'deep') }), /is not cleaned: it leads to .*\/real\/deep through a link/);
  await assert.rejects(clean({ folder: join(base, 'absent') }), /is not cleaned: ENOENT/);
  assert.ok(existsSync(join(real, 'deep', 'a.tmp')));
});

test('folders in it are entered as deep as is said, and one run removes so many files only', async () => {
  mkdirSync(join(folder, 'one', 'two'), { recursive: true });
  for (const path of ['a', 'one/b', 'one/two/c']) file(join(folder, path));
  assert.equal((await clean({}, true)).files, 1);
  assert.equal((await clean({ depth: 1 }, true)).files, 2);
  const limited = await clean({ depth: 2, max_files: 2 });
  assert.deepEqual([limited.files, limited.isLimited], [2, true]);
  assert.equal((await clean({ depth: 2 })).files, 1);
  assert.ok(existsSync(join(folder, 'one', 'two')), 'folders stay');
});

test('folders of the system and paths that are not plain are refused before anything runs', () => {
  for (const path of [
    '/',
    '/etc',
    '/etc/nginx',
    '/usr/share/x',
    '/home',
    '/var',
    '/proc/self',
    '/tmp/..',
    '/tmp/../etc',
    '/tmp//a',
    '/tmp/a/',
    '/tmp/./a',
  ])
    assert.notEqual(refusedFolder(path), undefined, path);
  for (const path of ['/tmp', '/var/tmp', '/var/cache/app', '/home/app/tmp', '/srv/app/..tmp'])
    assert.equal(refusedFolder(path), undefined, path);
  const refused = recoveryConfig.safeParse({
    actions: [{ id: 'c', check: 'd', kind: 'clean_files', folder: '/tmp', older_than: '1h', pattern: '../*' }],
  });
  assert.equal(refused.success, false);
});
