import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { CheckResult, CheckSpec } from '@nines/server/checks/contract.ts';
import { attempt, faultsOf, figuresOf, said } from '../../../../../test/harness/checks.ts';
import { poll } from '../../../../../test/harness/poll.ts';
import { figuresFrom } from './perfdata.ts';

const directory = mkdtempSync(join(tmpdir(), 'nines-script-'));
after(() => rmSync(directory, { recursive: true }));

const run = (words: readonly [string, ...string[]], more: { timeout?: string; trust?: CheckSpec['trust'] } = {}): Promise<CheckResult> =>
  attempt({ kind: 'script', command: [...words], timeout: more.timeout ?? '8s' }, more.trust, {
    commands: ['/bin/sh', '/bin/echo'],
  });
const sh = (text: string, timeout?: string): Promise<CheckResult> => run(['/bin/sh', '-c', text], timeout === undefined ? {} : { timeout });

test('exit codes are states and the first line says why', async () => {
  assert.equal(said(await sh('echo OK')), 'up');
  assert.equal(said(await sh('echo "DISK WARNING - 9% free | a=1"; exit 1')), 'degraded warning: DISK WARNING - 9% free');
  const critical = await sh('echo "DISK CRITICAL"; echo more; exit 2');
  assert.deepEqual([said(critical), critical.excerpt], ['down critical: DISK CRITICAL', 'DISK CRITICAL\nmore\n']);
  assert.equal(said(await sh('echo "no such disk" >&2; exit 3')), 'void unknown: no such disk');
  assert.equal(said(await sh('exit 2')), 'down critical: /bin/sh ended with code 2');
  assert.equal(said(await sh('exit 127')), 'void exit_code: /bin/sh ended with code 127 (code 127, expected 0 to 3)');
  assert.equal(said(await sh('kill -9 $$')), 'void exit_code: /bin/sh was ended by SIGKILL');
});

test('performance data become figures in base units', async () => {
  const seen = await sh(`echo "OK | 'load 1'=0.5;5;10;0 time=250ms;;; used=12%;80;90 size=3MB count=7c"`);
  assert.deepEqual(figuresOf(seen), {
    'probe_script_value{label=load 1}': 0.5,
    'probe_script_seconds{label=time}': 0.25,
    'probe_script_ratio{label=used}': 0.12,
    'probe_script_bytes{label=size}': 3e6,
    'probe_script_value{label=count}': 7,
  });
  assert.deepEqual(figuresFrom('OK'), []);
  assert.deepEqual(figuresFrom("OK | junk a=U b=1 'it''s'=2"), [
    { name: 'probe_script_value', value: 1, labels: { label: 'b' } },
    { name: 'probe_script_value', value: 2, labels: { label: "it's" } },
  ]);
});

test('no shell reads the arguments, and the program inherits no environment', async () => {
  assert.equal(said(await run(['/bin/echo', '$(exit 2)', ';', 'false'])), 'up');
  const home = await sh('test -z "$HOME$NINES_SECRET" || exit 2');
  assert.equal(said(home), 'up');
});

test('a program that hangs is killed with all it started; one that floods is stopped', async () => {
  const pidFile = join(directory, 'pid');
  writeFileSync(pidFile, '');
  assert.match(said(await sh(`sleep 1000 & echo $! > ${pidFile}; wait`, '600ms')), /^down timeout: /);
  const pid = Number(readFileSync(pidFile, 'utf8'));
  assert.ok(pid > 0);
  await poll('the grandchild to be gone', () => !isRunning(pid));
  assert.equal(said(await sh('while :; do echo 0123456789012345678901234567890123456789; done')).slice(0, 12), 'void output:');
});

function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) Z/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

test('only listed programs run, and only for whoever writes the file', async () => {
  assert.equal(said(await run(['/bin/cat', '/etc/passwd'])), 'void refused_command: /bin/cat is not listed under checks.commands');
  assert.match(said(await run(['/bin/echo'], { trust: 'untrusted' })), /^void refused_kind: /);
  assert.match(faultsOf({ kind: 'script', command: ['echo'] }), /^command.0: write the absolute path/);
  assert.match(faultsOf({ kind: 'script', command: [] }), /^command/);
});
