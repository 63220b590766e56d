import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  alertSearch,
  exclusionSearch,
  fittingRange,
  issuedSearch,
  rangeSearch,
  reportsSearch,
  rootSearch,
  slaSearch,
  targetsSearch,
  viewOf,
} from './search.ts';

test('an address without sense falls back to the default range', () => {
  assert.deepEqual(rangeSearch({ range: 'yesterday' }), {});
  assert.deepEqual(rangeSearch({ from: 5, to: 5 }), {});
  assert.deepEqual(rangeSearch({ from: 'x', to: 9 }), {});
  assert.deepEqual(rangeSearch({ from: 5, to: 9, range: '7d' }), { from: 5, to: 9 });
});

test('a range by name ends now, exact ends stay', () => {
  assert.deepEqual(viewOf({ range: '1h' }, '24h', 3_600_001), { fromMs: 1, toMs: 3_600_001 });
  assert.deepEqual(viewOf({ from: 1, to: 2 }, '24h', 99), { fromMs: 1, toMs: 2 });
});

test('unknown filters of targets are dropped', () => {
  assert.deepEqual(targetsSearch({ state: 'down', job: 'node', q: 7, other: 1 }), { state: 'down', job: 'node', q: '7' });
  assert.deepEqual(targetsSearch({ state: 'loud', job: '' }), {});
});

test('unknown filters of alerts are dropped', () => {
  assert.deepEqual(alertSearch({ status: 'open', severity: 'loud', alert: 42 }), { status: 'open', alert: '42' });
  assert.deepEqual(rootSearch({ kiosk: '1' }), { kiosk: 1 });
  assert.deepEqual(rootSearch({ kiosk: 'yes' }), {});
});

test('a young service opens with what there is of it, an older one with the last day', () => {
  assert.equal(fittingRange(null, 5), '10m');
  assert.equal(fittingRange(0, 600_000), '10m');
  assert.equal(fittingRange(0, 3_600_000), '1h');
  assert.equal(fittingRange(0, 3_600_001), '24h');
});

test('the address of evidence, of a form and of a report keeps what has sense', () => {
  assert.deepEqual(slaSearch({ from: 1, to: 9, at: 5, day: '2026-11-21' }), { from: 1, to: 9, at: 5, day: '2026-11-21' });
  assert.deepEqual(slaSearch({ at: -1, range: '7d' }), { range: '7d' });
  assert.deepEqual(exclusionSearch({ ask: 1, from: 9, to: 1, exclusion: 'e' }), { ask: 1, exclusion: 'e' });
  assert.deepEqual(reportsSearch({ period: 2026, sla: 'a,b', zone: '', from: 1 }), { period: '2026', sla: 'a,b' });
  assert.deepEqual([issuedSearch({ compare: 1 }), issuedSearch({ compare: 'yes' })], [{ compare: 1 }, {}]);
});
