import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { mustMatcher } from '@nines/base/matcher.ts';
import { parseExposition } from '@nines/model/exposition.ts';
import { walkProtobufExposition } from '@nines/model/exposition-protobuf.ts';
import { sameHistogram } from '@nines/model/histogram.ts';
import { METRIC_NAME, formatLabels, labelPairs, labelValue, labelsFrom, labelsOf } from '@nines/model/labels.ts';
import { parseSeriesText } from '@nines/model/series-text.ts';
import { bitsOf, isStale } from '@nines/model/stale.ts';
import type { SeriesColumns } from '@nines/model/storage.ts';
import { encodeFamilies } from '@nines/model/testing/exposition-encoder.ts';
import { counted } from '@nines/model/testing/histograms.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { startTarget } from '../../../../test/harness/peers.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { startPrometheus } from '../../../../test/harness/prometheus.ts';
import { createDiscover } from '../../discover/service.ts';
import { createBreath } from '../../platform/breath.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { openWorld } from '../testing/world.ts';
import { fittedHistogram } from './fitted-histogram.ts';
import { createScrapeManager } from './manager.ts';
import { readPrometheusFile } from './prometheus-file.ts';

const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';
/** Set by everything anew at each scrape. */
const CHANGING = /^(go_|process_|promhttp_|prometheus_http_|prometheus_tsdb_(head|wal)|net_conntrack|prometheus_engine|prometheus_sd)/;

test('a native histogram is asked for, stored with its exemplars and ended; a coarser one where buckets are limited', async (t) => {
  await using target = await startTarget();
  let isGone = false;
  let accepted = '';
  target.answerWith((request, response) => {
    accepted = request.headers.accept ?? '';
    const exemplars = [{ labels: [['trace_id', 'x'] as const], value: 1, atMs: 5_000 }];
    const families = [
      {
        name: 'h',
        type: 'histogram',
        help: 'How long.',
        metrics: isGone ? [] : [{ labels: [], count: 15, sum: 7.5, native: counted(3), exemplars, buckets: [[1, 15]] as const }],
      },
      { name: 'c_total', type: 'counter', metrics: [{ labels: [], value: 4 }] },
    ] as const;
    response.setHeader('content-type', PROTOBUF);
    response.end(encodeFamilies(families));
  });
  const { db } = await openSqliteForTest(t);
  await using world = await openWorld(realClock, db.kysely);
  await using outbound = createOutbound({ clock: realClock });
  await using discover = createDiscover({ ...world, clock: realClock, outbound });
  await using manager = createScrapeManager({
    ...world,
    metrics: world.self,
    clock: realClock,
    outbound,
    discover,
    yieldNow: createBreath(realClock),
  });
  const job = (name: string, more: string): string =>
    `  - { job_name: ${name}, scrape_interval: 500ms, scrape_timeout: 500ms, static_configs: [{ targets: ['127.0.0.1:${target.port}'] }]${more} }\n`;
  const file = join(world.folder, 'prometheus.yml');
  writeFileSync(
    file,
    `global: { scrape_native_histograms: true }\nscrape_configs:\n${job('fine', '')}${job('coarse', ', native_histogram_bucket_limit: 2, always_scrape_classic_histograms: true')}`,
  );
  const read = readPrometheusFile(file);
  assert.deepEqual([read.problems, read.warnings], [[], []]);
  await manager.apply(read.file === undefined ? [] : [read.file]);
  const seriesOf = async (name: string, pool: string): Promise<SeriesColumns | undefined> => {
    const matchers = [mustMatcher(METRIC_NAME, '=', name), mustMatcher('job', '=', pool)];
    return [...(await world.store.select(matchers, { fromMs: 0, toMs: Date.now() + 1000 }))][0];
  };
  const fine = await poll('a histogram', () => seriesOf('h', 'fine'));
  const stored = fine.histograms?.[0];
  assert.ok(stored !== undefined && sameHistogram(stored, counted(3)), JSON.stringify(stored));
  assert.match(
    accepted,
    /^application\/vnd\.google\.protobuf;proto=io\.prometheus\.client\.MetricFamily;encoding=delimited;q=0\.\d,application\/openmetrics-text/,
  );
  assert.equal(await seriesOf('h_count', 'fine'), undefined);
  assert.deepEqual(
    world.exemplars?.select([[mustMatcher(METRIC_NAME, '=', 'h'), mustMatcher('job', '=', 'fine')]], { fromMs: 0, toMs: Date.now() })[0]
      ?.exemplars,
    [{ labels: ['trace_id', 'x'], value: 1, atMs: 5_000 }],
  );
  assert.equal(world.metadata.get('h')?.type, 'histogram');
  const coarse = await poll('a coarser histogram', () => seriesOf('h', 'coarse'));
  assert.equal(coarse.histograms?.[0]?.schema, -2);
  await poll('its classic buckets', () => seriesOf('h_bucket', 'coarse'));

  isGone = true;
  const ended = await poll('its end', async () => {
    const found = await seriesOf('h', 'fine');
    const last = (found?.times.length ?? 0) - 1;
    return found !== undefined && isStale(bitsOf(found.values), last) && found.histograms?.[last] === undefined ? found : undefined;
  });
  assert.ok(ended.times.length >= 2);
});

