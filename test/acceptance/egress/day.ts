/**
 * A whole server through a day of its own time, in this process; run in a network of its own by `no-egress.test.ts`. Prints what tried to
 * leave: by the functions of Node, and by the kernel's counters of this network (which see name servers asked, too).
 */
import dgram from 'node:dgram';
import dns from 'node:dns';
import dnsPromises from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import type { Clock } from '@nines/base/clock.ts';
import { DAY_MS, epochMs, MINUTE_MS } from '@nines/base/units.ts';
import { createApp } from '@nines/server/app.ts';
import { readConfig } from '@nines/server/config.ts';
import { sleepOn } from '@nines/server/platform/clock.ts';
import { createIds } from '@nines/server/platform/ids.ts';
import { recordingLogger } from '../../harness/logs.ts';

const [dataDir = '', configFile] = process.argv.slice(2);
const LEAP_MS = 5 * MINUTE_MS;
/** For answers of disks, threads and connections after each leap. */
const PAUSE_MS = 3;

/** A clock that moves in leaps: what fell due in between runs once, so that loops of seconds do not make a day long. */
function leapingClock(startMs: number): Clock & { leap(lengthMs: number): void } {
  const timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();
  let monotonicMs = 0;
  return {
    now: () => epochMs(startMs + monotonicMs),
    monotonic: () => monotonicMs,
    after(delayMs, run) {
      const timer = { dueMs: monotonicMs + delayMs, run };
      timers.add(timer);
      return { [Symbol.dispose]: () => void timers.delete(timer) };
    },
    sleep(delayMs, options = {}) {
      return sleepOn(this, delayMs, options.signal);
    },
    leap(lengthMs) {
      monotonicMs += lengthMs;
      for (const timer of [...timers].filter(({ dueMs }) => dueMs <= monotonicMs)) if (timers.delete(timer)) timer.run();
    },
  };
}

/** Notes where everything goes that Node connects, sends or looks up. */
function watch(): string[] {
  const went: string[] = [];
  const note = (object: object, name: string, describe: (args: readonly unknown[]) => string | undefined): void => {
    const methods = object as Record<string, (...args: unknown[]) => unknown>;
    const before = methods[name];
    if (before === undefined) throw new Error(`there is no ${name}`);
    methods[name] = function (this: unknown, ...args: unknown[]) {
      const what = describe(args);
      if (what !== undefined) went.push(what);
      return before.apply(this, args);
    };
  };
  note(net.Socket.prototype, 'connect', (args) => {
    const [first] = args.flat() as { host?: string; port?: number; path?: string }[];
    return first?.path === undefined ? `${first?.host ?? ''}:${first?.port ?? ''}` : undefined;
  });
  note(dgram.Socket.prototype, 'send', () => 'a datagram');
  // What listens looks its own address up, too.
  const named = ([name]: readonly unknown[]): string | undefined => (net.isIP(String(name)) === 0 ? `the name ${String(name)}` : undefined);
  note(dns, 'lookup', named);
  note(dnsPromises, 'lookup', named);
  for (const query of ['resolve', 'resolve4', 'resolve6', 'resolveSrv', 'resolveMx', 'resolveNs', 'resolveTxt'])
    note(dnsPromises.Resolver.prototype, query, ([name]) => `the record of ${String(name)}`);
  return went;
}

function counters() {
  const lines = readFileSync('/proc/net/snmp', 'utf8').trim().split('\n');
  const read = (part: string, name: string): number => {
    const [names = '', values = ''] = lines.filter((line) => line.startsWith(`${part}:`));
    return Number(values.split(' ')[names.split(' ').indexOf(name)]);
  };
  return { opened: read('Tcp', 'ActiveOpens'), datagrams: read('Udp', 'OutDatagrams'), withoutRoute: read('Ip', 'OutNoRoutes') };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, PAUSE_MS));

/** What waits for its time gets it. */
async function whileLeaping<T>(done: PromiseLike<T>, lengthMs: number): Promise<T> {
  let isOver = false;
  const over = (): void => void (isOver = true);
  void done.then(over, over);
  while (!isOver) {
    clock.leap(lengthMs);
    await turn();
  }
  return done;
}

const went = watch();
const flags = [{ path: ['server', 'listen'], value: '127.0.0.1:0', source: '--listen' }];
const read = () => readConfig({ file: configFile, dataDir, env: {}, flags });
const loaded = read();
if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
const clock = leapingClock(Date.UTC(2026, 0, 5, 8));
const logger = recordingLogger();
const deps = { loaded, read, dataDir, configFile, key: undefined, open: true, clock, ids: createIds(clock), logger };
const app = await whileLeaping(createApp(deps), 100);
const startedMs = clock.monotonic();
for (let passedMs = 0; passedMs < DAY_MS; passedMs += LEAP_MS) {
  clock.leap(LEAP_MS);
  await turn();
}
const after = counters();
const found = [...new Set(went)].sort();
const passed = clock.monotonic() - startedMs;
// The watch itself is watched: an attempt to this host is seen by both.
await new Promise((resolve) => net.connect(1, '127.0.0.1').once('error', resolve).once('connect', resolve));
const seen = { went: went.length - found.length > 0 || went.includes('127.0.0.1:1'), opened: counters().opened - after.opened };
await whileLeaping(app[Symbol.asyncDispose](), 1_000);
const errors = logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message);
process.stdout.write(`\n${JSON.stringify({ found, ...after, seen, passed, errors: [...new Set(errors)] })}\n`);
process.exit(0);
