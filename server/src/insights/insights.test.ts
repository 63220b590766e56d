import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import { examine, examinePairs } from '@nines/maths/insights/examine.ts';
import { randomFrom } from '@nines/maths/stats/random.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import { forEachDatabase, openSqliteForTest } from '../../../test/harness/databases.ts';
import { silentLogger } from '../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../test/harness/manual-clock.ts';
import { createAliases } from '../collect/aliases.ts';
import type { SampleQuery } from '../collect/contract.ts';
import { createSelfMetrics } from '../collect/self.ts';
import { createBus } from '../platform/bus.ts';
import type { Db } from '../platform/db/open.ts';
import { NOBODY } from '../platform/http/contract.ts';
import { createIds } from '../platform/ids.ts';
import type { ServiceEntry } from '../services/contract.ts';
import { type CandidateSources, candidatesOf } from './candidates.ts';
import type { InsightView } from './contract.ts';
import { type AskExaminations, Examiner } from './examiner.ts';
import { type Asking, InsightService } from './service.ts';

const START_MS = Date.UTC(2026, 9, 1);
/** What `expr` holds: the value of each of its series at an instant, undefined where there is none. */
type World = readonly {
  readonly expr: RegExp;
  readonly labels: Readonly<Record<string, string>>;
  readonly at: (atMs: number) => number | undefined;
}[];

const samplesOf = (world: World): SampleQuery => ({
  async instant(expr) {
    const inner = /^count\((.*)\)$/s.exec(expr)?.[1] ?? expr;
    const count = world.filter((one) => one.expr.test(inner)).length;
    return count === 0 ? [] : [{ labels: labelsOf({}), value: count }];
  },
  async range(expr, { fromMs, toMs, stepMs }) {
    return world
      .filter((one) => one.expr.test(expr))
      .map(({ labels, at }) => {
        const known = Array.from({ length: Math.floor((toMs - fromMs) / stepMs) + 1 }, (_, i) => fromMs + i * stepMs).flatMap((atMs) => {
          const value = at(atMs);
          return value === undefined ? [] : [[atMs, value] as const];
        });
        return { labels: labelsOf(labels), times: known.map(([atMs]) => atMs), values: known.map(([, value]) => value) };
      });
  },
});

/** Noise that is the same whenever it is read: normal, its neighbours alike within some hours. */
function noise(seed: number, kept = 0.7): (atMs: number) => number {
  const quarter = HOUR_MS / 4;
  const { normal } = randomFrom(seed);
  const values: number[] = [];
  let hourly = 0;
  return (atMs) => {
    const index = Math.round((atMs - (START_MS - 40 * DAY_MS)) / quarter);
    while (values.length <= index) {
      if (values.length % 4 === 0) hourly = kept * hourly + Math.sqrt(1 - kept * kept) * normal();
      values.push(hourly + 0.5 * normal());
    }
    return values[index] ?? 0;
  };
}
const daily = (atMs: number): number => Math.sin((2 * Math.PI * (atMs % DAY_MS)) / DAY_MS);

const ask = (async (question: string, body: never) => (question === 'examination' ? examine(body) : examinePairs(body))) as AskExaminations;
const EVERYONE: Asking = { actor: { ...NOBODY, id: 'ann', name: 'Ann', scope: FULL_SCOPE }, full: true, sees: () => true };
const asPerson = (id: string): Asking => ({ ...EVERYONE, actor: { ...EVERYONE.actor, id, name: id } });
const onlySees = (service: string): Asking => ({ ...EVERYONE, full: false, sees: (labels) => labels['service'] === service });

function open(db: Db, clock: ManualClock, world: World, watch: CandidateSources['watch'] = () => []) {
  const bus = createBus((thrown) => {
    throw thrown;
  });
  let told = 0;
  bus.subscribe(({ topic }) => void (told += topic === 'insights' ? 1 : 0));
  const named = (id: string) => ({ id, name: id === 'shop' ? 'Shop' : id }) as ServiceEntry;
  const sources = { services: { get: named }, aliases: createAliases(15_000).list, rules: () => [], watch };
  const examiner = new Examiner({ clock, samples: samplesOf(world), ask, candidates: () => candidatesOf(sources) });
  const metrics = createSelfMetrics();
  const insights = new InsightService({ sql: db.kysely, clock, ids: createIds(clock), logger: silentLogger, bus, metrics, examiner });
  return { insights, told: () => told };
}

