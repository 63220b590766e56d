/**
 * From a sample to the webhook: `node bench/alerts.ts [--seconds 60] [--idle 30]`. A thousand rules over ten thousand series of a hundred
 * targets; each target is written every 15 s, one after the other, to Nines and to Prometheus with Alertmanager at their fastest
 * (`evaluation_interval: 1s`, `group_wait: 0s`), in the same requests. In every second request one series crosses its threshold. Prints how long
 * after the request was sent each webhook arrived, and what the processes take while nothing is written. Needs `apt-get install prometheus
 * prometheus-alertmanager`.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { startAlertmanager } from '../test/harness/alertmanager.ts';
import { startNines } from '../test/harness/nines.ts';
import { poll } from '../test/harness/poll.ts';
import { startPrometheus } from '../test/harness/prometheus.ts';
import { WRITE_HEADERS, type WrittenSeries, writeBody } from '../test/harness/remote-write.ts';

const { values: flags } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, idle: { type: 'string', default: '30' } } });
const RULES = 1_000;
const RULES_PER_GROUP = 10;
const TARGETS = 100;
const SERIES_PER_TARGET = 100;
const SCRAPE_INTERVAL_MS = 15_000;
const STEP_MS = SCRAPE_INTERVAL_MS / TARGETS;
const TICKS_PER_SECOND = 100;

const rules = Array.from({ length: RULES }, (_, r) => ({
  alert: `Queue${r}`,
  expr: `queue_length{rule="${r}"} > 100`,
  labels: { severity: 'critical' },
}));
const groups = Array.from({ length: RULES / RULES_PER_GROUP }, (_, g) => ({
  name: `g${g}`,
  rules: rules.slice(g * RULES_PER_GROUP, (g + 1) * RULES_PER_GROUP),
}));
const ruleFile = JSON.stringify({ groups });

/** When each alert first reached each webhook, by `side rule instance`. */
const arrived = new Map<string, number>();
const hooks = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const nowMs = performance.now();
    const { alerts } = JSON.parse(Buffer.concat(chunks).toString()) as { alerts: { status: string; labels: Record<string, string> }[] };
    for (const { status, labels } of alerts) {
      const key = `${request.url} ${labels['rule']} ${labels['instance']}`;
      if (status === 'firing' && !arrived.has(key)) arrived.set(key, nowMs);
    }
    response.end();
  });
});
hooks.listen(0, '127.0.0.1');
await once(hooks, 'listening');
const hook = `http://127.0.0.1:${(hooks.address() as AddressInfo).port}`;

await using nines = await startNines({
  config: JSON.stringify({
    channels: [{ id: 'hook', kind: 'webhook', url: `${hook}/nines` }],
    routing: { default: ['hook'] },
    rules: { files: ['queue.yml'] },
  }),
  files: { 'queue.yml': ruleFile },
});
await using alertmanager = await startAlertmanager(
  JSON.stringify({
    route: { receiver: 'hook', group_by: ['...'], group_wait: '0s', group_interval: '1s', repeat_interval: '4h' },
    receivers: [{ name: 'hook', webhook_configs: [{ url: `${hook}/prometheus` }] }],
  }),
);
await using prometheus = await startPrometheus({
  config: JSON.stringify({
    global: { scrape_interval: '1h', evaluation_interval: '1s' },
    rule_files: [`${nines.folder}/queue.yml`],
    alerting: { alertmanagers: [{ path_prefix: alertmanager.prefix, static_configs: [{ targets: [alertmanager.address] }] }] },
  }),
});
const SIDES = [
  { name: 'nines', base: nines.base },
  { name: 'prometheus', base: prometheus.base },
] as const;

/** Series that are above their threshold. */
const high = new Set<string>();
const ruleOf = (target: number, series: number): number => (target % (RULES / SERIES_PER_TARGET)) * SERIES_PER_TARGET + series;
const seriesOf = (target: number, nowMs: number): readonly WrittenSeries[] =>
  Array.from({ length: SERIES_PER_TARGET }, (_, i) => {
    const [rule, instance] = [String(ruleOf(target, i)), `10.0.0.${target}:9100`];
    return {
      labels: { __name__: 'queue_length', job: 'queue', instance, rule },
      samples: [[nowMs, high.has(`${rule} ${instance}`) ? 250 : i]] as const,
    };
  });

