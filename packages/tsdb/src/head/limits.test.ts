import assert from 'node:assert/strict';
import { test } from 'node:test';
import { labelsOf } from '@nines/model/labels.ts';
import { STORE_LIMITS, type SeriesLimits, judgeNewSeries } from './limits.ts';

const LIMITS: SeriesLimits = {
  ...STORE_LIMITS,
  series: 100,
  seriesPerMetric: 10,
  labelsPerSeries: 3,
  labelNameBytes: 8,
  labelValueBytes: 16,
  newSeriesPerMinute: 50,
  newSeriesPerMetricPerMinute: 5,
};
const FREE = { series: 0, seriesOfMetric: 0, newInMinute: 0, newOfMetricInMinute: 0 };
const UP = labelsOf({ __name__: 'up', a: '1' });

test('a new series is taken up to and including each limit', () => {
  assert.equal(judgeNewSeries(UP, { series: 99, seriesOfMetric: 9, newInMinute: 49, newOfMetricInMinute: 4 }, LIMITS), undefined);
  assert.equal(judgeNewSeries(labelsOf({ __name__: 'up', a: '1', b: 'é'.repeat(8) }), FREE, LIMITS), undefined);
});

test('a refusal names the limit, its value, the metric and the setting', () => {
  const cases: readonly (readonly [Partial<typeof FREE>, Record<string, string>, string, RegExp])[] = [
    [{ series: 100 }, {}, 'series_limit', /limit of 100 series.*up.*limits\.series /],
    [{ seriesOfMetric: 10 }, {}, 'metric_series_limit', /metric up holds its limit of 10 series.*limits\.series_per_metric /],
    [{ newInMinute: 50 }, {}, 'new_series_limit', /limit of 50 new series.*up.*limits\.new_series_per_minute/],
    [{ newOfMetricInMinute: 5 }, {}, 'metric_new_series_limit', /metric up its limit of 5 new.*limits\.new_series_per_metric_per_minute/],
    [{}, { b: '2', c: '3' }, 'label_count_limit', /4 labels, the limit is 3.* of up;.*limits\.labels_per_series/],
    [{}, { ['n'.repeat(9)]: '2' }, 'label_name_limit', /more than 8 bytes.*of up;.*limits\.label_name_bytes/],
    [{}, { b: 'é'.repeat(9) }, 'label_value_limit', /more than 16 bytes for the label "b" of up;.*limits\.label_value_bytes/],
  ];
  for (const [use, labels, reason, words] of cases) {
    const refusal = judgeNewSeries(labelsOf({ __name__: 'up', a: '1', ...labels }), { ...FREE, ...use }, LIMITS);
    assert.equal(refusal?.reason, reason);
    assert.equal(refusal?.metric, 'up');
    assert.match(refusal?.detail ?? '', words);
  }
});
