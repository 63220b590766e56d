import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { DETECTOR_WARM } from '@nines/maths/stats/detectors.ts';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { labelsOf, formatLabels } from '@nines/model/labels.ts';
import { scopeOfTeams } from '@nines/model/scope.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { countingIds } from '../../../test/harness/ids.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import { createAsk } from '../ask.ts';
import type { OnCommitted } from '../collect/contract.ts';
import { createIngest } from '../collect/ingest.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { openWorld } from '../collect/testing/world.ts';
import type { WatchSpec } from './contract.ts';
import { QUESTIONS, type QuestionName } from './evaluate.ts';
import { toldAt } from './forecasts.ts';
import { SeriesScorer } from './scoring.ts';
import type { AskAnalytics } from './start.ts';
import { storedLabels } from './stored-names.ts';
import { watchForTest } from './testing/watches.ts';
import { openWatching } from './watching.ts';
import { AppError } from '@nines/base/errors.ts';

const STEP_MS = 15_000;
const HOUR_MS = 3_600_000;
const inThisThread = (async (name: QuestionName, body: never) => {
  const answer = QUESTIONS[name](body);
  if (!answer.ok) throw new AppError('bad_input', 'unprocessable', answer.error.message);
  return answer.value;
}) as AskAnalytics;

/** A store with what watches it; `put` commits samples as an input would and lets them be scored. */
async function openWatched(t: TestContext) {
  const clock = manualClock();
  const { db } = await openSqliteForTest(t);
  const world = await openWorld(clock);
  t.after(() => world[Symbol.asyncDispose]());
  const samples = createAsk(createEngine({}), world.store);
  let told: OnCommitted = () => undefined;
  const ingest = createIngest({ appender: world.store, clock, metrics: createSelfMetrics(), onCommitted: (...commit) => told(...commit) });
  const deps = {
    sql: db.kysely,
    clock,
    ids: countingIds(),
    logger: silentLogger,
    ask: inThisThread,
    samples,
    ingest,
    labelsOfRef: (ref: number) => world.store.labelsOfRef(ref),
    isCounter: (metric: string) => metric.endsWith('_total'),
    yieldNow: () => undefined,
  };
  const open = async (watches: readonly WatchSpec[]) => {
    const watching = await openWatching({ ...deps, metrics: createSelfMetrics() });
    told = watching.committed;
    await watching.configure(watches);
    await watching.streams.settled();
    return watching;
  };
  return { clock, ingest, samples, open };
}

test('samples of a plain selector are scored as they arrive, and unusual ones make one episode that survives a restart', async (t) => {
  const { clock, ingest, samples, open } = await openWatched(t);
  const random = randomFrom(11);
  const watch = watchForTest({ name: 'load', expr: 'load{job="a"}', anomalies: { method: 'robust_zscore' }, forecast: false });
  let watching = await open([watch]);
  const feed = async (count: number, more = 0): Promise<void> => {
    for (let i = 0; i < count; i++) {
      await clock.advance(STEP_MS);
      const of = (job: string, value: number) => ({
        labels: labelsOf({ __name__: 'load', job, name: 'own', team: 'x' }),
        atMs: clock.now(),
        value,
      });
      await ingest.appendSamples([of('a', 10 + random.normal() + more), of('b', 5)]);
      await watching.streams.settled();
    }
  };
  await feed(100);
  const scores = await samples.instant('count_over_time(anomaly_score[1h])', clock.now());
  assert.deepEqual(
    scores.map(({ labels }) => formatLabels(labels)),
    ['{exported_name="own", job="a", name="load", team="x"}'],
    'of the series that the selector names, with its labels',
  );
  assert.equal(scores[0]?.value, 100 - DETECTOR_WARM, 'no score before anything is known');
  assert.deepEqual((await watching.episodes({ limit: 10 }, FULL_SCOPE)).items, []);

  await feed(3, 40);
  const [episode] = (await watching.episodes({ limit: 10 }, FULL_SCOPE)).items;
  assert.ok(episode !== undefined && episode.open && episode.score > 0.99 && /median/.test(episode.reason), JSON.stringify(episode));
  assert.equal(episode.to_at_ms, clock.now(), 'it is told as it is now');
  assert.deepEqual([episode.name, episode.from_at_ms], ['load', clock.now() - 2 * STEP_MS]);
  await watching.run()[Symbol.asyncDispose]();

  watching = await open([watch]);
  await feed(1, 40);
  const resumed = (await watching.episodes({ limit: 10 }, FULL_SCOPE)).items;
  assert.deepEqual(
    resumed.map(({ id, open: goesOn, to_at_ms: to }) => [id, goesOn, to]),
    [[episode.id, true, clock.now()]],
    'the same episode goes on: what was stored tells what is usual',
  );
  const lastMs = clock.now();
  await feed(61);
  const [closed] = (await watching.episodes({ limit: 10 }, FULL_SCOPE)).items;
  assert.deepEqual([closed?.open, closed?.to_at_ms], [false, lastMs]);
  assert.deepEqual((await watching.episodes({ limit: 10 }, scopeOfTeams(['other']))).items, []);
  assert.equal((await watching.episodes({ name: 'other', limit: 10 }, FULL_SCOPE)).items.length, 0);
});

