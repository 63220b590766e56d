import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlations, crossed, histogramCells, hoursByWeekdays, reduced, slicesOf, unitText } from './figures.ts';
import { type Values, interpolate, legendOf, namesIn } from './interpolate.ts';

const LENGTHS = { rangeMs: 3_600_000, stepMs: 10_000, writtenEveryMs: 15_000 };
const HOUR_MS = 3_600_000;
const named = (name: string, points: readonly (readonly [number, number])[], labels: Readonly<Record<string, string>> = {}) => ({
  name,
  labels,
  query: 0,
  points,
});

test('what is chosen stands in a query so that it can mean nothing else', () => {
  const values: Values = new Map([
    ['one', { values: ['a"b\\c'], all: false, many: false }],
    ['many', { values: ['a.b', 'c|d'], all: false, many: true }],
    ['every', { values: ['x', 'y'], all: true, many: true }],
  ]);
  const put = (text: string): string => interpolate(text, values, LENGTHS);
  assert.equal(put('up{a="$one"}'), 'up{a="a\\"b\\\\c"}');
  assert.equal(put('up{a=~"$many"}'), 'up{a=~"(a\\\\.b|c\\\\|d)"}');
  assert.equal(put('up{a=~"${every}"}'), 'up{a=~".*"}');
  assert.equal(put('${many:csv} ${many:pipe} ${every:text} $unknown'), 'a.b,c|d a.b|c|d all $unknown');
  assert.equal(put('rate(x[$__rate_interval]) $__range $__interval_ms'), 'rate(x[1m]) 1h 10000');
  assert.deepEqual(namesIn('$a ${b:csv} $$c'), ['a', 'b', 'c']);
});

test('a series is called by its legend, else by the labels in which it differs', () => {
  assert.equal(legendOf('{{ host }}: {{none}}', { host: 'a' }, []), 'a: ');
  assert.equal(legendOf(undefined, { __name__: 'up', job: 'x', host: 'a' }, ['host']), 'host=a');
  assert.equal(legendOf('', { __name__: 'up', job: 'x' }, []), 'up');
});

test('one number out of many, the worst limit it is beyond, shares that end in the others', () => {
  const points = [
    [0, 4],
    [1, Number.NaN],
    [2, 1],
    [3, 7],
  ] as const;
  const all = (['last', 'mean', 'max', 'min', 'sum', 'change'] as const).map((how) => reduced(points, how));
  assert.deepEqual([all, reduced([[0, Number.NaN]], 'last')], [[7, 4, 7, 1, 12, 3], undefined]);
  const limits = [
    { at: 80, severity: 'warning' as const, side: 'above' as const },
    { at: 90, severity: 'critical' as const, side: 'above' as const },
  ];
  assert.deepEqual(
    [79, 80, 95].map((value) => crossed(value, limits)?.severity),
    [undefined, 'warning', 'critical'],
  );
  const slices = slicesOf(Array.from({ length: 9 }, (_one, at) => ({ name: `s${at}`, value: at })));
  assert.deepEqual(
    [slices.length, slices.at(-1)?.name, Math.round(1e9 * slices.reduce((sum, { share }) => sum + share, 0)) / 1e9],
    [6, '3 others', 1],
  );
  const hues = (used: number, free: number) =>
    new Map(
      slicesOf([
        { name: 'used', value: used },
        { name: 'free', value: free },
      ]).map(({ name, hue }) => [name, hue]),
    );
  assert.deepEqual(
    hues(9, 1),
    new Map([
      ['used', 0],
      ['free', 1],
    ]),
  );
  assert.deepEqual(new Map([...hues(1, 9)].reverse()), hues(9, 1), 'a part keeps its colour when it becomes the smaller one');
  assert.match(unitText(1_536, 'bytes', 2), /^1\.50 K/);
});

test('buckets hold what is beyond the one below, pairs their r, and hours of weekdays their mean', () => {
  const bucket = (le: string, value: number) => named(le, [[0, value]], { le });
  const buckets = histogramCells([bucket('+Inf', 10), bucket('0.1', 4), bucket('1', 9)], String);
  assert.deepEqual(
    [buckets.rows, buckets.values],
    [
      ['≤ 0.1', '≤ 1', '≤ +Inf'],
      [[4], [5], [1]],
    ],
  );
  const up = named('up', [
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  const down = named('down', [
    [0, 3],
    [1, 2],
    [2, 1],
  ]);
  const short = named('short', [[0, 1]]);
  assert.deepEqual(
    correlations([up, down, short]).values.map((row) => row.map((r) => (r === null ? null : Math.round(r)))),
    [
      [null, null, null],
      [-1, 1, null],
      [1, -1, null],
    ],
  );
  const monday = Date.UTC(2026, 10, 23, 5);
  const hours = hoursByWeekdays(
    [
      named('x', [
        [monday, 2],
        [monday + HOUR_MS / 2, 4],
      ]),
    ],
    (atMs) => [new Date(atMs).getUTCDay(), new Date(atMs).getUTCHours()],
  );
  assert.equal(hours.values[hours.rows.indexOf('Monday')]?.[5], 3);
  assert.equal(hours.values.flat().filter((value) => value !== null).length, 1);
});