test('a real Prometheus exposes the same in protobuf and in text', { timeout: 60_000 }, async () => {
  await using peer = await startPrometheus();
  const get = (accept: string): Promise<Response> => fetch(`${peer.base}/metrics`, { headers: { accept } });
  const answer = await get(PROTOBUF);
  assert.match(answer.headers.get('content-type') ?? '', /vnd\.google\.protobuf/);
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  /** Text has `le="1"` where protobuf has the number. */
  const key = (text: string): string => {
    const parsed = parseSeriesText(text);
    assert.ok(parsed.ok);
    const { labels } = parsed.value;
    return formatLabels(
      labelsFrom(
        [...labelPairs(labels)].map(
          ([name, value]) =>
            [name, name === 'le' || name === 'quantile' ? String(Number(value.replace('+Inf', 'Infinity'))) : value] as const,
        ),
      ),
    );
  };
  const fault = walkProtobufExposition(
    new Uint8Array(await answer.arrayBuffer()),
    {
      sample: (text, value) => void values.set(key(text), value),
      describe: (family, { type = '' }) => void types.set(family, type),
    },
    { native: false, classicToo: false },
  );
  assert.equal(fault, undefined);
  const text = parseExposition(await (await get('text/plain')).text(), 'text');
  assert.ok(text.ok);
  let compared = 0;
  for (const { labels, value } of text.value.samples) {
    if (CHANGING.test(labelValue(labels, METRIC_NAME))) continue;
    const name = key(formatLabels(labels).replaceAll('", ', '",'));
    assert.ok(values.has(name), name);
    compared++;
    if (!/_(sum|seconds|time)/.test(name)) assert.ok(Object.is(values.get(name), value), `${name}: ${value} and ${values.get(name)}`);
  }
  assert.ok(compared > 50, `${compared} series`);
  for (const [family, { type }] of text.value.metadata) assert.equal(types.get(family), type, family);
});

test('buckets grow coarser until they fit, and are refused when they cannot', () => {
  const fine = counted(3, { schema: 2, positive: { indexes: [1, 2, 3, 9], counts: [3, 3, 3, 3] } });
  const schemaAt = (maxBuckets: number, minBucketFactor = 0): unknown => {
    const fitted = fittedHistogram(fine, { maxBuckets, minBucketFactor });
    return typeof fitted === 'string' ? fitted : fitted.schema;
  };
  assert.deepEqual([schemaAt(0), schemaAt(4), schemaAt(3), schemaAt(2)], [2, 2, 1, 0]);
  assert.deepEqual([schemaAt(0, 1.1), schemaAt(0, 1.5), schemaAt(0, 2), schemaAt(0, 65_536)], [2, 1, 0, -4]);
  const wide = counted(3, { schema: -4, positive: { indexes: [1, 2], counts: [6, 6] } });
  assert.match(
    JSON.stringify(fittedHistogram(wide, { maxBuckets: 1, minBucketFactor: 0 })),
    /2 buckets .* over native_histogram_bucket_limit 1/,
  );
  const custom = counted(3, { schema: -53, bounds: [1, 2], positive: { indexes: [0, 1], counts: [6, 6] } });
  assert.match(JSON.stringify(fittedHistogram(custom, { maxBuckets: 1, minBucketFactor: 1.4 })), /over native_histogram_bucket_limit/);
});

test('series of every kind of label stand in a text that reads back', () => {
  const odd = encodeFamilies([{ name: 'odd name', type: 'gauge', metrics: [{ labels: [['ü', '\\']], value: 1 }] }]);
  const found: string[] = [];
  walkProtobufExposition(odd, { sample: (text) => void found.push(text), describe: () => undefined }, { native: true, classicToo: false });
  assert.deepEqual(parseSeriesText(found[0] ?? ''), {
    ok: true,
    value: { name: 'odd name', labels: labelsOf({ __name__: 'odd name', ü: '\\' }) },
  });
});
