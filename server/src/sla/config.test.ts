import assert from 'node:assert/strict';
import { test } from 'node:test';
import { slaDeclaration, slasConfig, shippedSlas, unknownExampleServices, unknownServices } from './config.ts';
import { longestWindowMs, termsOf } from './spec.ts';

const base = { id: 'a', service: 'shop', indicator: { kind: 'availability' }, target: '99.9%', window: { rolling: '24h' } };
const threshold = (over: object = {}) => ({
  ...base,
  indicator: { kind: 'threshold', query: 'x', condition: '<', threshold: '100ms', slice: '1m', ...over },
});
const problems = (declared: object) => {
  const parsed = slaDeclaration.safeParse(declared);
  return parsed.success ? [] : parsed.error.issues.map(({ message }) => message);
};

test('the declarations of the example configuration are accepted, defaults filled in', () => {
  const [availability, latency] = slasConfig.parse([
    { ...base, id: 'shop-availability', unknown: 'exclude' },
    { ...threshold(), id: 'shop-latency', target: '99%', window: { rolling: '1h' } },
  ]);
  assert.deepEqual(availability, {
    id: 'shop-availability',
    name: 'shop-availability',
    service: 'shop',
    indicator: { kind: 'availability', degraded_weight: null },
    target: '0.999',
    window: { rolling_ms: 86_400_000 },
    interval_ms: 5_000,
    unknown: { kind: 'exclude' },
    max_unknown: '0.5',
  });
  assert.deepEqual(latency?.indicator, {
    kind: 'threshold',
    query: 'x',
    condition: '<',
    threshold: 0.1,
    unit: 'seconds',
    slice_ms: 60_000,
    reduce: 'mean',
    while_down: 'exclude',
  });
  assert.equal(latency?.interval_ms, 60_000);
});

test('a target is exact however it is written', () => {
  const target = (written: unknown) => slaDeclaration.parse({ ...base, target: written }).target;
  assert.deepEqual(
    [target('99.9%'), target(0.999), target('0.9990'), target('99%'), target('99.99900 %')],
    ['0.999', '0.999', '0.999', '0.99', '0.99999'],
  );
  const terms = termsOf(slaDeclaration.parse({ ...base, target: '99.99%' }));
  assert.equal(terms.target.numerator * 10_000n, 9_999n * terms.target.denominator);
});

test('what cannot be meant is refused with what can', () => {
  assert.match(problems({ ...base, target: 99.9 }).join(), /at most 100%/);
  assert.match(problems({ ...base, target: '100%' }).join(), /a target of 100% leaves no budget/);
  assert.match(problems({ ...base, target: '0%' }).join(), /promises nothing/);
  assert.match(problems({ ...base, window: { rolling: '5s' } }).join(), /out of range/);
  assert.match(problems({ ...threshold({ slice: '25h' }) }).join(), /longer than the window/);
  assert.match(problems({ ...threshold({ query: 'sum(' }) }).join(), /1:\d+: parse error/);
  for (const query of ['"x"', 'x[5m]']) assert.match(problems(threshold({ query })).join(), /numbers at an instant/);
  assert.match(problems({ ...threshold({ threshold: 'fast' }) }).join(), /100ms, 5% or 250/);
  assert.equal(problems({ ...base, colour: 'red' }).length, 1);
  assert.match(String(slasConfig.safeParse([base, base]).error), /used twice/);
});

test('a threshold is a number, a percentage or a duration in seconds', () => {
  const read = (written: unknown) => {
    const { indicator } = slaDeclaration.parse(threshold({ threshold: written }));
    return indicator.kind === 'threshold' ? [indicator.threshold, indicator.unit] : [];
  };
  assert.deepEqual(
    [read('100ms'), read('1m30s'), read(250), read('2.5'), read('5%')],
    [
      [0.1, 'seconds'],
      [90, 'seconds'],
      [250, ''],
      [2.5, ''],
      [0.05, 'ratio'],
    ],
  );
});

test('the shipped SLAs are switched on by naming their services, and a declared one replaces its namesake', () => {
  const examples = { trading_system: 'exchange', database: 'db' };
  const shipped = shippedSlas(examples, []);
  assert.deepEqual(
    shipped.map(({ id, service }) => [id, service]),
    [
      ['SLA_001', 'exchange'],
      ['SLA_003', 'db'],
    ],
  );
  assert.deepEqual(shippedSlas({}, []), []);
  const own = slaDeclaration.parse({ ...base, id: 'SLA_001' });
  assert.deepEqual(
    shippedSlas(examples, [own]).map(({ id }) => id),
    ['SLA_003'],
  );
  const all = shippedSlas({ trading_system: 's', api_gateway: 's', database: 's', ai_models: 's', market_data: 's' }, []);
  const figures = all.map((spec) =>
    spec.indicator.kind === 'threshold'
      ? [spec.id, spec.indicator.threshold, spec.interval_ms / 60_000, longestWindowMs(spec.window) / 3_600_000]
      : [spec.id, spec.target, spec.interval_ms / 60_000, longestWindowMs(spec.window) / 3_600_000],
  );
  assert.deepEqual(figures, [
    ['SLA_001', '0.999', 5, 24],
    ['SLA_002', 0.1, 1, 1],
    ['SLA_003', 0.05, 5, 4],
    ['SLA_004', 0.2, 10, 2],
    ['SLA_005', 0.01, 1, 1],
  ]);
});

