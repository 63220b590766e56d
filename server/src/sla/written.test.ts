import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slaDeclaration } from './config.ts';
import { writtenSlaOf } from './written.ts';

const INDICATORS = [
  { kind: 'availability' },
  { kind: 'availability', degraded_weight: 0.5 },
  { kind: 'availability', recover_within: '15m' },
  { kind: 'threshold', query: 'latency{check="a"}', condition: '<', threshold: '100ms', reduce: 'p95', while_down: 'bad' },
  { kind: 'response_time', below: '250ms', statistic: 'p95', slice: '5m' },
  { kind: 'throughput', events: 'orders_total', at_least: 2 },
  { kind: 'error_rate', bad: 'errors_total', total: 'orders_total', at_most: '1%', min_events: 5 },
  { kind: 'error_rate', good: 'good_total', total: 'orders_total', at_most: '1%' },
  { kind: 'ratio', good: 'good_total', bad: 'bad_total', slice: '5m' },
  { kind: 'ratio', query: 'latency', condition: '<', threshold: 2, slice: '5m' },
  { kind: 'ratio', error_ratio: 'errors:share', slice: '5m' },
  {
    kind: 'composite',
    budgeting: 'timeslices',
    slice: '5m',
    parts: [
      { weight: 2, indicator: { kind: 'throughput', events: 'orders_total', at_least: 1 } },
      { indicator: { kind: 'ratio', bad: 'errors_total', total: 'orders_total', budgeting: 'ratio_timeslices' } },
    ],
  },
];
const TERMS = [
  { window: { rolling: '30d' } },
  { window: { calendar: 'month', zone: 'Europe/Berlin' }, unknown: 'carry_forward', max_gap: '2m', max_unknown: '20%' },
  {
    window: { rolling: '30d' },
    burn: [{ long: '6h', short: '30m', factor: 2, after: '1m' }],
    hours: { weekly: { mon: ['09:00-17:30'] }, zone: 'Europe/Berlin', holidays: ['2026-12-25'] },
    maintenance: { notice: '24h', allowance: '4h' },
    customers: [{ id: 'acme', fee: '1200.00' }, { id: 'other' }],
    credits: { currency: 'EUR', tiers: [{ below: '99%', credit: '10%' }] },
  },
  { window: { rolling: '7d' }, maintenance: 'exclude', interval: '5m' },
];

test('terms as they are kept become terms as they are written, which mean the same', () => {
  for (const indicator of INDICATORS) {
    const recovers = 'recover_within' in indicator;
    for (const terms of TERMS) {
      if (recovers && 'burn' in terms) continue;
      const spec = slaDeclaration.parse({ id: 'a', service: 'shop', indicator, ...(recovers ? {} : { target: '99.5%' }), ...terms });
      const written = JSON.parse(JSON.stringify(writtenSlaOf(spec))) as unknown;
      assert.deepEqual(slaDeclaration.parse(written), spec, JSON.stringify(written));
    }
  }
  const midpoint = slaDeclaration.parse({
    id: 'a',
    service: 'shop',
    indicator: { kind: 'availability' },
    target: '99%',
    window: { rolling: '1d' },
    edges: 'midpoint',
  });
  assert.deepEqual(slaDeclaration.parse(JSON.parse(JSON.stringify(writtenSlaOf(midpoint)))), midpoint);
});
