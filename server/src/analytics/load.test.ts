import assert from 'node:assert/strict';
import { test } from 'node:test';
import { throughputAt } from '@nines/maths/stats/load.ts';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { importedLoad, load } from './load.ts';
import { pointsOfResults } from './load-import.ts';

const LAW = { gamma: 100, alpha: 0.05, beta: 0.001 };
const ASKED = { factor: 2, level: 0.95 };
const measured = (counts: readonly number[], law = LAW): [number, number][] => {
  const random = randomFrom(9);
  return counts.map((count) => [count, throughputAt(law, count) * (1 + 0.02 * random.normal())]);
};
const reasonOf = (points: [number, number][]): string => {
  const found = load({ points, ...ASKED });
  return found.ok ? 'told' : found.error.reason;
};

test('what if traffic doubles: served with its time and interval, beyond the peak, or too far to tell', () => {
  const upTo = (most: number, last: number) =>
    measured([...Array.from({ length: 40 }, (_, i) => 1 + (i % most)), ...Array.from({ length: 10 }, () => last)]);
  const served = load({ points: upTo(20, 4), ...ASKED });
  assert.ok(served.ok);
  const { what_if: twice, parameters, peak } = served.value;
  assert.equal(twice.state, 'served', twice.reason);
  assert.ok(Math.abs((twice.throughput?.value ?? 0) - twice.target_throughput) < 1e-6);
  assert.ok((twice.latency?.lower ?? 1) < (twice.latency?.value ?? 0) && (twice.latency?.value ?? 0) > twice.now.latency);
  assert.ok(Math.abs(parameters.gamma.value - 100) < 4 * parameters.gamma.standard_error && parameters.gamma.standard_error > 0);
  assert.ok(peak !== null && Math.abs(peak.concurrency - Math.sqrt(0.95 / 0.001)) < 8 && !peak.seen);
  const beyond = load({ points: upTo(30, 25), ...ASKED });
  assert.ok(beyond.ok && beyond.value.what_if.state === 'beyond_peak' && beyond.value.what_if.latency === null);
  const far = load({ points: measured([1, 2, 1, 2, 1, 2, 1.5, 1.2], { gamma: 10, alpha: 0, beta: 0 }), factor: 50, level: 0.95 });
  assert.ok(far.ok && ['too_far', 'beyond_peak'].includes(far.value.what_if.state));
  assert.doesNotMatch(JSON.stringify(served), /null,"upper"|NaN/);
});

test('what does not say how throughput grows is refused with its reason', () => {
  const random = randomFrom(1);
  assert.equal(reasonOf([]), 'too_few_points');
  assert.equal(reasonOf(measured([5, 5.1, 5.2, 5.3, 5.4])), 'not_identifiable');
  assert.equal(reasonOf(Array.from({ length: 50 }, () => [1 + 9 * random.next(), 1 + 99 * random.next()])), 'not_identifiable');
  assert.equal(
    reasonOf([
      [0, 0],
      [0, 1],
      [1, 0],
    ]),
    'too_few_points',
  );
});

/** Requests of a closed load of 1, 2, … users, each step 30 s long, each request 0.1 s a user. */
const requests = Array.from({ length: 8 }, (_, step) => step + 1).flatMap((users) =>
  Array.from({ length: users }, (_, user) => ({ users, user })).flatMap(({ user }) => {
    const elapsed = 100 + 10 * (users - 1);
    return Array.from({ length: Math.floor(30_000 / elapsed) }, (_, i) => ({
      startMs: 1_700_000_000_000 + users * 30_000 + user + i * elapsed,
      elapsed,
    }));
  }),
);

test('results of k6 and JMeter become points by Little’s law', () => {
  const jtl = [
    'timeStamp,elapsed,label,responseCode,responseMessage,success',
    ...requests.map(({ startMs, elapsed }, i) => `${startMs},${elapsed},"home, all",200,OK,${i % 10 !== 0}`),
  ].join('\r\n');
  const jmeter = pointsOfResults(jtl);
  assert.ok(jmeter.ok && jmeter.value.source === 'jmeter');
  assert.ok(Math.abs(jmeter.value.errors - 0.1) < 0.01);
  const csv = [
    'metric_name,timestamp,metric_value,expected_response',
    ...requests.flatMap(({ startMs, elapsed }) => [`http_req_duration,${(startMs + elapsed) / 1000},${elapsed},true`, 'vus,1700000000,3,']),
  ].join('\n');
  const k6 = pointsOfResults(csv);
  assert.ok(k6.ok && k6.value.source === 'k6 csv');
  for (const { points } of [jmeter.value, k6.value]) {
    const [count, rate] = points.at(-1) ?? [0, 0];
    assert.ok(Math.abs(count - 8) < 0.3 && Math.abs(rate - 8 / 0.17) < 2, `${count} at once, ${rate} a second`);
  }
  const fit = importedLoad({ text: jtl, ...ASKED });
  assert.ok(fit.ok && fit.value.parameters.gamma.value > 8 && fit.value.parameters.gamma.value < 12, JSON.stringify(fit));

  const summary = (rate: number, avg: number, isExport: boolean) => {
    const figures = (values: object) => (isExport ? values : { values });
    return { metrics: { http_reqs: figures({ rate }), http_req_duration: figures({ avg }), http_req_failed: figures({ rate: 0.5 }) } };
  };
  const several = [1, 2, 4, 8, 16].map((count) => summary(throughputAt(LAW, count), (1000 * count) / throughputAt(LAW, count), count > 2));
  const all = importedLoad({ text: JSON.stringify(several), ...ASKED });
  assert.ok(all.ok && Math.abs(all.value.parameters.gamma.value - 100) < 1e-3 && all.value.errors === 0.5);
  const lines = pointsOfResults(several.map((one) => JSON.stringify(one)).join('\n'));
  assert.ok(lines.ok && lines.value.points.length === 5);
});

test('files of something else are refused, and say what would do', () => {
  for (const [text, reason] of [
    ['', 'empty'],
    ['{"a": 1}', 'not_k6'],
    ['{"a": ', 'not_json'],
    ['[]', 'too_few_points'],
    ['null and void', 'unknown_format'],
    ['a,b\n1,2', 'unknown_format'],
    ['timeStamp,elapsed\nx,y\n,,,"\n', 'empty'],
    ['metric_name\nhttp_reqs', 'bad_header'],
    ['timeStamp,elapsed\n1700000000000,5\n', 'too_few_points'],
    [`timeStamp,elapsed\n${'"'.repeat(100_000)}`, 'empty'],
  ] as const) {
    const found = importedLoad({ text, ...ASKED });
    assert.equal(found.ok ? 'told' : found.error.reason, reason, text.slice(0, 40));
  }
});
