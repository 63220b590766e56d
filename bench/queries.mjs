#!/usr/bin/env node
// Random queries over random ranges, and writes while a query over everything is in flight, beside Prometheus and VictoriaMetrics.
//   node bench/queries.mjs [--part random,during] [--series 5000] [--scrapes 480] [--queries 200] [--only nines,prometheus,victoria]
//                          [--seed 1] [--seconds 10] [--ours "node_modules/.bin/nines serve"]
// random: every query is asked twice; the answers of Nines must equal Prometheus' (1e-6). CPU is that of the server's process over
// all queries, which counts on a busy machine and for a peer that uses every core.
// during: writes at half the rate that one server takes at most, without and with one query over every series always in flight; times
// count from when a write was due, so that a server that falls behind does not look fast. Exit 1 on a difference or a failure.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { labelBytes, snappy, timeSeries } from './remote-write.mjs';

const { values: flags } = parseArgs({
  options: {
    part: { type: 'string', default: 'random,during' },
    series: { type: 'string', default: '5000' },
    scrapes: { type: 'string', default: '480' },
    queries: { type: 'string', default: '200' },
    only: { type: 'string', default: 'prometheus,victoria,nines' },
    seed: { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
    ours: { type: 'string', default: 'node_modules/.bin/nines serve' },
  },
});
const SERIES = +flags.series;
const SCRAPES = +flags.scrapes;
const BATCH = 1000;
const STEP_MS = 15_000;
/** Scrapes of the second part lie between the first part's and now. */
const LATER = 1200;
/** Seven milliseconds off every step, since Prometheus 2 counts a sample at a window's left edge and Prometheus 3 does not. */
const T0 = Math.floor(Date.now() / STEP_MS - SCRAPES - LATER) * STEP_MS + 7;
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'queries-'));
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const generator = (seed) => {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
    return state / 0x7fffffff;
  };
};

// --- data: counters, a histogram, gauges, some of these with gaps. Counters have none and begin high, because Prometheus 2 and 3
// differ in how far a counter that appears within a window is stretched towards zero.
const METRICS = ['requests_total', 'bytes_total', 'latency_bucket', 'temperature', 'queue_length', 'up'];
const LE = ['0.1', '0.5', '1', '5', '+Inf'];
const makeSeries = () => {
  const random = generator(7);
  return Array.from({ length: SERIES }, (_, i) => {
    const kind = i % METRICS.length;
    const n = Math.floor(i / METRICS.length);
    const labels = { __name__: METRICS[kind], instance: `host-${n % 97}:9100`, job: ['api', 'db', 'web'][n % 3], n: String(n) };
    if (kind === 2) labels.le = LE[n % LE.length];
    return {
      labels: labelBytes(labels),
      kind,
      value: kind < 3 ? 1e6 + Math.round(random() * 1e6) : random() * 100,
      gap: kind > 2 && n % 10 === 9,
    };
  });
};

function* bodies(series, from, to) {
  const random = generator(from + 11);
  for (let scrape = from; scrape < to; scrape++) {
    for (let at = 0; at < series.length; at += BATCH) {
      const parts = [];
      for (const each of series.slice(at, at + BATCH)) {
        if (each.kind < 3) each.value = random() < 0.0005 ? 0 : each.value + Math.round(random() * 500) / (each.kind === 1 ? 1 : 100);
        else if (each.kind === 3) each.value = Math.round((20 + 10 * random()) * 10) / 10;
        else if (each.kind === 4) each.value = Math.floor(random() * 50);
        else each.value = 1;
        if (each.gap && Math.floor(scrape / 40) % 3 === 1) continue;
        parts.push(timeSeries(each.labels, each.value, T0 + scrape * STEP_MS));
      }
      yield snappy(Buffer.concat(parts));
    }
  }
}

