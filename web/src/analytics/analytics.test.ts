import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CapacityRow, LoadWire } from '../api/analytics.ts';
import { byUrgency, fullIn, placeOf } from './capacity-words.ts';
import { completions, selectorOf, selectorText, seriesKey } from './completion.ts';
import { muteWords, statusSentence, untilWords } from './insight-words.ts';
import { lasting } from './lasting.ts';
import { loadDoubt, pairsOf, peakSentence, whatIfSentence } from './load-words.ts';
import { byHour, byWeekday, extremes } from './profile.ts';
import { bandPath, between, linePath, nearestPoint, scalesOf, valuesOf } from './scales.ts';
import { analyticsSearch, lengthMsOf, questionOf } from './search.ts';
import { unitOf, unitText } from './units.ts';
import { backtestSentences, forecastDoubt, relationSentence, shareText, trendSentence } from './words.ts';

const NAMES = ['http_requests_total', 'http_errors_total', 'node_load1', 'total_orders'];

test('what is typed last is completed, those that begin with it first', () => {
  assert.deepEqual(completions('rate(tot', NAMES, 9), ['rate(total_orders', 'rate(http_requests_total', 'rate(http_errors_total']);
  assert.deepEqual(completions('', NAMES, 2), NAMES.slice(0, 2));
  assert.deepEqual(completions('up{job="no', NAMES, 9), []);
  assert.deepEqual(completions('up{jo', NAMES, 9), []);
});

test('a plain selector can be narrowed and is written as it was', () => {
  for (const expr of ['up', 'up{job="a b",path="C:\\\\x\\"y"}'])
    assert.equal(selectorText(selectorOf(expr) ?? { metric: '', labels: {} }), expr);
  for (const expr of ['rate(up[5m])', 'up{job=~"a"}', 'up{job="a" junk}', 'a + b']) assert.equal(selectorOf(expr), undefined);
  assert.equal(seriesKey({ name: 'up', labels: { __name__: 'up', b: '2', a: '1' } }), 'up{a="1",b="2"}');
});

test('an address typed by hand is read as far as it makes sense', () => {
  assert.deepEqual(analyticsSearch({ view: 'series', q: 5, window: '30d', sensitivity: 0.9, at: -1, kind: 'x' }), {
    view: 'series',
    q: '5',
    window: '30d',
    sensitivity: 0.9,
  });
  assert.deepEqual(questionOf({ window: '7d' }), { window: '7d', step: undefined, ahead: '24h', method: 'seasonal', sensitivity: 0.95 });
  assert.equal(lengthMsOf('15m'), 900_000);
});

test('a picture ends at round figures, holds what is negative, and is not pressed flat by a far limit or a wide band', () => {
  const line = [[[0, 3] as const, [1, 97] as const]];
  assert.deepEqual(valuesOf({ lines: line, bands: [], limit: 5_000 }, 5), { low: 0, high: 100, ticks: [0, 20, 40, 60, 80, 100] });
  assert.equal(valuesOf({ lines: line, bands: [[[0, -1e9, 1e9]]] }, 5).high < 400, true);
  const negative = valuesOf({ lines: [[[0, -5] as const, [1, 5] as const]], bands: [] }, 4);
  assert.ok(negative.low <= -5 && negative.high >= 5);
  const constant = valuesOf({ lines: [[[0, 7] as const]], bands: [] }, 4);
  assert.ok(constant.low < 7 && constant.high > 7);
});

test('a line has gaps where nothing was, a band goes there and back', () => {
  const scales = scalesOf({ fromMs: 0, toMs: 10, low: 0, high: 1 }, { width: 18, height: 26, left: 0, bottom: 0 });
  assert.equal(
    linePath(
      [
        [0, 0],
        [1, null],
        [2, 1],
        [3, 1],
        [9, 0],
      ],
      scales,
      2,
    ),
    'M0.0 26.0h0M2.0 16.0h0L3.0 16.0M9.0 26.0h0',
  );
  assert.equal(
    bandPath(
      [
        [0, 0, 1],
        [10, 0, 1],
      ],
      scales,
    ),
    'M0.0 16.0L10.0 16.0L10.0 26.0L0.0 26.0Z',
  );
  assert.deepEqual(
    nearestPoint(
      [
        [0, 'a'],
        [10, 'b'],
        [20, 'c'],
      ],
      13,
      5,
    ),
    [10, 'b'],
  );
  assert.equal(
    nearestPoint(
      [
        [0, 'a'],
        [100, 'b'],
      ],
      50,
      5,
    ),
    undefined,
  );
});

test('a trend has a value between its two ends and none outside', () => {
  const line = [[0, 0] as const, [10, 100] as const];
  assert.deepEqual(
    [0, 5, 10, 11, -1].map((at) => between(line, at)),
    [0, 50, 100, null, null],
  );
});

