import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TargetView } from '../api/wire.ts';
import { shownTargets, targetState } from './target-order.ts';

const target = (job: string, state: TargetView['state'], error = ''): TargetView => ({
  job,
  url: `http://${job}:1/metrics`,
  labels: { job, zone: 'eu' },
  discovered_labels: {},
  state,
  error,
  last_scrape_at_ms: null,
  duration_ms: 0,
  samples: 0,
  interval_ms: 15_000,
  timeout_ms: 10_000,
});
const ALL = [
  target('a', 'up'),
  target('b', 'up', '1 of 9 samples were refused'),
  target('c', 'unknown'),
  target('d', 'down', 'HTTP status 500'),
];
const jobs = (search: Parameters<typeof shownTargets>[1]): string =>
  shownTargets(ALL, search)
    .map(({ job }) => job)
    .join('');

test('the unhealthy targets come first', () => {
  assert.equal(jobs({}), 'dbca');
});

test('state, job and text narrow the list together', () => {
  assert.equal(jobs({ state: 'troubled' }), 'dbc');
  assert.equal(jobs({ state: 'up' }), 'ba');
  assert.equal(jobs({ job: 'c' }), 'c');
  assert.equal(jobs({ q: 'status 500' }), 'd');
  assert.equal(jobs({ q: 'zone="eu" REFUSED' }), 'b');
  assert.equal(jobs({ state: 'down', job: 'a' }), '');
});

test('a target that answers well but whose samples are missing says so', () => {
  assert.equal(targetState({ state: 'up', error: 'x' }).word, 'Up, samples missing');
});
