import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { type Nines, startNines } from '../harness/nines.ts';
import { poll } from '../harness/poll.ts';
import { WRITE_HEADERS, writeBody } from '../harness/remote-write.ts';

const STEP_MS = 300_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 16;
const WAIT_MS = 240_000;

const config = (target: string): string => `
services:
  - { id: shop, checks: [{ id: home, kind: http, url: '${target}', interval: 1h }, { id: port, kind: http, url: '${target}', interval: 1h }] }
analytics:
  watch:
    - { name: orders, expr: orders_a_minute, anomalies: { method: robust_zscore }, forecast: { horizon: [1h, 1d] } }
    - { name: queue, expr: sum(queue_length), limit: 1000, anomalies: false, forecast: { horizon: 1d } }
  load_test: { checks: [home], max_rps: 200, max_latency: 30s }
rules:
  packs: []
  thresholds:
    - { id: ODD_ORDERS, metric: 'anomaly_score{name="orders"}', condition: '>=', threshold: 0.95, for: 0s }
    - { id: QUEUE_FULL_TOMORROW, metric: 'forecast{name="queue"}', condition: '>', threshold: 710, for: 0s }
`;

type Points = readonly (readonly [number, number])[];
/** What was stored, by hand: seasons, a filling disk, a leak, a queue, a counter that begins anew, a hole of two hours. */
function past(nowMs: number): Map<string, { metric: Record<string, string>; points: Points }> {
  const { normal } = randomFrom(21);
  const lastMs = Math.floor(nowMs / STEP_MS) * STEP_MS;
  const instants = Array.from({ length: (DAYS * DAY_MS) / STEP_MS }, (_, i) => lastMs - ((DAYS * DAY_MS) / STEP_MS - 1 - i) * STEP_MS);
  const ago = (atMs: number): number => (lastMs - atMs) / DAY_MS;
  const series = (name: string, labels: Record<string, string>, value: (atMs: number) => number) =>
    [name, { metric: { __name__: name, ...labels }, points: instants.map((atMs) => [atMs, value(atMs)] as const) }] as const;
  return new Map([
    series('orders_a_minute', { job: 'shop' }, (atMs) => 100 + 30 * Math.sin((2 * Math.PI * atMs) / DAY_MS) + normal()),
    series('queue_length', { job: 'shop' }, (atMs) => 700 - 20 * ago(atMs) + normal()),
    series('node_filesystem_files', { instance: 'db1' }, () => 1_000_000),
    series('node_filesystem_files_free', { instance: 'db1' }, (atMs) => 150_000 + 20_000 * ago(atMs) + 300 * normal()),
    series(
      'process_resident_memory_bytes',
      { job: 'leaky' },
      (atMs) => 1e9 - 2e7 * ago(atMs) + 2e7 * ((atMs / STEP_MS) % 12) + 1e5 * normal(),
    ),
    series(
      'orders_total',
      { job: 'shop' },
      (atMs) => 150 * ((atMs - (ago(atMs) < 0.5 ? lastMs - DAY_MS / 2 : lastMs - DAYS * DAY_MS)) / STEP_MS),
    ),
    series('holey', { job: 'shop' }, (atMs) => (ago(atMs) > 0.25 && ago(atMs) <= 0.25 + 1 / 12 ? Number.NaN : 5 + normal())),
  ]);
}

type Row = {
  name: string;
  state: string;
  days: number | null;
  days_lower: number | null;
  days_upper: number | null;
  leak: { state: string } | null;
};
type Watch = { name: string; forecasts: { horizon_ms: number; made_at_ms: number; coverage: number | null; points: number[][] }[] };
type Episode = { id: string; name: string; score: number; reason: string };
type Described = {
  step_ms: number;
  from_at_ms: number;
  to_at_ms: number;
  notes: string[];
  series: { expr: string; points: Points; summary: Record<string, number>; trend: { per_day: number } }[];
};
type LoadTest = { state: string; reason: string | null; requests: number; steps: { concurrency: number; errors: number }[]; load: object };
type Found = { metric: Record<string, string>; value: [number, string] };

async function ask<T>(nines: Nines, path: string): Promise<T> {
  const answer = await nines.get<T>(path);
  assert.equal(answer.status, 200, `${path}: ${answer.text}`);
  return answer.json;
}
const instant = async (nines: Nines, query: string): Promise<Found[]> =>
  (await ask<{ data: { result: Found[] } }>(nines, `/api/v1/query?${new URLSearchParams({ query }).toString()}`)).data.result;