const ROW: CapacityRow = {
  name: 'disk',
  expr: 'x',
  labels: {},
  unit: 'bytes',
  value: 10,
  limit: 20,
  side: 'above',
  state: 'grows',
  per_day: 1,
  days: null,
  days_lower: null,
  days_upper: null,
  confidence: null,
  method: '',
  leak: null,
  right_size: null,
  reason: '',
  points: [],
};

test('a step that stays is told, the two ends of something unusual are not', () => {
  const episodes = [{ from_at_ms: 100, to_at_ms: 108 }];
  const up = { at_ms: 101, before: 0.12, after: 0.19 };
  const down = { at_ms: 109, before: 0.19, after: 0.121 };
  const far = { at_ms: 200, before: 0.1, after: 0.2 };
  assert.deepEqual(lasting([up, far], episodes, 1), [up, far], 'a deployment that made it slower');
  assert.deepEqual(lasting([up, down, far], episodes, 1), [far], 'an hour that was slow');
  assert.deepEqual(lasting([up, { ...down, after: 0.17 }], episodes, 1).length, 2, 'it came back in part');
  assert.deepEqual(lasting([], episodes, 1), []);
});

test('what is full soonest stands first, and its day is told with its interval', () => {
  const soon = { ...ROW, name: 'soon', days: 12.4, days_lower: 9.1, days_upper: null };
  const later = { ...ROW, name: 'later', days: 40, days_lower: 30, days_upper: 60 };
  const leaking = { ...ROW, name: 'leaking', leak: { state: 'leaks' as const, since_at_ms: null, p: 0.001, reason: '' } };
  const refused = { ...ROW, name: 'refused', state: 'refused' as const };
  assert.deepEqual(
    [refused, ROW, leaking, later, soon].sort(byUrgency).map(({ name }) => name),
    ['soon', 'later', 'leaking', 'disk', 'refused'],
  );
  assert.deepEqual(fullIn(soon), { when: 'in 12 days', between: '9 days to perhaps never' });
  assert.deepEqual(fullIn(later), { when: 'in 6 weeks', between: '4 weeks to 9 weeks' });
  const narrow = { ...ROW, days: 12.78, days_lower: 12.61, days_upper: 12.94 };
  assert.deepEqual(fullIn(narrow), { when: 'in 13 days', between: '12.6 to 12.9 days' }, 'an interval has two ends that differ');
  assert.equal(fullIn({ ...ROW, value: 21, days: 0 }).when, 'now');
  assert.ok(placeOf(1) > 0 && placeOf(1) < placeOf(7) && placeOf(100_000) === 1 && placeOf(0) === 0);
});

test('a quiet feed says what was examined, and a mute says until when', () => {
  const last = {
    started_at_ms: 0,
    ended_at_ms: 0,
    expressions: 3,
    series: 42,
    tests: 120,
    found: 0,
    opened: 0,
    ended: 0,
    refused: {},
    left: 0,
  };
  assert.equal(
    statusSentence({ state: 'waiting', next_at_ms: 4_320_000, last }, 3_600_000),
    '42 series examined 1\u00a0h ago with 120 tests; next look in 12\u00a0min.',
  );
  assert.equal(statusSentence({ state: 'running', next_at_ms: null, last: null }, 0), 'Nothing was looked at yet; looking now.');
  assert.equal(untilWords(Date.UTC(9999, 0, 1), 0), 'for good');
  assert.equal(muteWords({ what: 'kind', kind: 'anomaly', subject: null }), 'Everything of the kind unusual');
});

test('units come from the names of metrics', () => {
  const aliases = [{ name: 'system.memory.percent', unit: 'percent' }];
  assert.equal(unitOf('system.memory.percent', 'x', aliases), 'percent');
  assert.equal(unitOf('a', 'rate(b_bytes_total[5m])', aliases), 'bytes_per_second');
  assert.equal(unitText(unitOf('a', 'probe_duration_seconds', aliases))(0.25), '250 ms');
  assert.equal(unitText('orders')(-1_200), '−1.20 k orders');
});

test('hours and weekdays are means of the seasonal part, and only where every slot has a point', () => {
  const points = Array.from({ length: 24 * 14 }, (_, i) => ({ at_ms: Date.UTC(2026, 0, 5) + i * 3_600_000, season: i % 24 }));
  const hours = byHour(points);
  assert.equal(hours?.length, 24);
  assert.equal((extremes(hours ?? [])?.highest.value ?? 0) - (extremes(hours ?? [])?.lowest.value ?? 0), 23);
  assert.equal(byWeekday(points)?.length, 7);
  assert.equal(byWeekday(points.slice(0, 48)), undefined);
  assert.equal(byHour(points.filter((_, i) => i % 24 === 0)), undefined);
});

const TREND = { per_day: 2, lower: 1, upper: 3, level: 0.95, p: 0.0001, direction: 'rising', now: 9, n: 100 } as const;
const FORECAST = {
  points: [],
  level: 0.95,
  method: 'x',
  season: 24,
  seasons: [{ name: 'daily', length: 24, strength: 0.9 }],
  notes: [],
  backtest: {
    mase: 0.6,
    naive_mase: 1,
    smape: 0,
    mape: null,
    wape: null,
    coverage: 0.94,
    origins: 40,
    beat_naive: 36,
    horizon: 24,
    latest: [],
  },
};

