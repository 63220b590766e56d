import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { RecoveryActionView, RecoveryRunView } from '@nines/server/recovery/contract.ts';
import { freePort, NINES, type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string };
type Listed<T> = { readonly items: readonly T[] };

let folder = '';
let nines: Nines;
let shopPort = 0;
/** A shop that hangs: it is there, and listens to nobody. */
let hung: ChildProcess;
const cli = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(NINES, ['--url', nines.base, ...args], (error, stdout, stderr) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr }),
    );
  });

/** A shop that hangs, a service manager that starts another one, and files to clean. */
before(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'nines-recovery-')));
  shopPort = await freePort();
  const unitPort = await freePort();
  const server = `const { writeFileSync } = require('node:fs');
writeFileSync(process.argv[3], String(process.pid));
require('node:http').createServer((_, answer) => answer.end('open')).listen(Number(process.argv[2]), '127.0.0.1');
`;
  writeFileSync(join(folder, 'shop-server.cjs'), server);
  hung = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', join(folder, 'shop-server.cjs'), String(shopPort), 'hung']);
  // What systemctl is asked, answered by a program that knows one unit: systemd itself is not there where tests run.
  const systemctl = join(folder, 'systemctl');
  writeFileSync(
    systemctl,
    `#!/bin/sh
echo "$1 $3" >> ${folder}/systemctl.log
case "$1 $3" in
  "restart shop.service") [ -e ${folder}/unit.pid ] || setsid ${process.execPath} ${folder}/shop-server.cjs ${unitPort} ${folder}/unit.pid > /dev/null 2>&1 & ;;
  "restart broken.service") echo "Job for broken.service failed."; exit 1 ;;
  "is-active shop.service") [ -e ${folder}/unit.pid ] && echo active || { echo activating; exit 3; } ;;
esac
`,
  );
  chmodSync(systemctl, 0o755);
  mkdirSync(join(folder, 'cache'));
  const old = join(folder, 'cache', 'old.tmp');
  writeFileSync(old, 'x'.repeat(100_000));
  utimesSync(old, 1_000_000_000, 1_000_000_000);
  const http = (id: string, port: number) =>
    `  - { id: ${id}, checks: [{ id: ${id}-http, kind: http, url: 'http://127.0.0.1:${port}/', interval: 1s, timeout: 1s, flapping: false }] }`;
  nines = await startNines({
    config: `
services:
${http('shop', shopPort)}
${http('unit', unitPort)}
${http('broken', await freePort())}
recovery:
  commands: [${process.execPath}, ${systemctl}]
  actions:
    - id: restart-shop
      check: shop-http
      kind: restart_process
      after: 1s
      process: { command_matches: '${folder}/shop-server.cjs ${shopPort} ' }
      start: [${process.execPath}, ${folder}/shop-server.cjs, '${shopPort}', ${folder}/shop.pid]
    - { id: restart-unit, check: unit-http, kind: restart_service, unit: shop.service, systemctl: ${systemctl} }
    - { id: restart-broken, check: broken-http, kind: restart_service, unit: broken.service, systemctl: ${systemctl}, max_tries: 1 }
    - { id: clean, check: shop-http, kind: clean_files, folder: ${folder}/cache, older_than: 1h, pattern: '*.tmp', automatic: false }
    - { id: never, check: shop-http, kind: command, command: [${process.execPath}, -e, process.exit(7)], automatic: false, dry_run: true }
`,
  });
});
after(async () => {
  await nines[Symbol.asyncDispose]();
  hung.kill('SIGKILL');
  for (const name of ['shop.pid', 'unit.pid']) {
    try {
      process.kill(Number(readFileSync(join(folder, name), 'utf8')), 'SIGKILL');
    } catch {
      // It was never started.
    }
  }
  rmSync(folder, { recursive: true, force: true });
});

const runsOf = async (action: string): Promise<readonly RecoveryRunView[]> =>
  (await nines.get<Listed<RecoveryRunView>>(`/api/recovery/runs?action=${action}`)).json.items;