test('an expression is scored at its interval; forecasts are stored as series, kept over a restart, and dropped with their watch', async (t) => {
  const { clock, ingest, samples, open } = await openWatched(t);
  const random = randomFrom(2);
  const startMs = clock.now() - 5 * 24 * HOUR_MS;
  for (let day = 0; day < 5; day++)
    await ingest.appendSamples(
      Array.from({ length: 288 }, (_, i) => {
        const atMs = startMs + (day * 288 + i + 1) * 300_000;
        return {
          labels: labelsOf({ __name__: 'users', team: 'x' }),
          atMs,
          value: 100 + 30 * Math.sin((2 * Math.PI * i) / 288) + random.normal(),
        };
      }),
    );
  await ingest.appendSamples([1, 2, 3].map((i) => ({ labels: labelsOf({ __name__: 'few' }), atMs: clock.now() - i * 300_000, value: i })));
  const users = watchForTest({ name: 'users', expr: 'sum by (team) (users)', forecast: { horizon: ['1h', '12h'], every: '1h' } });
  const few = watchForTest({ name: 'few', expr: 'few', anomalies: false, forecast: { horizon: '1h' } });
  const watching = await open([users, few]);
  await clock.advance(60_000);
  await watching.forecasts.step(clock.now());
  await watching.streams.step(clock.now());
  await watching.streams.settled();
  const at = async (expr: string) =>
    (await samples.instant(expr, clock.now()))
      .map(({ labels, value }) => [formatLabels(labels), value] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1));
  assert.equal((await at('anomaly_score{name="users"}')).length, 1, 'learned from what was stored');
  const told = await at('forecast{name="users"}');
  assert.deepEqual(
    told.map(([labels]) => labels),
    ['forecast{horizon="12h", name="users", team="x"}', 'forecast{horizon="1h", name="users", team="x"}'],
  );
  const half = told[0]?.[1] ?? 0;
  assert.ok(Math.abs(half - 100) < 10, `twelve hours from now the season is at its middle again: ${half}`);
  assert.equal(
    (
      await at(
        'forecast_lower < on (name, horizon, team) forecast and on (name, horizon, team) forecast < on (name, horizon, team) forecast_upper',
      )
    ).length,
    2,
  );
  const [first, second] = watching.list(FULL_SCOPE).items;
  assert.match(second?.forecasts[0]?.refused ?? '', /12 values/, 'why there is none');
  assert.equal(first?.forecasts.length, 2);
  assert.ok((first?.forecasts[0]?.coverage ?? 0) > 0.8 && first?.forecasts[0]?.refused === null);
  assert.deepEqual(watching.list(scopeOfTeams(['other'])).items, []);

  const again = await open([users]);
  assert.equal(again.forecasts.of('users').length, 2, 'kept over a restart');
  await clock.advance(60_000);
  await again.forecasts.step(clock.now());
  assert.equal((await at('timestamp(forecast{horizon="1h"})'))[0]?.[1], clock.now() / 1000, 'stored again every minute');
  const none = await open([]);
  assert.deepEqual(none.forecasts.of('users'), []);
  assert.deepEqual((await open([users])).forecasts.of('users'), []);
});

test('a scorer passes over what is no newer, not finite, or the first of a counter; a reset is no fall', () => {
  const counter = new SeriesScorer({ method: 'zscore', sensitivity: 0.95, counter: true, stepMs: 1000 });
  const random = randomFrom(4);
  let [count, atMs] = [0, 0];
  const next = (by: number): number | null => {
    count += by;
    atMs += 1000;
    return counter.next(atMs, count).score;
  };
  for (let i = 0; i < 60; i++) next(10 + random.normal());
  count = 0;
  assert.ok((next(10) ?? 1) < 0.9, 'it began anew');
  assert.ok((next(100) ?? 0) > 0.95);
  assert.deepEqual(counter.next(atMs, 1), { score: null, changes: [] });
  assert.deepEqual(counter.next(atMs + 1, Number.NaN).score, null);
  assert.deepEqual(counter.next(atMs + 2, Number.POSITIVE_INFINITY).score, null);
  const still = new SeriesScorer({ method: 'seasonal', sensitivity: 0.95, counter: false });
  for (let i = 0; i < 200; i++) assert.equal(still.next(i * 1000, 7).changes.length, 0, 'nothing happens to a constant');
});

test('what is stored has the labels of its series beside its own', () => {
  const of = (record: Record<string, string>) =>
    formatLabels(storedLabels('forecast', labelsOf(record), { name: 'w', horizonMs: 7 * 24 * HOUR_MS }));
  assert.equal(of({ __name__: 'x', a: 'b' }), 'forecast{a="b", horizon="7d", name="w"}');
  assert.equal(
    of({ horizon: 'far', name: 'c', exported_name: 'd' }),
    'forecast{exported_exported_name="c", exported_horizon="far", exported_name="d", horizon="7d", name="w"}',
  );
});

test('between the points of a forecast it is read in a straight line, after its end for one step', () => {
  const points = [
    [HOUR_MS, 0, -1, 1],
    [2 * HOUR_MS, 10, 5, 15],
  ] as const;
  assert.equal(toldAt(points, 1.5 * HOUR_MS)?.value, 5);
  assert.equal(toldAt(points, 3 * HOUR_MS)?.upper, 15);
  assert.equal(toldAt(points, 3 * HOUR_MS + 1), undefined);
  assert.equal(toldAt([], HOUR_MS), undefined);
});