test('an SLA about a service that nobody declared is named', () => {
  const found = unknownServices(
    [slaDeclaration.parse(base), slaDeclaration.parse({ ...base, id: 'b', service: 'nobody' })],
    new Set(['shop']),
  );
  assert.deepEqual(
    found.map(({ index }) => index),
    [1],
  );
  assert.match(found[0]?.message ?? '', /"nobody"/);
  assert.deepEqual(
    unknownExampleServices({ trading_system: 'shop', database: 'nobody' }, new Set(['shop'])).map(({ role }) => role),
    ['database'],
  );
});

const events = (over: object = {}, about: object = {}) => ({
  ...base,
  indicator: { kind: 'ratio', bad: 'errors_total', total: 'requests_total', ...over },
  ...about,
});

test('every kind of indicator is stored with its defaults filled in', () => {
  const stored = (indicator: object) => slaDeclaration.parse({ ...base, indicator }).indicator;
  assert.deepEqual(stored({ kind: 'response_time', below: '100ms', statistic: 'p95' }), {
    kind: 'response_time',
    query: 'probe_duration_seconds{service="shop"}',
    condition: '<',
    threshold: 0.1,
    unit: 'seconds',
    slice_ms: 60_000,
    reduce: 'p95',
    while_down: 'exclude',
  });
  const ratio = stored({ kind: 'ratio', good: 'a_total', bad: 'b_total' });
  assert.deepEqual(ratio.kind === 'ratio' && ratio.counters, { good: null, bad: 'b_total', total: 'a_total + b_total', min_events: 0 });
});

test('ratios that cannot be counted are refused by name and part', () => {
  const refused = (over: object, about: object = {}) => problems(events(over, about)).join();
  assert.match(refused({ total: undefined }), /the SLA "a": a ratio needs two of good, bad and total/);
  assert.match(refused({ good: 'g_total' }), /contradict/);
  assert.match(refused({ total: 'sum by (instance) (rate(requests_total[5m]))' }), /several series where one is needed/);
  assert.match(refused({ total: 'avg(requests_total)' }), /is no counter/);
  assert.match(refused({ total: 'requests_total offset 5m' }), /leave out @ and offset/);
  assert.match(refused({}, { target: '100%' }), /leaves no budget/);
  assert.match(refused({ slice: '25h' }), /the SLA "a": a slice is longer than the window/);
  assert.deepEqual(problems(events({ total: 'sum(rate(requests_total{a="b"}[5m])) - sum(increase(c_total[1h])) or vector(0)' })), []);
  assert.match(problems(threshold({ query: 'max by (instance) (x)' })).join(), /several series/);
});

test('windows of the calendar have a zone that exists and an anchor that is a wall clock', () => {
  const window = (written: object) => ({ ...base, window: written });
  assert.deepEqual(slaDeclaration.parse(window({ calendar: 'week', zone: 'Europe/Berlin' })).window, {
    calendar: 'week',
    every: 1,
    zone: 'Europe/Berlin',
    anchor: '1970-01-05T00:00:00',
  });
  assert.match(problems(window({ calendar: 'month', zone: 'Europe/Atlantis' })).join(), /no time zone "Europe\/Atlantis"/);
  assert.match(problems(window({ calendar: 'month', anchor: '2026-02-30' })).join(), /not a wall clock/);
  assert.match(problems(window({ rolling: '1d', zone: 'UTC' })).join(), /a rolling window has no zone/);
  assert.match(problems(window({})).join(), /either rolling/);
  assert.match(problems(window({ calendar: 'year', every: 2 })).join(), /at most 400 days/);
});

test('a burn factor that a total outage cannot exceed is refused, as are pairs that could not be read', () => {
  const burn = (pair: object, target = '99.9%') =>
    problems({ ...base, target, window: { rolling: '30d' }, burn: [{ long: '1h', short: '5m', factor: 14.4, ...pair }] }).join();
  assert.equal(burn({}), '');
  assert.match(burn({}, '93%'), /the SLA "a": a total outage burns at 14.28 times the allowed rate, so 14.4 can never be exceeded/);
  assert.match(burn({ factor: 1000 }), /1000 times the allowed rate, so 1000 can never be exceeded/);
  assert.match(burn({ short: '2h' }), /not shorter than the long one/);
  assert.match(burn({ long: '31d' }), /longer than the window/);
  assert.match(burn({ short: '8s' }), /two measurement intervals/);
  assert.match(burn({}, '100%'), /leaves no budget/);
});
