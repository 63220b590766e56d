/**
 * A month of a web shop, made anew from the same seed each time: what its host and applications measured, when its services were
 * down, and what is wrong today. Everything goes in through the doors that users have.
 */
import type { Nines } from '../../test/harness/nines.ts';
import { toldLines } from '../../test/harness/told-series.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;
/** Samples stand closer together in the last day than before it. */
const FINE_MS = MINUTE_MS;
const COARSE_MS = 10 * MINUTE_MS;
const SAMPLE_DAYS = 8;
export const LEDGER_DAYS = 62;

export const SERVICES = [
  { id: 'web-shop', name: 'Web shop', tier: 1, dependsOn: ['checkout', 'search', 'catalogue'], outagesPerMonth: 2 },
  { id: 'checkout', name: 'Checkout', tier: 1, dependsOn: ['payments', 'orders', 'sign-in'], outagesPerMonth: 3 },
  { id: 'payments', name: 'Payments', tier: 1, dependsOn: [], outagesPerMonth: 4 },
  { id: 'search', name: 'Search', tier: 2, dependsOn: ['catalogue'], outagesPerMonth: 6 },
  { id: 'catalogue', name: 'Catalogue', tier: 2, dependsOn: ['orders'], outagesPerMonth: 1 },
  { id: 'orders', name: 'Orders database', tier: 1, dependsOn: [], outagesPerMonth: 1 },
  { id: 'sign-in', name: 'Sign-in', tier: 1, dependsOn: [], outagesPerMonth: 1 },
  { id: 'mail', name: 'Mail', tier: 3, dependsOn: [], outagesPerMonth: 5 },
] as const;
/** The one that does not answer today. */
export const DOWN_TODAY = 'search';