// --- servers
const peers = {
  prometheus: {
    port: 39_390,
    ready: '/-/ready',
    command: (port, dir) => {
      fs.writeFileSync(`${root}/p.yml`, 'global: {scrape_interval: 1h}\n');
      return ['prometheus', `--config.file=${root}/p.yml`, `--storage.tsdb.path=${dir}`, `--web.listen-address=127.0.0.1:${port}`].concat([
        '--web.enable-remote-write-receiver',
      ]);
    },
  },
  victoria: {
    port: 39_391,
    ready: '/health',
    flush: '/internal/force_flush',
    command: (port, dir) => ['victoria-metrics', `-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=10y'],
  },
  nines: {
    port: 39_392,
    ready: '/-/ready',
    command: (port, dir) => [...flags.ours.split(' '), '--data', dir, '--listen', `127.0.0.1:${port}`, '--insecure-no-auth'],
  },
};

function descendants(pid) {
  const children = new Map();
  for (const name of fs.readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = +fs.readFileSync(`/proc/${name}/stat`, 'utf8').split(') ')[1].split(' ')[1];
      children.set(parent, [...(children.get(parent) ?? []), +name]);
    } catch {
      // The process ended while it was looked at.
    }
  }
  const all = (each) => [each, ...(children.get(each) ?? []).flatMap(all)];
  return all(pid);
}
const cpuSeconds = (pid) =>
  descendants(pid).reduce((sum, each) => {
    try {
      const fields = fs.readFileSync(`/proc/${each}/stat`, 'utf8').split(') ')[1].split(' ');
      return sum + (+fields[11] + +fields[12]) / 100;
    } catch {
      return sum;
    }
  }, 0);

async function start(name) {
  const { port, ready, command } = peers[name];
  const dir = path.join(root, name);
  fs.mkdirSync(dir);
  const [bin, ...args] = command(port, dir);
  const log = fs.openSync(`${root}/${name}.log`, 'w');
  const child = spawn(bin, args, { stdio: ['ignore', log, log], detached: true });
  for (let i = 0; i < 300; i++) {
    // Refused until it listens.
    const answer = await fetch(`http://127.0.0.1:${port}${ready}`).catch(() => undefined);
    if (answer?.ok) return child;
    await sleep(100);
  }
  throw new Error(`${name} does not start: ${fs.readFileSync(`${root}/${name}.log`, 'utf8').slice(-500)}`);
}

async function stop(child) {
  process.kill(-child.pid, 'SIGTERM');
  for (let i = 0; i < 100 && fs.existsSync(`/proc/${child.pid}`); i++) await sleep(100);
}

const agent = new http.Agent({ keepAlive: true, maxSockets: 32 });
const failures = [];
const write = (port, body) =>
  new Promise((resolve) => {
    const headers = {
      'content-type': 'application/x-protobuf',
      'content-encoding': 'snappy',
      'x-prometheus-remote-write-version': '0.1.0',
      'content-length': body.length,
    };
    const request = http.request({ agent, host: '127.0.0.1', port, path: '/api/v1/write', method: 'POST', headers }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.on('end', () => {
        if (answer.statusCode >= 300) failures.push(`${port}: a write was answered ${answer.statusCode}: ${text.slice(0, 200)}`);
        resolve();
      });
    });
    request.on('error', (error) => {
      failures.push(`${port}: ${error.message}`);
      resolve();
    });
    request.end(body);
  });

// --- random queries
const pick = (random, list) => list[Math.floor(random() * list.length)];
function randomExpr(random) {
  const counter = pick(random, ['requests_total', 'bytes_total']);
  const gauge = pick(random, ['temperature', 'queue_length', 'up']);
  const matchers = pick(random, [
    '',
    '{job="api"}',
    '{job!="db"}',
    '{instance=~"host-1.*"}',
    '{n="17"}',
    '{instance=~".*9:9100",job="web"}',
  ]);
  const range = pick(random, ['1m', '5m', '10m', '1h']);
  const by = pick(random, ['', 'by (job) ', 'by (instance) ', 'without (n, le) ']);
  const rate = `${pick(random, ['rate', 'increase', 'irate'])}(${counter}${matchers}[${range}])`;
  const over = `${pick(random, ['avg', 'min', 'max', 'sum', 'count', 'stddev', 'last', 'quantile'])}`;
  const overTime =
    over === 'quantile' ? `quantile_over_time(0.9, ${gauge}${matchers}[${range}])` : `${over}_over_time(${gauge}${matchers}[${range}])`;
  const vector = pick(random, [
    rate,
    overTime,
    `${gauge}${matchers}`,
    `${gauge}${matchers} offset ${range}`,
    `delta(${gauge}${matchers}[${range}])`,
  ]);
  return pick(random, [
    () => vector,
    () => `${pick(random, ['sum', 'avg', 'min', 'max', 'count', 'stddev', 'group'])} ${by}(${vector})`,
    () => `topk(3, stddev_over_time(temperature${matchers}[1h]))`,
    () => `quantile ${by}(0.5, ${vector})`,
    () => `histogram_quantile(0.9, sum by (le, job) (rate(latency_bucket${matchers.includes('n=') ? '' : matchers}[${range}])))`,
    () => `sum by (job) (${rate}) / on (job) count by (job) (${counter})`,
    () => `${gauge}${matchers} > ${pick(random, ['20', '25', '0'])}`,
    () => `max_over_time(sum by (job) (${rate})[10m:1m])`,
    () => 'count({__name__!=""})',
  ])();
}

