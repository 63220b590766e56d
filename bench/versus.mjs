#!/usr/bin/env node
// Nines beside Prometheus and VictoriaMetrics, same data, same queries, one run on this machine.
//   node bench/versus.mjs [--series 20000] [--scrapes 240] [--batch 2000] [--shuffle] [--churn 0.001] [--only nines,prometheus,victoria]
//                                   [--ours "node_modules/.bin/nines serve"]
// --scrapes: at least 40; 1500 and more (over 6 h) also fills closed pages/blocks. --shuffle: series in another order each scrape.
// --churn: share of series that end and are replaced each scrape. Exit 1 on any refused write, failed or empty query, or a result that differs.
// Needs Debian's packages prometheus and victoria-metrics (apt-get install prometheus victoria-metrics). Run from the project's root.
// Figures: samples per CPU-second of the server's process tree while it accepts the load, median query seconds, bytes on disk per sample.
// Absolute figures move with the machine; quote the ratios.
import { spawn, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { labelBytes, timeSeries, snappy } from './remote-write.mjs';
const { values: o } = parseArgs({
  options: {
    series: { type: 'string', default: '20000' },
    scrapes: { type: 'string', default: '240' },
    batch: { type: 'string', default: '2000' },
    only: { type: 'string', default: 'prometheus,victoria,nines' },
    ours: { type: 'string', default: 'node_modules/.bin/nines serve' },
    shuffle: { type: 'boolean', default: false },
    churn: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
    seed: { type: 'string', default: '42' },
  },
});
const S = +o.series,
  T = +o.scrapes,
  B = +o.batch,
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'versus-'));
let seed = +o.seed;
const rnd = () => {
  seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
  return seed / 0x7fffffff;
};
// --- data: the shapes of a scraped fleet (counters, integers, decimals, flags)
const NAMES = [
  'node_cpu_seconds_total',
  'node_network_receive_bytes_total',
  'http_requests_total',
  'http_request_duration_seconds_bucket',
  'node_memory_MemAvailable_bytes',
  'process_resident_memory_bytes',
  'go_goroutines',
  'node_filesystem_avail_bytes',
  'node_disk_io_time_seconds_total',
  'up',
];
const LE = ['0.005', '0.01', '0.025', '0.05', '0.1', '0.25', '0.5', '1', '2.5', '+Inf'];
const one = (i, generation) => {
  const kind = i % 10,
    host = Math.floor(i / 10);
  const labels = {
    __name__: NAMES[kind],
    cluster: 'eu-west-1',
    instance: `10.${(host >> 8) & 255}.${host & 255}.7:9100`,
    job: 'node',
    mode: ['user', 'system', 'idle', 'iowait'][host % 4],
    pod: `api-${(Math.imul(i + generation * 7919, 2654435761) >>> 0).toString(16)}-x${i % 97}`,
  };
  if (kind === 3) labels.le = LE[host % 10];
  return { labels: labelBytes(labels), kind, v: rnd() * 1000, inc: rnd() * 50, generation };
};
if (T < 40) {
  console.error('--scrapes must be at least 40');
  process.exit(2);
}
const series = Array.from({ length: S }, (_, i) => one(i, 0)),
  order = Array.from({ length: S }, (_, i) => i);
const t0 = (Math.floor(Date.now() / 15000) - T) * 15000,
  bodies = [];
