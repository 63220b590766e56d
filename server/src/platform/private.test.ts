import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { closeToOthers } from './private.ts';

function directory(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'nines-private-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('a directory of data and its keys that stood open are closed, and it is said', (t) => {
  const dir = join(directory(t), 'data');
  mkdirSync(dir);
  for (const name of ['secret-keys.json', 'audit-key.json', 'notes.txt']) writeFileSync(join(dir, name), '{}');
  for (const path of [dir, join(dir, 'secret-keys.json'), join(dir, 'notes.txt')]) chmodSync(path, 0o755);
  chmodSync(join(dir, 'audit-key.json'), 0o600);
  const said = closeToOthers(dir);
  assert.deepEqual([modeOf(dir), modeOf(join(dir, 'secret-keys.json')), modeOf(join(dir, 'notes.txt'))], [0o700, 0o700, 0o755]);
  assert.equal(said.length, 2);
  assert.match(said[0] ?? '', /mode 755\); it was closed to them$/);
  assert.deepEqual(closeToOthers(dir), [], 'nothing is said twice');
});

test('what a link points to is left alone, and a directory that is not there is nobody’s', (t) => {
  const dir = directory(t);
  const elsewhere = join(dir, 'shared.json');
  writeFileSync(elsewhere, '{}');
  chmodSync(elsewhere, 0o644);
  mkdirSync(join(dir, 'data'), { mode: 0o700 });
  symlinkSync(elsewhere, join(dir, 'data', 'secret-keys.json'));
  assert.deepEqual(closeToOthers(join(dir, 'data')), []);
  assert.equal(modeOf(elsewhere), 0o644);
  assert.deepEqual(closeToOthers(join(dir, 'nowhere')), []);
});
