/**
 * Ingest in many shapes, beside Prometheus and VictoriaMetrics: the same bodies, one fresh server after the other.
 *   node bench/ingest.ts [--shapes ordinary,small] [--only nines,prometheus,victoria] [--samples 2400000] [--connections 4]
 *                        [--ours "node_modules/.bin/nines serve"] [--list]
 * Figures are samples per CPU-second of the server's processes while it accepts the load; the absolute ones move with the
 * machine, the ratios count. Needs Debian's packages prometheus and victoria-metrics. Exit 1 when a write was refused.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { INTERVAL_MS, SHAPES, type Shape, scrapes } from './ingest-shapes.ts';

const { values: flags } = parseArgs({
  options: {
    shapes: { type: 'string', default: Object.keys(SHAPES).join(',') },
    only: { type: 'string', default: 'nines,prometheus,victoria' },
    samples: { type: 'string', default: '2400000' },
    connections: { type: 'string', default: '4' },
    ours: { type: 'string', default: 'node_modules/.bin/nines serve' },
    list: { type: 'boolean', default: false },
  },
});

type Peer = {
  readonly port: number;
  readonly ready: string;
  readonly protocols: readonly number[];
  readonly command: (port: number, dir: string) => readonly string[];
};

const PEERS: Readonly<Record<string, Peer>> = {
  nines: {
    port: 39_292,
    ready: '/-/ready',
    protocols: [1, 2],
    command: (port, dir) => {
      const config = path.join(dir, 'nines.yml');
      // By default a fleet this large is let in over some minutes; the others have no such limit.
      fs.writeFileSync(config, 'limits: {new_series_per_minute: 1000000}\n');
      return [...flags.ours.split(' '), '--data', dir, '--listen', `127.0.0.1:${port}`, '--insecure-no-auth', '--config', config];
    },
  },
  prometheus: {
    port: 39_290,
    ready: '/-/ready',
    protocols: [1],
    command: (port, dir) => {
      const config = path.join(dir, 'prometheus.yml');
      fs.writeFileSync(config, 'global: {scrape_interval: 1h}\n');
      return [
        'prometheus',
        `--config.file=${config}`,
        `--storage.tsdb.path=${path.join(dir, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--web.enable-remote-write-receiver',
      ];
    },
  },
  victoria: {
    port: 39_291,
    ready: '/health',
    protocols: [1],
    command: (port, dir) => ['victoria-metrics', `-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=10y'],
  },
};

const TYPES = ['application/x-protobuf', 'application/x-protobuf;proto=io.prometheus.write.v2.Request'];
const VERSIONS = ['0.1.0', '2.0.0'];

/** One connection that sends a request and waits for its answer, over a plain socket: Node's client costs more than the servers. */
class Sender {
  readonly #socket: net.Socket;
  readonly #head: string;
  #answer = '';
  #done: ((status: number) => void) | undefined;