/** Sends one target's samples to all sides at once; returns when each had it. */
async function write(target: number): Promise<void> {
  const body = new Uint8Array(writeBody(seriesOf(target, Date.now())));
  await Promise.all(
    SIDES.map(async ({ name, base }) => {
      const answer = await fetch(`${base}/api/v1/write`, { method: 'POST', headers: WRITE_HEADERS, body });
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    }),
  );
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
const cpuSeconds = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
};
const evaluations = async (): Promise<string> => {
  const { text } = await nines.get('/metrics');
  const of = (kind: string): string => new RegExp(`nines_rule_evaluations_${kind}_total (\\d+)`).exec(text)?.[1] ?? '?';
  return `${of('woken')} woken, ${of('timer')} by timer`;
};

// Every series is there before anything is measured.
for (let target = 0; target < TARGETS; target++) await write(target);
await new Promise((resolve) => setTimeout(resolve, 5_000));
const ninesPid = nines.child.pid ?? 0;
const busyFrom = cpuSeconds(ninesPid);
const sentMs = new Map<string, number>();
const sentAtMs = new Map<string, number>();
const startedMs = performance.now();
const steps = Math.floor((Number(flags.seconds) * 1_000) / STEP_MS);
for (let step = 0; step < steps; step++) {
  const waitMs = startedMs + step * STEP_MS - performance.now();
  if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
  const target = step % TARGETS;
  if (step % 2 === 0) {
    // Another place in the target each time, so that each alert is the first of its rule and instance.
    const key = `${ruleOf(target, (target + Math.floor(step / TARGETS)) % SERIES_PER_TARGET)} 10.0.0.${target}:9100`;
    high.add(key);
    sentMs.set(key, performance.now());
    sentAtMs.set(key, Date.now());
  }
  await write(target);
}
const tookS = (performance.now() - startedMs) / 1_000;
const busyS = cpuSeconds(ninesPid) - busyFrom;
await poll('every webhook', () => [...sentMs.keys()].every((key) => SIDES.every(({ name }) => arrived.has(`/${name} ${key}`)))).catch(
  console.error,
);
const p99s: number[] = [];
for (const { name } of SIDES) {
  const latencies = [...sentMs].flatMap(([key, atMs]) => {
    const hookMs = arrived.get(`/${name} ${key}`);
    return hookMs === undefined ? [] : [hookMs - atMs];
  });
  latencies.sort((a, b) => a - b);
  const [p50, p99] = [quantile(latencies, 0.5), quantile(latencies, 0.99)];
  p99s.push(p99);
  console.log(
    `${name}: ${latencies.length} of ${sentMs.size} alerts, sample sent to webhook p50 ${p50.toFixed(0)} ms, p99 ${p99.toFixed(0)} ms, worst ${(latencies.at(-1) ?? 0).toFixed(0)} ms`,
  );
}
console.log(
  `ratio of p99: ${((p99s[0] ?? 0) / (p99s[1] ?? 1)).toFixed(3)}; Nines took ${((100 * busyS) / tookS).toFixed(1)} % of a core meanwhile`,
);

/** Where the time went, by what the histories of alert and message say. */
type Stored = { readonly id: string; readonly starts_at_ms: number; readonly labels: Record<string, string> };
type Message = { readonly alerts: readonly string[]; readonly created_at_ms: number; readonly finished_at_ms: number };
const { json: stored } = await nines.get<{ items: readonly Stored[] }>('/api/alerts?limit=1000');
const { json: messages } = await nines.get<{ items: readonly Message[] }>('/api/notifications?limit=1000&channel=hook');
const parts = stored.items.flatMap(({ id, starts_at_ms: startsAtMs, labels }) => {
  const atMs = sentAtMs.get(`${labels['rule']} ${labels['instance']}`);
  const message = messages.items.find(({ alerts }) => alerts.includes(id));
  if (atMs === undefined || message === undefined) return [];
  return [[startsAtMs - atMs, message.created_at_ms - startsAtMs, message.finished_at_ms - message.created_at_ms]];
});
for (const [i, name] of ['until its rule was evaluated', 'until the message was queued', 'until the receiver had answered'].entries()) {
  const sorted = parts.map((one) => one[i] ?? Number.NaN).sort((x, y) => x - y);
  console.log(`  ${name}: p50 ${quantile(sorted, 0.5)} ms, p99 ${quantile(sorted, 0.99)} ms`);
}

await new Promise((resolve) => setTimeout(resolve, 3_000));
const before = await evaluations();
const idleFrom = cpuSeconds(ninesPid);
const idleFromMs = performance.now();
await new Promise((resolve) => setTimeout(resolve, Number(flags.idle) * 1_000));
const idleS = cpuSeconds(ninesPid) - idleFrom;
console.log(
  `without samples: Nines took ${((1e5 * idleS) / (performance.now() - idleFromMs)).toFixed(2)} % of a core, its own host metrics included; evaluations before: ${before}; after: ${await evaluations()}`,
);
hooks.close();
hooks.closeAllConnections();
