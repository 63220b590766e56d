import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { ExposedExemplar } from './exemplar.ts';
import { type ProtobufOptions, walkProtobufExposition } from './exposition-protobuf.ts';
import { type Histogram, sameHistogram } from './histogram.ts';
import { formatLabels } from './labels.ts';
import type { MetricMetadata } from './metadata.ts';
import { openMetricsNumber } from './openmetrics-number.ts';
import { parseSeriesText } from './series-text.ts';
import { anyHistogram, counted } from './testing/histograms.ts';
import { type WireFamily, encodeFamilies } from './testing/exposition-encoder.ts';

const NATIVE: ProtobufOptions = { native: true, classicToo: false };

type Read = {
  readonly samples: readonly (readonly [series: string, value: number, atMs: number | undefined])[];
  readonly histograms: readonly (readonly [series: string, histogram: Histogram])[];
  readonly exemplars: readonly ExposedExemplar[];
  readonly described: ReadonlyMap<string, Partial<MetricMetadata>>;
};

function read(bytes: Uint8Array, options = NATIVE): Read | string {
  const samples: (readonly [string, number, number | undefined])[] = [];
  const histograms: (readonly [string, Histogram])[] = [];
  const exemplars: ExposedExemplar[] = [];
  const described = new Map<string, Partial<MetricMetadata>>();
  const series = (text: string): string => {
    const parsed = parseSeriesText(text);
    assert.ok(parsed.ok, `${text}: ${parsed.ok ? '' : parsed.error}`);
    return formatLabels(parsed.value.labels);
  };
  const fault = walkProtobufExposition(
    bytes,
    {
      sample: (text, value, atMs) => void samples.push([series(text), value, atMs]),
      histogram: (text, histogram) => void histograms.push([series(text), histogram]),
      exemplar: (exemplar) => void exemplars.push(exemplar),
      describe: (family, part) => void described.set(family, part),
    },
    options,
  );
  return fault === undefined ? { samples, histograms, exemplars, described } : `${fault.atByte}: ${fault.message}`;
}

const LABELS = [['path', 'a"b\\\n{}']] as const;
const FAMILIES: readonly WireFamily[] = [
  {
    name: 'requests_total',
    help: 'How many.',
    type: 'counter',
    metrics: [
      { labels: LABELS, value: 3, atMs: 1_700_000_000_123, exemplar: { labels: [['t', '1']], value: 0.5, atMs: 1_700_000_000_001 } },
    ],
  },
  { name: 'http.size_bytes', unit: 'bytes', type: 'gauge', metrics: [{ labels: [['a.b', 'c']], value: Number.NEGATIVE_INFINITY }] },
  { name: 'plain', type: 'unknown', metrics: [{ labels: [], value: 1.5 }] },
  {
    name: 'rpc',
    type: 'summary',
    metrics: [
      {
        labels: [],
        count: 2,
        sum: 3,
        quantiles: [
          [0.5, 1],
          [1, 2],
        ],
      },
    ],
  },
];

test('counters, gauges, summaries and what has no type are read with labels, times, units and exemplars', () => {
  const found = read(encodeFamilies(FAMILIES));
  assert.ok(typeof found !== 'string', JSON.stringify(found));
  assert.deepEqual(found.samples, [
    ['requests_total{path="a\\"b\\\\\\n{}"}', 3, 1_700_000_000_123],
    ['http.size_bytes{a.b="c"}', Number.NEGATIVE_INFINITY, undefined],
    ['plain', 1.5, undefined],
    ['rpc_count', 2, undefined],
    ['rpc_sum', 3, undefined],
    ['rpc{quantile="0.5"}', 1, undefined],
    ['rpc{quantile="1.0"}', 2, undefined],
  ]);
  assert.deepEqual(found.exemplars, [{ labels: ['t', '1'], value: 0.5, atMs: 1_700_000_000_001 }]);
  assert.deepEqual(found.described.get('requests_total'), { type: 'counter', help: 'How many.', unit: '' });
  assert.equal(found.described.get('http.size_bytes')?.unit, 'bytes');
});

const exemplar = (atMs?: number) => ({ labels: [['t', 'x'] as const], value: 0.5, ...(atMs === undefined ? {} : { atMs }) });
const both = (changes: object = {}): WireFamily => ({
  name: 'h',
  type: 'histogram',
  metrics: [
    {
      labels: [],
      count: 15,
      sum: 7.5,
      native: counted(3),
      buckets: [
        [0.25, 6, exemplar(5)],
        [1e6, 12, exemplar()],
      ],
      ...changes,
    },
  ],
});
const CLASSIC = ['h_count', 'h_sum', 'h_bucket{le="0.25"}', 'h_bucket{le="1e+06"}', 'h_bucket{le="+Inf"}'];

test('a finer schema than ours is made coarser, one below ours is not known', () => {
  const positive = { indexes: [-3, -2, -1, 0, 1, 2], counts: [1, 1, 1, 1, 4, 4] };
  const at = (schema: number) => read(encodeFamilies([both({ native: { ...counted(3), schema, positive } })]), NATIVE);
  const found = at(10);
  assert.ok(typeof found !== 'string', JSON.stringify(found));
  const { schema, count, positive: coarser } = found.histograms[0]?.[1] ?? counted(1);
  // Buckets of four: -3 to 0 and 1 to 4.
  assert.deepEqual([schema, count, coarser], [8, 15, { indexes: [0, 1], counts: [4, 8] }]);
  const below = at(-5);
  assert.match(typeof below === 'string' ? below : '', /schema -5/);
});