  constructor(port: number, protocol: 1 | 2) {
    this.#head = [
      'POST /api/v1/write HTTP/1.1',
      `host: 127.0.0.1:${port}`,
      `content-type: ${TYPES[protocol - 1]}`,
      'content-encoding: snappy',
      `x-prometheus-remote-write-version: ${VERSIONS[protocol - 1]}`,
      'user-agent: bench',
      'content-length: ',
    ].join('\r\n');
    this.#socket = net.connect(port, '127.0.0.1').setNoDelay(true);
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.#socket.on('error', () => this.#done?.(0)).on('close', () => this.#done?.(0));
  }

  send(body: Uint8Array): Promise<number> {
    return new Promise((resolve) => {
      this.#done = resolve;
      this.#socket.cork();
      this.#socket.write(`${this.#head}${body.length}\r\n\r\n`, 'latin1');
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  #read(text: string): void {
    this.#answer += text;
    const end = this.#answer.indexOf('\r\n\r\n');
    if (end < 0) return;
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(this.#answer)?.[1] ?? 0);
    if (this.#answer.length < end + 4 + length) return;
    const status = Number(this.#answer.slice(9, 12));
    if (status >= 300) console.error(this.#answer.slice(0, 600));
    this.#answer = '';
    const done = this.#done;
    this.#done = undefined;
    done?.(status);
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** CPU-seconds of a process and all its descendants. */
function cpuSeconds(root: number): number {
  const children = new Map<number, number[]>();
  const ticks = new Map<number, number>();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = fs.readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
      const parent = Number(fields[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
      ticks.set(Number(name), Number(fields[11]) + Number(fields[12]));
    } catch {
      // The process ended between the two reads.
    }
  }
  const sum = (pid: number): number => (ticks.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((all, child) => all + sum(child), 0);
  return sum(root) / 100;
}

async function untilReady(url: string): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const up = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (up) return;
    await sleep(100);
  }
  throw new Error(`not ready: ${url}`);
}

type Load = readonly (readonly (readonly Uint8Array[])[])[];
type Figures = {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly refused: number;
};

async function send(port: number, shape: Shape, load: Load): Promise<Pick<Figures, 'p50' | 'p99' | 'refused'>> {
  const each = Math.max(1, Math.floor(Number(flags.connections) / shape.senders));
  const senders = Array.from({ length: shape.senders }, () => Array.from({ length: each }, () => new Sender(port, shape.protocol)));
  const latencies: number[] = [];
  let refused = 0;
  for (const scrape of load) {
    // One instant after the other, so that no server sees a sample out of order.
    const lanes = scrape.flatMap((bodies, sender) => {
      let next = 0;
      return (senders[sender] ?? []).map(async (connection) => {
        while (next < bodies.length) {
          const startedMs = performance.now();
          const status = await connection.send(bodies[next++] as Uint8Array);
          latencies.push(performance.now() - startedMs);
          if (status < 200 || status > 299) refused++;
        }
      });
    });
    await Promise.all(lanes);
  }
  for (const connection of senders.flat()) connection.close();
  latencies.sort((a, b) => a - b);
  return { p50: latencies[latencies.length >> 1] ?? 0, p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0, refused };
}

async function measure(name: string, shape: Shape, load: Load): Promise<Figures> {
  const peer = PEERS[name];
  if (peer === undefined) throw new Error(`no peer is called ${name}; there are ${Object.keys(PEERS).join(', ')}`);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), `ingest-${name}-`));
  const [program = '', ...args] = peer.command(peer.port, dir);
  const log = fs.openSync(path.join(dir, 'out.log'), 'w');
  const server = spawn(program, args, { stdio: ['ignore', log, log], detached: true });
  try {
    await untilReady(`http://127.0.0.1:${peer.port}${peer.ready}`);
    await sleep(2_000);
    const cpu = cpuSeconds(server.pid ?? 0);
    const startedMs = performance.now();
    const answered = await send(peer.port, shape, load);
    const seconds = (performance.now() - startedMs) / 1000;
    const samples = shape.series * load.length;
    return { ...answered, perCpuSecond: samples / (cpuSeconds(server.pid ?? 0) - cpu), perSecond: samples / seconds };
  } finally {
    await stop(server);
    fs.closeSync(log);
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function stop(server: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => server.once('exit', resolve));
  if (server.pid !== undefined && server.exitCode === null) process.kill(-server.pid, 'SIGTERM');
  await Promise.race([gone, sleep(20_000, undefined, { ref: false })]);
}

if (flags.list) {
  for (const [key, { name }] of Object.entries(SHAPES)) console.log(`${key.padEnd(16)} ${name}`);
  process.exit(0);
}
const peers = flags.only.split(',');
const thousands = (value: number): string => `${Math.round(value / 1000)} k`;
let refusals = 0;
console.log(
  `| samples per CPU-second | ${peers.join(' | ')} | ratios | acknowledged p50 / p99 of ${peers[0]} |\n| --- |${' --- |'.repeat(peers.length + 2)}`,
);
for (const key of flags.shapes.split(',')) {
  const shape = SHAPES[key];
  if (shape === undefined) throw new Error(`no shape is called ${key}; there are ${Object.keys(SHAPES).join(', ')}`);
  const count = Math.max(5, Math.round(Number(flags.samples) / shape.series));
  const firstMs = (Math.floor(Date.now() / INTERVAL_MS) - count) * INTERVAL_MS;
  const load = [...scrapes(shape, count, firstMs)];
  const figures: (Figures | undefined)[] = [];
  for (const peer of peers) figures.push(PEERS[peer]?.protocols.includes(shape.protocol) ? await measure(peer, shape, load) : undefined);
  for (const one of figures) refusals += one?.refused ?? 0;
  const [first, ...others] = figures;
  const ratios = others.map((other) => (other === undefined ? '–' : `${((first?.perCpuSecond ?? 0) / other.perCpuSecond).toFixed(2)}×`));
  const cells = figures.map((one) => (one === undefined ? '–' : thousands(one.perCpuSecond)));
  console.log(`| ${shape.name} | ${cells.join(' | ')} | ${ratios.join(' · ')} | ${first?.p50.toFixed(1)} / ${first?.p99.toFixed(1)} ms |`);
}
if (refusals > 0) {
  console.error(`${refusals} requests were refused`);
  process.exit(1);
}
