import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PromisedIndicator, countingRows, missedInWords, promiseInWords, recoveryFigures } from './promise-words.ts';

const slices = { slice_ms: 60_000, reduce: 'mean', while_down: 'measure', unit: 'ratio', query: 'all_total' } as const;
const counters = { good: null, bad: 'bad_total', total: 'all_total', min_events: 0 };
const ratio = { ...slices, kind: 'ratio', condition: '>=', threshold: 0.999, counters, budgeting: 'occurrences' } as const;
const latency = { ...slices, kind: 'threshold', condition: '<', threshold: 0.1, unit: 'seconds', reduce: 'p95', query: 'seconds' } as const;

const promise = (indicator: PromisedIndicator, target = '0.999') => promiseInWords({ target, indicator });

test('what is promised reads as it is judged, for every indicator', () => {
  assert.equal(promise({ kind: 'availability', degraded_weight: null }), 'Up at least 99.9 % of the time');
  assert.equal(
    promise({ kind: 'availability', degraded_weight: null, recover_within_ms: 900_000 }, '1'),
    'Outages end within 15 min in the mean',
  );
  assert.equal(promise(latency, '0.95'), '95th percentile below 100 ms in at least 95 % of the slices of 1 min');
  assert.equal(
    promise({ ...slices, kind: 'throughput', condition: '>=', threshold: 50, unit: 'events/s', counters }),
    'At least 50 events/s in at least 99.9 % of the slices of 1 min',
  );
  assert.equal(
    promise({ ...slices, kind: 'error_rate', condition: '<=', threshold: 0.01, counters }),
    'At most 1 % of the events bad in at least 99.9 % of the slices of 1 min',
  );
  assert.equal(promise(ratio, '0.999999999'), 'At least 99.9999999 % of all events are good');
  assert.equal(promise({ ...ratio, budgeting: 'ratio_timeslices' }), 'At least 99.9 % good in the mean of the slices of 1 min');
  const parts = [
    { weight: 2, spec: ratio },
    { weight: 1, spec: latency },
  ];
  const both = { ...slices, kind: 'composite', condition: '>=', threshold: 0.99, parts } as const;
  assert.equal(promise({ ...both, budgeting: 'timeslices' }), 'All of 2 parts good in at least 99.9 % of the slices of 1 min');
  assert.equal(promise({ ...both, budgeting: 'occurrences' }), 'At least 99.9 % of the events of 2 parts are good, each by its weight');
});

const rows = (terms: Parameters<typeof countingRows>[0]) => countingRows(terms).map(({ name, value }) => `${name}: ${value}`);

test('the counters of a ratio are all named, and a ratio is not said to be a mean', () => {
  assert.deepEqual(rows({ indicator: ratio, unknown: { kind: 'exclude' } }), [
    'Bad events: bad_total',
    'All events: all_total',
    'Slices: of 1 min; every event counts alike',
    'While the service is down: measured as ever',
    'Unknown time: is not counted, neither good nor bad',
    'Maintenance: counts as any other time',
    'Service hours: always promised',
    'Credits: none',
  ]);
});

test('hours, maintenance, credits and edges of a contract are said', () => {
  assert.deepEqual(
    rows({
      indicator: { kind: 'availability', degraded_weight: '0.5' },
      edges: 'midpoint',
      unknown: { kind: 'carry_forward', max_gap_ms: 300_000 },
      maintenance: { notice_ms: 259_200_000, allowance: { length_ms: 14_400_000, per: 'month' } },
      hours: { zone: 'Europe/Berlin', weekly: { mon: ['09:00-12:00', '13:00-17:00'] }, holidays: ['2026-12-25'] },
      credits: { currency: 'EUR', tiers: [{ below: '0.999', credit: '0.1' }], cap: '0.5' },
    }),
    [
      'Degraded time: counts as good by 50 %',
      'Outages begin and end: midway between the attempts around the change',
      'Unknown time: carries the last known state for at most 5 min',
      'Maintenance: is taken out when announced 3 d before, at most 4 h a month',
      'Service hours: Mon 09:00-12:00, 13:00-17:00 (Europe/Berlin); not on 2026-12-25',
      'Credits: 10 % below 99.9 % of the fee in EUR, at most 50 %',
    ],
  );
});

test('a mean time to recovery comes from its budget; other promises have none', () => {
  const objective = { unit: 'seconds', statistic: 'mean', value: 900 };
  const budget = { total_ms: 3_600_000, spent_ms: 7_560_000 };
  assert.deepEqual(recoveryFigures({ target: 1, objective, budget }), { withinMs: 900_000, meanMs: 1_890_000 });
  assert.deepEqual(recoveryFigures({ target: 1, objective, budget: { total_ms: 0, spent_ms: 0 } }), { withinMs: 900_000, meanMs: null });
  assert.equal(recoveryFigures({ target: 0.95, objective, budget }), undefined);
});

test('a bad slice says what it missed', () => {
  assert.equal(missedInWords(latency), 'missed: 95th percentile below 100 ms');
  assert.equal(missedInWords(ratio), 'too many bad events');
});
