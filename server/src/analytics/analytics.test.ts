import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AppError } from '@nines/base/errors.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openStore } from '@nines/tsdb/store.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { recordingLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createAsk } from '../ask.ts';
import type { Actor } from '../platform/http/contract.ts';
import { createHttp } from '../platform/http/server.ts';
import { TOO_SLOW } from '../platform/threads.ts';
import { limitsConfig, seriesLimits } from '../series/limits.ts';
import { CapacityTableService } from './capacity-table.ts';
import { queryParams, type QueryView } from './contract.ts';
import { createQuery } from './query.ts';
import { analyticsRoutes } from './routes.ts';
import { createStoredLoad } from './stored-load.ts';
import { type AskAnalytics, openCalculations } from './start.ts';

const ADA: Actor = { kind: 'user', id: 'u1', name: 'ada', role: 'read-only', teamId: 'default', scope: FULL_SCOPE };
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
/** What stands at a path of an answer. */
const dig = (value: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Readonly<Record<string | number, unknown>> | undefined)?.[key], value);
const figure = (value: unknown, ...path: readonly (string | number)[]): number => Number(dig(value, ...path));
const listOf = (value: unknown, ...path: readonly (string | number)[]): readonly unknown[] => dig(value, ...path) as readonly unknown[];

test('the stateless API and stored series, over HTTP and in a thread', async (t) => {
  const clock = manualClock();
  const logger = recordingLogger();
  const dir = mkdtempSync(join(tmpdir(), 'nines-analytics-'));
  const limits = seriesLimits(limitsConfig.parse({}));
  const store = await openStore({ dir, retentionMs: 30 * 86_400_000, limits: () => limits, logger });
  const http = await createHttp({
    logger,
    ids: countingIds(),
    hosts: 'any',
    version: '0',
    gate: { authenticate: async () => ADA, allows: (_actor, permission) => permission === 'read' },
  });
  const analytics = openCalculations({ clock });
  t.after(async () => {
    await http.close();
    await analytics[Symbol.asyncDispose]();
    await store.close();
    rmSync(dir, { recursive: true, force: true });
  });
  const samples = createAsk(createEngine({}), store);
  const aliases = { list: [{ name: 'app.load', unit: 'count', help: '', expr: 'load' }] };
  const metadata = { ofSeries: () => undefined };
  const query = createQuery({ ask: analytics.ask, samples, aliases, queryable: store, metadata, clock });
  const capacity = new CapacityTableService({ ask: analytics.ask, samples, aliases, watches: () => [], clock, logger });
  const watching = { episodes: async () => ({ items: [] }), list: () => ({ items: [] }) };
  analyticsRoutes(http, {
    ask: analytics.ask,
    query,
    storedLoad: createStoredLoad({ ask: analytics.ask, samples, clock }),
    capacity,
    watching,
    loadTests: {
      list: async () => ({ running: null, items: [] }),
      start: () => Promise.reject(new Error('nobody here may')),
      abort: () => Promise.reject(new Error('nobody here may')),
    },
  });

  const post = async (path: string, body: unknown): Promise<{ status: number; body: unknown; text: string }> => {
    const answer = await http.inject({ method: 'POST', url: `/api/analytics/${path}`, payload: body as object });
    return { status: answer.statusCode, body: answer.json() as unknown, text: answer.body };
  };
  const reasonOf = async (path: string, body: unknown): Promise<string> => {
    const answer = await post(path, body);
    assert.equal(answer.status, 422, answer.text);
    return String(dig(answer.body, 'details', 'reason'));
  };
  const random = randomFrom(1);
  const daily = (i: number): number => 100 + 20 * Math.sin((2 * Math.PI * i) / 24) + 2 * random.normal();
  const hourly = (count: number, make: (i: number) => number | null): [number, number | null][] =>
    Array.from({ length: count }, (_, i) => [1_700_000_000_000 + i * HOUR_MS, make(i)]);

  await t.test('regression, of one variable and of several', async () => {
    const x = [0, 1, 2, 3, 4, 5, 6];
    const square = await post('regression', { x, y: x.map((one) => 1 + 2 * one + 3 * one * one), degree: 2 });
    assert.equal(square.status, 200, square.text);
    [1, 2, 3].forEach((value, i) => assert.ok(Math.abs(figure(square.body, 'coefficients', i) - value) < 1e-9));
    for (const name of ['standard_errors', 'r2', 'residual_sd', 'condition']) assert.notEqual(dig(square.body, name), undefined, name);
    const rows = x.map((one) => [one, (one * 7) % 5]);
    const plane = await post('regression', { x: rows, y: rows.map(([a = 0, b = 0]) => 2 + a - b) });
    assert.ok(Math.abs(figure(plane.body, 'coefficients', 2) + 1) < 1e-9);
    assert.equal(await reasonOf('regression', { x: [1, 2], y: [1, 2] }), 'too_few_points');
    assert.equal(await reasonOf('regression', { x: [3, 3, 3, 3], y: [1, 2, 3, 4] }), 'x_does_not_vary');
    assert.equal(await reasonOf('regression', { x: [], y: [] }), 'empty');
  });

  await t.test('forecast: points, interval, season and back-test', async () => {
    const answer = await post('forecast', { points: hourly(400, daily), horizon: 48, level: 0.95 });
    assert.equal(answer.status, 200, answer.text);
    const { body } = answer;
    assert.equal(listOf(body, 'points').length, 48);
    assert.equal(dig(body, 'season'), 24);
    assert.equal(dig(body, 'points', 0, 'at_ms'), 1_700_000_000_000 + 400 * HOUR_MS);
    assert.ok(figure(body, 'backtest', 'mase') < 1 && figure(body, 'backtest', 'coverage') > 0.85);
    for (const [name, points] of Object.entries({
      empty: [],
      all_missing: hourly(50, () => null),
      too_few_points: hourly(2, daily),
      horizon_too_long: hourly(30, daily),
    }))
      assert.equal(await reasonOf('forecast', { points, horizon: 48 }), name);
    const flat = await post('forecast', { points: hourly(100, () => 7), horizon: 3 });
    assert.deepEqual(dig(flat.body, 'points', 0), { at_ms: 1_700_000_000_000 + 100 * HOUR_MS, value: 7, lower: 7, upper: 7 });
  });

  await t.test('anomalies: a score for each point, episodes, every method', async () => {
    const points = hourly(500, (i) => (i === 20 ? null : daily(i) + (i >= 400 && i < 404 ? 200 : 0)));
    for (const method of ['zscore', 'robust_zscore', 'isolation_forest', 'seasonal']) {
      const { status, body, text } = await post('anomalies', { points, method, sensitivity: 0.95, seed: 1 });
      assert.equal(status, 200, text);
      assert.equal(listOf(body, 'scores').length, 500);
      const episodes = dig(body, 'episodes') as { from_at_ms: number; to_at_ms: number; score: number; reason: string }[];
      const hit = episodes.find(({ from_at_ms: from }) => from === 1_700_000_000_000 + 400 * HOUR_MS);
      assert.ok(hit !== undefined && hit.score >= 0.95 && hit.reason !== '', `${method}: ${JSON.stringify(episodes)}`);
      const first = await post('anomalies', { points: points.slice(0, 300), method, seed: 1 });
      assert.deepEqual(dig(first.body, 'scores'), listOf(body, 'scores').slice(0, 300), `${method}: later points change no score`);
    }
    assert.equal(await reasonOf('anomalies', { points: hourly(3, daily) }), 'too_few_points');
    assert.equal(await reasonOf('anomalies', { points: hourly(30, () => null) }), 'all_missing');
  });

  await t.test('drift in the words of the contract', async () => {
    const small = await post('drift', {
      reference: { a: [38.7, 41.5, 43.8, 44.5, 45.5, 46.0, 47.7, 58.0] },
      current: { a: [39.2, 39.3, 39.7, 41.4, 41.8, 42.9, 43.3, 45.8] },
    });
    const feature = dig(small.body, 'features', 'a');
    assert.equal(dig(feature, 'state'), 'insufficient');
    assert.equal(dig(feature, 'tests', 'ks', 'statistic'), 0.625);
    assert.ok(Math.abs(figure(feature, 'tests', 'ks', 'p') - 0.08702408702408701) < 1e-12);
    assert.equal(dig(feature, 'tests', 'jensen_shannon', 'base'), 2);
    const normal = (mean: number): number[] => Array.from({ length: 400 }, () => mean + random.normal());
    const words = (share: number): string[] => Array.from({ length: 400 }, () => (random.next() < share ? 'a' : 'b'));
    const moved = await post('drift', { reference: { x: normal(0), w: words(0.5) }, current: { x: normal(1), w: words(0.9) } });
    assert.equal(dig(moved.body, 'drifted'), true);
    assert.equal(dig(moved.body, 'features', 'w', 'kind'), 'categorical');
    assert.ok(figure(moved.body, 'features', 'w', 'tests', 'chi_square', 'p') < 1e-6);
    const odd = await post('drift', { reference: { none: [null, null], only: [1] }, current: { none: [], flat: [2] } });
    assert.equal(odd.status, 200, odd.text);
    assert.equal(await reasonOf('drift', { reference: {}, current: {} }), 'empty');
  });

  await t.test('seasonality, correlation and capacity', async () => {
    const seasons = await post('seasonality', { points: hourly(400, daily) });
    assert.deepEqual([dig(seasons.body, 'seasons', 0, 'name'), dig(seasons.body, 'seasons', 0, 'present')], ['daily', true]);
    const noise = Array.from({ length: 300 }, () => random.normal());
    const lagged = noise.map((_, i) => (noise[Math.max(0, i - 2)] ?? 0) + 0.2 * random.normal());
    const found = await post('correlation', { x: hourly(300, (i) => noise[i] ?? 0), y: hourly(300, (i) => lagged[i] ?? 0), max_lag: 5 });
    assert.equal(found.status, 200, found.text);
    assert.deepEqual([dig(found.body, 'pairs', 0, 'lag'), dig(found.body, 'pairs', 0, 'significant')], [2, true]);
    const full = await post('capacity', { points: hourly(336, (i) => 50 + i / 24 + random.normal()), limit: 80 });
    assert.equal(dig(full.body, 'state'), 'approaching', full.text);
    assert.ok(Math.abs(figure(full.body, 'days', 'expected') - 16) < 2);
    const still = await post('capacity', { points: hourly(336, () => 50 + random.normal()), limit: 80 });
    assert.deepEqual([dig(still.body, 'state'), dig(still.body, 'days')], ['no_trend', null]);
  });

  await t.test('stored series by dotted glob, by name and by expression', async () => {
    const toMs = clock.now();
    for (let batch = 0; batch < 4; batch++) {
      const builder = createBatchBuilder();
      for (let i = 0; i < 360; i++) {
        const atMs = toMs - 24 * HOUR_MS + (batch * 360 + i) * MINUTE_MS;
        builder.add(labelsOf({ __name__: 'load', host: 'a' }), atMs, 10 + random.normal());
        builder.add(labelsOf({ __name__: 'jobs_total', host: 'a' }), atMs, (batch * 360 + i) * 30);
      }
      await store.append(builder.batch(), clock.now());
    }
    const get = async (params: Record<string, string>): Promise<{ status: number; body: unknown; text: string }> => {
      const answer = await http.inject({ method: 'GET', url: `/api/analytics/query?${new URLSearchParams(params).toString()}` });
      return { status: answer.statusCode, body: answer.json() as unknown, text: answer.body };
    };
    const dotted = await get({ pattern: 'app.*', window: '20h', anomalies: 'true', forecast: '2h' });
    assert.equal(dotted.status, 200, dotted.text);
    const series = dig(dotted.body, 'series', 0);
    assert.equal(dig(series, 'name'), 'app.load');
    assert.ok(listOf(series, 'points').length > 200 && figure(series, 'summary', 'mean') > 9);
    assert.equal(dig(series, 'trend', 'direction'), 'none');
    assert.ok(Array.isArray(dig(series, 'anomalies', 'episodes')) && Array.isArray(dig(series, 'forecast', 'points')));
    const counter = await get({ pattern: 'jobs_*', window: '2h' });
    assert.match(String(dig(counter.body, 'series', 0, 'expr')), /^rate\(jobs_total/);
    assert.ok(Math.abs(figure(counter.body, 'series', 0, 'summary', 'median') - 0.5) < 0.01, counter.text);
    const begun = await get({ pattern: 'jobs_total', window: '48h' });
    for (const point of listOf(begun.body, 'series', 0, 'points'))
      assert.ok(Math.abs(figure(point, 1) - 0.5) < 0.01, `where the counter begins its rate is no lower: ${JSON.stringify(point)}`);
    const selected = await get({ pattern: 'jobs_total{host="a"}', window: '2h' });
    assert.equal(
      figure(selected.body, 'series', 0, 'points', 0, 0),
      figure(selected.body, 'from_at_ms'),
      'one that began earlier is whole from the start',
    );
    assert.match(String(dig(selected.body, 'series', 0, 'expr')), /^rate\(jobs_total\{host="a"\}\[/);
    assert.match(String(dig(selected.body, 'notes', 0)), /rate per second/);
    const raw = await get({ pattern: 'jobs_total', window: '2h', counter: 'raw' });
    assert.ok(figure(raw.body, 'series', 0, 'summary', 'median') > 1_000);
    const stored = (throughput: string) =>
      http.inject({ url: `/api/analytics/load?${new URLSearchParams({ throughput, concurrency: 'sum(load)' }).toString()}` });
    assert.match((await stored('{__name__=~"load|jobs_total"}')).body, /gives 2 series/);
    assert.match((await stored('sum(load) * 5')).body, /not_identifiable/, 'load of 7 to 13 tells little');
    const told = await post('load', { points: [1, 2, 4, 8, 16].map((count) => [count, 10 * count]) });
    assert.equal(dig(told.body, 'what_if', 'state'), 'served', told.text);
    assert.equal(await reasonOf('load/import', { text: 'a,b' }), 'unknown_format');
    const expression = await get({ pattern: 'sum(load) * 2', window: '2h' });
    assert.ok(figure(expression.body, 'series', 0, 'summary', 'mean') > 18);
    assert.deepEqual(dig((await get({ pattern: 'nothing.*' })).body, 'series'), []);
    assert.equal((await get({ pattern: 'sum(' })).status, 400);
    assert.equal((await get({ pattern: 'load', window: 'soon' })).status, 400);
    assert.equal((await post('load/test', { check: 'home', steps: [1], seconds: 2 })).status, 403, 'operators only');
  });

  await t.test('a series whose calculation is given up fails alone, and what comes after the time of a query is summed up', async () => {
    const late = manualClock(clock.now());
    const asking = async (takesMs: number): Promise<QueryView> => {
      let asked = 0;
      const ask = (async (...question: Parameters<AskAnalytics>) => {
        if (++asked > 1) return analytics.ask(...question);
        await late.advance(takesMs);
        throw new AppError('unavailable', TOO_SLOW, 'it was given up after 30 s: ask with fewer points');
      }) as AskAnalytics;
      const slow = createQuery({ ask, samples, aliases, queryable: store, metadata, clock: late });
      return slow(queryParams.parse({ pattern: '*o*', window: '2h', anomalies: 'true', forecast: '1h' }), ADA);
    };
    const { series } = await asking(30_000);
    assert.ok(series.length >= 2, JSON.stringify(series.map(({ name }) => name)));
    const [first, second] = series;
    const late30 = { reason: 'too_slow', message: 'it was given up after 30 s: ask with fewer points' };
    assert.deepEqual([first?.trend, first?.anomalies, first?.forecast], [late30, late30, late30]);
    assert.ok((first?.summary.count ?? 0) > 100 && first?.points.length === first?.summary.count);
    assert.ok(second !== undefined && 'direction' in second.trend);
    const [, after] = (await asking(61_000)).series;
    assert.match(JSON.stringify(after?.trend), /too_slow.*ask for this one alone/);
  });
});
