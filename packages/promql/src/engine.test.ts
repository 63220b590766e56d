import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { mustMatcher } from '@nines/base/matcher.ts';
import { formatLabels, labelsOf } from '@nines/model/labels.ts';
import { MemoryQueryable, type Sample } from './memory-queryable.ts';
import { type EngineOptions, type RangeOptions, createEngine } from './engine.ts';
import { type Value, formatPlain, formatShort, formatValue } from './value.ts';

const MINUTE = 60_000;

/** Series `name{…}` with one sample a minute. */
function stored(series: readonly (readonly [Record<string, string>, readonly Sample[]])[]): MemoryQueryable {
  const queryable = new MemoryQueryable();
  for (const [labels, samples] of series)
    queryable.add(
      labelsOf(labels),
      samples.map((sample, i) => [i * MINUTE, sample] as const),
    );
  return queryable;
}

const counters = stored([
  [{ __name__: 'a_total', k: 'v' }, [0, 60, 120, 180]],
  [{ __name__: 'b_total', k: 'v' }, [0, 120, 240, 360]],
]);

const text = (value: Value): string =>
  value.kind === 'vector' ? value.elements.map((each) => `${formatLabels(each.labels)} ${formatValue(each.value)}`).join(', ') : value.kind;

async function instant(query: string, options: EngineOptions = {}, queryable = counters): Promise<string> {
  const outcome = await createEngine(options).instant(query, { queryable, atMs: 3 * MINUTE });
  return outcome.ok ? text(outcome.value.value) : `${outcome.error.type}: ${outcome.error.message}`;
}

describe('removing names at once, as Prometheus does by default', () => {
  test('label functions no longer see the name', async () => {
    assert.equal(await instant('label_replace(rate(a_total[2m]), "from", "$1", "__name__", "(.+)")'), '{k="v"} 1');
  });

  test('two series that become the same are refused, even under an aggregation', async () => {
    const refusal = 'execution: vector cannot contain metrics with the same labelset';
    assert.equal(await instant('rate({k="v"}[2m])'), refusal);
    assert.equal(await instant('sum(rate({k="v"}[2m]))'), refusal);
    assert.equal(await instant('sum(rate({k="v"}[2m]))', { features: { delayedNameRemoval: true } }), '{} 3');
  });

  test('series that never meet are joined', async () => {
    const queryable = stored([
      [{ __name__: 'one', k: 'v' }, [1, 'stale', 'stale']],
      [{ __name__: 'two', k: 'v' }, [0, 2, 2].map((value, i) => (i === 0 ? ('stale' as const) : value))],
    ]);
    const range = { queryable, startMs: 0, endMs: 2 * MINUTE, stepMs: MINUTE };
    for (const query of ['-{k="v"}', 'abs({k="v"}) * -1', 'sum by (k) (-{k="v"})']) {
      const outcome = await createEngine().range(query, range);
      assert.ok(outcome.ok);
      assert.deepEqual(
        outcome.value.value.series.map(({ values }) => [...values]),
        [[-1, -2, -2]],
      );
    }
  });
});

describe('limits', () => {
  const range = (options: Partial<RangeOptions>): RangeOptions => ({
    queryable: counters,
    startMs: 0,
    endMs: 3 * MINUTE,
    stepMs: MINUTE,
    ...options,
  });

  test('more points than allowed are refused before anything is read', async () => {
    const outcome = await createEngine().range('a_total', range({ stepMs: 1, endMs: 11_000 }));
    assert.ok(!outcome.ok);
    assert.equal(outcome.error.type, 'bad_data');
    assert.match(outcome.error.message, /exceeded maximum resolution of 11,000 points per timeseries/);
    assert.ok((await createEngine().range('a_total', range({ stepMs: 1, endMs: 10_999 }))).ok);
  });

  test('a subquery of a year by the second over everything is refused before anything is read', async () => {
    let selections = 0;
    const queryable: MemoryQueryable = Object.assign(new MemoryQueryable(), {
      select: () => {
        selections++;
        return Promise.resolve([]);
      },
    });
    const query = 'max_over_time({__name__!=""}[366d:1s])';
    const engine = createEngine();
    for (const outcome of [await engine.instant(query, { queryable, atMs: 0 }), await engine.range(query, range({ queryable }))]) {
      assert.ok(!outcome.ok);
      assert.match(
        outcome.error.message,
        /a subquery of 31\d{6} steps is longer than the 3200000 allowed: give it a longer step or a shorter range/,
      );
    }
    assert.equal(selections, 0);
    // What is allowed is read.
    assert.ok((await engine.instant('max_over_time({__name__!=""}[37d:1s])', { queryable, atMs: 0 })).ok);
    assert.equal(selections, 1);
  });

  test('windows that overlap too much are refused where each is walked, and slid along where they can be', async () => {
    const queryable = stored([[{ __name__: 'g' }, Array.from({ length: 12_000 }, (_, i) => i % 7)]]);
    const wide = { queryable, startMs: 12_000 * MINUTE, endMs: 12_000 * MINUTE + 10_000, stepMs: 1 };
    const refused = await createEngine().range('changes(g[200d])', wide);
    assert.ok(!refused.ok);
    assert.equal(refused.error.type, 'execution');
    assert.match(refused.error.message, /the windows of one series hold 12\d{7} samples together, more than the 50000000 allowed/);
    assert.ok((await createEngine().range('stddev_over_time(g[200d])', wide)).ok);
  });

  test('more samples than allowed stop the query', async () => {
    const outcome = await createEngine({ limits: { maxSamples: 7 } }).range('{k="v"}', range({}));
    assert.ok(!outcome.ok);
    assert.equal(outcome.error.type, 'execution');
    assert.match(outcome.error.message, /too many samples/);
    assert.ok((await createEngine({ limits: { maxSamples: 8 } }).range('{k="v"}', range({}))).ok);
  });

  test('a range query takes scalars and instant vectors only', async () => {
    const outcome = await createEngine().range('a_total[5m]', range({}));
    assert.ok(!outcome.ok);
    assert.match(outcome.error.message, /invalid expression type "range vector" for range query/);
  });

  test('a step of zero and an end before the start are refused', async () => {
    assert.equal((await createEngine().range('1', range({ stepMs: 0 }))).ok, false);
    assert.equal((await createEngine().range('1', range({ endMs: -1 }))).ok, false);
  });

  test('experimental functions need their switch', async () => {
    assert.match(await instant('mad_over_time(a_total[5m])'), /^bad_data: .*"mad_over_time" is not enabled/);
    assert.match(await instant('limitk(1, a_total)'), /^bad_data: .*not enabled/);
    assert.match(await instant('mad_over_time(a_total[5m])', { features: { experimentalFunctions: true } }), /^\{k="v"\}/);
  });
});

