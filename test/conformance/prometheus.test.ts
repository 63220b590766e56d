import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ask, difference } from './differential/answers.ts';
import { randomFrom } from './differential/random.ts';
import { type Nines, startNines } from '../harness/nines.ts';
import { type Prometheus, startPrometheus } from '../harness/prometheus.ts';
import { writeTo, type WrittenSeries } from '../harness/remote-write.ts';

/**
 * Our answers beside a real Prometheus' on the same samples. Debian has 2.42, whose ranges are closed at both ends; with
 * evaluation times off the sample grid both readings of a range hold the same samples.
 */
const STEP_MS = 15_000;
const SAMPLES = 120;
/** Keeps the samples off whole minutes, where subqueries look. */
const OFF_GRID_MS = 3_100;

const EXTRAPOLATION =
  '2.42 extrapolates to where a counter would have been zero even beyond half an interval; Prometheus 3 caps at half an interval first';
/** Differences of version, not of meaning. */
const NEWER: Readonly<Record<string, string>> = {
  'stddev_over_time(strange[3m])': "2.42's compensated sum turns an overflow into NaN, Prometheus 3's keeps +Inf",
  'rate(cpu_seconds_total[20m:1m])': EXTRAPOLATION,
  'increase(cpu_seconds_total[20m:1m])': EXTRAPOLATION,
  'stdvar_over_time(strange[3m])': "2.42's compensated sum turns an overflow into NaN, Prometheus 3's keeps +Inf",
};

let nines: Nines;
let prometheus: Prometheus;
let endMs = 0;

