import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type AnyCheck, attempt, faultsOf, figuresOf, said } from '../../../../../test/harness/checks.ts';

const directory = mkdtempSync(join(tmpdir(), 'nines-files-'));
after(() => rmSync(directory, { recursive: true }));

type Filesystem = Extract<AnyCheck, { kind: 'filesystem' }>;
const asked = async (more: Partial<Filesystem>): Promise<string> =>
  said(await attempt({ kind: 'filesystem', path: directory, timeout: '5s', ...more }));

test('a path that is there is up; one that is not is down', async () => {
  assert.equal(await asked({}), 'up');
  assert.equal(await asked({ path: '/not/here' }), 'down not_found: /not/here is not there');
});

test('space and inodes are held against shares and amounts, and become figures', async () => {
  const fits = await attempt({ kind: 'filesystem', path: directory, timeout: '5s', free: '1B', free_warn: '1KiB', free_inodes: '0%' });
  assert.equal(said(fits), 'up');
  const figures = figuresOf(fits);
  const [free, size] = [figures['probe_filesystem_free_bytes'] ?? NaN, figures['probe_filesystem_size_bytes'] ?? NaN];
  assert.ok(free > 0 && free <= size, `${free} of ${size}`);
  assert.match(await asked({ free: '100%' }), /^down space: \d+\.\d% of [\d.]+ GB free, expected 100%$/);
  assert.match(await asked({ free: '1000TB' }), /^down space: .*, expected 1000TB$/);
  assert.match(await asked({ free: '1B', free_warn: '100%' }), /^degraded space: .*, expected 100%$/);
});

test('permissions and owner are exactly those written', async () => {
  const path = join(directory, 'secret');
  writeFileSync(path, '');
  chmodSync(path, 0o640);
  assert.equal(await asked({ path, mode: '0640', uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }), 'up');
  assert.equal(await asked({ path, mode: '600' }), 'down permissions: permissions are 0640, expected 0600');
  assert.match(await asked({ path, uid: 4_321 }), /^down owner: the owner is \d+, expected 4321$/);
  assert.match(await asked({ path, gid: 4_321 }), /^down owner: the group is \d+, expected 4321$/);
});

test('a backup that is late, missing or never taken away is down', async () => {
  const path = join(directory, 'backups');
  mkdirSync(path);
  assert.equal(await asked({ path, newest_within: '1d' }), 'down files: there is no file');
  assert.equal(await asked({ path, oldest_within: '1d' }), 'up');
  const hoursAgo = (name: string, hours: number): void => {
    writeFileSync(join(path, name), '');
    const at = Date.now() / 1000 - hours * 3600;
    utimesSync(join(path, name), at, at);
  };
  hoursAgo('a.tar', 30);
  hoursAgo('b.tar', 3);
  hoursAgo('note.txt', 0);
  mkdirSync(join(path, 'old.tar'));
  assert.equal(await asked({ path, files_match: '\\.tar$', newest_within: '4h', oldest_within: '2d', min_files: 2 }), 'up');
  assert.match(
    await asked({ path, files_match: '\\.tar$', newest_within: '2h' }),
    /^down age: the newest file is 3h.* old, expected at most 2h$/,
  );
  assert.match(await asked({ path, oldest_within: '1d' }), /^down age: the oldest file is 1d6h.* old, expected at most 1d$/);
  assert.equal(await asked({ path, files_match: '\\.tar$', min_files: 3 }), 'down files: 2 files, expected at least 3');
  assert.match(await asked({ path: join(path, 'a.tar'), newest_within: '1d' }), /^down age: /);
});

test('what is written wrongly is refused', () => {
  const faults = (more: object): string => faultsOf({ kind: 'filesystem', path: '/', ...more });
  assert.match(faults({ free: '10' }), /^free: write a share/);
  assert.match(faults({ mode: '0999' }), /^mode: write permissions in octal/);
  assert.match(faults({ path: 'here' }), /^path: write an absolute path/);
});
