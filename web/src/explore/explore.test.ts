import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_CHOICES, builtQuery } from './builder.ts';
import { emptyDashboard, withPanel } from './dashboard-draft.ts';
import { rangeCsv, rowsCsv } from './export.ts';
import { describe, prefixesOf, readyQuery, unitOfQuery } from './ready-query.ts';
import { ruleId, splitCondition } from './rule-snippet.ts';
import { exploreSearch } from './search.ts';
import { seriesNames, seriesText } from './series-names.ts';

test('an address holds queries and a range; what cannot be read is dropped, and a plain q is one query', () => {
  assert.deepEqual(exploreSearch({ q: 'up', range: '24h' }), { range: '24h', panels: [{ q: 'up' }] });
  assert.deepEqual(exploreSearch({ panels: [{ q: 'up', tab: 'table', unit: 'bytes' }, { q: 7 }, { tab: 'table' }, null, 'down'] }), {
    panels: [{ q: 'up', tab: 'table', unit: 'bytes' }, { q: '7' }, { q: 'down' }],
  });
  assert.deepEqual(exploreSearch({ panels: 'x', browse: 2, from: 5, to: 1, range: 'x' }), {});
  assert.equal(exploreSearch({ panels: Array.from({ length: 40 }, () => 'up') }).panels?.length, 12);
});

test('a metric is asked by its type', () => {
  const families = {
    shop_orders: [{ type: 'counter', help: 'Orders.', unit: '' }],
    lag: [{ type: 'histogram', help: '', unit: 'seconds' }],
  };
  const ready = (name: string) => readyQuery(describe(name, families, undefined));
  assert.equal(ready('shop_orders_total'), 'rate(shop_orders_total[5m])');
  assert.equal(ready('other_total'), 'rate(other_total[5m])');
  assert.equal(ready('lag_bucket'), 'histogram_quantile(0.95, sum by (le) (rate(lag_bucket[5m])))');
  assert.equal(ready('lag_sum'), 'rate(lag_sum[5m]) / rate(lag_count[5m])');
  assert.equal(ready('lag'), 'histogram_quantile(0.95, sum(rate(lag[5m])))');
  assert.equal(ready('queue_length'), 'queue_length');
  assert.deepEqual(describe('node_disk_bytes_total', {}, new Map([['node_disk_bytes_total', 4]])), {
    name: 'node_disk_bytes_total',
    type: 'counter',
    unit: 'bytes',
    help: '',
    series: 4,
  });
  assert.deepEqual(prefixesOf(['node_a', 'node_b', 'up', 'nines_a', 'node_c', 'nines_b', 'alone_one']), [
    ['node_', 3],
    ['nines_', 2],
  ]);
  assert.deepEqual(['rate(x_bytes_total[5m])', 'x_bytes', 'x_seconds', 'rate(x_seconds_total[5m])', 'count(x_bytes)'].map(unitOfQuery), [
    'bytes_per_second',
    'bytes',
    'seconds',
    'number',
    'number',
  ]);
});

test('choices become PromQL', () => {
  const base = { ...NO_CHOICES, metric: 'requests_total' };
  assert.equal(builtQuery(NO_CHOICES), '');
  assert.equal(builtQuery(base), 'requests_total');
  const filters = [{ name: 'job', op: '=', value: 'a "b"' } as const, { name: '', op: '=', value: '' } as const];
  assert.equal(
    builtQuery({ ...base, filters, func: 'rate', aggregate: 'sum', by: ['job', 'http.code'], comparison: '>', limit: 3 }),
    'sum by (job, "http.code") (rate(requests_total{job="a \\"b\\""}[5m])) > 3',
  );
  assert.equal(
    builtQuery({ ...base, metric: 'lag_bucket', func: 'quantile', by: ['job'] }),
    'histogram_quantile(0.95, sum by (le, job) (rate(lag_bucket[5m])))',
  );
  assert.equal(builtQuery({ ...base, metric: 'http.requests', aggregate: 'topk' }), 'topk(5, {"http.requests"})');
});

test('a comparison at the end of a query becomes the threshold of a rule', () => {
  assert.deepEqual(splitCondition('rate(errors_total{code=~"5.."}[5m]) > 0.5'), {
    expr: 'rate(errors_total{code=~"5.."}[5m])',
    condition: '>',
    threshold: 0.5,
  });
  assert.deepEqual(splitCondition('up == 0'), { expr: 'up', condition: '==', threshold: 0 });
  for (const whole of ['sum(up > 0)', 'a > 1 or b > 2', 'up']) assert.equal(splitCondition(whole).expr, whole);
  assert.equal(ruleId('sum by (job) (rate(errors_total[5m]))'), 'errors_total_alert');
});

test('lines are named by what tells them apart, and files hold every label with formulas disarmed', () => {
  const series = [
    { labels: { __name__: 'up', job: 'a', env: 'x' }, points: [[0, 1]] as const },
    { labels: { __name__: 'up', job: 'b', env: 'x' }, points: [[1000, Number.POSITIVE_INFINITY]] as const },
  ];
  assert.deepEqual(
    seriesNames(
      series.map(({ labels }) => labels),
      'up',
    ),
    ['job=a', 'job=b'],
  );
  assert.deepEqual(seriesNames([{}], 'sum(up)'), ['sum(up)']);
  assert.equal(seriesText({ __name__: 'up', job: 'a' }), 'up{job="a"}');
  assert.equal(
    rangeCsv({ series }),
    'time,"up{job=""a"", env=""x""}","up{job=""b"", env=""x""}"\r\n1970-01-01T00:00:00.000Z,1,\r\n1970-01-01T00:00:01.000Z,,+Inf\r\n',
  );
  assert.equal(rowsCsv([{ labels: { a: '=1+1' }, atMs: 0, value: '2' }]), "time,a,value\r\n1970-01-01T00:00:00.000Z,'=1+1,2\r\n");
});

test('a query joins a dashboard as its last panel, under an id of its own', () => {
  const draft = { title: 'CPU of hosts', query: 'up', tab: 'graph', unit: 'number' } as const;
  const once = withPanel(emptyDashboard('My board', ['my-board']), draft);
  const twice = withPanel(once, { ...draft, tab: 'table' });
  assert.equal(once.id, 'my-board-2');
  assert.deepEqual(twice.layout.sections[0], { title: '', collapsed: false, panels: ['cpu-of-hosts', 'cpu-of-hosts-2'] });
  assert.equal(twice.panels['cpu-of-hosts-2']?.kind, 'table');
});
