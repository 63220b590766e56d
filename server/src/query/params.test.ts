import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instantParams, limitParam, metaRange, paramsOf, parseLength, parseTime, rangeParams, unescapeLabelName } from './params.ts';

/** The refusal; 'ok' when there is none. */
const range = (query: string): string => {
  const parsed = rangeParams(paramsOf(query, ''));
  return parsed.ok ? 'ok' : parsed.error;
};

test('parameters come from the body first, then from the query string; empty ones are absent', () => {
  const params = paramsOf('query=a&match[]=x&time=', 'query=b&match%5B%5D=y');
  assert.equal(params.get('query'), 'b');
  assert.deepEqual(params.all('match[]'), ['y', 'x']);
  assert.equal(params.get('time'), undefined);
});

test('an instant query without a time is about now', () => {
  const parsed = instantParams(paramsOf('query=up', ''), 1234);
  assert.deepEqual(parsed, {
    ok: true,
    value: { query: 'up', atMs: 1234, timeoutMs: 120_000, limit: 0, lookbackMs: undefined, stats: false },
  });
});

test('times are RFC 3339 or Unix seconds; a number that looks like milliseconds is refused with the hint', () => {
  assert.deepEqual(parseTime('1435781451.781'), { ok: true, value: 1_435_781_451_781 });
  assert.deepEqual(parseTime('2015-07-01T20:10:51.781Z'), { ok: true, value: 1_435_781_451_781 });
  const refused = parseTime('1435781451781');
  assert.match(refused.ok ? '' : refused.error, /cannot parse "1435781451781" to a valid timestamp: .*milliseconds/);
  assert.equal(parseTime('292277025-08-18T07:12:54.999999999Z').ok, true);
});

test('lengths are seconds or durations', () => {
  assert.deepEqual(parseLength('1.5'), { ok: true, value: 1500 });
  assert.deepEqual(parseLength('5m'), { ok: true, value: 300_000 });
  assert.deepEqual(parseLength('5x'), { ok: false, error: 'cannot parse "5x" to a valid duration' });
});

test('a range is refused in the words of Prometheus', () => {
  assert.match(range('query=up&end=2&step=1'), /invalid parameter "start": cannot parse "" to a valid timestamp/);
  assert.equal(range('query=up&start=2&end=1&step=1'), 'invalid parameter "end": end timestamp must not be before start time');
  assert.match(
    range('query=up&start=1&end=2&step=0'),
    /invalid parameter "step": zero or negative query resolution step widths are not accepted/,
  );
  assert.match(range('query=up&start=1&end=2&step=-1'), /zero or negative/);
  assert.equal(
    range('query=up&start=0&end=11001&step=1'),
    'exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)',
  );
  assert.equal(range('query=up&start=0&end=11000&step=1'), 'ok');
});

test('the metadata paths are about everything unless they are told otherwise', () => {
  const all = metaRange(paramsOf('', ''));
  assert.ok(all.ok && all.value.fromMs < 0 && all.value.toMs > 4e12);
  assert.deepEqual(metaRange(paramsOf('start=1&end=2', '')), { ok: true, value: { fromMs: 1000, toMs: 2000 } });
  assert.equal(metaRange(paramsOf('start=2&end=1', '')).ok, false);
});

test('a limit is a whole number; none is no limit', () => {
  assert.deepEqual(limitParam(paramsOf('', '')), { ok: true, value: 0 });
  assert.deepEqual(limitParam(paramsOf('limit=7', '')), { ok: true, value: 7 });
  assert.equal(limitParam(paramsOf('limit=-1', '')).ok, false);
  assert.equal(limitParam(paramsOf('limit=x', '')).ok, false);
});

test('escaped label names are read back', () => {
  assert.equal(unescapeLabelName('job'), 'job');
  assert.equal(unescapeLabelName('U__http_2e_status__code'), 'http.status_code');
  assert.equal(unescapeLabelName('U__bad_zz_'), 'U__bad_zz_');
});
