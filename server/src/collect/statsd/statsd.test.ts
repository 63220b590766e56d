import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { poll } from '../../../../test/harness/poll.ts';
import { realClock } from '../../platform/clock.ts';
import { collectConfig } from '../contract.ts';
import { createBatchBuilder } from '@nines/model/write-batch.ts';
import { type StatsdSample, readStatsdLine } from '@nines/model/statsd-lines.ts';
import { openWorld, selfValue } from '../testing/world.ts';
import { StatsdAggregate } from './aggregate.ts';
import { startStatsd } from './service.ts';

const SETTINGS = { maxMetrics: 3, ttlMs: 60_000, buckets: [0.1, 1], labels: ['instance', 'box', 'job', 'statsd'] };
const sampleOf = (line: string): StatsdSample => {
  const samples: StatsdSample[] = [];
  readStatsdLine(line, { sample: (sample) => void samples.push(sample), fault: (reason) => assert.fail(reason) });
  assert.ok(samples[0] !== undefined);
  return samples[0];
};

test('datagrams and connections become series, and nothing is lost at the end', async () => {
  await using world = await openWorld(realClock);
  const { statsd: config } = collectConfig.parse({
    statsd: { listen: '127.0.0.1:0', listen_tcp: '127.0.0.1:0', interval: '1s', buckets: [0.1, 1] },
  });
  const statsd = await startStatsd({
    clock: realClock,
    logger: world.logger,
    ingest: world.ingest,
    metrics: world.self,
    instance: 'box',
    config,
  });
  const udp = createSocket('udp4');
  const lines = [
    'app.hits:2|c|#path:/a,job:web',
    'app.hits:3|c|#path:/a,job:web',
    'queue:10|g',
    'queue:-3|g',
    'took:50|ms',
    'took:2000|ms|@0.5',
    'users:a|s',
    'users:b|s',
    'users:a|s',
    'bad',
    '',
  ];
  udp.send(lines.join('\n'), statsd.udp?.port ?? 0, '127.0.0.1');
  await poll('all samples', () => selfValue(world.self, 'nines_statsd_samples_total') === 9 || undefined);
  udp.close();
  const tcp = connect(statsd.tcp?.port ?? 0, '127.0.0.1');
  tcp.end('over_tcp:1|c\nover_tcp:1|c');
  await once(tcp, 'close');
  await poll('those over TCP', () => selfValue(world.self, 'nines_statsd_samples_total') === 11 || undefined);
  await statsd[Symbol.asyncDispose]();
  const last = async (name: string): Promise<readonly string[]> =>
    (await world.samplesOf(name)).map((line) => line.replace(/@\d+$/, '')).filter((line, i, all) => all.indexOf(line) === i);
  const at = 'instance="box", job="statsd"';
  assert.deepEqual(await last('app_hits'), ['app_hits{exported_job="web", instance="box", job="statsd", path="/a"} 5']);
  assert.deepEqual(await last('queue'), [`queue{${at}} 7`]);
  assert.deepEqual(await last('took_count'), [`took_count{${at}} 3`]);
  assert.deepEqual(await last('took_sum'), [`took_sum{${at}} 4.05`]);
  assert.deepEqual(await last('took_bucket'), [
    `took_bucket{${at}, le="+Inf"} 3`,
    `took_bucket{${at}, le="0.1"} 1`,
    `took_bucket{${at}, le="1.0"} 1`,
  ]);
  assert.ok((await last('users')).includes(`users{${at}} 2`));
  assert.deepEqual(await last('over_tcp'), [`over_tcp{${at}} 2`]);
  assert.equal(selfValue(world.self, 'nines_statsd_refused_total{reason="malformed_line"}'), 1);
});

test('without an address nothing listens', async () => {
  await using world = await openWorld(manualClock());
  await using statsd = await startStatsd({
    clock: manualClock(),
    logger: world.logger,
    ingest: world.ingest,
    metrics: world.self,
    instance: 'box',
    config: collectConfig.parse({}).statsd,
  });
  assert.deepEqual([statsd.udp, statsd.tcp], [undefined, undefined]);
});

test('a name keeps its kind, metrics are limited, and those that fall silent end and make room', () => {
  const aggregate = new StatsdAggregate(SETTINGS);
  assert.equal(aggregate.add(sampleOf('a:1|c'), 0), undefined);
  assert.equal(aggregate.add(sampleOf('a:1|g'), 0), 'conflicting_kind');
  assert.equal(aggregate.add(sampleOf('b:1|c|#x:1'), 50_000), undefined);
  assert.equal(aggregate.add(sampleOf('b:1|c|#x:2'), 50_000), undefined);
  assert.equal(aggregate.add(sampleOf('b:1|c|#x:3'), 50_000), 'metric_limit');
  const builder = createBatchBuilder();
  aggregate.write(builder, 60_000);
  assert.deepEqual([builder.seriesCount, aggregate.size], [3, 2]);
  assert.equal(aggregate.add(sampleOf('a:1|g'), 60_000), undefined);
});