test('a histogram is native, classic or both, as is asked for', () => {
  const asked = (options: ProtobufOptions, changes: object = {}) => {
    const found = read(encodeFamilies([both(changes)]), options);
    assert.ok(typeof found !== 'string', JSON.stringify(found));
    return found;
  };
  const native = asked(NATIVE);
  assert.deepEqual(native.samples, []);
  assert.ok(sameHistogram(native.histograms[0]?.[1] ?? counted(1), counted(3)));
  // Without a time, which of them are new could not be told.
  assert.deepEqual(
    native.exemplars.map(({ atMs }) => atMs),
    [5],
  );
  assert.deepEqual(
    asked(NATIVE, { exemplars: [exemplar(8), exemplar(), exemplar(9)] }).exemplars.map(({ atMs }) => atMs),
    [8, 9],
  );
  const classic = asked({ native: false, classicToo: false });
  assert.deepEqual([classic.histograms.length, classic.samples.map(([series]) => series)], [0, CLASSIC]);
  assert.deepEqual(
    classic.exemplars.map(({ atMs }) => atMs),
    [5, undefined],
  );
  const everything = asked({ native: true, classicToo: true });
  assert.deepEqual([everything.histograms.length, everything.samples.map(([series]) => series)], [1, CLASSIC]);
  assert.deepEqual(
    asked(NATIVE, { native: undefined, buckets: [[Number.POSITIVE_INFINITY, 15]] }).samples.map(([series, value]) => [series, value]),
    [
      ['h_count', 15],
      ['h_sum', 7.5],
      ['h_bucket{le="+Inf"}', 15],
    ],
  );
});

test('every exponential histogram comes out as it went in', () => {
  const exponential = anyHistogram().filter(({ schema, count, zeroCount, positive, negative }) => {
    const counts = [count, zeroCount, ...positive.counts, ...negative.counts];
    return schema >= -4 && counts.every((each) => each >= 0) && count > 0 && positive.counts.length > 0;
  });
  fc.assert(
    fc.property(exponential, fc.boolean(), (histogram, isGauge) => {
      const sent: WireFamily = {
        name: 'h',
        type: isGauge ? 'gaugehistogram' : 'histogram',
        metrics: [{ labels: [], count: histogram.count, sum: histogram.sum, native: histogram, doubles: true }],
      };
      const found = read(encodeFamilies([sent]));
      assert.ok(typeof found !== 'string', JSON.stringify(found));
      const [first] = found.histograms;
      assert.ok(first !== undefined && sameHistogram({ ...first[1], hint: 'unknown' }, { ...histogram, hint: 'unknown' }));
      assert.equal(first[1].hint, isGauge ? 'gauge' : 'unknown');
    }),
  );
});

test('what cannot be is refused with the place', () => {
  const refused = (families: readonly WireFamily[], message: RegExp): void => {
    const found = read(encodeFamilies(families));
    assert.match(typeof found === 'string' ? found : 'taken', message);
  };
  refused([{ name: '', type: 'gauge', metrics: [] }], /family without a name/);
  refused([{ name: 'a', unit: 'bytes', type: 'gauge', metrics: [] }], /unit "bytes" is no suffix of "a"/);
  refused([both({ count: 14 })], /a count of 14 with 15 observations/);
  refused([both({ native: { ...counted(3), schema: 53 } })], /schema 53/);
  assert.match(JSON.stringify(read(Uint8Array.of(5, 0x0a, 1, 0x61))), /reaches over the end/);
});

test('random and damaged bodies never crash the reader, whatever it makes of them', () => {
  const whole = encodeFamilies([...FAMILIES, both({ exemplars: [exemplar(8)] })]);
  const tolerant = (bytes: Uint8Array): void =>
    void walkProtobufExposition(
      bytes,
      { sample: () => undefined, histogram: () => undefined, describe: () => undefined },
      { native: true, classicToo: true },
    );
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), tolerant), { numRuns: 3000 });
  fc.assert(
    fc.property(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length), (at, byte, cut) => {
      const damaged = Buffer.from(whole.subarray(0, cut));
      if (at < cut) damaged[at] = byte;
      tolerant(damaged);
    }),
    { numRuns: 3000 },
  );
});

test('numbers of le and quantile are written as Go writes them', () => {
  const written = [0, -0, 1, -1, 0.25, 100_000, 1e6, 123_456_789, 1e21, 0.0001, 0.00001, 1.5e-7, Number.NaN, Number.NEGATIVE_INFINITY];
  assert.deepEqual(written.map(openMetricsNumber), [
    '0.0',
    '0.0',
    '1.0',
    '-1.0',
    '0.25',
    '100000.0',
    '1e+06',
    '1.23456789e+08',
    '1e+21',
    '0.0001',
    '1e-05',
    '1.5e-07',
    'NaN',
    '-Inf',
  ]);
});