for (let t = 0; t < T; t++) {
  for (let k = 0; k < S * +o.churn; k++) {
    const i = Math.floor(rnd() * S);
    series[i] = one(i, series[i].generation + 1);
  }
  if (o.shuffle)
    for (let i = S - 1; i > 0; i--) {
      const j = Math.floor(rnd() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
  for (let b = 0; b < S; b += B) {
    const parts = [];
    for (let i = b; i < Math.min(S, b + B); i++) {
      const s = series[order[i]];
      if (s.kind === 0 || s.kind === 8) s.v += Math.round(rnd() * 1500) / 100;
      else if (s.kind <= 3) s.v += Math.round(rnd() * s.inc);
      else if (s.kind === 9) s.v = 1;
      else if (s.kind === 6) s.v = 50 + Math.round(rnd() * 20);
      else if (rnd() < 0.4) s.v += Math.round((rnd() - 0.5) * 100) * 4096;
      parts.push(timeSeries(s.labels, s.v, t0 + t * 15000));
    }
    bodies.push(snappy(Buffer.concat(parts)));
  }
}
const total = S * T;
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const tree = (pid) => {
  const kids = new Map();
  for (const d of fs.readdirSync('/proc'))
    if (/^\d+$/.test(d))
      try {
        const ppid = +fs.readFileSync(`/proc/${d}/stat`, 'utf8').split(') ')[1].split(' ')[1];
        (kids.get(ppid) ?? kids.set(ppid, []).get(ppid)).push(+d);
      } catch {
        // The process ended while it was looked at.
      }
  const all = [];
  (function walk(p) {
    all.push(p);
    for (const k of kids.get(p) ?? []) walk(k);
  })(pid);
  return all;
};
const cpu = (pid) =>
  tree(pid).reduce((a, p) => {
    try {
      const f = fs.readFileSync(`/proc/${p}/stat`, 'utf8').split(') ')[1].split(' ');
      return a + (+f[11] + +f[12]) / 100;
    } catch {
      return a;
    }
  }, 0);
// the server itself: the process of the tree with the most memory (launchers such as npm stay beside it)
const memory = (pid) =>
  tree(pid)
    .map((p) => {
      try {
        const s = fs.readFileSync(`/proc/${p}/status`, 'utf8');
        return { rss: +/VmRSS:\s+(\d+)/.exec(s)[1] / 1024, anon: +/RssAnon:\s+(\d+)/.exec(s)[1] / 1024 };
      } catch {
        return { rss: 0, anon: 0 };
      }
    })
    .sort((a, b) => b.anon - a.anon)[0];
const du = (dir) => +execFileSync('du', ['-sb', dir], { encoding: 'utf8' }).split('\t')[0];
async function ready(url) {
  for (let i = 0; i < 300; i++) {
    try {
      if ((await fetch(url)).ok) return;
    } catch {
      // Not listening yet; asked again below.
    }
    await sleep(100);
  }
  throw new Error(`not ready: ${url}`);
}
const peers = {
  prometheus: {
    port: 39190,
    cmd: (p, d) => {
      fs.writeFileSync(`${root}/p.yml`, 'global: {scrape_interval: 1h}\n');
      return [
        'prometheus',
        `--config.file=${root}/p.yml`,
        `--storage.tsdb.path=${d}`,
        `--web.listen-address=127.0.0.1:${p}`,
        '--web.enable-remote-write-receiver',
        '--storage.tsdb.min-block-duration=2h',
      ];
    },
    ready: '/-/ready',
  },
  victoria: {
    port: 39191,
    cmd: (p, d) => ['victoria-metrics', `-storageDataPath=${d}`, `-httpListenAddr=127.0.0.1:${p}`, '-retentionPeriod=10y'],
    ready: '/health',
    flush: ['/internal/force_flush', '/internal/force_merge'],
  },
  nines: {
    port: 39192,
    cmd: (p, d) => [...o.ours.split(' '), '--data', d, '--listen', `127.0.0.1:${p}`, '--insecure-no-auth'],
    ready: '/-/ready',
    data: 'tsdb',
  },
};
async function load(port, conc = 4) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: conc });
  let i = 0;
  const errors = {};
  const lat = [];
  const one = (b) =>
    new Promise((res) => {
      const t = performance.now();
      const r = http.request(
        {
          agent,
          host: '127.0.0.1',
          port,
          path: '/api/v1/write',
          method: 'POST',
          headers: {
            'content-type': 'application/x-protobuf',
            'content-encoding': 'snappy',
            'x-prometheus-remote-write-version': '0.1.0',
            'content-length': b.length,
          },
        },
        (x) => {
          if (x.statusCode >= 300) errors[x.statusCode] = (errors[x.statusCode] ?? 0) + 1;
          x.resume();
          x.on('end', () => {
            lat.push(performance.now() - t);
            res();
          });
        },
      );
      r.on('error', (e) => {
        errors[e.code] = (errors[e.code] ?? 0) + 1;
        res();
      });
      r.end(b);
    });
  // one timestamp at a time, so that no peer sees a sample out of order
  const perScrape = Math.ceil(S / B);
  for (let t = 0; t < T; t++) {
    i = t * perScrape;
    const end = i + perScrape;
    await Promise.all(
      Array.from({ length: Math.min(conc, perScrape) }, async () => {
        while (i < end) await one(bodies[i++]);
      }),
    );
  }
  agent.destroy();
  lat.sort((a, b) => a - b);
  return { errors, p50: lat[lat.length >> 1], p99: lat[Math.floor(lat.length * 0.99)] };
}
const end = t0 / 1000 + (T - 1) * 15,
  start = Math.max(t0 / 1000 + 300, end - 3600);