/** Counters with resets, gauges with gaps and special values, histogram buckets. */
function makeSeries(fromMs: number): WrittenSeries[] {
  const { next: random } = randomFrom(7);
  const samplesOf = (next: (i: number) => number | undefined): [number, number][] =>
    Array.from({ length: SAMPLES }, (_, i): [number, number | undefined] => [fromMs + i * STEP_MS, next(i)]).filter(
      (one): one is [number, number] => one[1] !== undefined,
    );
  const series: WrittenSeries[] = [];
  for (const instance of ['a:9100', 'b:9100', 'c:9100']) {
    for (const mode of ['user', 'system', 'idle']) {
      let value = random() * 100;
      series.push({
        labels: { __name__: 'cpu_seconds_total', job: 'node', instance, mode },
        samples: samplesOf((i) => {
          if (i === 60 && instance === 'b:9100') value = 0;
          value += random() * 10;
          return random() < 0.05 ? undefined : value;
        }),
      });
    }
    const gauge = samplesOf((i) => (i > 40 && i < 70 && instance === 'c:9100' ? undefined : Math.round(random() * 200 - 100) / 4));
    series.push({ labels: { __name__: 'temperature', job: 'node', instance }, samples: gauge });
    series.push({ labels: { __name__: 'memory_bytes', job: 'node', instance }, samples: samplesOf(() => Math.floor(random() * 1e9)) });
    const counts = [0, 0, 0, 0, 0];
    const rows: [number, number][][] = [[], [], [], [], []];
    for (let i = 0; i < SAMPLES; i++) {
      for (let n = 0; n < 5; n++) {
        const slot = Math.floor(random() * 5);
        for (let bucket = slot; bucket < 5; bucket++) counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
      for (let bucket = 0; bucket < 5; bucket++) rows[bucket]?.push([fromMs + i * STEP_MS, counts[bucket] ?? 0]);
    }
    ['0.1', '0.5', '1', '5', '+Inf'].forEach((le, bucket) =>
      series.push({ labels: { __name__: 'latency_seconds_bucket', job: 'api', instance, le }, samples: rows[bucket] ?? [] }),
    );
  }
  series.push({ labels: { __name__: 'strange', kind: 'nan' }, samples: samplesOf(() => Number.NaN) });
  series.push({
    labels: { __name__: 'strange', kind: 'inf' },
    samples: samplesOf((i) => (i % 2 === 0 ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY)),
  });
  series.push({ labels: { __name__: 'strange', kind: 'tiny' }, samples: samplesOf((i) => 1e-300 * i) });
  series.push({ labels: { __name__: 'strange', kind: 'huge' }, samples: samplesOf((i) => 1e300 * i) });
  series.push({ labels: { __name__: 'up', job: 'node', instance: 'a:9100', rack: 'r1' }, samples: samplesOf(() => 1) });
  series.push({ labels: { __name__: 'up', job: 'node', instance: 'b:9100', rack: 'r2' }, samples: samplesOf((i) => i % 3) });
  return series;
}

const QUERIES: readonly string[] = [
  'cpu_seconds_total',
  'cpu_seconds_total{mode=~"user|idle",instance!="a:9100"}',
  '{__name__=~"temp.*|mem.+",instance!~"a.*"}',
  'cpu_seconds_total offset 3m',
  'cpu_seconds_total offset -2m',
  'cpu_seconds_total @ END',
  ...[
    'rate',
    'increase',
    'irate',
    'delta',
    'idelta',
    'deriv',
    'changes',
    'resets',
    'avg_over_time',
    'min_over_time',
    'max_over_time',
    'sum_over_time',
    'count_over_time',
    'last_over_time',
    'stddev_over_time',
    'stdvar_over_time',
    'present_over_time',
  ].flatMap((name) => [
    `${name}(cpu_seconds_total[2m])`,
    `${name}(temperature[5m])`,
    `${name}(strange[3m])`,
    `${name}(cpu_seconds_total[20m:1m])`,
  ]),
  'quantile_over_time(0.9, temperature[5m])',
  'predict_linear(temperature[10m], 600)',
  'rate(cpu_seconds_total[10s])',
  ...['sum', 'avg', 'min', 'max', 'count', 'group', 'stddev', 'stdvar'].flatMap((name) => [
    `${name}(cpu_seconds_total)`,
    `${name} by (mode) (rate(cpu_seconds_total[5m]))`,
    `${name} without (instance) (temperature)`,
    `${name}(strange)`,
  ]),
  'topk(2, memory_bytes)',
  'bottomk by (job) (1, temperature)',
  'quantile by (mode) (0.3, cpu_seconds_total)',
  'quantile(-1, temperature)',
  'count_values("v", up)',
  'histogram_quantile(0.9, rate(latency_seconds_bucket[5m]))',
  'histogram_quantile(0.5, sum by (le) (rate(latency_seconds_bucket[5m])))',
  'histogram_quantile(1.1, latency_seconds_bucket)',
  ...['+', '-', '*', '/', '%', '^', '==', '!=', '<', '<=', '>', '>='].flatMap((op) => [
    `temperature ${op} 3`,
    `2 ${op} temperature`,
    `temperature ${op} temperature`,
    `temperature ${op} on (instance) temperature`,
  ]),
  ...['==', '<', '>='].flatMap((op) => [`temperature ${op} bool 3`, `1 ${op} bool 2`, `temperature ${op} bool temperature`]),
  'cpu_seconds_total / on (instance) group_left (rack) up',
  'up * on (instance) group_right (rack) cpu_seconds_total',
  'sum by (instance) (cpu_seconds_total) / ignoring (rack, job) up',
  'temperature and on (instance) up > 0',
  'temperature or up',
  'temperature unless up{rack="r1"}',
  'temperature unless on (instance) up',
  '-temperature',
  '-1 ^ 2 + 2 * 3 % 4 - 7 / 2',
  '1e3 + 0x1F + Inf - NaN',
  ...[
    'abs',
    'ceil',
    'floor',
    'exp',
    'ln',
    'log2',
    'log10',
    'sqrt',
    'sgn',
    'sin',
    'cos',
    'tan',
    'asin',
    'acosh',
    'atan',
    'tanh',
    'deg',
    'rad',
  ].map((name) => `${name}(temperature)`),
  'round(temperature, 5)',
  'clamp(temperature, -3, 3)',
  'clamp_min(temperature, 0)',
  'clamp_max(temperature, 0)',
  ...['minute', 'hour', 'day_of_week', 'day_of_month', 'day_of_year', 'days_in_month', 'month', 'year'].map(
    (name) => `${name}(vector(time() - 1e7))`,
  ),
  'timestamp(temperature)',
  'timestamp(temperature + 1)',
  'time()',
  'scalar(up{rack="r1"}) + vector(1)',
  'scalar(temperature)',
  'absent(nothing{a="b", c=~"d"})',
  'absent(up)',
  'absent_over_time(nothing[5m])',
  'label_replace(up, "host", "$1", "instance", "(.*):.*")',
  'label_join(up, "both", "-", "job", "rack")',
  'max_over_time(rate(cpu_seconds_total[1m])[10m:30s])',
  'sum(rate(cpu_seconds_total{mode!="idle"}[5m])) by (instance) / sum(rate(cpu_seconds_total[5m])) by (instance) * 100',
  'sort_desc(memory_bytes)',
  // Errors must be of the same kind.
  'sum(',
  'rate(temperature)',
  'temperature[5m]',
  'temperature + on (job) temperature',
  'nonsense(temperature)',
  'label_replace(up, "a", "$1", "instance", "(")',
  '{}',
  '{a=~".*"}',
  'temperature == "x"',
];

before(async () => {
  [nines, prometheus] = await Promise.all([startNines(), startPrometheus()]);
  const fromMs = Math.floor(Date.now() / STEP_MS) * STEP_MS - SAMPLES * STEP_MS + OFF_GRID_MS;
  endMs = fromMs + (SAMPLES - 1) * STEP_MS;
  await writeTo([nines.base, prometheus.base], makeSeries(fromMs));
});
after(async () => {
  await nines?.[Symbol.asyncDispose]();
  await prometheus?.[Symbol.asyncDispose]();
});

for (const [kind, path] of [
  ['at an instant', 'query'],
  ['over a range', 'query_range'],
] as const) {
  test(`${QUERIES.length} expressions have Prometheus' answers ${kind}`, async () => {
    const differences: string[] = [];
    // Off the grid of the samples too.
    const end = (endMs - 60_000 + 7_300) / 1000;
    const times = path === 'query' ? { time: String(end) } : { start: String(end - 1_200), end: String(end), step: '37' };
    for (const text of QUERIES) {
      const query = text.replace('END', String(end - 30));
      const [ours, theirs] = await Promise.all([nines.base, prometheus.base].map((base) => ask(base, path, { query, ...times })));
      const found = ours === undefined || theirs === undefined ? 'no answer' : difference(ours, theirs);
      if (found !== undefined && NEWER[query] === undefined) differences.push(`${query}: ${found}`);
    }
    assert.deepEqual(differences, []);
  });
}
