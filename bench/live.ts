/**
 * What live dashboards cost: `node bench/live.ts [--viewers 2000] [--panels 20] [--seconds 20] [--only pushed,polled,prometheus]`. That many
 * viewers look at one dashboard of that many panels while its samples arrive once a second: told over their live streams, asking Nines once a
 * second for each panel, and asking Prometheus so. Prints the lag from the acceptance of samples to the arrival of all panels at a viewer, and
 * what the server took. Viewers are one thread; where they ask for more than is answered, they ask again as soon as they have all.
 * Needs `apt-get install prometheus`.
 */
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { type Socket, connect } from 'node:net';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { startNines } from '../test/harness/nines.ts';
import { startPrometheus } from '../test/harness/prometheus.ts';
import { WRITE_HEADERS } from '../test/harness/remote-write.ts';
import { labelBytes, snappy, timeSeries } from './remote-write.mjs';

type Job = { readonly port: number; readonly how: 'pushed' | 'polled'; readonly viewers: number; readonly queries: readonly string[] };
/** `atMs`: when a viewer had all panels of round `round`. */
type Seen = { readonly round: number; readonly atMs: number };
type Counts = { seen: Seen[]; answers: number; panels: number; bytes: number };

const HOSTS = 5;
/** Rounds before it counts. */
const WARM = 5;
const nowMs = (): number => performance.timeOrigin + performance.now();
const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Half plain selectors, a quarter aggregated, a quarter with a rate in them; each gives the number of the round. */
const queriesOf = (panels: number): readonly string[] =>
  Array.from({ length: panels }, (_, i) => {
    const name = `live_panel_${i}`;
    if (i % 4 === 1) return `max(${name})`;
    return i % 4 === 3 ? `max by (host) (${name}) + 0 * max by (host) (rate(${name}[1m]))` : name;
  });

function processOf(port: number): number {
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`127.0.0.1:${port}`)) return Number(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no process listens on ${port}`);
}

/** Processor time in seconds and resident memory in megabytes. */
function costOf(pid: number): { readonly cpu: number; readonly rss: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  return { cpu: (Number(fields[11]) + Number(fields[12])) / 100, rss: Number(rss) / 1024 };
}

async function write(base: string, panels: number, round: number): Promise<number> {
  const series = Array.from({ length: panels * HOSTS }, (_, i) =>
    timeSeries(labelBytes({ __name__: `live_panel_${i % panels}`, host: `h${Math.floor(i / panels)}` }), round, Date.now()),
  );
  const answer = await fetch(`${base}/api/v1/write`, {
    method: 'POST',
    headers: WRITE_HEADERS,
    body: new Uint8Array(snappy(Buffer.concat(series))),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return nowMs();
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

async function measure(base: string, job: Job, panels: number, seconds: number): Promise<string> {
  const pid = processOf(job.port);
  for (let round = 1; round <= WARM; round++) {
    await write(base, panels, round);
    await rest(200);
  }
  const worker = new Worker(new URL(import.meta.url), { workerData: job });
  await once(worker, 'message');
  const before = costOf(pid);
  const [startMs, accepted] = [nowMs(), new Map<number, number>()];
  let rss = 0;
  for (let i = 0; i < seconds; i++) {
    const round = 1_000 + i;
    accepted.set(round, await write(base, panels, round));
    await rest(Math.max(0, startMs + (i + 1) * 1_000 - nowMs()));
    rss = Math.max(rss, costOf(pid).rss);
  }
  const after = costOf(pid);
  const tookSeconds = (nowMs() - startMs) / 1000;
  await rest(job.how === 'pushed' ? 2_000 : 0);
  worker.postMessage('end');
  const [report] = (await once(worker, 'message')) as [Counts];
  await worker.terminate();
  const lags = report.seen
    .flatMap(({ round, atMs }) => (accepted.has(round) ? [atMs - (accepted.get(round) ?? 0)] : []))
    .sort((a, b) => a - b);
  const share = (100 * lags.length) / (job.viewers * seconds);
  return [
    `lag p50 / p99 / max ${[0.5, 0.99, 1].map((one) => Math.round(at(lags, one))).join(' / ')} ms`,
    `${share.toFixed(1)} % of all rounds seen`,
    `server ${((after.cpu - before.cpu) / tookSeconds).toFixed(2)} cores, ${Math.round(before.rss)} to ${Math.round(rss)} MB`,
    `${Math.round(report.answers / tookSeconds)} messages or answers/s, ${Math.round((1e6 * (after.cpu - before.cpu)) / report.panels)} µs of the server's processor a panel, ${(report.bytes / tookSeconds / 1e6).toFixed(1)} MB/s`,
  ].join('; ');
}

