import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CardinalityView, DeletionView } from './contract.ts';
import { openWorld } from './testing/world.ts';

test('the limits stand with their use, the largest metrics and what was refused', async (t) => {
  const { ask, write, series, clock } = await openWorld(t, { series_per_metric: 50, label_name_bytes: 8 });
  assert.deepEqual(series.health(), { status: 'ok', detail: '52 series, 52 new in the last hour' });
  assert.equal((await write('wide', 60)).refusedCount, 10);
  const view = (await ask('GET', '/api/cardinality', [['limit', '1']])).body as CardinalityView;
  assert.deepEqual(view.metrics, [{ name: 'wide', series: 50, new_in_minute: 50, new_in_hour: 50, refused_samples: 10 }]);
  assert.deepEqual(
    view.limits.find(({ name }) => name === 'series_per_metric'),
    { name: 'series_per_metric', setting: 'limits.series_per_metric', limit: 50, used: 50, refused_samples: 10 },
  );
  assert.deepEqual(
    view.limits.find(({ name }) => name === 'new_series_per_metric_per_minute'),
    {
      name: 'new_series_per_metric_per_minute',
      setting: 'limits.new_series_per_metric_per_minute',
      limit: null,
      used: 50,
      refused_samples: 0,
    },
  );
  assert.equal(view.last_refusal?.metric, 'wide');
  assert.equal(series.health().status, 'degraded');
  assert.match(series.health().detail, /new series are refused: the metric wide holds its limit of 50 series.*10 samples/);
  await clock.advance(5 * 60_000);
  assert.equal(series.health().status, 'ok');
  const narrowed = (await ask('GET', '/api/cardinality', [['match', '{job="a"}']])).body as CardinalityView;
  assert.deepEqual(
    narrowed.metrics.map(({ name, series: count }) => [name, count]),
    [['up', 1]],
  );
  assert.equal((await ask('GET', '/api/cardinality', [['match', 'sum(up)']])).status, 400);
});

test('status/tsdb answers in the shape of Prometheus', async (t) => {
  const { ask, startMs } = await openWorld(t);
  const { body } = await ask('GET', '/api/v1/status/tsdb', [['limit', '1']]);
  assert.deepEqual(body, {
    status: 'success',
    data: {
      headStats: { numSeries: 52, numLabelPairs: 54, chunkCount: 52, minTime: startMs, maxTime: startMs + 600_000 },
      seriesCountByMetricName: [{ name: 'wide', value: 50 }],
      labelValueCountByLabelName: [{ name: 'n', value: 50 }],
      memoryInBytesByLabelName: [{ name: '__name__', value: 204 }],
      seriesCountByLabelValuePair: [{ name: '__name__=wide', value: 50 }],
    },
  });
  const refused = await ask('GET', '/api/v1/status/tsdb', [['limit', '0']]);
  assert.deepEqual(
    [refused.status, refused.body],
    [400, { status: 'error', errorType: 'bad_data', error: 'limit must be a positive number' }],
  );
});

test('a dry run counts and removes nothing; the deletion removes exactly that, at once, and is recorded', async (t) => {
  const { ask, samples, sql, startMs } = await openWorld(t);
  const from = new Date(startMs + 300_000).toISOString();
  const params: [string, string][] = [
    ['match', 'up{job="a"}'],
    ['from', from],
  ];
  const before = await samples();
  const dry = (await ask('DELETE', '/api/series', [...params, ['dry_run', 'true']])).body as DeletionView;
  assert.deepEqual([dry.series, dry.samples, dry.complete, await samples()], [1, 21, true, before]);
  const real = (await ask('DELETE', '/api/series', params)).body as DeletionView;
  assert.deepEqual([real.series, real.samples, await samples()], [1, 21, before - 21]);
  const events = await sql.selectFrom('events').selectAll().orderBy('id').execute();
  assert.deepEqual(
    events.map(({ kind, retention_class: kept }) => [kind, kept]),
    [
      ['series.deletion', 'audit'],
      ['series.deleted', 'audit'],
    ],
  );
  const [begun, done] = events.map(({ data }) => (typeof data === 'string' ? (JSON.parse(data) as unknown) : data));
  const what = {
    deletion: events[0]?.dedup_key,
    actor: 'ada',
    actor_kind: 'user',
    selectors: ['up{job="a"}'],
    from_ms: startMs + 300_000,
    to_ms: null,
  };
  assert.deepEqual(begun, what);
  assert.deepEqual(done, { ...what, series: 1, samples: 21 });
});