test('sentences say what, how much and how sure', () => {
  assert.equal(trendSentence(TREND, String), 'Rises by 2 a day (+1 to +3 a day at 95 %; p below 0.001).');
  assert.match(
    trendSentence({ ...TREND, direction: 'none', lower: -1 }, String),
    /^No trend: the slope may be anything from -1 to \+3 a day/,
  );
  const [beat, errors, held] = backtestSentences(FORECAST, 3_600_000);
  assert.equal(beat, 'Beat repeating the last day in 36 of 40 tries, each 1\u00a0d ahead.');
  assert.equal(errors, 'Its errors were 40 % smaller than those of repeating the last day (MASE 0.60 against 1.00).');
  assert.equal(held, 'Its 95 % band held 94 % of what came.');
  assert.equal(forecastDoubt(FORECAST).word, 'Good');
  assert.equal(forecastDoubt({ ...FORECAST, backtest: { ...FORECAST.backtest, coverage: 0.7 } }).word, 'Doubtful');
  assert.equal(forecastDoubt({ ...FORECAST, backtest: { ...FORECAST.backtest, mase: 1.1 } }).word, 'Weak');
  assert.deepEqual([shareText(0.999), shareText(1), shareText(0.001)], ['over 99 %', '100 %', 'under 1 %']);
});

test('who comes first is told as seen from the series that was asked about', () => {
  const pair = {
    x: 'a',
    y: 'b',
    pearson: 0.5,
    spearman: 0.6,
    lag: 2,
    lag_ms: 7_200_000,
    effective: 50,
    n: 100,
    p: 0.001,
    significant: true,
  };
  assert.equal(relationSentence(pair, 'a'), 'b rises with it, 2\u00a0h later.');
  assert.equal(relationSentence(pair, 'b'), 'a rises with it, 2\u00a0h before it.');
  assert.equal(relationSentence({ ...pair, lag_ms: 0, spearman: -0.6 }, 'a'), 'b falls when it rises, at the same time.');
});

const LAW: LoadWire = {
  parameters: {
    gamma: { value: 100, standard_error: 2 },
    alpha: { value: 0.03, standard_error: 0.002 },
    beta: { value: 0.0005, standard_error: 0.0001 },
  },
  r2: 0.98,
  scatter: 0.03,
  n: 40,
  peak: { concurrency: 44, throughput: 1_364, seen: false },
  range: { least: 1, most: 20 },
  what_if: {
    factor: 2,
    state: 'served',
    now: { concurrency: 5, throughput: 400, latency: 0.0125 },
    target_throughput: 800,
    concurrency: 12.3,
    throughput: { value: 800, lower: 760, upper: 840 },
    latency: { value: 0.0154, lower: 0.0146, upper: 0.0162 },
    reason: 'as said',
  },
  curve: [],
  points: [],
  notes: [],
};
const askedWith = (more: Partial<LoadWire['what_if']>): LoadWire => ({ ...LAW, what_if: { ...LAW.what_if, ...more } });

test('what a multiple of the load does is said with its doubt, and a refusal keeps its reason', () => {
  assert.equal(whatIfSentence(LAW), 'Twice the load, 800 a second, takes 12.3 at once, and each stays 15.4 ms.');
  const refused = { concurrency: null, throughput: null, latency: null, reason: '4000 a second are more than the most there can be' };
  assert.equal(
    whatIfSentence(askedWith({ ...refused, state: 'beyond_peak', factor: 10, target_throughput: 4_000 })),
    '10 times the load, 4000 a second, cannot be served: the most there can be is 1360 a second at 44 at once.',
  );
  assert.match(whatIfSentence(askedWith({ ...refused, state: 'too_far' })), /^What twice the load, .* does cannot be told\. 4000/);
  assert.equal(loadDoubt(LAW).word, 'Good');
  assert.match(loadDoubt(askedWith({ state: 'extrapolated' })).why, /no more than 20 at once/);
  assert.equal(loadDoubt({ ...LAW, r2: 0.4 }).word, 'Weak');
  assert.match(peakSentence(LAW), /at 44 at once, further than was measured/);
  assert.match(peakSentence({ ...LAW, peak: null }), /^None/);
});

test('typed measurements are pairs, or the line at fault is named', () => {
  assert.deepEqual(pairsOf('# at once, a second\n1, 98\n\n4\t350\n16;900\n'), {
    pairs: [
      [1, 98],
      [4, 350],
      [16, 900],
    ],
  });
  assert.match(JSON.stringify(pairsOf('1 2\n3')), /Line 2 is not two numbers/);
  assert.match(JSON.stringify(pairsOf('1 2 3')), /Line 1/);
  assert.deepEqual(pairsOf('users, rate'), { fault: 'No pair was typed' });
});
