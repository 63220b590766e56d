import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type MetricFamily, printExposition } from './exposition-print.ts';
import { type ExpositionFormat, parseExposition } from './exposition.ts';
import { type Labels, formatLabels, labelsFrom, labelsOf } from './labels.ts';
import { METRIC_TYPES, type MetricMetadata } from './metadata.ts';

const samplesOf = (text: string, format: ExpositionFormat = 'text') => {
  const parsed = parseExposition(text, format);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.value.samples.map(({ labels, value, atMs }) => [formatLabels(labels), value, atMs]);
};

test('the text format is read as Prometheus reads it', () => {
  const text = [
    '# HELP http_requests_total The total, with \\\\ and \\n.',
    '# TYPE http_requests_total counter',
    'http_requests_total{method="post",code="200"} 1027 1395066363000',
    'http_requests_total { method = "post" , code = "400" , }\t3',
    '',
    '# a comment, and # TYPE within one',
    '#no blank',
    '  indented 1.5e-9  ',
    'nothing_special{} +Inf',
    'escaped{path="C:\\\\DIR\\\\",quote="\\"",line="a\\nb",other="\\d",brace="}"} NaN -3982045',
    'rpc:ratio .5\r',
    'last -0x',
  ].join('\n');
  const bad = parseExposition(text, 'text');
  assert.deepEqual(bad, { ok: false, error: { line: 12, message: 'not a number: "-0x"' } });
  const parsed = parseExposition(text.replace('-0x', '-0'), 'text');
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.value.samples.map(({ labels, value, atMs }) => [labels, value, atMs]),
    [
      [labelsOf({ __name__: 'http_requests_total', method: 'post', code: '200' }), 1027, 1395066363000],
      [labelsOf({ __name__: 'http_requests_total', method: 'post', code: '400' }), 3, undefined],
      [labelsOf({ __name__: 'indented' }), 1.5e-9, undefined],
      [labelsOf({ __name__: 'nothing_special' }), Number.POSITIVE_INFINITY, undefined],
      [labelsOf({ __name__: 'escaped', path: 'C:\\DIR\\', quote: '"', line: 'a\nb', other: '\\d', brace: '}' }), Number.NaN, -3982045],
      [labelsOf({ __name__: 'rpc:ratio' }), 0.5, undefined],
      [labelsOf({ __name__: 'last' }), -0, undefined],
    ],
  );
  assert.deepEqual(
    [...parsed.value.metadata],
    [['http_requests_total', { type: 'counter', help: 'The total, with \\ and \n.', unit: '' }]],
  );
});

test('names beyond the classic alphabet stand in quotes', () => {
  const text =
    '# TYPE "system.cpu.percent" gauge\n{"system.cpu.percent","host.name"="a",plain="b"} 4\n{"bare.name"} 5\nclassic{"a b"="c"} 6\n';
  assert.deepEqual(samplesOf(text), [
    ['system.cpu.percent{host.name="a", plain="b"}', 4, undefined],
    ['bare.name', 5, undefined],
    ['classic{a b="c"}', 6, undefined],
  ]);
});

test('OpenMetrics is read with seconds, units and exemplars', () => {
  const text = [
    '# TYPE http_seconds histogram',
    '# UNIT http_seconds seconds',
    '# HELP http_seconds How "long".',
    'http_seconds_bucket{le="0.1"} 8 1520879607.789 # {trace_id="K,}1"} 0.054 1520879607.7',
    'http_seconds_bucket{le="+Inf"} 10 # {} 4',
    'http_seconds_count 10',
    'http_seconds_created 1520430000.123',
    '# EOF',
    '',
  ].join('\n');
  assert.deepEqual(samplesOf(text, 'openmetrics'), [
    ['http_seconds_bucket{le="0.1"}', 8, 1520879607789],
    ['http_seconds_bucket{le="+Inf"}', 10, undefined],
    ['http_seconds_count', 10, undefined],
    ['http_seconds_created', 1520430000.123, undefined],
  ]);
  const parsed = parseExposition(text, 'openmetrics');
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.value.samples.flatMap(({ exemplars }) => exemplars),
    [
      { labels: ['trace_id', 'K,}1'], value: 0.054, atMs: 1520879607700 },
      { labels: [], value: 4, atMs: undefined },
    ],
  );
  assert.deepEqual(parsed.value.metadata.get('http_seconds'), { type: 'histogram', help: 'How "long".', unit: 'seconds' });
});