function randomQueries(count) {
  const random = generator(+flags.seed);
  const first = Math.round(T0 / 1000);
  const last = first + ((SCRAPES - 1) * STEP_MS) / 1000;
  return Array.from({ length: count }, () => {
    const query = randomExpr(random);
    const end = Math.round(last - random() * random() * (last - first));
    if (random() < 0.25) return { path: 'query', params: { query, time: String(end) } };
    const span = Math.round(300 + random() ** 2 * (last - first));
    const step = Math.max(pick(random, [15, 30, 60, 300]), Math.ceil(span / 1000));
    return { path: 'query_range', params: { query, start: String(end - span), end: String(end), step: String(step) } };
  });
}

async function ask(port, { path: route, params }, shiftMs) {
  const moved = { ...params, nocache: '1' };
  // Moved by a millisecond the second time, past every cache of answers.
  for (const name of ['start', 'end', 'time']) if (moved[name] !== undefined) moved[name] = String(+moved[name] + shiftMs / 1000);
  const began = performance.now();
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/${route}`, { method: 'POST', body: new URLSearchParams(moved) });
  const text = await answer.text();
  const ms = performance.now() - began;
  if (!answer.ok) failures.push(`${port}: ${params.query}: ${answer.status} ${text.slice(0, 200)}`);
  return { ms, text };
}

const close = (a, b) =>
  a === b || Math.abs(a - b) < 1e-9 || (Number.isNaN(a) && Number.isNaN(b)) || Math.abs(a - b) <= 1e-6 * Math.max(Math.abs(a), Math.abs(b));
function difference(ours, theirs) {
  const table = (text) =>
    new Map(
      JSON.parse(text).data.result.map((row) => [
        JSON.stringify(Object.entries(row.metric).sort(([a], [b]) => (a < b ? -1 : 1))),
        row.values ?? [row.value],
      ]),
    );
  const [a, b] = [table(ours), table(theirs)];
  if (a.size !== b.size) return `${a.size} series against ${b.size}`;
  for (const [key, points] of b) {
    const own = a.get(key);
    if (own?.length !== points.length) return `${key}: ${own?.length} points against ${points.length}`;
    for (let i = 0; i < points.length; i++)
      if (own[i][0] !== points[i][0] || !close(+own[i][1], +points[i][1])) return `${key}: ${own[i]} against ${points[i]}`;
  }
  return undefined;
}

async function randomPart(names) {
  const queries = randomQueries(+flags.queries);
  const results = {};
  for (const name of names) {
    const { port, flush } = peers[name];
    const child = await start(name);
    try {
      for (const body of bodies(makeSeries(), 0, SCRAPES)) await write(port, body);
      if (flush) await fetch(`http://127.0.0.1:${port}${flush}`);
      await sleep(2000);
      const cpu = cpuSeconds(child.pid);
      const asked = [];
      for (const query of queries) {
        const first = await ask(port, query, 0);
        const second = await ask(port, query, 1);
        asked.push({ first: first.ms, second: second.ms, text: second.text });
      }
      results[name] = { asked, cpu: cpuSeconds(child.pid) - cpu };
    } finally {
      await stop(child);
    }
  }
  const middle = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
  const at99 = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.99)];
  console.log(`${queries.length} random queries asked twice, ${SERIES} series × ${SCRAPES} scrapes`);
  for (const [name, { asked, cpu }] of Object.entries(results)) {
    const ms = (key) => asked.map((each) => each[key]);
    console.log(
      `  ${name.padEnd(11)} ${cpu.toFixed(2)} CPU-s   first p50 ${middle(ms('first')).toFixed(1)} p99 ${at99(ms('first')).toFixed(0)} ms   again p50 ${middle(ms('second')).toFixed(1)} p99 ${at99(ms('second')).toFixed(0)} ms`,
    );
  }
  const { nines, prometheus } = results;
  for (const [peer, other] of Object.entries(results))
    if (nines && peer !== 'nines') {
      const ratio = (key) => middle(queries.map((_, i) => nines.asked[i][key] / other.asked[i][key])).toFixed(2);
      console.log(
        `  nines / ${peer}: CPU ${(nines.cpu / other.cpu).toFixed(2)}, the median query ${ratio('first')} of its time, again ${ratio('second')}`,
      );
    }
  if (nines && prometheus)
    queries.forEach(({ params }, i) => {
      const found = difference(nines.asked[i].text, prometheus.asked[i].text);
      if (found !== undefined) failures.push(`${JSON.stringify(params)}: ${found}`);
    });
}

