import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import type { Value } from '@nines/promql/value.ts';
import { encodeAnswer, envelope, formatTime } from './encode.ts';

const NONE = { warnings: [], infos: [] };
const encoded = (value: Value, limit = 0, remarks: { warnings: readonly string[]; infos: readonly string[] } = NONE): string =>
  Buffer.concat([...encodeAnswer(value, { limit, remarks })]).toString();
const series = (job: string, values: readonly number[]) => ({
  labels: labelsOf({ __name__: 'up', job }),
  times: Float64Array.from(values.keys(), (i) => i * 1000),
  values: Float64Array.from(values),
});

test('times are whole seconds, or have exactly three decimals', () => {
  assert.deepEqual([0, 1_435_781_451_781, 1_435_781_451_000, 5, 1_050, -500, -1_500].map(formatTime), [
    '0',
    '1435781451.781',
    '1435781451',
    '0.005',
    '1.050',
    '-0.500',
    '-1.500',
  ]);
});

test('a vector is in the shape of Prometheus, values as text', () => {
  const value: Value = {
    kind: 'vector',
    elements: [{ labels: labelsOf({ __name__: 'up', job: 'a"b' }), atMs: 1_500, value: Number.POSITIVE_INFINITY }],
  };
  assert.equal(
    encoded(value),
    '{"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"up","job":"a\\"b"},"value":[1.500,"+Inf"]}]}}',
  );
});

test('a matrix keeps its order', () => {
  const value: Value = { kind: 'matrix', series: [series('a', [0.5, Number.NaN]), series('b', [1])] };
  assert.deepEqual(JSON.parse(encoded(value)).data.result, [
    {
      metric: { __name__: 'up', job: 'a' },
      values: [
        [0, '0.5'],
        [1, 'NaN'],
      ],
    },
    { metric: { __name__: 'up', job: 'b' }, values: [[0, '1']] },
  ]);
});

test('scalars, strings and empty results have their shapes', () => {
  assert.deepEqual(JSON.parse(encoded({ kind: 'scalar', atMs: 1000, value: 2 })).data, { resultType: 'scalar', result: [1, '2'] });
  assert.deepEqual(JSON.parse(encoded({ kind: 'string', atMs: 1000, value: 'x"' })).data, { resultType: 'string', result: [1, 'x"'] });
  assert.deepEqual(JSON.parse(encoded({ kind: 'matrix', series: [] })).data, { resultType: 'matrix', result: [] });
});

test('a limit cuts the result and says so', () => {
  const value: Value = { kind: 'matrix', series: [series('a', [2]), series('b', [1])] };
  const body = JSON.parse(encoded(value, 1));
  assert.deepEqual([body.data.result.length, body.warnings], [1, ['results truncated due to limit']]);
  assert.equal(JSON.parse(encoded(value, 2)).warnings, undefined);
});

test('remarks stand beside the data', () => {
  const body = JSON.parse(encoded({ kind: 'vector', elements: [] }, 0, { warnings: ['w'], infos: ['i'] }));
  assert.deepEqual([body.warnings, body.infos], [['w'], ['i']]);
  assert.equal(envelope(['a']), '{"status":"success","data":["a"]}');
});

test('a large answer comes in pieces that join to valid JSON', () => {
  const many = Array.from({ length: 30 }, (_, i) =>
    series(
      `job${i}`,
      Array.from({ length: 2_000 }, (_each, j) => j / 3),
    ),
  );
  const pieces = [...encodeAnswer({ kind: 'matrix', series: many }, { limit: 0, remarks: NONE })];
  assert.ok(pieces.length > 5);
  const { data } = JSON.parse(Buffer.concat(pieces).toString());
  assert.equal(data.result.length, 30);
  assert.equal(data.result[0].values.length, 2_000);
});