const described = (nines: Nines, asked: Record<string, string>): Promise<Described> =>
  ask(nines, `/api/analytics/query?${new URLSearchParams(asked).toString()}`);

async function tellsWhatFills(nines: Nines): Promise<void> {
  const { items } = await ask<{ items: Row[] }>(nines, '/api/analytics/capacity-table');
  const row = (name: string): Row => {
    const found = items.find((one) => one.name.startsWith(name));
    assert.ok(found !== undefined, `${name}: ${JSON.stringify(items.map((one) => one.name))}`);
    return found;
  };
  // 85 % and 2 more a day: 7.5 days. 700 of 1000 and 20 more a day: 15 days.
  for (const [name, days] of [
    ['inodes', 7.5],
    ['queue', 15],
  ] as const) {
    const { days: expected, days_lower: lower, days_upper: upper, state } = row(name);
    assert.equal(state, 'grows');
    assert.ok(expected !== null && Math.abs(expected - days) < 0.1 * days, `${name}: ${expected}`);
    assert.ok(lower !== null && upper !== null && lower <= expected && expected <= upper, `${name}: ${lower} ${upper}`);
  }
  assert.equal(row('process memory leaky').leak?.state, 'leaks');
}

async function describesWhatIsStored(nines: Nines, stored: ReturnType<typeof past>): Promise<void> {
  const holey = await described(nines, { pattern: 'holey', window: '24h', step: '5m' });
  const [one] = holey.series;
  assert.ok(one !== undefined && holey.step_ms === STEP_MS && holey.to_at_ms - holey.from_at_ms === DAY_MS, JSON.stringify(holey.notes));
  const values = (stored.get('holey')?.points ?? [])
    .filter(([atMs, value]) => atMs >= holey.from_at_ms && !Number.isNaN(value))
    .map(([, value]) => value);
  assert.equal(one.summary['count'], values.length);
  assert.equal(one.summary['missing'], DAY_MS / STEP_MS + 1 - values.length, 'the hole, and what has not come yet');
  assert.ok((one.summary['missing'] ?? 0) >= 24);
  assert.ok(Math.abs((one.summary['mean'] ?? 0) - values.reduce((sum, value) => sum + value, 0) / values.length) < 1e-9);
  assert.equal(one.summary['max'], Math.max(...values));
  const counted = await described(nines, { pattern: 'orders_total', window: '24h', step: '5m' });
  assert.match(counted.notes.join(), /rate per second, a reset counted from zero/);
  assert.ok(Math.abs((counted.series[0]?.summary['median'] ?? 0) - 0.5) < 1e-6, '150 in five minutes, over the reset');
  assert.match(counted.series[0]?.expr ?? '', /^rate\(/);
  const rising = await described(nines, { pattern: 'sum(queue_length) * 2', window: '10d', step: '1h' });
  assert.ok(Math.abs((rising.series[0]?.trend.per_day ?? 0) - 40) < 2, JSON.stringify(rising.series[0]?.trend));
}

/** Orders that are as usual, and then a hundred times as many: scores, an alert, an episode. */
async function scoresWhatComes(nines: Nines): Promise<Episode> {
  const push = async (value: number): Promise<void> => {
    const answer = await nines.send(
      'POST',
      '/api/v1/write',
      writeBody([{ labels: { __name__: 'orders_a_minute', job: 'shop' }, samples: [[Date.now(), value]] }]),
      WRITE_HEADERS,
    );
    assert.equal(answer.status, 204, answer.text);
  };
  await poll(
    'a score',
    async () => {
      await push(100);
      return (await instant(nines, 'anomaly_score{name="orders"}')).length === 1;
    },
    WAIT_MS,
  );
  assert.ok(Number((await instant(nines, 'anomaly_score{name="orders"}'))[0]?.value[1]) < 0.95);
  type Alerts = { items: { rule: string }[] };
  await poll(
    'the alert about the score',
    async () => {
      await push(10_000);
      return (await ask<Alerts>(nines, '/api/alerts?state=firing')).items.some(({ rule }) => rule === 'ODD_ORDERS');
    },
    WAIT_MS,
  );
  const [episode] = (await ask<{ items: Episode[] }>(nines, '/api/analytics/episodes?name=orders&limit=1')).items;
  assert.ok(episode !== undefined && episode.score > 0.95 && episode.reason !== '', JSON.stringify(episode));
  return episode;
}

async function forecastsWhatIsWatched(nines: Nines): Promise<Watch[]> {
  const told = await poll(
    'forecasts of three horizons',
    async () => {
      const found = await instant(nines, 'forecast');
      return found.length === 3 && found;
    },
    WAIT_MS,
  );
  assert.deepEqual(told.map(({ metric }) => `${metric['name']} ${metric['horizon']}`).toSorted(), ['orders 1d', 'orders 1h', 'queue 1d']);
  const between = 'forecast_lower < ignoring(__name__) forecast < ignoring(__name__) forecast_upper';
  assert.equal((await instant(nines, between)).length, 3);
  const [queue] = await instant(nines, 'forecast{name="queue"}');
  assert.ok(Math.abs(Number(queue?.value[1]) - 720) < 8, `700 and 20 a day: ${queue?.value[1]}`);
  await poll(
    'the alert about tomorrow',
    async () =>
      (await ask<{ items: { rule: string }[] }>(nines, '/api/alerts?state=firing')).items.some(
        ({ rule }) => rule === 'QUEUE_FULL_TOMORROW',
      ),
    WAIT_MS,
  );
  return (await ask<{ items: Watch[] }>(nines, '/api/analytics/watch')).items;
}

async function testsLoad(nines: Nines): Promise<void> {
  const path = '/api/analytics/load/test';
  assert.equal((await nines.send('POST', path, { check: 'port', steps: [1], seconds: 2 })).status, 403, 'not allowed by the configuration');
  const begun = await nines.send('POST', path, { check: 'home', steps: [1, 2, 4], seconds: 2 });
  assert.equal(begun.status, 202, begun.text);
  assert.equal((await nines.send('POST', path, { check: 'home', steps: [1], seconds: 2 })).status, 409);
  type Listed = { running: LoadTest | null; items: LoadTest[] };
  const result = await poll(
    'the end of the load test',
    async () => {
      const { running, items } = await ask<Listed>(nines, path);
      return running === null && items[0];
    },
    WAIT_MS,
  );
  assert.deepEqual(
    [result.state, result.reason, result.steps.map(({ concurrency, errors }) => [concurrency, errors])],
    [
      'done',
      null,
      [
        [1, 0],
        [2, 0],
        [4, 0],
      ],
    ],
  );
  assert.ok(result.requests > 10);
  type Entries = { items: { action: string; after: { state?: string } | null }[] };
  const entries = await ask<Entries>(nines, '/api/audit');
  assert.ok(
    entries.items.some(({ action, after }) => action === 'load_test.ended' && after?.state === 'done'),
    JSON.stringify(entries.items.slice(0, 3)),
  );
  assert.ok(entries.items.some(({ action }) => action === `POST ${path}`));
}

it('a server that was given two weeks of the past tells what fills up, scores and forecasts what comes, alerts about it, and keeps it', {
  timeout: 900_000,
}, async () => {
  await using site = createServer((_request, response) => void setTimeout(() => response.end('ok'), 10));
  await new Promise<void>((resolve) => void site.listen(0, '127.0.0.1', resolve));
  const stored = past(Date.now());
  const text = config(`http://127.0.0.1:${(site.address() as AddressInfo).port}/`);
  await using first = await startNines({ config: text });
  const lines = [...stored.values()].map(({ metric, points }) => {
    const known = points.filter(([, value]) => !Number.isNaN(value));
    return JSON.stringify({ metric, values: known.map(([, value]) => value), timestamps: known.map(([atMs]) => atMs) });
  });
  const imported = await first.send('POST', '/api/v1/import', lines.join('\n'));
  assert.ok(imported.status < 300, imported.text);
  await tellsWhatFills(first);
  await describesWhatIsStored(first, stored);
  assert.equal(await first.stop(), 0);

  // A start learns what is usual from what is stored.
  await using second = await startNines({ folder: first.folder });
  const watches = await forecastsWhatIsWatched(second);
  const episode = await scoresWhatComes(second);
  await testsLoad(second);
  assert.equal(await second.stop(), 0);

  await using third = await startNines({ folder: first.folder });
  const again = (await ask<{ items: Watch[] }>(third, '/api/analytics/watch')).items;
  const made = (items: Watch[]): readonly string[] =>
    items.flatMap(({ name, forecasts }) => forecasts.map((one) => `${name} ${one.horizon_ms} ${one.made_at_ms}`));
  assert.deepEqual(made(again), made(watches));
  const episodes = await ask<{ items: Episode[] }>(third, '/api/analytics/episodes?name=orders');
  assert.ok(episodes.items.some(({ id }) => id === episode.id));
  assert.equal((await ask<{ items: LoadTest[] }>(third, '/api/analytics/load/test')).items.length, 1);
});
