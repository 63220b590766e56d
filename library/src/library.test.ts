import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { poll } from '../../test/harness/poll.ts';
import type { Metrics } from './contract.ts';
import { AppError, openMetrics } from './main.ts';

/** One library for every scenario that needs one that is open. */
let metrics: Metrics;
const folder = mkdtempSync(join(tmpdir(), 'nines-library-'));
const MINUTE_MS = 60_000;

before(async () => {
  metrics = await openMetrics({ store: 'sqlite', path: join(folder, 'data'), log: 'silent', labels: { app: 'shop' } });
});
after(async () => {
  await metrics.close();
  rmSync(folder, { recursive: true });
});

const code = (expected: string) => (thrown: unknown) => thrown instanceof AppError && thrown.code === expected;
const whole = async (pieces: AsyncIterable<string>): Promise<string> => {
  let text = '';
  for await (const piece of pieces) text += piece;
  return text;
};
/** Labels have no prototype, as their names come from elsewhere. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const valueOf = async (expr: string): Promise<number | undefined> => {
  const answer = await metrics.query(expr);
  return answer.kind === 'vector' ? answer.items[0]?.value : undefined;
};

test('good items of a batch are stored and found again, the others are answered one by one', async () => {
  const atMs = Date.now();
  const recorded = await metrics.record([
    { name: 'queue_length', value: 7, labels: { queue: 'mail' }, at_ms: atMs, type: 'gauge', help: 'Waiting mails.' },
    { name: '', value: 1 },
    { name: 'old', value: 1, at_ms: 1 },
    { name: 'spread', value: Number.POSITIVE_INFINITY, at_ms: atMs },
  ]);
  assert.equal(recorded.accepted, 2);
  assert.deepEqual(
    recorded.refused.map((one) => [one.index, one.name, one.code]),
    [
      [1, '', 'invalid_item'],
      [2, 'old', 'too_old'],
    ],
  );
  assert.deepEqual(plain(await metrics.query('queue_length', { at: new Date(atMs) })), {
    kind: 'vector',
    warnings: [],
    infos: [],
    items: [{ labels: { __name__: 'queue_length', queue: 'mail' }, at_ms: atMs, value: 7 }],
  });
  assert.equal(await valueOf('spread'), Number.POSITIVE_INFINITY);
  const [found] = await metrics.values('queue_*');
  assert.deepEqual([found?.value, found?.type, found?.help], [7, 'gauge', 'Waiting mails.']);
  const range = await metrics.queryRange('queue_length * 2', { from: atMs, to: atMs + 30_000, step: '15s' });
  assert.deepEqual(plain(range.items.map(({ labels, points }) => [labels, points])), [
    [
      { queue: 'mail' },
      [
        [atMs, 14],
        [atMs + 15_000, 14],
        [atMs + 30_000, 14],
      ],
    ],
  ]);
});

test('counters, gauges and histograms are stored with their labels, by flush and when the library ends', async () => {
  const orders = metrics.counter('orders_total', { help: 'Orders taken.' });
  orders.add(2, { shop: 'x', kind: 'b' });
  metrics.counter('orders_total').add(1, { kind: 'b', shop: 'x' });
  metrics.gauge('stock').set(40);
  metrics.histogram('took_seconds', { buckets: [0.1, 1] }).observe(0.3);
  assert.deepEqual((await metrics.flush()).refused, []);
  assert.equal(await valueOf('orders_total{app="shop", shop="x", kind="b"}'), 3);
  assert.equal(await valueOf('histogram_quantile(1, took_seconds_bucket)'), 1);
  const text = await whole(metrics.export('openmetrics', { match: '{__name__=~"orders_total|stock"}' }));
  assert.match(text, /# HELP orders Orders taken\.\n# TYPE orders counter\norders_total\{app="shop",kind="b",shop="x"\} 3 /);
  assert.match(text, /# EOF\n$/);
  assert.match(await whole(metrics.export('csv', { match: 'stock' })), /^metric,labels,time,value\r?\nstock,"?app=""shop""?"?,.*,40/);
  const lines = JSON.parse(await whole(metrics.export('json', { match: 'stock', from: Date.now() - MINUTE_MS }))) as unknown;
  assert.match(JSON.stringify(lines), /stock/);

  assert.throws(() => metrics.gauge('orders_total'), code('metric_exists'));
  assert.throws(() => metrics.counter('no name'), code('invalid_metric_name'));
  assert.throws(() => orders.add(-1, { shop: 'x', kind: 'b' }), code('bad_amount'));
  assert.throws(() => orders.add(1, { shop: 'x' }), code('label_names_differ'));
});

test('stored series come with summary, trend, anomalies and a forecast, or with the reason why not', async () => {
  const nowMs = Date.now();
  const beginMs = nowMs - 12 * 60 * MINUTE_MS;
  const wave = (i: number): number => 10 + Math.sin((i / 60) * 2 * Math.PI) + (i % 7) / 100;
  const isOdd = (i: number): boolean => i >= 600 && i < 606;
  const points = Array.from({ length: 12 * 60 }, (_, i) => ({
    name: 'load',
    value: isOdd(i) ? 60 : wave(i),
    at_ms: beginMs + i * MINUTE_MS,
  }));
  assert.deepEqual((await metrics.record([...points, { name: 'lonely', value: 1, at_ms: nowMs - 5 * MINUTE_MS }])).refused, []);

  const asked = { pattern: 'l*', window: '12h', step: '1m', forecast: '30m' };
  const analysed = await metrics.queryWithAnalytics({ ...asked, detectAnomalies: true });
  const load = analysed.series.find(({ name }) => name === 'load');
  assert.ok(load !== undefined && load.summary.max === 60 && 'direction' in load.trend);
  assert.ok(load.forecast !== undefined && 'points' in load.forecast, JSON.stringify(load.forecast));
  assert.equal(load.forecast.points.length, 30);
  assert.ok(load.forecast.backtest.origins > 0);
  assert.ok(load.anomalies !== undefined && 'episodes' in load.anomalies);
  const inside = ({ from_at_ms: fromMs, to_at_ms: toMs }: { from_at_ms: number; to_at_ms: number }): boolean =>
    fromMs <= beginMs + 606 * MINUTE_MS && toMs >= beginMs + 599 * MINUTE_MS;
  assert.ok(load.anomalies.episodes.some(inside), JSON.stringify(load.anomalies.episodes));
  const lonely = analysed.series.find(({ name }) => name === 'lonely');
  assert.ok(lonely?.forecast !== undefined && 'reason' in lonely.forecast && lonely.forecast.message !== '');

  const detected = await metrics.detectAnomalies({
    pattern: 'load',
    window: '12h',
    step: '1m',
    sensitivity: 0.9,
    algorithm: 'robust_zscore',
  });
  const [found] = detected.series;
  assert.ok(found !== undefined && 'scores' in found.anomalies && found.anomalies.scores.length === found.points.length);
  assert.deepEqual([found.anomalies.method, found.anomalies.sensitivity], ['robust_zscore', 0.9]);

  const predicted = await metrics.predictTrends({
    pattern: 'load + 1',
    window: '12h',
    step: '1m',
    horizon: 20 * MINUTE_MS,
    confidence: 0.8,
  });
  const forecast = predicted.series[0]?.forecast;
  assert.ok(forecast !== undefined && 'points' in forecast, JSON.stringify(forecast));
  assert.deepEqual([forecast.points.length, forecast.level], [20, 0.8]);

  await assert.rejects(metrics.predictTrends({ pattern: 'load', confidence: 2 }), code('bad_question'));
  await assert.rejects(metrics.predictTrends({ pattern: 'load', horizon: '10y' }), (thrown: AppError) => thrown.field === 'horizon');
  await assert.rejects(metrics.detectAnomalies({ pattern: 'load', sensitivity: 3 }), code('bad_question'));
  await assert.rejects(metrics.queryWithAnalytics({ pattern: 'load', window: 'soon' }), (thrown: AppError) => thrown.field === 'window');
});

test('a rule of the program raises an alert that its listener hears, and that a suppression holds back', async () => {
  const heard: string[] = [];
  using _broken = metrics.on('alert', () => {
    throw new Error('a fault of the program');
  });
  using _listening = metrics.on('alert', ({ change, alert }) => void heard.push(`${alert.alertname} ${change}`));
  await metrics.rules.add({ kind: 'threshold', id: 'too-full', name: 'TooFull', metric: 'tank_percent', condition: '>', threshold: '90%' });
  assert.equal(metrics.rules.list().find(({ id }) => id === 'too-full')?.state, 'inactive');
  await metrics.record([{ name: 'tank_percent', value: 95 }]);
  await poll('the alert to be heard of', () => heard.includes('TooFull fired'));
  assert.equal(metrics.alerts().find(({ alertname }) => alertname === 'TooFull')?.condition, 'firing');

  const silence = await metrics.suppress({ labels: { alertname: 'TooFull' }, for: '1h', comment: 'being emptied' });
  assert.equal(silence.state, 'active');
  assert.deepEqual(
    metrics.suppressions().map(({ id }) => id),
    [silence.id],
  );
  await metrics.unsuppress(silence.id);
  assert.equal(metrics.suppressions()[0]?.state, 'expired');

  await metrics.rules.remove('too-full');
  await poll('the alert to end with its rule', () => metrics.alerts().every(({ alertname }) => alertname !== 'TooFull'));
  await assert.rejects(metrics.rules.add({ kind: 'threshold', id: 'bad', metric: 'rate(' }), code('bad_configuration'));
  await assert.rejects(metrics.rules.add({ kind: 'guess' as 'threshold', id: 'bad' }), code('unknown_rule_kind'));
  await assert.rejects(metrics.rules.remove('nothing'), code('rule_not_added'));
  await assert.rejects(metrics.unsuppress('nothing'), code('silence_not_found'));
  await assert.rejects(metrics.suppress({ labels: {}, for: '1h', comment: 'all' }), code('bad_suppression'));
});

test('a target of the program is scraped until it is removed', async (t) => {
  const target = createServer(
    (_request, response) => void response.setHeader('content-type', 'text/plain; version=0.0.4').end('parcels_total 12\n'),
  );
  await new Promise<void>((resolve) => void target.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    target.closeAllConnections();
    target.close();
  });
  const { port } = target.address() as AddressInfo;
  await metrics.targets.add({
    job: 'parcels',
    url: `http://127.0.0.1:${port}/metrics`,
    interval: 1_000,
    timeout: '1s',
    labels: { zone: 'a' },
  });
  await poll('a scrape', async () => (await valueOf('parcels_total{job="parcels", zone="a"}')) === 12);
  assert.deepEqual(
    metrics.targets.list().map(({ job, state }) => [job, state]),
    [['parcels', 'up']],
  );
  await metrics.targets.remove('parcels');
  assert.deepEqual(metrics.targets.list(), []);
  await assert.rejects(metrics.targets.add({ job: 'x', url: 'ftp://127.0.0.1/' }), code('bad_target'));
  await assert.rejects(metrics.targets.add({ job: 'x', url: 'http://a:b@127.0.0.1/' }), code('bad_target'));
});

test('this host is measured from start to stop, and listeners get what current answers', async () => {
  const snapshots: number[] = [];
  using _listening = metrics.on('snapshot', ({ at_ms: atMs, memory }) => void (memory.percent !== null && snapshots.push(atMs)));
  assert.equal(await valueOf('node_load1'), undefined);
  metrics.startCollection();
  await poll('two collections', () => snapshots.length >= 2);
  await metrics.stopCollection();
  const current = await metrics.current();
  assert.ok((current.memory.total_bytes ?? 0) > 0);
  assert.ok((await metrics.values('system.memory.*')).length >= 3);
  assert.equal((await metrics.query('system.memory.total_bytes')).kind, 'vector');
  const { series } = await metrics.history('system.memory.percent', { range: '1h', to: Date.now() + MINUTE_MS });
  assert.deepEqual([series.length, series[0]?.unit], [1, 'percent']);
  assert.notEqual((await metrics.health()).components.length, 0);
});

test('bad questions are refused with a code, a field and a sentence', async () => {
  await assert.rejects(metrics.query('sum('), (thrown: AppError) => code('bad_query')(thrown) && /parse error/.test(thrown.message));
  await assert.rejects(metrics.query('up', { at: new Date('never') }), (thrown: AppError) => thrown.field === 'at');
  await assert.rejects(metrics.queryRange('up', { from: 10_000, to: 0, step: '1s' }), code('bad_range'));
  await assert.rejects(metrics.queryRange('up', { from: 0, to: 1e12, step: 1 }), code('bad_range'));
  await assert.rejects(whole(metrics.export('xml' as 'csv')), code('bad_format'));
  await assert.rejects(whole(metrics.export('csv', { match: '1 + 1' })), code('bad_selector'));
  await assert.rejects(metrics.history('up', { range: 'long' }), code('invalid_range'));
});

test('a data directory that is open, a bad option and a bad configuration are said plainly', async () => {
  const { path } = metrics;
  await assert.rejects(openMetrics({ store: 'sqlite', path, log: 'silent' }), (thrown: AppError) => {
    assert.equal(thrown.code, 'data_directory_in_use');
    assert.match(thrown.message, /is open already.*belongs to one process: end the other/);
    return true;
  });
  assert.equal(await valueOf('vector(1)'), 1);
  const other = { path: join(folder, 'other'), log: 'silent' } as const;
  await assert.rejects(openMetrics({ ...other, store: 'mysql' as 'sqlite' }), code('bad_option'));
  await assert.rejects(openMetrics({ store: 'sqlite', path: '' }), code('bad_option'));
  await assert.rejects(openMetrics({ ...other, store: 'sqlite', settings: { rulez: {} } }), (thrown: AppError) => {
    assert.match(thrown.message, /unknown key "rulez".*did you mean "rules"/);
    return thrown.code === 'bad_configuration';
  });
});

test('what was recorded and counted is there when it is opened again, and a closed library says so', async () => {
  const path = join(folder, 'again');
  const first = await openMetrics({ store: 'sqlite', path, log: 'silent' });
  await first.record([{ name: 'kept', value: 5 }]);
  first.counter('ended_total').add(3);
  await Promise.all([first.close(), first.close()]);
  await assert.rejects(first.query('kept'), code('library_closed'));
  assert.throws(() => first.startCollection(), code('library_closed'));

  const threshold = { id: 'kept-high', metric: 'kept', threshold: 1 };
  await using second = await openMetrics({ store: 'sqlite', path, log: 'silent', settings: { rules: { thresholds: [threshold] } } });
  for (const [expr, value] of [
    ['kept', 5],
    ['ended_total', 3],
  ] as const) {
    const answer = await second.query(expr);
    assert.deepEqual(answer.kind === 'vector' && answer.items.map((one) => one.value), [value], expr);
  }
  await second.rules.add({ kind: 'absence', id: 'gone', metric: 'kept', after: '5m' });
  const ids = second.rules.list().map(({ id }) => id);
  assert.ok(ids.includes('kept-high') && ids.includes('gone'));
});
