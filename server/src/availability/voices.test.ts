import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import { decideVote } from '@nines/maths/slo/vote.ts';
import type { State } from '@nines/maths/slo/types.ts';
import fc from 'fast-check';
import { openSqliteForTest } from '../../../test/harness/databases.ts';
import { manualClock } from '../../../test/harness/manual-clock.ts';
import type { CheckResult, CheckTiming } from '../checks/contract.ts';
import { createBus } from '../platform/bus.ts';
import { migrate } from '../platform/db/migrate.ts';
import { openDb, type Db } from '../platform/db/open.ts';
import { Availability } from './service.ts';
import { subjectOf } from './voices.ts';

const START_MS = 1_760_000_000_000;
const LOCATIONS = ['berlin', 'paris', 'tokyo'] as const;
type Place = (typeof LOCATIONS)[number];
type Seen = 'up' | 'degraded' | 'down';
const timing = (quorum: number): CheckTiming => ({
  check: 'shop-http',
  service: 'shop',
  intervalMs: ms(1000),
  timeoutMs: ms(500),
  impact: 'down',
  confirm: { n: 1, of: 1 },
  vote: { locations: LOCATIONS, quorum },
});
const quiet = {
  debug() {},
  info() {},
  warn() {},
  error: (message: string, fields: unknown) => assert.fail(`${message} ${JSON.stringify(fields)}`),
  child: () => quiet,
};
const resultOf = (location: Place, seen: Seen, second: number): CheckResult => ({
  check: 'shop-http',
  service: 'shop',
  checkKind: 'http',
  target: 't',
  location,
  startedAtMs: epochMs(START_MS + second * 1000),
  uncertaintyMs: 7,
  durationMs: 10,
  outcome: seen === 'up' ? { kind: 'up' } : { kind: seen, code: 'x', detail: `${seen} from ${location}` },
  phases: {},
  loopDelayMs: 0,
});

/** A ledger on a database, with the samples that outlive the process. */
class World {
  readonly clock = manualClock(START_MS);
  readonly samples = new Map<string, { atMs: EpochMs; endMs: EpochMs; seen: Seen }[]>();
  readonly #db: Db;
  readonly #quorum: number;
  #ids = 0;
  ledger: Availability;

  constructor(db: Db, quorum: number) {
    this.#db = db;
    this.#quorum = quorum;
    this.ledger = this.#make();
  }
  #make(): Availability {
    return new Availability({
      db: this.#db.kysely,
      clock: this.clock,
      ids: { uuid: () => `id-${this.#ids++}`, secret: () => '' },
      logger: quiet,
      bus: createBus((thrown) => assert.fail(String(thrown))),
      replay: async (fromMs, toMs) =>
        new Map([...this.samples].map(([subject, list]) => [subject, list.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs)])),
    });
  }
  async begin(quorum = this.#quorum): Promise<this> {
    await this.ledger.start();
    await this.ledger.configure([{ service: 'shop', checks: [timing(quorum)] }]);
    return this;
  }
  /** As after kill -9: nothing is said, another process takes over. */
  async restart(): Promise<void> {
    this.ledger = this.#make();
    await this.begin();
  }
  /** Voices that arrive together. */
  async hear(...results: readonly CheckResult[]): Promise<void> {
    for (const { check, location, startedAtMs, outcome } of results) {
      const subject = subjectOf(check, location);
      const seen = outcome.kind === 'void' ? assert.fail('no void here') : outcome.kind;
      this.samples.set(subject, [...(this.samples.get(subject) ?? []), { atMs: startedAtMs, endMs: epochMs(startedAtMs + 10), seen }]);
    }
    await Promise.all(results.map((result) => this.ledger.record(result)));
  }
  async second(): Promise<void> {
    await this.clock.advance(1000);
    await this.ledger.step(this.clock.now());
  }
  async timeline(knownAtMs?: EpochMs): Promise<string> {
    const options = knownAtMs === undefined ? {} : { knownAtMs };
    const { intervals } = await this.ledger.timeline('shop', epochMs(START_MS), this.clock.now(), options);
    return intervals
      .map((one) => `${(one.fromMs - START_MS) / 1000}-${(one.toMs - START_MS) / 1000} ${one.unknownReason ?? one.state}`)
      .join(', ');
  }
}
const worldOn = async (t: TestContext, quorum: number): Promise<World> => new World((await openSqliteForTest(t)).db, quorum).begin();
/** One letter per second for each location: `U`, `D`, `x`, or `.` for silence. */
const LETTERS: Readonly<Record<string, Seen>> = { U: 'up', D: 'degraded', x: 'down' };
async function play(world: World, scripts: Readonly<Partial<Record<Place, string>>>, fromSecond = 0): Promise<void> {
  const length = Math.max(...Object.values(scripts).map((script) => script.length));
  for (let i = 0; i < length; i++) {
    const heard = LOCATIONS.flatMap((location) => {
      const seen = LETTERS[scripts[location]?.[i] ?? '.'];
      return seen === undefined ? [] : [resultOf(location, seen, fromSecond + i)];
    });
    await world.hear(...heard);
    await world.second();
  }
}