/** Numbers from 0 to 1 by Marsaglia's xorshift, the same in each run. https://www.jstatsoft.org/article/view/v008i14 */
export function seeded(seed: number): () => number {
  // Seeds that stand side by side begin alike: they are spread first.
  let state = Math.imul(seed, 0x9e3779b1) | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

type Interval = { readonly service: string; readonly from: string; readonly to: string; readonly state: string; readonly detail?: string };
const CAUSES = ['connection refused', 'no answer within 2 s', 'status 503', 'certificate expired', 'status 502'];

/** Up and down without a hole, `LEDGER_DAYS` back until five minutes ago. */
export function intervals(nowMs: number): Interval[] {
  const endMs = nowMs - 5 * MINUTE_MS;
  const startMs = endMs - LEDGER_DAYS * DAY_MS;
  const instant = (atMs: number): string => new Date(atMs).toISOString();
  return SERVICES.flatMap(({ id, outagesPerMonth }, index) => {
    const random = seeded(97 + index);
    const count = Math.round((outagesPerMonth * LEDGER_DAYS) / 30);
    const outages = Array.from({ length: count }, () => {
      const fromMs = startMs + random() * (endMs - startMs - HOUR_MS);
      return { fromMs, toMs: fromMs + (1 + random() ** 3 * 34) * MINUTE_MS, detail: CAUSES[Math.floor(random() * CAUSES.length)] ?? '' };
    }).sort((a, b) => a.fromMs - b.fromMs);
    const found: Interval[] = [];
    let fromMs = startMs;
    for (const outage of outages) {
      if (outage.fromMs <= fromMs) continue;
      found.push({ service: id, from: instant(fromMs), to: instant(outage.fromMs), state: 'up' });
      found.push({ service: id, from: instant(outage.fromMs), to: instant(outage.toMs), state: 'down', detail: outage.detail });
      fromMs = outage.toMs;
    }
    found.push({ service: id, from: instant(fromMs), to: instant(endMs), state: 'up' });
    return found;
  });
}

type Series = { readonly metric: Readonly<Record<string, string>>; readonly at: (atMs: number, stepS: number) => number };

/** How busy people are, 0 to 1: more by day, less at weekends. */
function busy(atMs: number): number {
  const hours = (atMs / HOUR_MS) % 24;
  const weekday = new Date(atMs).getUTCDay();
  const weekend = weekday === 0 || weekday === 6 ? 0.65 : 1;
  return weekend * (0.25 + 0.75 * Math.max(0, Math.sin(((hours - 5) / 18) * Math.PI)) ** 1.3);
}

/** Adds up what is counted in each step. */
const counted = (perSecond: (atMs: number) => number): Series['at'] => {
  let total = 0;
  return (atMs, stepS) => (total += Math.max(0, perSecond(atMs)) * stepS);
};

function hostSeries(instance: string, seed: number, weight: number): Series[] {
  const random = seeded(seed);
  const host = { job: 'node', instance };
  const used = (atMs: number): number => weight * busy(atMs) * 0.8 + 0.06 + random() * 0.04;
  const mode = (name: string, share: (atMs: number) => number): Series => ({
    metric: { __name__: 'node_cpu_seconds_total', ...host, cpu: '0', mode: name },
    at: counted(share),
  });
  const disk = { ...host, device: '/dev/vda1', fstype: 'ext4', mountpoint: '/' };
  const GB = 1e9;
  const freeDisk = (atMs: number): number => (160 - ((atMs / DAY_MS) % 30) * 2.1) * GB;
  return [
    mode('user', (atMs) => used(atMs) * 0.8),
    mode('system', (atMs) => used(atMs) * 0.2),
    mode('idle', (atMs) => 1 - used(atMs)),
    { metric: { __name__: 'node_memory_MemTotal_bytes', ...host }, at: () => 32 * GB },
    { metric: { __name__: 'node_memory_MemAvailable_bytes', ...host }, at: (atMs) => (20 - 9 * weight * busy(atMs) - random()) * GB },
    { metric: { __name__: 'node_filesystem_size_bytes', ...disk }, at: () => 250 * GB },
    { metric: { __name__: 'node_filesystem_free_bytes', ...disk }, at: freeDisk },
    { metric: { __name__: 'node_filesystem_avail_bytes', ...disk }, at: freeDisk },
    {
      metric: { __name__: 'node_network_receive_bytes_total', ...host, device: 'eth0' },
      at: counted((atMs) => (2 + 30 * weight * busy(atMs) + random()) * 1e6),
    },
    {
      metric: { __name__: 'node_network_transmit_bytes_total', ...host, device: 'eth0' },
      at: counted((atMs) => (4 + 55 * weight * busy(atMs) + random()) * 1e6),
    },
  ];
}

const BOUNDS_S = [0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];

function applicationSeries(job: string, seed: number, rate: number, latencyS: number): Series[] {
  const random = seeded(seed);
  const requests = (atMs: number): number => rate * busy(atMs) * (0.95 + random() * 0.1);
  const failing = (atMs: number): number => (seeded(Math.floor(atMs / HOUR_MS) + seed)() > 0.94 ? 0.04 : 0.0008);
  const slow = (atMs: number): number => latencyS * (0.8 + 0.7 * busy(atMs));
  const code = (name: string, share: (atMs: number) => number): Series => ({
    metric: { __name__: 'http_requests_total', job, code: name },
    at: counted((atMs) => requests(atMs) * share(atMs)),
  });
  const bucket = (le: string, boundS: number): Series => ({
    metric: { __name__: 'http_request_duration_seconds_bucket', job, le },
    at: counted((atMs) => requests(atMs) * (1 - Math.exp(-boundS / slow(atMs)))),
  });
  return [
    code('200', (atMs) => 1 - failing(atMs)),
    code('503', failing),
    { metric: { __name__: 'http_request_duration_seconds_count', job }, at: counted(requests) },
    { metric: { __name__: 'http_request_duration_seconds_sum', job }, at: counted((atMs) => requests(atMs) * slow(atMs)) },
    ...BOUNDS_S.map((boundS) => bucket(String(boundS), boundS)),
    bucket('+Inf', Number.POSITIVE_INFINITY),
  ];
}

function businessSeries(): Series[] {
  const random = seeded(5);
  const orders = (atMs: number): number => 1.4 * busy(atMs) * (0.9 + random() * 0.2);
  return [
    { metric: { __name__: 'active_users', job: 'web-shop' }, at: (atMs) => Math.round(2_600 * busy(atMs) + random() * 60) },
    { metric: { __name__: 'shop_orders_total', job: 'web-shop' }, at: counted(orders) },
    { metric: { __name__: 'shop_revenue_euros_total', job: 'web-shop' }, at: counted((atMs) => 47.3 * orders(atMs)) },
  ];
}

/** Lines as VictoriaMetrics exports them, of the last days until now. */
export function samples(nowMs: number): string {
  const startMs = nowMs - SAMPLE_DAYS * DAY_MS;
  const fineMs = nowMs - DAY_MS;
  const timestamps: number[] = [];
  for (let atMs = startMs; atMs <= nowMs; atMs += atMs < fineMs ? COARSE_MS : FINE_MS) timestamps.push(Math.round(atMs));
  const all = [
    ...hostSeries('web-1', 11, 0.9),
    ...hostSeries('web-2', 12, 0.8),
    ...hostSeries('db-1', 13, 0.5),
    ...applicationSeries('web-shop', 21, 140, 0.06),
    ...applicationSeries('checkout', 22, 32, 0.11),
    ...applicationSeries('search', 23, 75, 0.09),
    ...businessSeries(),
  ];
  const lines = all.map(({ metric, at }) => {
    const values = timestamps.map((atMs, i) => at(atMs, (atMs - (timestamps[i - 1] ?? atMs)) / 1_000));
    return JSON.stringify({ metric, values, timestamps });
  });
  return [...lines, toldLines(timestamps)].join('\n');
}

/** Brings the month in; throws with the server's words where it takes something else than all of it. */
export async function bringIn(nines: Nines, nowMs: number): Promise<void> {
  const ledger = await nines.send('POST', '/api/availability/imports', { format: 'intervals', source: 'before', rows: intervals(nowMs) });
  if (ledger.status >= 300) throw new Error(`the ledger: ${ledger.status} ${ledger.text.slice(0, 500)}`);
  const stored = await nines.send<{ refused: number; bad_lines: number }>('POST', '/api/import?format=vmjson', samples(nowMs));
  if (stored.status !== 200 || stored.json.refused > 0 || stored.json.bad_lines > 0) {
    throw new Error(`the samples: ${stored.status} ${stored.text.slice(0, 500)}`);
  }
}
