/**
 * What a viewer waits while samples flood in: `node bench/surface.ts [--seconds 10] [--senders 16] [--series 1000]`. That many senders write
 * requests of that many series as fast as they are answered, to Nines and to Prometheus, one after the other; meanwhile a viewer asks for a
 * query, the rules and the page in turn. Prints how long the answers took, quiet and flooded, and how many samples went in beside.
 * Needs `apt-get install prometheus`.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { startNines } from '../test/harness/nines.ts';
import { startPrometheus } from '../test/harness/prometheus.ts';
import { WRITE_HEADERS } from '../test/harness/remote-write.ts';
import { labelBytes, snappy, timeSeries } from './remote-write.mjs';

type Flood = { readonly base: string; readonly senders: number; readonly series: number; readonly seconds: number };

const PROBE_EVERY_MS = 20;
/** Requests of each sender, at most. */
const ROUNDS = 200;
const PATHS = ['/api/v1/query?query=sum(flood_bytes)', '/api/v1/rules', '/'];

async function compare(): Promise<void> {
  const { values: flags } = parseArgs({
    options: {
      seconds: { type: 'string', default: '10' },
      senders: { type: 'string', default: '16' },
      series: { type: 'string', default: '1000' },
    },
  });
  const load = { senders: Number(flags.senders), series: Number(flags.series), seconds: Number(flags.seconds) };
  await using nines = await startNines();
  await using prometheus = await startPrometheus();
  for (const { name, base } of [
    { name: 'nines', base: nines.base },
    { name: 'prometheus', base: prometheus.base },
  ]) {
    const quiet = await view(base, new Promise((resolve) => setTimeout(resolve, load.seconds * 1000)));
    const worker = new Worker(new URL(import.meta.url), { workerData: { base, ...load } satisfies Flood });
    await once(worker, 'message');
    const done = once(worker, 'message') as Promise<[{ samples: number; refused: number; tookSeconds: number }]>;
    const flooded = await view(base, done);
    const [{ samples, refused, tookSeconds }] = await done;
    console.log(
      `${name}: quiet ${shown(quiet)}; flooded ${shown(flooded)}; ${Math.round(samples / tookSeconds / 1000)} k samples/s, ${refused} requests refused`,
    );
  }
}

/** How long each answer took until `end`, sorted. */
async function view(base: string, end: Promise<unknown>): Promise<readonly number[]> {
  const agent = new Agent({ keepAlive: true });
  const took: number[] = [];
  let over = false;
  void end.then(() => (over = true));
  for (let i = 0; !over; i++) {
    const startMs = performance.now();
    const asked = request(base + (PATHS[i % PATHS.length] ?? '/'), { agent });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    const tookMs = performance.now() - startMs;
    took.push(tookMs);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, PROBE_EVERY_MS - tookMs)));
  }
  agent.destroy();
  return took.sort((a, b) => a - b);
}

const shown = (sorted: readonly number[]): string =>
  [0.5, 0.99]
    .map((share) => (sorted[Math.floor(sorted.length * share)] ?? Number.NaN).toFixed(1))
    .join(' / ')
    .concat(' ms p50 / p99');

/** Requests are written beforehand, so that sending costs little beside what is measured. */
async function flood({ base, senders, series, seconds }: Flood): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: senders });
  const fromMs = Date.now() - ROUNDS * 1000;
  const bodies = Array.from({ length: senders }, (_, sender) => {
    const labels = Array.from({ length: series }, (__, i) =>
      labelBytes({ __name__: 'flood_bytes', sender: String(sender), device: `disk${i}`, instance: `host-${i % 50}:9100`, job: 'flood' }),
    );
    return Array.from({ length: ROUNDS }, (__, round) =>
      snappy(Buffer.concat(labels.map((encoded, i) => timeSeries(encoded, i + round / 7, fromMs + round * 1000)))),
    );
  });
  parentPort?.postMessage('ready');
  const startMs = performance.now();
  let samples = 0;
  let refused = 0;
  const send = async (own: readonly Buffer[]): Promise<void> => {
    for (const body of own) {
      if (performance.now() - startMs > seconds * 1000) return;
      const sent = request(`${base}/api/v1/write`, { agent, method: 'POST', headers: { ...WRITE_HEADERS, 'content-length': body.length } });
      sent.end(body);
      const [answer] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
      answer.resume();
      await once(answer, 'end');
      if (answer.statusCode === 204 || answer.statusCode === 200) samples += series;
      else refused++;
    }
  };
  await Promise.all(bodies.map(send));
  agent.destroy();
  parentPort?.postMessage({ samples, refused, tookSeconds: (performance.now() - startMs) / 1000 });
}

if (isMainThread) await compare();
else await flood(workerData as Flood);
