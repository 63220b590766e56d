import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { csvText } from '@nines/base/csv.ts';
import { parseExposition } from '@nines/model/exposition.ts';
import { EMPTY_HISTOGRAM } from '@nines/model/histogram.ts';
import { labelsOf } from '@nines/model/labels.ts';
import type { MetricMetadata } from '@nines/model/metadata.ts';
import { setStale } from '@nines/model/stale.ts';
import type { Http } from '../platform/http/contract.ts';
import { exportText } from './export-formats.ts';
import { AUTHORIZED, T0_S, startQueryServer } from './testing/server.ts';

const exported = async (http: Http, params: string): Promise<{ status: number; type: string; text: string }> => {
  const answer = await http.inject({ method: 'GET', url: `/api/export?${params}`, headers: AUTHORIZED });
  return { status: answer.statusCode, type: String(answer.headers['content-type']), text: answer.body };
};
const RANGE = `from=${T0_S}&to=${T0_S + 30}`;
const REQUESTS = `match[]=${encodeURIComponent('{"requests_total"}')}`;

test('a range is exported in four formats', async (t) => {
  const http = await startQueryServer(t);
  const json = await exported(http, `format=json&${REQUESTS}&${RANGE}`);
  assert.match(json.type, /^application\/json/);
  const metric = { __name__: 'requests_total', 'http.code': '200', job: 'a' };
  const points = [0, 15, 30].map((second) => [T0_S + second, String(second * 2)]);
  assert.deepEqual(JSON.parse(json.text), { series: [{ metric, values: points }] });

  const csv = await exported(http, `format=csv&${REQUESTS}&${RANGE}`);
  const rows = [0, 15, 30].map((second) => [
    'requests_total',
    '"http.code"="200",job="a"',
    new Date((T0_S + second) * 1000).toISOString(),
    String(second * 2),
  ]);
  assert.equal(csv.text, csvText([['metric', 'labels', 'time', 'value'], ...rows]));

  const text = await exported(http, `format=prometheus&${REQUESTS}&${RANGE}`);
  assert.match(text.type, /version=0\.0\.4/);
  const series = 'requests_total{"http.code"="200",job="a"}';
  assert.equal(
    text.text,
    `# HELP requests_total Requests.\n# TYPE requests_total counter\n${[0, 15, 30].map((s) => `${series} ${s * 2} ${(T0_S + s) * 1000}\n`).join('')}`,
  );
  const open = await exported(http, `format=openmetrics&${REQUESTS}&${RANGE}`);
  assert.equal(
    open.text,
    `# HELP requests Requests.\n# TYPE requests counter\n${[0, 15, 30].map((s) => `${series} ${s * 2} ${T0_S + s}\n`).join('')}# EOF\n`,
  );
});

test('without a beginning it is the newest sample of each series; several selectors give a series once', async (t) => {
  const http = await startQueryServer(t);
  const { text } = await exported(http, `match[]=up&match=${encodeURIComponent('{job="a"}')}&to=${T0_S + 60}`);
  const { series } = JSON.parse(text) as { series: { metric: Record<string, string>; values: unknown[] }[] };
  assert.deepEqual(
    series.map(({ metric, values }) => [metric['__name__'], metric['job'], values]),
    [
      ['requests_total', 'a', [[T0_S + 60, '120']]],
      ['up', 'a', [[T0_S + 60, '1']]],
      ['up', 'b', [[T0_S + 60, '0']]],
    ],
  );
  assert.deepEqual(JSON.parse((await exported(http, 'match[]=up&to=1')).text), { series: [] });
});

test('every series of everything comes, and reads back', async (t) => {
  const http = await startQueryServer(t);
  const { text } = await exported(http, `format=openmetrics&${RANGE}`);
  const parsed = parseExposition(text, 'openmetrics');
  assert.ok(parsed.ok);
  assert.equal(parsed.value.samples.length, 3 * 3 + 2_000);
});