test('the quorum makes an outage, a minority degrades, and the downtime names the check with every vote', async (t) => {
  const world = await worldOn(t, 2);
  await play(world, { berlin: 'UUxxxUUU', paris: 'UUUxxxUU', tokyo: 'UUUUUUUU' });
  assert.equal(await world.timeline(), '0-2 up, 2-3 degraded, 3-5 down, 5-6 degraded, 6-8 up');
  const [downtime] = await world.ledger.downtimes({ service: 'shop' });
  assert.deepEqual(downtime?.checks, ['shop-http']);
  assert.deepEqual(
    downtime?.fromBoundsAtMs.map((atMs) => atMs - START_MS),
    [2000 - 7, 3010 + 7],
    'the clocks of other places widen the bounds',
  );
  const { intervals } = await world.ledger.timeline('shop', epochMs(START_MS), world.clock.now());
  assert.deepEqual(
    intervals.find(({ state }) => state === 'down')?.evidence?.map(({ check, detail }) => `${check}: ${detail}`),
    [
      'shop-http: 2 of 3 say down (berlin, paris), 2 are needed',
      'shop-http: berlin: down from berlin',
      'shop-http: paris: down from paris',
      'shop-http: tokyo: answered in 10 ms',
    ],
  );
  assert.equal(world.ledger.currentOfCheck('shop-http').state, 'up');
});

test('a location that falls silent is absent and never down; too few voices are unknown', async (t) => {
  const world = await worldOn(t, 2);
  await play(world, { berlin: 'UUUUUUUUUU', paris: 'UUUUUUUUUU', tokyo: 'UU' });
  assert.equal(await world.timeline(), '0-10 up');
  await play(world, { berlin: 'UUUU' }, 10);
  assert.equal(await world.timeline(), '0-10.5 up, 10.5-14 no_data');
  assert.equal(world.ledger.currentOfCheck('shop-http').state, 'unknown');
});

test('voices that come late restate the time they speak of, and what was known before can still be asked', async (t) => {
  const world = await worldOn(t, 2);
  await play(world, { berlin: 'UUUxxxUUUU', paris: 'UUUUUUUUUU' });
  const before = world.clock.now();
  assert.equal(await world.timeline(), '0-3 up, 3-6 degraded, 6-10 up');
  await world.second();
  await world.hear(...Array.from({ length: 10 }, (_, i) => resultOf('tokyo', i >= 4 && i < 8 ? 'down' : 'up', i)));
  assert.equal(await world.timeline(before), '0-3 up, 3-6 degraded, 6-10 up, 10-11 no_data');
  assert.match(await world.timeline(), /^0-3 up, 3-4 degraded, 4-6 down, 6-8 degraded, 8-/);
  const [downtime] = await world.ledger.downtimes({ service: 'shop' });
  assert.deepEqual([(downtime?.fromAtMs ?? 0) - START_MS, (downtime?.toAtMs ?? 0) - START_MS], [4000, 6000]);
});