test('faults name the line and what is wrong', () => {
  const faults: readonly (readonly [ExpositionFormat, string, number, RegExp])[] = [
    ['text', 'a 1\nb\n', 2, /value missing/],
    ['text', 'a{b="c" 1\n', 1, /closing brace/],
    ['text', 'a{b="c} 1\n', 1, /closing brace/],
    ['text', 'a{b=c} 1', 1, /value of label "b" is not in quotes/],
    ['text', 'a{b} 1', 1, /label "b" without a value/],
    ['text', 'a{b="1",b="2"} 1', 1, /label name "b" twice/],
    ['text', 'a{b="1" c="2"} 1', 1, /comma or brace/],
    ['text', 'a{,} 1', 1, /not a label name/],
    ['text', 'a{1x="2"} 1', 1, /not a label name/],
    ['text', '{a="b"} 1', 1, /metric name missing/],
    ['text', 'a{"other"} 1', 1, /without a value/],
    ['text', '1a 1', 1, /not a metric name/],
    ['text', '- 1', 1, /not a metric name/],
    ['text', 'a 1 1.5', 1, /not a timestamp/],
    ['text', 'a 1 1 # {x="y"} 1', 1, /unexpected/],
    ['text', 'a 1_000', 1, /not a number/],
    ['text', 'a ', 1, /value missing/],
    ['text', '# TYPE a countr', 1, /unknown type "countr" of a/],
    ['openmetrics', 'a 1\n', 2, /not # EOF/],
    ['openmetrics', 'a 1', 1, /not # EOF/],
    ['openmetrics', 'a 1\n\n# EOF', 2, /empty line/],
    ['openmetrics', 'a 1\n# note\n# EOF', 2, /not a HELP/],
    ['openmetrics', '# EOF\na 1', 2, /after # EOF/],
    ['openmetrics', 'a 1 # {x="y"} b\n# EOF', 1, /exemplar/],
    ['openmetrics', 'a 1 # {x="y" 1\n# EOF', 1, /exemplar without/],
    ['openmetrics', 'a 1 # x\n# EOF', 1, /unexpected/],
  ];
  for (const [format, text, line, message] of faults) {
    const parsed = parseExposition(text, format);
    assert.ok(!parsed.ok, text);
    assert.equal(parsed.error.line, line, text);
    assert.match(parsed.error.message, message, text);
  }
});

const anyText = fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => !text.includes('\r'));
const anyName = fc.oneof(
  fc.stringMatching(/^[a-zA-Z_:][a-zA-Z0-9_:]{0,8}$/),
  anyText.filter((text) => text.trim() !== ''),
);
const anyLabels = fc.array(
  fc.tuple(
    anyName.filter((name) => name !== '__name__'),
    anyText,
  ),
  { maxLength: 5 },
);
const anyValue = fc.double();
const stamps = fc.option(fc.integer({ min: -1e12, max: 4e12 }), { nil: undefined });
const families: fc.Arbitrary<MetricFamily[]> = fc
  .uniqueArray(
    fc.record({
      name: anyName,
      type: fc.constantFrom(...METRIC_TYPES),
      help: anyText.map((text) => text.trimStart()),
      unit: fc.constant(''),
      samples: fc.array(fc.tuple(anyLabels, anyValue, stamps), { maxLength: 4 }),
    }),
    { selector: ({ name }) => name, maxLength: 4 },
  )
  .map((all) =>
    all.map((one) => ({
      ...one,
      samples: one.samples.map(([pairs, value, atMs]) => ({
        labels: labelsFrom([...pairs, ['__name__', one.name]]),
        value,
        ...(atMs === undefined ? {} : { atMs }),
      })),
    })),
  );

test('what is printed reads back the same in both formats', () => {
  fc.assert(
    fc.property(families, fc.constantFrom('text' as const, 'openmetrics' as const), (all, format) => {
      const parsed = parseExposition(printExposition(all, format), format);
      assert.ok(parsed.ok, JSON.stringify(parsed));
      const want: (readonly [Labels, number, number | undefined])[] = all.flatMap(({ samples }) =>
        samples.map(({ labels, value, atMs }) => [labels, value, atMs] as const),
      );
      assert.deepEqual(
        parsed.value.samples.map(({ labels, value, atMs }) => [labels, value, atMs]),
        want,
      );
      for (const { name, help } of all) {
        const found: MetricMetadata | undefined = parsed.value.metadata.get(name) ?? parsed.value.metadata.get(name.replace(/_total$/, ''));
        assert.equal(found?.help, help);
      }
    }),
    { numRuns: 300 },
  );
});

test('counters lose _total in the family name of OpenMetrics only', () => {
  const families: MetricFamily[] = [
    {
      name: 'x_total',
      type: 'counter',
      help: 'H.',
      unit: '',
      samples: [{ labels: labelsOf({ __name__: 'x_total' }), value: 1, atMs: 1500 }],
    },
    { name: 'y', type: 'counter', help: '', unit: '', samples: [{ labels: labelsOf({ __name__: 'y' }), value: Number.NEGATIVE_INFINITY }] },
  ];
  assert.equal(printExposition(families, 'openmetrics'), '# HELP x H.\n# TYPE x counter\nx_total 1 1.5\n# TYPE y unknown\ny -Inf\n# EOF\n');
  assert.equal(printExposition(families, 'text'), '# HELP x_total H.\n# TYPE x_total counter\nx_total 1 1500\n# TYPE y counter\ny -Inf\n');
});

test('random text never crashes the parser', () => {
  const pieces = fc.constantFrom(
    '{',
    '}',
    '"',
    '\\',
    '=',
    ',',
    ' ',
    '\n',
    '#',
    'a',
    '1',
    '# TYPE ',
    '# EOF',
    '\t',
    'NaN',
    '_',
    '\u0000',
    'é',
  );
  const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => parts.join(''));
  fc.assert(
    fc.property(texts, fc.constantFrom('text' as const, 'openmetrics' as const), (text, format) => void parseExposition(text, format)),
    {
      numRuns: 5000,
    },
  );
});