async function compare(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      viewers: { type: 'string', default: '2000' },
      panels: { type: 'string', default: '20' },
      seconds: { type: 'string', default: '20' },
      only: { type: 'string', default: 'pushed,polled,prometheus' },
    },
  });
  const [viewers, panels, seconds] = [Number(flags.viewers), Number(flags.panels), Number(flags.seconds)];
  const queries = queriesOf(panels);
  const only = new Set(flags.only.split(','));
  for (const how of ['pushed', 'polled'] as const) {
    if (!only.has(how)) continue;
    await using nines = await startNines({ config: 'collect: { host: { interval: 5m } }\n' });
    console.log(`nines ${how}: ${await measure(nines.base, { port: nines.port, how, viewers, queries }, panels, seconds)}`);
  }
  if (!only.has('prometheus')) return;
  await using prometheus = await startPrometheus({ args: ['--web.max-connections=5000', '--log.level=error'] });
  const port = Number(new URL(prometheus.base).port);
  console.log(`prometheus polled: ${await measure(prometheus.base, { port, how: 'polled', viewers, queries }, panels, seconds)}`);
}

/** What a viewer has seen of each round: how many panels. */
class Viewer {
  readonly #panels: number;
  readonly #seen: Seen[];
  readonly #counts = new Map<number, number>();

  constructor(panels: number, seen: Seen[]) {
    this.#panels = panels;
    this.#seen = seen;
  }

  panel(round: number): void {
    const count = (this.#counts.get(round) ?? 0) + 1;
    this.#counts.set(round, count);
    if (count === this.#panels) this.#seen.push({ round, atMs: nowMs() });
  }
}

async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.setNoDelay(true);
  await once(socket, 'connect');
  return socket;
}

/** A live stream that follows all queries. */
async function follow({ port, queries }: Job, number: number, report: Counts): Promise<Socket> {
  const name = `bench-viewer-${String(number).padStart(8, '0')}`;
  const socket = await openSocket(port);
  const viewer = new Viewer(queries.length, report.seen);
  let kept = '';
  socket.on('data', (chunk: Buffer) => {
    report.bytes += chunk.length;
    kept += chunk.toString('latin1');
    const end = kept.lastIndexOf('\n\n');
    if (end < 0) return;
    const whole = kept.slice(0, end);
    kept = kept.slice(end + 2);
    if (!whole.includes('values.changed')) return;
    report.answers++;
    for (const [, round] of whole.matchAll(/"now":\[\[\d+,(\d+)\]/g)) {
      report.panels++;
      viewer.panel(Number(round));
    }
  });
  socket.write(`GET /api/stream?topics=config&name=${name} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
  await once(socket, 'data');
  const body = JSON.stringify({ stream: name, queries: queries.map((expr, i) => ({ key: `k${i}`, expr, step_ms: 10_000 })) });
  const answer = await fetch(`http://127.0.0.1:${port}/api/stream/queries`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body,
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  return socket;
}

/** Whether `text` is one whole answer. */
function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  if (head < 0) return false;
  const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
  return length === undefined ? text.endsWith('0\r\n\r\n') : text.length >= head + 4 + Number(length);
}

/** Asks for all panels, one after the other, once a second. */
async function poll({ port, queries }: Job, number: number, report: Counts, isOver: () => boolean): Promise<void> {
  const socket = await openSocket(port);
  const viewer = new Viewer(1, report.seen);
  let kept = '';
  let took: (text: string) => void = () => undefined;
  socket.on('data', (chunk: Buffer) => {
    report.bytes += chunk.length;
    kept += chunk.toString('latin1');
    if (!isWhole(kept)) return;
    const whole = kept;
    kept = '';
    report.answers++;
    report.panels++;
    took(whole);
  });
  socket.on('error', () => took(''));
  let shown = 0;
  await rest((number * 997) % 1_000);
  while (!isOver()) {
    const startMs = nowMs();
    let least = Number.POSITIVE_INFINITY;
    for (const expr of queries) {
      const answer = new Promise<string>((resolve) => (took = resolve));
      socket.write(`GET /api/v1/query?query=${encodeURIComponent(expr)} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`);
      const round = /"value":\[[\d.]+,"(\d+)"\]/.exec(await answer)?.[1];
      least = Math.min(least, Number(round ?? 0));
      if (isOver()) break;
    }
    // A round that was passed over is seen with the one after it.
    for (let round = Math.max(shown + 1, 1_000); round <= least && !isOver(); round++) viewer.panel(round);
    shown = Math.max(shown, least);
    await rest(Math.max(0, startMs + 1_000 - nowMs()));
  }
  socket.destroy();
}

async function view(job: Job): Promise<void> {
  const report: Counts = { answers: 0, panels: 0, bytes: 0, seen: [] };
  let over = false;
  const sockets: Socket[] = [];
  if (job.how === 'pushed') {
    for (let i = 0; i < job.viewers; i += 20)
      sockets.push(
        ...(await Promise.all(Array.from({ length: Math.min(20, job.viewers - i) }, (_, more) => follow(job, i + more, report)))),
      );
    await rest(2_000);
  } else for (let i = 0; i < job.viewers; i++) void poll(job, i, report, () => over);
  Object.assign(report, { answers: 0, panels: 0, bytes: 0 });
  parentPort?.postMessage('ready');
  await new Promise((resolve) => parentPort?.once('message', resolve));
  over = true;
  parentPort?.postMessage(report satisfies Counts);
  for (const socket of sockets) socket.destroy();
}

if (isMainThread) await compare();
else await view(workerData as Job);