test('nothing is deleted while nobody can write down who deletes it', async (t) => {
  const { ask, samples, sql } = await openWorld(t);
  const before = await samples();
  await sql.schema.alterTable('events').renameTo('away').execute();
  const { status, text } = await ask('DELETE', '/api/series', [['match', 'up{job="a"}']]);
  assert.equal(status, 503, text);
  assert.match(text, /Nothing was deleted: who deletes what could not be written down/);
  assert.equal(await samples(), before);
  await sql.schema.alterTable('away').renameTo('events').execute();
  assert.equal((await ask('DELETE', '/api/series', [['match', 'up{job="a"}']])).status, 200);
  assert.equal(await samples(), before - 41);
});

test('Prometheus’ delete_series and clean_tombstones answer 204, by query and by form', async (t) => {
  const { ask, http, samples, startMs } = await openWorld(t);
  const seconds = (atMs: number): string => String(atMs / 1000);
  const range: [string, string][] = [
    ['start', seconds(startMs)],
    ['end', seconds(startMs + 15_000)],
  ];
  assert.equal(
    (await ask('POST', '/api/v1/admin/tsdb/delete_series', [['match[]', 'up{job="a"}'], ['match[]', 'wide'], ...range])).status,
    204,
  );
  assert.equal(await samples(), 82 - 2);
  const form = await http.inject({
    method: 'PUT',
    url: '/api/v1/admin/tsdb/delete_series',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams({ 'match[]': 'up{job="b"}' }).toString(),
  });
  assert.equal(form.statusCode, 204);
  assert.equal(await samples(), 39);
  assert.equal((await ask('POST', '/api/v1/admin/tsdb/clean_tombstones')).status, 204);
});

test('what is wrong with a deletion is said, and everything is deleted only when that was asked for', async (t) => {
  const { ask, samples } = await openWorld(t);
  const cases: [[string, string][], RegExp][] = [
    [[], /no match\[\] parameter provided/],
    [[['match[]', 'up{']], /invalid parameter "match\[\]"/],
    [[['match[]', 'up offset 5m']], /no series selector/],
    [
      [
        ['match[]', 'up'],
        ['start', 'soon'],
      ],
      /invalid parameter "start"/,
    ],
    [
      [
        ['match[]', 'up'],
        ['start', '20'],
        ['end', '10'],
      ],
      /must not be before start/,
    ],
    [[['match[]', '{__name__=~".+"}']], /selects every series of the store \(52\); narrow it, or add all=true/],
  ];
  for (const [params, words] of cases) {
    const { status, body } = await ask('POST', '/api/v1/admin/tsdb/delete_series', params);
    assert.equal(status, 400);
    assert.match((body as { error: string }).error, words);
  }
  assert.ok((await samples()) > 0);
  assert.equal(
    (
      await ask('POST', '/api/v1/admin/tsdb/delete_series', [
        ['match[]', '{__name__=~".+"}'],
        ['all', 'true'],
      ])
    ).status,
    204,
  );
  assert.equal(await samples(), 0);
});

test('a store that cannot be written answers a deletion with 503 and its reason', async (t) => {
  const { ask, store } = await openWorld(t);
  await store.close();
  const { status, text, body } = await ask('DELETE', '/api/series', [['match', 'wide']]);
  assert.equal(status, 503, text);
  assert.match(text, /The store is closed/);
  assert.equal((body as { code: string }).code, 'store_unavailable');
});
