import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { positional } from './float-text.ts';
import { type NamedKind, type TranslationStrategy, labelName, metricName, unitName } from './names.ts';

/** Expectations from the tests of github.com/prometheus/otlptranslator. */
test('names of metrics follow the strategy', () => {
  const cases: readonly (readonly [TranslationStrategy, string, string, NamedKind, string | undefined])[] = [
    ['UnderscoreEscapingWithoutSuffixes', 'metric@with#special$chars', '', 'gauge', 'metric_with_special_chars'],
    ['UnderscoreEscapingWithoutSuffixes', 'metric@@##$$name', '', 'gauge', 'metric_name'],
    ['UnderscoreEscapingWithoutSuffixes', '123metric', '', 'gauge', '_123metric'],
    ['UnderscoreEscapingWithoutSuffixes', '@#$%', '', 'gauge', undefined],
    ['UnderscoreEscapingWithSuffixes', 'requests', '', 'counter', 'requests_total'],
    ['UnderscoreEscapingWithSuffixes', 'requests_total', '', 'counter', 'requests_total'],
    ['UnderscoreEscapingWithSuffixes', 'cpu_usage', '1', 'gauge', 'cpu_usage_ratio'],
    ['UnderscoreEscapingWithSuffixes', 'cpu_usage_ratio', '1', 'gauge', 'cpu_usage_ratio'],
    ['UnderscoreEscapingWithSuffixes', 'items', '1', 'counter', 'items_total'],
    ['UnderscoreEscapingWithSuffixes', 'requests', '1/s', 'gauge', 'requests_per_second'],
    ['UnderscoreEscapingWithSuffixes', 'throughput', 'By/s', 'gauge', 'throughput_bytes_per_second'],
    ['UnderscoreEscapingWithSuffixes', 'custom_metric', 'By/{custom}', 'gauge', 'custom_metric_bytes'],
    ['UnderscoreEscapingWithSuffixes', 'custom_metric', '{custom}', 'gauge', 'custom_metric'],
    ['UnderscoreEscapingWithSuffixes', 'response_time_seconds', 's', 'other', 'response_time_seconds'],
    ['UnderscoreEscapingWithSuffixes', 'http.server.request.duration', 's', 'other', 'http_server_request_duration_seconds'],
    [
      'UnderscoreEscapingWithSuffixes',
      'metric__with__multiple__underscores',
      'unit__multiple__underscores',
      'gauge',
      'metric_with_multiple_underscores_unit_multiple_underscores',
    ],
    ['UnderscoreEscapingWithSuffixes', 'custom_metric', 'unit@with#special/chars', 'gauge', 'custom_metric_unit_with_special_per_chars'],
    ['UnderscoreEscapingWithSuffixes', '@#$%', '', 'gauge', undefined],
    ['NoUTF8EscapingWithSuffixes', 'requêsts', '1/s', 'counter', 'requêsts_per_second_total'],
    ['NoUTF8EscapingWithSuffixes', 'cpu_usagé', '1', 'gauge', 'cpu_usagé_ratio'],
    ['NoUTF8EscapingWithSuffixes', 'cpu_seconds_total', 's', 'counter', 'cpu_seconds_total'],
    ['NoUTF8EscapingWithSuffixes', 'http.server.duration', 'ms', 'other', 'http.server.duration_milliseconds'],
    ['NoUTF8EscapingWithSuffixes', '@#$%', '', 'counter', '@#$%_total'],
    ['NoTranslation', 'métric.with ñ', 's', 'counter', 'métric.with ñ'],
    ['NoTranslation', '', '', 'gauge', undefined],
  ];
  for (const [strategy, name, unit, kind, expected] of cases)
    assert.equal(metricName(name, unit, kind, strategy), expected, `${strategy} ${name} ${unit}`);
});

test('escaped names are names that every Prometheus takes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), fc.constantFrom('gauge', 'counter', 'other'), (name, unit, kind) => {
      for (const strategy of ['UnderscoreEscapingWithSuffixes', 'UnderscoreEscapingWithoutSuffixes'] as const) {
        assert.match(metricName(name, unit, kind, strategy) ?? 'none', /^[a-zA-Z_:][a-zA-Z0-9_:]*$/);
        assert.match(
          labelName(name, { strategy, underscoreSanitization: true, preserveMultipleUnderscores: false }) ?? 'none',
          /^[a-zA-Z_][a-zA-Z0-9_]*$/,
        );
      }
    }),
  );
});

test('keys of attributes become labels', () => {
  const name = (key: string, changes: object = {}): string | undefined =>
    labelName(key, {
      strategy: 'UnderscoreEscapingWithSuffixes',
      underscoreSanitization: true,
      preserveMultipleUnderscores: true,
      ...changes,
    });
  assert.equal(name('http.method'), 'http_method');
  assert.equal(name('123invalid'), 'key_123invalid');
  assert.equal(name('_private'), 'key_private');
  assert.equal(name('_private', { underscoreSanitization: false }), '_private');
  assert.equal(name('__reserved__'), '__reserved__');
  assert.equal(name('a..b'), 'a__b');
  assert.equal(name('a..b', { preserveMultipleUnderscores: false }), 'a_b');
  assert.equal(name('日本'), undefined);
  assert.equal(name('http.method', { strategy: 'NoTranslation' }), 'http.method');
});

test('units are words', () => {
  assert.equal(unitName('By/s', 'UnderscoreEscapingWithSuffixes'), 'bytes_per_second');
  assert.equal(unitName('1/s', 'UnderscoreEscapingWithSuffixes'), 'per_second');
  assert.equal(unitName('{request}', 'UnderscoreEscapingWithSuffixes'), '');
  assert.equal(unitName('unit@with#special/chars', 'UnderscoreEscapingWithSuffixes'), 'unit_with_special_per_chars');
});

test('numbers in labels have no exponent and read back as they were', () => {
  assert.equal(positional(1e21), '1000000000000000000000');
  assert.equal(positional(-1.5e-7), '-0.00000015');
  assert.equal(positional(0.005), '0.005');
  assert.equal(positional(Number.POSITIVE_INFINITY), '+Inf');
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      assert.match(positional(value), /^-?\d+(\.\d+)?$/);
      assert.equal(Number(positional(value)), value);
    }),
  );
});