const RESPONSE = /^avg by \(service\) \(avg_over_time\(probe_duration_seconds/;
const FAILURES = /avg_over_time\(probe_success/;
const DISK = /node_filesystem_size_bytes/;
const MEMORY = /node_memory_MemAvailable/;
const CPU = /node_cpu_seconds_total/;
const REQUESTS = /^sum by \(job\) \(rate\(http_requests_total\[15m\]\)\)$/;

function quietWorld(): World {
  const services = ['shop', 'mail', 'search', 'login'];
  const [disk, memory, cpu, load] = [noise(90, 0.95), noise(91, 0.9), noise(92), noise(93)];
  const host = { instance: 'db1:9100', job: 'node' };
  return [
    ...services.map((service, i) => {
      const own = noise(i + 1);
      return { expr: RESPONSE, labels: { service }, at: (atMs: number) => (0.1 + 0.05 * i) * Math.exp(0.1 * own(atMs)) };
    }),
    ...services.map((service, i) => {
      const own = noise(i + 11);
      return { expr: FAILURES, labels: { service }, at: (atMs: number) => (own(atMs) > 2.5 ? 3 : 0) };
    }),
    { expr: DISK, labels: { ...host, mountpoint: '/' }, at: (atMs) => 61 + 0.2 * disk(atMs) },
    { expr: MEMORY, labels: host, at: (atMs) => 48 + 2 * memory(atMs) },
    { expr: CPU, labels: { instance: 'db1:9100' }, at: (atMs) => Math.max(0, 22 + 5 * cpu(atMs)) },
    { expr: REQUESTS, labels: { job: 'api' }, at: (atMs) => Math.max(0, 400 + 40 * load(atMs)) },
  ];
}

const all = async (insights: InsightService): Promise<InsightView[]> =>
  (await insights.list({ status: 'all', limit: 200 }, EVERYONE)).items;
const opened = async (insights: InsightService): Promise<InsightView[]> =>
  (await insights.list({ status: 'open', limit: 200 }, EVERYONE)).items;

async function runFor(insights: InsightService, clock: ManualClock, lengthMs: number, everyMs: number): Promise<void> {
  for (let passed = 0; passed < lengthMs; passed += everyMs) {
    await insights.run();
    await clock.advance(everyMs);
  }
}

/** The response time of the shop rises from 210 to 290 ms in the two weeks before the start, then falls back at once. */
const shopSlows = (endsMs: number): World => {
  const own = noise(1);
  const level = (atMs: number): number => {
    if (atMs > endsMs) return 0.21;
    return 0.21 + (0.08 * Math.max(0, Math.min(14 * DAY_MS, atMs - (START_MS - 14 * DAY_MS)))) / (14 * DAY_MS);
  };
  return [{ expr: RESPONSE, labels: { service: 'shop' }, at: (atMs) => level(atMs) * Math.exp(0.06 * own(atMs)) }];
};

forEachDatabase((_name, openDb) => {
  it('a response time that rises is one insight with figures, brought up to date, and ends when it is gone', async (t) => {
    const { db } = await openDb(t);
    const clock = manualClock(START_MS);
    const { insights, told } = open(db, clock, shopSlows(START_MS + DAY_MS));
    await insights.run();
    const [first, ...others] = await opened(insights);
    assert.deepEqual(others, []);
    assert.match(first?.sentence ?? '', /^Response time of Shop rose \d\d % in 14 days, from 2\d\d ms to 2\d\d ms\.$/);
    assert.equal(first?.kind, 'performance_trend');
    assert.equal(first?.expr, 'avg by (service) (avg_over_time(probe_duration_seconds{service="shop"}[15m]))');
    assert.ok((first?.confidence.value ?? 0) > 0.95 && first?.confidence.method.includes('Benjamini–Hochberg'));
    assert.equal(first?.next.href, '/services/shop');
    assert.equal(first?.evidence.line?.length, 2);
    assert.equal(told(), 1);

    await clock.advance(6 * HOUR_MS);
    await insights.run();
    const again = await opened(insights);
    assert.deepEqual(
      again.map(({ id, found_at_ms, seen_at_ms }) => [id, found_at_ms, seen_at_ms]),
      [[first?.id, START_MS, clock.now()]],
    );

    await runFor(insights, clock, 12 * DAY_MS, DAY_MS);
    const kept = await all(insights);
    const trends = kept.filter(({ kind }) => kind === 'performance_trend');
    assert.deepEqual(trends.map(({ id }) => id).filter((id) => id === first?.id).length, 1);
    assert.notEqual(trends.find(({ id }) => id === first?.id)?.ended_at_ms, null);
  });

  it('people see insights of what they see, mute them, and are believed when they call them wrong', async (t) => {
    const { db } = await openDb(t);
    const clock = manualClock(START_MS);
    const { insights } = open(db, clock, shopSlows(START_MS + 30 * DAY_MS));
    await insights.run();
    const [found] = await opened(insights);
    const id = found?.id ?? '';
    assert.deepEqual((await insights.list({ status: 'open', limit: 10 }, onlySees('mail'))).items, []);
    assert.equal((await insights.list({ status: 'open', limit: 10 }, onlySees('shop'))).items[0]?.id, id);
    await assert.rejects(insights.get(id, onlySees('mail')), { code: 'insight_not_found' });
    await assert.rejects(insights.mute(id, { for: '7d', what: 'kind' }, onlySees('shop')), { code: 'outside_scope' });
    await assert.rejects(insights.mute(id, { for: 'a while', what: 'finding' }, EVERYONE), { code: 'bad_mute' });

    const mute = await insights.mute(id, { for: '7d', what: 'finding' }, EVERYONE);
    assert.deepEqual(await opened(insights), []);
    assert.deepEqual(
      (await all(insights)).map(({ muted_until_ms }) => muted_until_ms),
      [clock.now() + 7 * DAY_MS],
    );
    assert.deepEqual(await insights.mutes(onlySees('mail')), []);
    await insights.unmute(mute.id, EVERYONE);
    assert.equal((await opened(insights)).length, 1);

    const half = await insights.feedback(id, { verdict: 'wrong', note: 'we moved the data centre' }, EVERYONE);
    assert.ok(Math.abs(half.score - (found?.score ?? 0) / 2) < 1e-6);
    assert.equal(half.feedback, 'wrong');
    assert.equal((await insights.get(id, asPerson('ben'))).feedback, null);
    await insights.run();
    assert.ok(Math.abs(((await opened(insights))[0]?.score ?? 0) - half.score) < 1e-6, 'the next run ranks it the same');
    const back = await insights.feedback(id, { verdict: null }, EVERYONE);
    assert.ok(Math.abs(back.score - (found?.score ?? 0)) < 1e-5);

    for (const person of ['ann', 'ben', 'cem']) await insights.feedback(id, { verdict: 'wrong' }, asPerson(person));
    assert.deepEqual(await opened(insights), []);
    const [muted] = await insights.mutes(EVERYONE);
    assert.match(muted?.reason ?? '', /^called wrong 3 times: muted until \d+ \w+$/);
    assert.equal(muted?.subject, 'Shop');
  });
});

describe('what is told', () => {
  it('of quiet data: next to nothing in two weeks, and never a handful a day', { timeout: 600_000 }, async (t) => {
    const { db } = await openSqliteForTest(t);
    const clock = manualClock(START_MS);
    const { insights } = open(db, clock, quietWorld());
    await runFor(insights, clock, 14 * DAY_MS, 12 * HOUR_MS);
    const found = await all(insights);
    assert.ok(found.length <= 2, found.map(({ sentence }) => sentence).join('\n'));
    const status = insights.status();
    assert.equal(status.last?.series, 12);
    assert.ok((status.last?.tests ?? 0) >= 40);
    assert.ok((status.last?.refused['no_trend'] ?? 0) > 0);
  });

  it('of planted changes: each of the six kinds once, however often it is looked for', { timeout: 600_000 }, async (t) => {
    const { db } = await openSqliteForTest(t);
    const clock = manualClock(START_MS);
    const [cpu, disk, queue, orders, latency, backlog] = [noise(31), noise(32), noise(33), noise(34), noise(35), noise(36, 0.5)];
    const host = { instance: 'db1:9100' };
    const world: World = [
      ...shopSlows(START_MS + 30 * DAY_MS),
      { expr: DISK, labels: { ...host, mountpoint: '/var' }, at: (atMs) => 75 + (0.6 * (atMs - START_MS)) / DAY_MS + 0.1 * disk(atMs) },
      { expr: CPU, labels: host, at: (atMs) => 76 + 12 * daily(atMs) + (1.6 * (atMs - START_MS)) / DAY_MS + 0.1 * cpu(atMs) },
      {
        expr: /^queue_length$/,
        labels: {},
        at: (atMs) => (atMs > START_MS - 5 * HOUR_MS && atMs <= START_MS ? 900 : 100 + 8 * queue(atMs)),
      },
      { expr: /^orders$/, labels: {}, at: (atMs) => 100 + 60 * daily(atMs) + 5 * orders(atMs) },
      { expr: /^backlog$/, labels: {}, at: (atMs) => 50 + 10 * backlog(atMs) },
      { expr: /^latency$/, labels: {}, at: (atMs) => 20 + 3 * backlog(atMs - HOUR_MS) + 0.6 * latency(atMs) },
    ];
    const watch = ['queue_length', 'orders', 'backlog', 'latency'].map((expr) => ({
      expr,
      name: expr,
      unit: 'count',
      side: 'above' as const,
    }));
    const { insights } = open(db, clock, world, () => watch);
    await runFor(insights, clock, 12 * HOUR_MS, 4 * HOUR_MS);
    const found = await all(insights);
    const kinds = found.map(({ kind }) => kind).toSorted();
    const expected = ['anomaly', 'capacity', 'correlation', 'performance_trend', 'prediction', 'seasonality'];
    assert.deepEqual([...new Set(kinds)], expected, found.map(({ sentence }) => sentence).join('\n'));
    const sentences = found.map(({ sentence }) => sentence);
    const once = [
      /^Disk space in use of \/var on db1:9100 is at 75(\.\d)? % and grows by 0\.6\d* % a day; at this pace it reaches 100 % around \d+ November, in about 4\d days/,
      /^CPU use of db1:9100 is expected to pass 90 % on \w+ \d October around \d\d:00 UTC and to reach 9\d(\.\d)? % within a week; 7\d(\.\d)? % now\.$/,
      /^queue_length was unusually high for 5 hours: \d+ on 30 September at \d\d:00 UTC, where \d\d+(\.\d)? is usual\.$/,
      /^orders has a daily rhythm: highest around 0[4-8]:00 UTC \(1[56]\d(\.\d)?\), lowest around 1[6-9]:00 UTC/,
      /^When backlog changes, latency changes with it, an hour later \(rank correlation 0\.\d\d over 21 days\)\.$/,
      /^Response time of Shop rose/,
    ];
    for (const form of once)
      assert.equal(sentences.filter((sentence) => form.test(sentence)).length, 1, `${form.source}\n${sentences.join('\n')}`);
    for (const { confidence, figures, next, evidence } of found) {
      assert.ok(confidence.value > 0.8 && figures.length >= 2 && next.text.length > 20 && evidence.points.length > 20);
      for (const [, value] of evidence.points) assert.ok(Number.isFinite(value));
    }
    const ranks = (await opened(insights)).map(({ score }) => score);
    assert.deepEqual(
      ranks,
      ranks.toSorted((one, other) => other - one),
    );
  });
});

describe('what cannot be told', () => {
  it('constant, empty, short, stale, huge and gappy series are refused with a reason each', async (t) => {
    const { db } = await openSqliteForTest(t);
    const clock = manualClock(START_MS);
    const world: World = [
      { expr: /^constant$/, labels: {}, at: () => 5 },
      { expr: /^short$/, labels: {}, at: (atMs) => (atMs > START_MS - 2 * DAY_MS ? 1 + (atMs % 7) : undefined) },
      { expr: /^stale$/, labels: {}, at: (atMs) => (atMs < START_MS - DAY_MS ? 1 : undefined) },
      { expr: /^huge$/, labels: {}, at: () => 1e300 },
      { expr: /^gappy$/, labels: {}, at: (atMs) => (Math.floor(atMs / HOUR_MS) % 3 === 0 ? 1 : undefined) },
      ...Array.from({ length: 101 }, (_, i) => ({ expr: /^many$/, labels: { i: String(i) }, at: () => 1 })),
    ];
    const watch = ['constant', 'short', 'stale', 'huge', 'gappy', 'many', 'nothing'].map((expr) => ({
      expr,
      name: expr,
      unit: 'count',
      side: 'above' as const,
    }));
    const { insights } = open(db, clock, world, () => watch);
    await insights.run();
    assert.deepEqual(await all(insights), []);
    const refused = insights.status().last?.refused ?? {};
    assert.deepEqual(
      {
        not_reported: refused['not_reported'],
        not_finite: refused['not_finite'],
        too_many_gaps: refused['too_many_gaps'],
        too_many_series: refused['too_many_series'],
      },
      { not_reported: 1, not_finite: 1, too_many_gaps: 1, too_many_series: 101 },
    );
    assert.ok((refused['short_history'] ?? 0) >= 1);
  });
});