describe('stopping', () => {
  const column = { times: Float64Array.from({ length: 5000 }, (_, i) => i), values: new Float64Array(5000) };
  const many = (): MemoryQueryable => {
    const queryable = new MemoryQueryable();
    for (let i = 0; i < 1000; i++) queryable.addColumns({ labels: labelsOf({ __name__: 'm', i: String(i) }), ...column });
    return queryable;
  };

  test('an aborted signal cancels between series', async () => {
    const controller = new AbortController();
    let breaths = 0;
    const engine = createEngine({
      yieldNow: async () => {
        if (++breaths === 2) controller.abort();
      },
    });
    const outcome = await engine.instant('sum(rate(m[5m]))', { queryable: many(), atMs: 5000, signal: controller.signal });
    assert.ok(!outcome.ok);
    assert.equal(outcome.error.type, 'canceled');
    assert.equal(breaths, 2);
  });

  test('a deadline is a timeout', async () => {
    const controller = new AbortController();
    controller.abort(Object.assign(new Error('late'), { name: 'TimeoutError' }));
    const outcome = await createEngine().instant('m', { queryable: many(), atMs: 0, signal: controller.signal });
    assert.ok(!outcome.ok);
    assert.equal(outcome.error.type, 'timeout');
  });

  test('a store that fails is not taken for a bad query', async () => {
    const queryable = many();
    queryable.select = async () => {
      throw new Error('disk on fire');
    };
    await assert.rejects(createEngine().instant('m', { queryable, atMs: 0 }), /disk on fire/);
  });
});

test('a scope is forced on every selector', async () => {
  const scope = { matchers: [mustMatcher('__name__', '=', 'a_total')] };
  const outcome = await createEngine().instant('count({k="v"}) + count({__name__=~".+"})', { queryable: counters, atMs: 0, scope });
  assert.ok(outcome.ok);
  assert.equal(text(outcome.value.value), '{} 2');
});

test('the lookback can be set for one query', async () => {
  const at = { queryable: counters, atMs: 4 * MINUTE };
  const found = async (lookbackMs: number): Promise<boolean> => {
    const outcome = await createEngine().instant('a_total', { ...at, lookbackMs });
    return outcome.ok && text(outcome.value.value) !== '';
  };
  assert.equal(await found(MINUTE), false);
  assert.equal(await found(MINUTE + 1), true);
});

test('the longest chains and the deepest nesting are evaluated', async () => {
  assert.equal(await instant(`vector(1)${' + vector(1)'.repeat(1000)}`), '{} 1001');
  assert.equal(await instant(`vector(1)${' or vector(1)'.repeat(1000)}`), '{} 1');
  assert.equal(await instant(`${'abs('.repeat(450)}vector(-1)${')'.repeat(450)}`), '{} 1');
  assert.equal(await instant(`vector(0${' + 1'.repeat(1000)})`), '{} 1000');
});

test('errors of evaluation carry their type', async () => {
  assert.match(await instant('label_replace(a_total, "", "", "", "")'), /^execution: invalid destination label name/);
});

describe('the text of values', () => {
  for (const [value, want] of [
    [0, '0'],
    [-0, '-0'],
    [1.5, '1.5'],
    [1e20, '100000000000000000000'],
    [1e21, '1e+21'],
    [1e-6, '0.000001'],
    [1e-7, '1e-07'],
    [-2.5e-10, '-2.5e-10'],
    [1e300, '1e+300'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
  ] as const)
    test(`${String(value)} is ${want}`, () => assert.equal(formatValue(value), want));

  test('messages and templates write it as Go does', () => {
    const written = [0, 1.5, 999_999, 1_000_000, 123_456_789, 0.0001, 0.00001, -2e-9, Number.NaN].map(formatShort);
    assert.deepEqual(written, ['0', '1.5', '999999', '1e+06', '1.23456789e+08', '0.0001', '1e-05', '-2e-09', 'NaN']);
  });

  test('reads back as the same number with and without exponent', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Number(formatValue(value)), value);
        assert.equal(Number(formatPlain(value)), value);
        assert.doesNotMatch(formatPlain(value), /e/);
      }),
    );
  });
});
