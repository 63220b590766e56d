import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Queryable, SelectRange } from '@nines/model/storage.ts';
import { createEngine } from '@nines/promql/engine.ts';
import { engineSettings, promqlConfig } from './contract.ts';

/** One series with one sample at the epoch. */
const queryable: Queryable = {
  select: async (_matchers, { fromMs, toMs }: SelectRange) =>
    fromMs <= 0 && toMs >= 0 ? [{ labels: ['__name__', 'up', 'job', 'a'], times: Float64Array.of(0), values: Float64Array.of(1) }] : [],
  series: async () => [],
  labelNames: async () => [],
  labelValues: async () => [],
};

const ask = (section: unknown, query: string, atMs = 0) =>
  createEngine(engineSettings(promqlConfig.parse(section))).instant(query, { queryable, atMs });

test('what Prometheus keeps behind feature flags is refused until it is switched on', async () => {
  for (const query of ['mad_over_time(up[1m])', 'limitk(1, up)', 'increase(up[1m] anchored)', 'up + fill(0) up']) {
    const refused = await ask(undefined, query);
    assert.match(refused.ok ? '' : refused.error.message, /not enabled/, query);
    assert.equal((await ask({ experimental: true }, query)).ok, true, query);
  }
});

test('with names dropped late, label_replace can still read them', async () => {
  const query = 'label_replace(rate({job="a"}[1m]) or abs({job="a"}), "was", "$1", "__name__", "(.+)")';
  const labels = async (section: unknown) => {
    const answer = await ask(section, query);
    assert.ok(answer.ok && answer.value.value.kind === 'vector');
    return answer.value.value.elements[0]?.labels;
  };
  assert.deepEqual(await labels({ delayed_name_removal: true }), ['job', 'a', 'was', 'up']);
  assert.deepEqual(await labels({}), ['job', 'a']);
});

test('the lookback decides how old a sample may be', async () => {
  const count = async (section: unknown) => {
    const answer = await ask(section, 'up', 120_000);
    return answer.ok && answer.value.value.kind === 'vector' ? answer.value.value.elements.length : -1;
  };
  assert.deepEqual([await count({}), await count({ lookback: '1m' })], [1, 0]);
});

test('a query that would hold more samples than allowed is refused', async () => {
  const refused = await ask({ max_samples: 1 }, 'up[1h:1s]');
  assert.match(refused.ok ? '' : refused.error.message, /too many samples/);
});