// --- writes while a query over everything is in flight
async function duringPart(names) {
  for (const name of names) {
    const { port } = peers[name];
    const child = await start(name);
    const source = bodies(makeSeries(), 0, SCRAPES + LATER);
    const loaded = (SCRAPES * SERIES) / BATCH;
    try {
      for (let i = 0; i < loaded; i++) await write(port, source.next().value);
      // The load's own cost does not belong to the figures: bodies are made before.
      const ready = Array.from({ length: Math.min(3000, (LATER * SERIES) / BATCH) }, () => source.next().value);
      let used = 0;
      const began = performance.now();
      while (used < ready.length / 6)
        await Promise.all(Array.from({ length: Math.min(4, SERIES / BATCH) }, () => write(port, ready[used++])));
      const perSecond = used / ((performance.now() - began) / 1000);
      const paced = async () => {
        const count = Math.min(Math.floor(perSecond * 0.5 * +flags.seconds), Math.floor((ready.length - used) / 2));
        const from = performance.now();
        const taken = [];
        const running = [];
        for (let i = 0; i < count; i++) {
          const due = from + (i * 1000) / (perSecond * 0.5);
          if (due > performance.now()) await sleep(due - performance.now());
          running.push(write(port, ready[used++]).then(() => taken.push(performance.now() - due)));
        }
        await Promise.all(running);
        taken.sort((a, b) => a - b);
        const quantile = (q) => taken[Math.min(taken.length - 1, Math.floor(taken.length * q))].toFixed(1);
        return `p50 ${quantile(0.5)} p99 ${quantile(0.99)} max ${quantile(1)} ms (${count} writes)`;
      };
      const quiet = await paced();
      let going = true;
      let queries = 0;
      const query = {
        query: 'sum by (job) ({__name__!=""})',
        start: String(T0 / 1000 + 300),
        end: String(T0 / 1000 + (SCRAPES - 1) * 15),
        step: '15',
      };
      const asking = (async () => {
        while (going) {
          await ask(port, { path: 'query_range', params: query }, queries);
          queries++;
        }
      })();
      const busy = await paced();
      going = false;
      await asking;
      const rate = `${((perSecond * BATCH) / 2000).toFixed(0)} k samples/s`;
      console.log(
        `  ${name.padEnd(11)} half rate ${rate}: alone ${quiet}; with a query over all ${SERIES} series in flight ${busy}, ${queries} queries`,
      );
    } finally {
      await stop(child);
    }
  }
}

try {
  const names = flags.only.split(',');
  if (flags.part.includes('random')) await randomPart(names);
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(root);
  if (flags.part.includes('during')) await duringPart(names);
} finally {
  fs.rmSync(root, { recursive: true, force: true });
  agent.destroy();
}
for (const failure of failures.slice(0, 20)) console.log(`WRONG ${failure}`);
process.exit(failures.length > 0 ? 1 : 0);
