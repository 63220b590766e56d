import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type DefinedSla } from './generated.ts';
import { parseDefined } from './load.ts';
import { openSloText } from './openslo-export.ts';
import { parseDefinitions } from './read.ts';

const one = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const maybe = <T>(name: string, value: fc.Arbitrary<T>): fc.Arbitrary<object> =>
  fc.option(value, { nil: undefined }).map((found) => (found === undefined ? {} : { [name]: found }));
const all = (...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> =>
  fc.tuple(...parts).map((found) => Object.assign({}, ...found));

const slice = maybe('slice', one('10s', '1m', '90s', '5m', '1h'));
const whileDown = maybe('while_down', one('exclude', 'bad', 'measure'));
const counters = one(
  { good: 'g_total', total: 't_total' },
  { bad: 'b_total', total: 't_total' },
  { good: 'g_total', bad: 'b_total{code=~"5.."}' },
);
const indicator = fc.oneof(
  all(fc.constant({ kind: 'availability' }), maybe('degraded_weight', one('0.5', '25%'))),
  all(
    fc.constant({ kind: 'threshold', query: 'max(x{a="b"})' }),
    fc.record({ condition: one('<', '<=', '>', '>='), threshold: one<string | number>('100ms', '5%', 250, 0.1) }),
    maybe('reduce', one('mean', 'p95', 'max')),
    slice,
    whileDown,
  ),
  all(fc.constant({ kind: 'response_time', below: '250ms' }), maybe('statistic', one('mean', 'p99')), slice, whileDown),
  all(fc.constant({ kind: 'throughput', events: 'e_total' }), fc.record({ at_least: one(1, 2.5) }), slice, whileDown),
  all(
    fc.constant({ kind: 'error_rate' }),
    counters,
    fc.record({ at_most: one('1%', '0.001') }),
    maybe('min_events', one(100)),
    slice,
    whileDown,
  ),
  all(fc.constant({ kind: 'ratio' }), counters, maybe('budgeting', one('occurrences', 'ratio_timeslices')), slice),
  all(fc.constant({ kind: 'ratio', error_ratio: 'errors / requests' }), slice),
  all(fc.constant({ kind: 'ratio', query: 'probe_success', condition: '>=', threshold: 1 }), slice),
);
const window = fc.oneof(
  one({ rolling: '2h' }, { rolling: '2h90s' }, { rolling: '28d' }, { rolling: '7d' }),
  all(
    fc.record({ calendar: one('day', 'week', 'month', 'quarter', 'year') }),
    maybe('zone', one('Europe/Berlin', 'Asia/Kathmandu')),
    maybe('anchor', one('2026-01-15 12:00:00', '2022-01-01')),
  ),
);
const sla = all(
  fc.record({
    id: one('shop', 'SLA_001', 'a.b_c', 'Shop-99'),
    service: one('shop', 'Shop_2'),
    indicator,
    window,
    target: one('99.9%', '0.5', '99.99999%', '0.123456789012345678'),
  }),
  maybe('name', one('Shop availability', 'Καταστήματα: "a", b')),
  maybe(
    'burn',
    one([], [{ long: '1h', short: '20m', factor: 1.5 }], [{ long: '61m30s', short: '21m', factor: 1.25, severity: 'warning' }]),
  ),
  maybe('unknown', one('down', 'up', 'exclude')),
  maybe('max_unknown', one('10%')),
  maybe('edges', one('last_success', 'midpoint', 'first_failure')),
  maybe('hours', one({ zone: 'Europe/Berlin', weekly: { mon: ['09:00-12:00', '13:00-17:00'] }, holidays: ['2026-12-25'] })),
  maybe('maintenance', one<unknown>('exclude', { notice: '3d' }, { notice: '1d', allowance: '4h', per: 'quarter', zone: 'Europe/Berlin' })),
  maybe('customers', one([{ id: 'acme', name: 'ACME', fee: '12.50' }, { id: 'beta' }])),
  fc.constant({ credits: { currency: 'EUR', tiers: [{ below: '99%', credit: '10%' }], cap: '50%' } }),
);

test('any contract comes back from OpenSLO v1 as it went', () => {
  let kept = 0;
  fc.assert(
    fc.property(sla, (declared) => {
      const spec = parseDefined(declared as DefinedSla);
      // Not every combination is a contract; those that are refused are another test's.
      fc.pre(typeof spec !== 'string');
      if (typeof spec === 'string') return;
      kept++;
      const { found, problems } = parseDefinitions(openSloText([spec]), { file: 'slo.yml' });
      assert.deepEqual(problems, []);
      const again = found.flatMap(({ slas }) => slas.map(parseDefined));
      assert.deepEqual(again, [spec]);
    }),
    { numRuns: 400 },
  );
  assert.ok(kept >= 200, `${kept} contracts were tried`);
});