const QUERIES = {
  'sum by (mode)(rate(cpu[5m]))': 'sum by (mode)(rate(node_cpu_seconds_total[5m]))',
  'rate over 8 metrics': 'sum by (mode)(rate({__name__=~"node_.*|http_.*"}[5m]))',
  'topk(5, max_over_time[10m])': 'topk(5, max_over_time(process_resident_memory_bytes[10m]))',
  'count of everything': 'count({__name__!=""})',
  histogram_quantile: 'histogram_quantile(0.9, sum by (le, mode)(rate(http_request_duration_seconds_bucket[5m])))',
  'one series': 'node_cpu_seconds_total{instance="10.0.7.7:9100"}',
};
async function query(port, q, start, end) {
  const times = [];
  let body;
  for (let k = 0; k < 5; k++) {
    const t = performance.now();
    const r = await fetch(`http://127.0.0.1:${port}/api/v1/query_range`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ query: q, start: String(start + k * 0.001), end: String(end + k * 0.001), step: '15', nocache: '1' }),
    });
    body = await r.text();
    if (!r.ok) return { error: `${r.status} ${body.slice(0, 120)}` };
    times.push(performance.now() - t);
  }
  const first = times[0];
  times.sort((a, b) => a - b);
  const R = JSON.parse(body).data.result;
  return { ms: times[2], first, series: R.length, sum: R.reduce((a, r) => a + r.values.reduce((x, [, v]) => x + +v, 0), 0) };
}
const result = {};
for (const name of o.only.split(',')) {
  const peer = peers[name],
    dir = path.join(root, name);
  fs.mkdirSync(dir);
  const [bin, ...args] = peer.cmd(peer.port, dir);
  const log = fs.openSync(`${root}/${name}.log`, 'w');
  const child = spawn(bin, args, { stdio: ['ignore', log, log], detached: true, env: process.env });
  try {
    await ready(`http://127.0.0.1:${peer.port}${peer.ready}`);
    await sleep(3000);
    const idle = memory(child.pid);
    const c0 = cpu(child.pid),
      w0 = performance.now();
    const l = await load(peer.port);
    const w = (performance.now() - w0) / 1000,
      c = cpu(child.pid) - c0;
    if (peer.flush) await fetch(`http://127.0.0.1:${peer.port}${peer.flush[0]}`);
    await sleep(2500);
    const q = {};
    for (const [k, v] of Object.entries(QUERIES)) q[k] = await query(peer.port, v, start, end);
    if (end - 4 * 3600 > t0 / 1000)
      for (const [k, v] of Object.entries(QUERIES)) q[`${k} (old hour)`] = await query(peer.port, v, t0 / 1000 + 600, t0 / 1000 + 4200);
    for (const f of peer.flush ?? []) {
      await fetch(`http://127.0.0.1:${peer.port}${f}`);
      await sleep(3000);
    }
    const after = memory(child.pid);
    process.kill(-child.pid, 'SIGTERM');
    for (let i = 0; i < 200 && fs.existsSync(`/proc/${child.pid}`); i++) await sleep(100);
    result[name] = {
      samplesPerCpuSecond: total / c,
      samplesPerSecond: total / w,
      ...l,
      idleMB: idle.rss,
      idleAnonMB: idle.anon,
      rssMB: after.rss,
      bytesPerSample: du(peer.data && fs.existsSync(path.join(dir, peer.data)) ? path.join(dir, peer.data) : dir) / total,
      q,
    };
  } catch (e) {
    result[name] = { error: String(e), log: fs.readFileSync(`${root}/${name}.log`, 'utf8').slice(-600) };
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}
fs.rmSync(root, { recursive: true, force: true });
const wrong = [];
const ref = result.prometheus?.q ?? result.nines?.q;
for (const [n, r] of Object.entries(result)) {
  if (r.error) wrong.push(`${n}: ${r.error}`);
  else if (Object.keys(r.errors).length) wrong.push(`${n}: refused writes ${JSON.stringify(r.errors)}`);
  for (const [k, v] of Object.entries(r.q ?? {})) {
    if (v.error || !v.series) wrong.push(`${n}: ${k}: ${v.error ?? 'empty'}`);
    else if (n !== 'victoria' && ref?.[k] && (v.series !== ref[k].series || Math.abs(v.sum - ref[k].sum) > 1e-6 * Math.abs(ref[k].sum)))
      wrong.push(`${n}: ${k}: differs from Prometheus (${v.series} series, sum ${v.sum} against ${ref[k].series}, ${ref[k].sum})`);
  }
}
if (o.json) {
  console.log(JSON.stringify({ series: S, scrapes: T, result, wrong }));
  process.exit(wrong.length ? 1 : 0);
}
const f = (x, d = 2) => (x === undefined ? '-' : x.toFixed(d));
const names = Object.keys(result);
console.log(`${S} series × ${T} scrapes, ${B} series per request, ${total} samples`);
for (const n of names) {
  const r = result[n];
  if (r.error) {
    console.log(`${n}: ${r.error}\n${r.log}`);
    continue;
  }
  console.log(
    `${n.padEnd(11)} ${(r.samplesPerCpuSecond / 1e3).toFixed(0).padStart(6)} k samples/CPU-s  ${(r.samplesPerSecond / 1e3).toFixed(0).padStart(6)} k/s  ack p50 ${f(r.p50)} p99 ${f(r.p99)} ms  idle ${f(r.idleMB, 0)} MB (private ${f(r.idleAnonMB, 0)})  after ${f(r.rssMB, 0)} MB  ${f(r.bytesPerSample, 3)} B/sample  errors ${JSON.stringify(r.errors)}`,
  );
}
for (const k of Object.keys(Object.values(result).find((r) => r.q)?.q ?? {}))
  console.log(
    `  ${k.padEnd(40)} ${names.map((n) => `${n} ${result[n].q?.[k]?.error ?? `${f(result[n].q?.[k]?.ms, 1)} ms (${result[n].q?.[k]?.series})`}`).join('   ')}`,
  );
const us = result.nines;
if (us && !us.error)
  for (const p of ['prometheus', 'victoria'])
    if (result[p] && !result[p].error)
      console.log(
        `nines / ${p}: ingest ${f(us.samplesPerCpuSecond / result[p].samplesPerCpuSecond)}×, queries ${Object.keys(us.q)
          .map((k) => f(result[p].q[k].ms / us.q[k].ms))
          .join(' ')}× faster, bytes ${f(us.bytesPerSample / result[p].bytesPerSample)}×`,
      );
for (const w of wrong) console.log(`WRONG ${w}`);
process.exit(wrong.length ? 1 : 0);
