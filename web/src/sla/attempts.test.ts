import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attemptsOf } from './attempts.ts';

const series = (name: string, points: readonly (readonly [number, number])[], labels = {}) => ({
  labels: { __name__: name, check: 'shop-http', ...labels },
  points,
});

test('samples of one start are one attempt, and a sample alone is none', () => {
  const attempts = attemptsOf([
    series('probe_duration_seconds', [
      [2_000, 0.25],
      [1_000, 0.05],
      [9_000, 1],
    ]),
    series('probe_success', [
      [1_000, 1],
      [2_000, 0],
      [3_000, 1],
    ]),
    series('probe_degraded', [[3_000, 1]]),
    series('probe_http_status_code', [[2_000, 503]]),
    series('probe_http_duration_seconds', [[2_000, 0.2]], { phase: 'connect' }),
  ]);
  assert.deepEqual(attempts, [
    { atMs: 1_000, location: '', state: 'up', seconds: 0.05, words: '' },
    { atMs: 2_000, location: '', state: 'down', seconds: 0.25, words: 'status 503, connect 200 ms' },
    { atMs: 3_000, location: '', state: 'degraded', seconds: null, words: '' },
  ]);
});

test('places that ask at one instant are attempts of their own', () => {
  const attempts = attemptsOf([
    series('probe_success', [[1_000, 1]], { location: 'tokyo' }),
    series('probe_success', [[1_000, 0]], { location: 'berlin' }),
    series('probe_http_status_code', [[1_000, 503]], { location: 'berlin' }),
  ]);
  assert.deepEqual(
    attempts.map(({ location, state, words }) => [location, state, words]),
    [
      ['berlin', 'down', 'status 503'],
      ['tokyo', 'up', ''],
    ],
  );
});