test('promtool makes blocks of the OpenMetrics export', { timeout: 60_000 }, async (t) => {
  const http = await startQueryServer(t);
  const dir = mkdtempSync(join(tmpdir(), 'nines-export-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const { text } = await exported(http, `format=openmetrics&match[]=up&match[]=wide&${RANGE}`);
  writeFileSync(join(dir, 'export.txt'), text);
  execFileSync('/usr/bin/promtool', ['tsdb', 'create-blocks-from', 'openmetrics', join(dir, 'export.txt'), join(dir, 'blocks')]);
  assert.equal(readdirSync(join(dir, 'blocks')).length, 1);
  // Without it the command takes the folder for no database.
  mkdirSync(join(dir, 'blocks', 'wal'));
  const dumped = execFileSync('/usr/bin/promtool', ['tsdb', 'dump', '--match={__name__="up"}', join(dir, 'blocks')]).toString();
  assert.equal(dumped.trim().split('\n').length, 6);
});

test('what makes no sense is refused in words', async (t) => {
  const http = await startQueryServer(t);
  for (const bad of ['format=xml', 'match[]=up%7B', 'match[]=rate(x[5m])', 'from=tomorrow', `from=${T0_S}&to=${T0_S - 1}`, 'match[]=']) {
    const { status, type, text } = await exported(http, bad);
    assert.equal(status, 400, bad);
    assert.match(type, /problem\+json/);
    assert.ok(text.length > 40);
  }
});

const METADATA = new Map<string, MetricMetadata>([
  ['h', { type: 'histogram', help: '', unit: '' }],
  ['h_c', { type: 'gauge', help: '', unit: '' }],
]);
const columnsOf = (name: string, values: number[], le?: string) => ({
  labels: labelsOf(le === undefined ? { __name__: name } : { __name__: name, le }),
  times: Float64Array.from(values, (_value, i) => 1_000 * (i + 1)),
  values: Float64Array.from(values),
});

function ended(columns: ReturnType<typeof columnsOf>): ReturnType<typeof columnsOf> {
  setStale(columns.values, columns.values.length - 1);
  return columns;
}

/** Stands in for a store that would need hours to be filled. */
function fakeSource(all: readonly ReturnType<typeof columnsOf>[]) {
  const named = (name: string) => all.filter(({ labels }) => labels[1] === name);
  return {
    metadata: METADATA,
    queryable: {
      select: async (matchers: readonly { readonly value: string }[]) => named(matchers.at(-1)?.value ?? ''),
      series: async () => [],
      labelNames: async () => [],
      labelValues: async () => [...new Set(all.map(({ labels }) => labels[1] ?? ''))],
    },
  };
}
const ASK = { selectors: [[]], span: { fromMs: 0, toMs: 1e12 }, newest: false };
async function textOf(source: ReturnType<typeof fakeSource>, format: 'json' | 'prometheus'): Promise<string> {
  let text = '';
  for await (const piece of exportText(source, ASK, format, {})) text += piece;
  return text;
}

test('the parts of a histogram stand together; ends of series and native histograms are left out of the texts', async () => {
  const native = { ...columnsOf('n', [0]), histograms: [{ ...EMPTY_HISTOGRAM, count: 1, sum: 2, zeroCount: 1, zeroThreshold: 0.5 }] };
  const source = fakeSource([columnsOf('h_sum', [3]), ended(columnsOf('h_c', [9, 0])), columnsOf('h_bucket', [2], '+Inf'), native]);
  assert.equal(
    await textOf(source, 'prometheus'),
    '# TYPE h histogram\nh_bucket{le="+Inf"} 2 1000\nh_sum 3 1000\n# TYPE h_c gauge\nh_c 9 1000\n',
  );
  const { series } = JSON.parse(await textOf(source, 'json')) as { series: unknown[] };
  assert.deepEqual(series.at(-1), {
    metric: { __name__: 'n' },
    values: [],
    histograms: [[1, { count: '1', sum: '2', buckets: [[3, '-0.5', '0.5', '1']] }]],
  });
});

test('a long series comes in pieces, whoever takes them decides the pace', async () => {
  const source = fakeSource([
    columnsOf(
      'long',
      Array.from({ length: 100_000 }, (_, i) => i),
    ),
  ]);
  let largest = 0;
  let pieces = 0;
  for await (const piece of exportText(source, ASK, 'csv', {})) {
    largest = Math.max(largest, piece.length);
    pieces++;
  }
  assert.ok(pieces > 20, `${pieces} pieces`);
  assert.ok(largest < 256 * 1024, `${largest} characters`);
});
