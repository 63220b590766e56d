/**
 * Ten thousand HTTP checks at 30 s on one core: `node bench/checks.ts [CHECKS] [SECONDS]`. Real attempts against a server in another
 * process, a real ledger on SQLite; only the sample store is left out. Then blackbox_exporter (Debian's prometheus-blackbox-exporter)
 * probes the same server as often for as long, without anybody who stores what it says. Prints the lateness of starts, the processor
 * time of both per check, and how many attempts failed (none should). Exits 1 when the budget (p99 below 1 s, below one core, less
 * processor time per check than blackbox_exporter) is missed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fnv1a } from '@nines/base/fnv1a.ts';
import { checkSchema, type CheckResult, toSpec } from '@nines/server/checks/contract.ts';
import { Availability } from '@nines/server/availability/service.ts';
import { createResolve } from '@nines/server/checks/resolve.ts';
import { CheckService } from '@nines/server/checks/service.ts';
import { createBus } from '@nines/server/platform/bus.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { migrate } from '@nines/server/platform/db/migrate.ts';
import { openDb } from '@nines/server/platform/db/open.ts';
import { judgeAddress } from '@nines/server/platform/fetch/judge.ts';
import { runProgram } from '@nines/server/platform/programs.ts';
import { createIds } from '@nines/server/platform/ids.ts';
import { startLoop } from '@nines/server/platform/loop.ts';

const [count, seconds] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 60)];
const INTERVAL_MS = 30_000;
const SERVER = `require('node:http').createServer((q, r) => r.end('ok')).listen(0, '127.0.0.1', function () { console.log(this.address().port) })`;

const server = spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
const [line] = (await once(server.stdout, 'data')) as [Buffer];
const port = Number(String(line));
const folder = mkdtempSync(join(tmpdir(), 'nines-bench-checks-'));
const db = await openDb({ kind: 'sqlite', path: join(folder, 'state.sqlite') });
await migrate(db, realClock.now());
const quiet = { debug() {}, info() {}, warn() {}, error: console.error, child: () => quiet };
const bus = createBus(console.error);
const ledger = new Availability({
  db: db.kysely,
  clock: realClock,
  ids: createIds(realClock),
  logger: quiet,
  bus,
  replay: async () => new Map(),
});
await ledger.start();

const lateness: number[] = [];
const failed: CheckResult[] = [];
const first = new Set<string>();
const checks = new CheckService({
  clock: realClock,
  logger: quiet,
  bus,
  resolve: createResolve(),
  run: runProgram,
  judge: judgeAddress,
  query: async () => [],
  commands: [],
  sink: async (result) => {
    // The first start is spread, not on the grid; every later one is due when the hash says.
    // Timers may fire a millisecond early by the wall clock.
    const sinceMs = (result.startedAtMs - fnv1a(result.check)) % INTERVAL_MS;
    if (first.has(result.check)) lateness.push(sinceMs > INTERVAL_MS - 20 ? sinceMs - INTERVAL_MS : sinceMs);
    first.add(result.check);
    if (result.outcome.kind !== 'up') failed.push(result);
    await ledger.record(result);
  },
});
const specs = Array.from({ length: count }, (_, i) => {
  const check = { id: `c${i}`, kind: 'http', url: `http://127.0.0.1:${port}/`, interval: '30s', timeout: '10s' };
  return toSpec(checkSchema.parse(check), { service: `s${i % 1000}`, trust: 'trusted' });
});
const services = Map.groupBy(specs, (spec) => spec.service);
await ledger.configure([...services].map(([service, list]) => ({ service, checks: list })));
const loop = startLoop({ clock: realClock, logger: quiet, name: 'ledger', everyMs: 1_000, step: (nowMs) => ledger.step(nowMs) });
checks.configure(specs);
// All have started once by then, and every start that follows is on the grid.
await realClock.sleep(INTERVAL_MS + 1_000);
const cpu = process.cpuUsage();
lateness.length = 0;
await realClock.sleep(seconds * 1_000);
const used = process.cpuUsage(cpu);
await checks.stop();
await loop[Symbol.asyncDispose]();
await ledger.stop();
await db.close();
const beside = await probedByBlackbox();
server.kill();
rmSync(folder, { recursive: true });

lateness.sort((a, b) => a - b);
const at = (share: number): number => lateness[Math.min(lateness.length - 1, Math.floor(lateness.length * share))] ?? Number.NaN;
const usedMs = (used.user + used.system) / 1000;
const cores = usedMs / 1000 / seconds;
console.log(`${count} checks at 30 s for ${seconds} s: ${lateness.length} starts, ${failed.length} not up`);
console.log(
  `lateness p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, worst ${at(1)} ms; ${cores.toFixed(2)} cores; ${Math.round(process.memoryUsage().rss / 1e6)} MB resident`,
);
const perCheckMs = usedMs / lateness.length;
if (beside === undefined) console.log('blackbox_exporter is not installed: nothing to compare with');
else
  console.log(
    `processor time per check: ${perCheckMs.toFixed(3)} ms with schedule and ledger; blackbox_exporter ${beside.perProbeMs.toFixed(3)} ms ` +
      `(${beside.probes} probes, ${beside.failed} failed); ratio ${(perCheckMs / beside.perProbeMs).toFixed(2)}`,
  );
const dear = beside !== undefined && perCheckMs >= beside.perProbeMs;
process.exit(at(0.99) < 1_000 && cores < 1 && failed.length === 0 && !dear ? 0 : 1);

/** The same attempts at the same rate through blackbox_exporter, and what each cost its process. */
async function probedByBlackbox(): Promise<{ readonly perProbeMs: number; readonly probes: number; readonly failed: number } | undefined> {
  const binary = '/usr/bin/prometheus-blackbox-exporter';
  if (!existsSync(binary)) return undefined;
  const config = join(folder, 'blackbox.yml');
  writeFileSync(config, 'modules: { up: { prober: http, timeout: 10s, http: { preferred_ip_protocol: ip4 } } }\n');
  const at = 19_115;
  const exporter = spawn(binary, [`--config.file=${config}`, `--web.listen-address=127.0.0.1:${at}`, '--log.level=error'], {
    stdio: 'ignore',
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const probe = (): Promise<boolean> =>
    new Promise((resolve) => {
      const path = `/probe?module=up&target=${encodeURIComponent(`http://127.0.0.1:${port}/`)}`;
      get({ host: '127.0.0.1', port: at, path, agent }, async (answer) => {
        let text = '';
        for await (const chunk of answer) text += String(chunk);
        resolve(text.includes('\nprobe_success 1'));
      }).on('error', () => resolve(false));
    });
  while (!(await probe())) await realClock.sleep(100);
  const perSecond = count / (INTERVAL_MS / 1_000);
  const running: Promise<boolean>[] = [];
  const beganMs = cpuMsOf(exporter.pid ?? 0);
  const fromMs = performance.now();
  for (let i = 0; i < perSecond * seconds; i++) {
    const waitMs = fromMs + (i * 1_000) / perSecond - performance.now();
    if (waitMs > 0) await realClock.sleep(waitMs);
    running.push(probe());
  }
  const failedProbes = (await Promise.all(running)).filter((up) => !up).length;
  const perProbeMs = (cpuMsOf(exporter.pid ?? 0) - beganMs) / running.length;
  agent.destroy();
  exporter.kill();
  return { perProbeMs, probes: running.length, failed: failedProbes };
}

/** User and system time of a process; Linux counts it in hundredths of a second (proc(5)). */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