const ended = (action: string): Promise<RecoveryRunView> =>
  poll(`a run of ${action} to end`, async () => (await runsOf(action)).find((run) => run.ended_at_ms !== null));

test('a process that hangs is ended and started anew, and the check that comes up proves it; the downtime says so', async () => {
  const run = await ended('restart-shop');
  assert.deepEqual([run.status, run.try, run.by, run.check, run.service], ['helped', 1, null, 'shop-http', 'shop'], JSON.stringify(run));
  assert.match(run.detail, new RegExp(`^process ${hung.pid} ended after SIGTERM; .* was started; the check is up$`));
  assert.equal(await (await fetch(`http://127.0.0.1:${shopPort}/`)).text(), 'open');
  type Downtime = { readonly id: string; readonly evidence: readonly { readonly detail: string }[] };
  const [downtime] = (await nines.get<Listed<Downtime>>('/api/downtime?service=shop')).json.items;
  const whole = (await nines.get<Downtime>(`/api/downtime/${downtime?.id ?? ''}`)).json;
  assert.ok(
    whole.evidence.some(({ detail }) => detail.startsWith('recovery restart-shop: ')),
    JSON.stringify(whole),
  );
});

test('a service is restarted, and runs before the check is asked again', async () => {
  const run = await ended('restart-unit');
  assert.deepEqual([run.status, run.detail.split('; ').at(-1)], ['helped', 'the check is up'], JSON.stringify(run));
  const asked = readFileSync(join(folder, 'systemctl.log'), 'utf8');
  assert.ok(asked.indexOf('restart shop.service') < asked.indexOf('is-active shop.service'), asked);
});

test('what fails is told to people with what was tried and what the program said', async () => {
  const run = await ended('restart-broken');
  assert.deepEqual([run.status, run.output], ['failed', 'Job for broken.service failed.\n']);
  type Alert = { readonly alertname: string; readonly labels: Record<string, string>; readonly annotations: Record<string, string> };
  const alert = await poll('the alert', async () =>
    (await nines.get<Listed<Alert>>('/api/alerts')).json.items.find(({ alertname }) => alertname === 'RecoveryFailed'),
  );
  assert.deepEqual([alert.labels['check'], alert.labels['severity']], ['broken-http', 'critical']);
  assert.match(alert.annotations['description'] ?? '', /restart-broken at .* ended with code 1, it said: Job for broken\.service failed\./);
  const action = (await nines.get<Listed<RecoveryActionView>>('/api/recovery/actions?check=broken-http')).json.items[0];
  assert.deepEqual([action?.decision.reason, action?.does], ['tries_used_up', 'restarts broken.service']);
});

test('people run actions from the command line: dry first, then in earnest; what is said to be dry stays dry', async () => {
  const old = join(folder, 'cache', 'old.tmp');
  await poll('the shop to be up', async () => (await nines.get<{ state: string }>('/api/checks/shop-http')).json.state === 'up');
  const dry = await cli('recovery', 'run', 'clean', '--dry-run', '--format', 'json');
  assert.equal(dry.code, 0, dry.stderr);
  assert.match((JSON.parse(dry.stdout) as RecoveryRunView).detail, /^would remove 1 file with \d{6} bytes of /);
  assert.ok(existsSync(old));
  const done = await cli('recovery', 'run', 'clean', '--reason', 'the disk is full');
  assert.equal(done.code, 0, done.stderr);
  assert.ok(!existsSync(old));
  const again = await cli('recovery', 'run', 'clean');
  assert.notEqual(again.code, 0);
  assert.match(again.stderr, /it waits until/);
  const never = await cli('recovery', 'run', 'never', '--format', 'json');
  assert.equal((JSON.parse(never.stdout) as RecoveryRunView).status, 'dry_run', never.stderr);
  assert.match((await cli('recovery', 'list', '--runs')).stdout, /clean .*helped/);
  assert.match((await cli('recovery', 'list')).stdout, /never .*manual_only|never .*not_down/);
  assert.equal((await cli('recovery', 'run', 'ghost')).code, 3);
});