test('the server was away and its agents were not: what they kept fills the gap, to the millisecond', async (t) => {
  const world = await worldOn(t, 2);
  await play(world, { berlin: 'UUU', paris: 'UUU', tokyo: 'UUU' });
  await world.clock.advance(30_000);
  await world.restart();
  await world.second();
  assert.equal(await world.timeline(), '0-3.5 up, 3.5-34 monitor_down');
  for (const place of LOCATIONS) {
    const seen = (second: number): Seen => (second >= 10 && second < 20 && place !== 'tokyo' ? 'down' : 'up');
    await world.hear(...Array.from({ length: 31 }, (_, i) => resultOf(place, seen(i + 3), i + 3)));
  }
  assert.equal(await world.timeline(), '0-10 up, 10-20 down, 20-34 up');
});

test('a location that is cut off itself abstains: its time is unknown, and the others decide', async (t) => {
  const world = await worldOn(t, 1);
  const isolated = (second: number): CheckResult => ({
    ...resultOf('berlin', 'down', second),
    outcome: { kind: 'void', code: 'probe_isolated', detail: 'no reference can be reached' },
  });
  await play(world, { berlin: 'UU', paris: 'UU' });
  for (let second = 2; second < 8; second++) {
    await world.ledger.record(isolated(second));
    if (second < 5) await world.hear(resultOf('paris', 'up', second));
    await world.second();
  }
  assert.equal(await world.timeline(), '0-5.5 up, 5.5-8 probe_isolated');
  await play(world, { berlin: 'U' }, 8);
  assert.equal(await world.timeline(), '0-5.5 up, 5.5-8 probe_isolated, 8-9 up');
});

test('another quorum decides from the moment it holds', async (t) => {
  const world = await worldOn(t, 2);
  await play(world, { berlin: 'UUxx', paris: 'UUUU', tokyo: 'UUUU' });
  await world.ledger.configure([{ service: 'shop', checks: [timing(1)] }]);
  await play(world, { berlin: 'xx', paris: 'UU', tokyo: 'UU' }, 4);
  assert.equal(await world.timeline(), '0-2 up, 2-4 degraded, 4-6 down');
});

const script = fc.array(fc.constantFrom<Seen | undefined>('up', 'up', 'down', 'degraded', undefined), { minLength: 1, maxLength: 14 });
/** Who tells next, how much of what they kept, and whether the server is killed after it. */
const delivery = fc.record({ who: fc.constantFrom(...LOCATIONS), count: fc.integer({ min: 1, max: 6 }), kill: fc.boolean() });

test('in whatever order locations tell, and however often the server is killed meanwhile, the ledger is the vote of every instant', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(script, script, script),
      fc.array(delivery, { maxLength: 12 }),
      fc.integer({ min: 1, max: 3 }),
      async (scripts, deliveries, quorum) => {
        const db = await openDb({ kind: 'sqlite', path: ':memory:' });
        try {
          await migrate(db, epochMs(START_MS));
          const world = await new World(db, quorum).begin();
          const kept = new Map(
            LOCATIONS.map((location, i) => [
              location,
              (scripts[i] ?? []).flatMap((seen, s) => (seen === undefined ? [] : [resultOf(location, seen, s)])),
            ]),
          );
          const all = new Map([...kept].map(([location, list]) => [location, [...list]]));
          await world.clock.advance(20_000);
          for (const { who, count, kill } of deliveries) {
            await world.hear(...(kept.get(who) ?? []).splice(0, count));
            if (kill) await world.restart();
            await world.second();
          }
          for (const location of LOCATIONS) await world.hear(...(kept.get(location) ?? []));
          const { intervals } = await world.ledger.timeline('shop', epochMs(START_MS), epochMs(START_MS + 20_000));
          for (let instant = START_MS; instant < START_MS + 20_000; instant += 250) {
            const ballots = LOCATIONS.map((location) => {
              const newest = (all.get(location) ?? []).findLast(({ startedAtMs }) => startedAtMs <= instant);
              if (newest === undefined) return { location, says: undefined };
              const state: State = instant < newest.startedAtMs + 1_500 ? (newest.outcome.kind as Seen) : 'unknown';
              return { location, says: { state } };
            });
            const found = intervals.find(({ fromMs, toMs }) => fromMs <= instant && instant < toMs)?.state;
            assert.equal(found, decideVote(ballots, quorum)?.state ?? 'unknown', `${(instant - START_MS) / 1000} s`);
          }
        } finally {
          await db.close();
        }
      },
    ),
    { numRuns: process.env['NINES_FULL'] === '1' ? 1_000 : 25 },
  );
});
