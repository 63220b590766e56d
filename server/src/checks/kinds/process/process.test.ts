import { spawn } from 'node:child_process';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type AnyCheck, attempt, faultsOf, figuresOf, said } from '../../../../../test/harness/checks.ts';

const check = (more: Partial<Extract<AnyCheck, { kind: 'process' }>>): AnyCheck => ({ kind: 'process', timeout: '8s', ...more });

/** `sleep` for a time that nobody else sleeps for. */
async function sleeper(t: TestContext, seconds: string): Promise<{ readonly pid: number; end(): Promise<void> }> {
  const child = spawn('/bin/sleep', [seconds], { stdio: 'ignore' });
  await once(child, 'spawn');
  const end = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  t.after(end);
  return { pid: child.pid ?? 0, end };
}

test('processes are found by name and command line, counted, and missed when they end', async (t) => {
  const command_matches = '^/bin/sleep 98765\\.4$';
  assert.equal(said(await attempt(check({ command_matches }))), 'down count: 0 processes run, expected at least 1');
  const first = await sleeper(t, '98765.4');
  await sleeper(t, '98765.4');
  const two = await attempt(check({ name: 'sleep', command_matches, count: { min: 2, max: 2 } }));
  assert.equal(said(two), 'up');
  assert.equal(figuresOf(two)['probe_process_count'], 2);
  assert.ok((figuresOf(two)['probe_process_youngest_age_seconds'] ?? Infinity) < 60);
  assert.equal(said(await attempt(check({ command_matches, count: { max: 1 } }))), 'down count: 2 processes run, expected at most 1');
  assert.match(
    said(await attempt(check({ command_matches, running_for: '1h' }))),
    /^degraded restarted: .* running for \d+s, expected 1h$/,
  );
  assert.match(said(await attempt(check({ name: 'no-sleep', command_matches }))), /^down count: 0/);
  await first.end();
  assert.equal(said(await attempt(check({ command_matches, count: { min: 2 } }))), 'down count: 1 process runs, expected at least 2');
});

test('a file names the process; a stale one that names another is not taken for it', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'nines-pid-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const pid_file = join(directory, 'pid');
  assert.equal(said(await attempt(check({ pid_file }))), `down pid_file: there is no file ${pid_file}`);
  writeFileSync(pid_file, 'soon\n');
  assert.equal(said(await attempt(check({ pid_file }))), `down pid_file: ${pid_file} does not hold the number of a process`);
  const running = await sleeper(t, '98764.4');
  writeFileSync(pid_file, `${running.pid}\n`);
  assert.equal(said(await attempt(check({ pid_file, name: 'sleep' }))), 'up');
  assert.match(said(await attempt(check({ pid_file, name: 'nginx' }))), /^down count: 0/);
  await running.end();
  assert.match(said(await attempt(check({ pid_file }))), /^down count: 0/);
});

test('what is to be looked for must be written, and only by whoever writes the file', async () => {
  assert.equal(faultsOf({ kind: 'process' }), 'name: write what to look for: name, command_matches or pid_file');
  assert.match(faultsOf({ kind: 'process', name: 'a', count: { min: 2, max: 1 } }), /^count: min is greater than max$/);
  const refused = said(await attempt(check({ name: 'sleep' }), 'untrusted'));
  assert.match(refused, /^void refused_kind: checks of kind process look into this machine/);
});
