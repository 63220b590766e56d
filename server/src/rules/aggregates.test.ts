import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { EMPTY_HISTOGRAM } from '@nines/model/histogram.ts';
import { formatLabels, labelsOf } from '@nines/model/labels.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { rulesConfig } from './config.ts';
import { type RulesWorld, openRulesWorld } from './testing/rules-world.ts';

const EXPRESSIONS = {
  in_flight: 'sum by (job) (in_flight)',
  rate: 'sum by (job) (rate(requests_total[1m]))',
  errors: 'sum by (job) (rate(requests_total{code="500"}[30s])) / sum by (job) (rate(requests_total[30s]))',
  slowest: 'max without (instance) (max_over_time(in_flight[45s]))',
};

const aggregates = Object.entries(EXPRESSIONS).map(([name, expr]) => ({
  record: `kept:${name}`,
  expr,
  interval: '15s',
  query_offset: '2s',
  labels: { from: 'test' },
}));
const rules = Object.entries(EXPRESSIONS).map(([name, expr]) => ({ record: `rule:${name}`, expr, labels: { from: 'test' } }));
/** The recording rules that would compute the same. */
const FILE = JSON.stringify({ groups: [{ name: 'same', interval: '30d', query_offset: '2s', rules }] });

const configure = (w: RulesWorld) => w.configure({ packs: [], files: ['rules/*.yml'], aggregates }, { 'rules/g.yml': FILE });

/** Everything that was recorded under a prefix, as `name{labels} at value`, staleness markers included. */
async function recorded(w: RulesWorld, prefix: string): Promise<readonly string[]> {
  const name = { name: '__name__', op: '=~', value: '', matches: (text: string) => text.startsWith(prefix) } as const;
  const found: string[] = [];
  for (const { labels, times, values } of await w.store.select([name], { fromMs: 0, toMs: w.clock.now() })) {
    const series = formatLabels(labels).replace(prefix, '');
    times.forEach((atMs, i) => found.push(`${series} ${atMs} ${values[i]?.toPrecision(12)}`));
  }
  return found.sort();
}

/** Time passes in steps of five seconds; aggregates and recording rules are evaluated at the same instants. */
async function pass(w: RulesWorld, steps: number, write: () => Promise<void>): Promise<void> {
  const toldNow = (): number => Math.floor((w.clock.now() - 2_000) / 15_000);
  for (let i = 0; i < steps; i++) {
    const before = toldNow();
    await write();
    w.clock.jump(4_000);
    await w.advance(1_000);
    if (toldNow() === before) continue;
    const atMs = epochMs(toldNow() * 15_000 + 2_000);
    for (const group of w.rules.groups) await group.evaluateAt(atMs, new AbortController().signal);
  }
}

/** Two instances of two jobs, with resets, gaps, late samples and an end. */
function traffic(w: RulesWorld): () => Promise<void> {
  let step = 0;
  const totals = new Map<string, number>();
  return async () => {
    step++;
    const builder = createBatchBuilder();
    for (const [i, instance] of ['a', 'b', 'c', 'd'].entries()) {
      const job = i < 2 ? 'shop' : 'mail';
      if ((instance === 'b' && step % 14 < 4) || (job === 'mail' && step > 22)) continue;
      // One sample in a while comes after its successor.
      const atMs = w.clock.now() - (step % 13 === 0 ? 8_000 : 0);
      for (const code of ['200', '500']) {
        const total = step % 11 === 0 ? 1 : (totals.get(instance + code) ?? 0) + ((step * 7 + i) % (code === '500' ? 5 : 11));
        totals.set(instance + code, total);
        builder.add(labelsOf({ __name__: 'requests_total', job, instance, code }), atMs, total);
      }
      const gauge = labelsOf({ __name__: 'in_flight', job, instance });
      if (job === 'mail' && step > 21) builder.addStale(gauge, w.clock.now());
      else builder.add(gauge, w.clock.now(), (step * 13 + i) % 17);
    }
    await w.ingest.append(builder.batch());
  };
}

describe('streaming aggregates', () => {
  it('record what the recording rule records, through resets, gaps, ends, late samples and restarts', async (t) => {
    let w = await openRulesWorld(t);
    await configure(w);
    await pass(w, 40, traffic(w));
    const first = await recorded(w, 'kept:');
    assert.deepEqual(first, await recorded(w, 'rule:'));
    assert.ok(
      first.some((line) => line.includes('NaN')),
      'mail ended, and so did what is recorded of it',
    );
    assert.ok(new Set(first.map((line) => line.split('} ')[0])).size === 8, first.join('\n'));
    w = await w.restart(7_000);
    await configure(w);
    await pass(w, 15, traffic(w));
    const all = await recorded(w, 'kept:');
    assert.deepEqual(all, await recorded(w, 'rule:'));
    assert.ok(all.length > first.length + 10);
  });

  it('leave to the store what they cannot tell: native histograms', async (t) => {
    const w = await openRulesWorld(t);
    await w.configure({ packs: [], aggregates: [{ record: 'all', expr: 'sum(latency)', interval: '10s' }] });
    await w.advance(21_000);
    const builder = createBatchBuilder();
    builder.addHistogram(labelsOf({ __name__: 'latency' }), w.clock.now(), { ...EMPTY_HISTOGRAM, count: 4, sum: 2, zeroCount: 4 });
    await w.ingest.append(builder.batch());
    await w.advance(11_000);
    assert.equal((await w.ask('histogram_count(all)'))[0]?.value, 4);
  });

  it('go on with what they kept after a reload, and say so to whoever asks', async (t) => {
    const w = await openRulesWorld(t);
    await configure(w);
    await pass(w, 10, traffic(w));
    const readings = (): number | undefined => w.metric('nines_aggregate_readings_total');
    const before = readings() ?? 0;
    assert.ok(before >= 4, 'each read the store when it began');
    await configure(w);
    await w.push([{ __name__: 'in_flight', job: 'shop', instance: 'a' }, 3]);
    await w.advance(16_000);
    assert.equal(readings(), before);
    assert.ok((w.metric('nines_aggregate_series') ?? 0) > 0);
    const group = w.rules.groups.find(({ group }) => group.name === 'kept:rate');
    assert.deepEqual([group?.group.file, group?.rules[0]?.health.health], ['rules.aggregates', 'ok']);
  });

  it('are refused by place when they cannot be kept', () => {
    const config = (expr: string) => rulesConfig.safeParse({ aggregates: [{ record: 'r', expr, interval: '15s' }] });
    const refused = config('sum(irate(x[1m]))');
    assert.deepEqual(refused.error?.issues[0]?.path, ['aggregates', 0, 'expr']);
    assert.match(refused.error?.issues[0]?.message ?? '', /^1:5: cannot be kept at write time: irate/);
    assert.match(config('sum(').error?.issues[0]?.message ?? '', /parse error/);
    assert.ok(config('sum(rate(x[1m]))').success);
  });
});
