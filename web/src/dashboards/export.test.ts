import assert from 'node:assert/strict';
import { test } from 'node:test';
import { csvBlob, fileName, jsonBlob, rowsOfSeries, rowsOfValues } from './export.ts';

test('series are a line for each instant in UTC, values a line each; no text becomes a formula of a spreadsheet', async () => {
  const series = [{ name: '=HYPERLINK("http://x")', labels: {}, query: 0, points: [[0, 1.5] as const, [60_000, Number.NaN] as const] }];
  const rows = rowsOfSeries(series);
  assert.deepEqual(rows, [
    ['time', 'series', 'value'],
    ['1970-01-01T00:00:00.000Z', '=HYPERLINK("http://x")', 1.5],
    ['1970-01-01T00:01:00.000Z', '=HYPERLINK("http://x")', Number.NaN],
  ]);
  assert.match(await csvBlob([['below'], [Number.NEGATIVE_INFINITY], [-2]]).text(), /^below\r\n-Inf\r\n-2\r\n$/);
  assert.doesNotMatch(await csvBlob(rows).text(), /(?:^|,)"?=/m);
  assert.deepEqual(
    JSON.parse(
      await jsonBlob(
        rowsOfValues([
          { name: 'a', value: 2 },
          { name: 'b', value: Number.NEGATIVE_INFINITY },
        ]),
      ).text(),
    ),
    [
      { name: 'a', value: 2 },
      { name: 'b', value: '-Inf' },
    ],
  );
});

test('a file has a name that every system takes', () => {
  assert.deepEqual([fileName('CPU / Last ±5 %'), fileName('../..'), fileName('x'.repeat(200)).length], ['cpu-last-5', 'panel', 80]);
});
