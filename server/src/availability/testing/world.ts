import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import type { Timeline } from '@nines/maths/slo/types.ts';
import { openSqliteForTest } from '../../../../test/harness/databases.ts';
import { type ManualClock, manualClock } from '../../../../test/harness/manual-clock.ts';
import type { CheckResult, CheckTiming, Outcome } from '../../checks/contract.ts';
import { createBus, type Fact } from '../../platform/bus.ts';
import type { Db } from '../../platform/db/open.ts';
import type { StateChange } from '../contract.ts';
import { Availability } from '../service.ts';

export const START_MS = 1_760_000_000_000;
export const timing = (check: string, over: Partial<CheckTiming> = {}): CheckTiming => ({
  check,
  service: 'shop',
  intervalMs: ms(1000),
  timeoutMs: ms(500),
  impact: 'down',
  confirm: { n: 1, of: 1 },
  ...over,
});
const OUTCOMES: Record<string, Outcome> = {
  U: { kind: 'up' },
  D: { kind: 'degraded', code: 'slow', detail: 'slow' },
  x: { kind: 'down', code: 'connection_refused', detail: 'connection refused by 127.0.0.1:1' },
  v: { kind: 'void', code: 'loop_delay', detail: 'the event loop was late' },
  i: { kind: 'void', code: 'probe_isolated', detail: 'no route' },
};
/** What the samples hold: shared by the monitors of one test, as the store on disk is. */
type Samples = Map<string, { atMs: EpochMs; endMs: EpochMs; seen: 'up' | 'degraded' | 'down' }[]>;

type Asked = { readonly fromS?: number; readonly toS?: number; readonly knownAtMs?: EpochMs };

let ids = 0;
/** A ledger on a clock that is moved by hand, told results by letters: up, degraded, down (`x`), void, isolated. */
export class World {
  readonly clock: ManualClock;
  readonly db: Db;
  readonly samples: Samples;
  readonly ledger: Availability;
  readonly changes: StateChange[] = [];
  readonly facts: Fact[] = [];

  constructor(db: Db, options: { clock?: ManualClock; samples?: Samples } = {}) {
    this.db = db;
    this.clock = options.clock ?? manualClock(START_MS);
    this.samples = options.samples ?? new Map();
    const bus = createBus((thrown) => assert.fail(String(thrown)));
    bus.subscribe((fact) => this.facts.push(fact));
    const quiet = () => {};
    const logger = {
      debug: quiet,
      info: quiet,
      warn: quiet,
      error: (message: string, fields: unknown) => assert.fail(`${message} ${JSON.stringify(fields)}`),
      child: () => logger,
    };
    this.ledger = new Availability({
      db: db.kysely,
      clock: this.clock,
      ids: { uuid: () => `id-${String(ids++).padStart(6, '0')}`, secret: () => '' },
      logger,
      bus,
      replay: async (fromMs, toMs) =>
        new Map([...this.samples].map(([check, list]) => [check, list.filter((one) => one.atMs >= fromMs && one.atMs <= toMs)])),
    });
    this.ledger.onStateChange((change) => void this.changes.push(change));
  }
  async begin(...timings: CheckTiming[]): Promise<this> {
    await this.ledger.start();
    await this.ledger.configure([{ service: 'shop', checks: timings }]);
    return this;
  }
  /** One result that starts now; samples first, then the ledger. */
  async result(of: CheckTiming, letter: string, at: EpochMs = this.clock.now()): Promise<void> {
    const outcome = OUTCOMES[letter] ?? assert.fail(letter);
    if (outcome.kind !== 'void') {
      const list = this.samples.get(of.check) ?? [];
      list.push({ atMs: at, endMs: epochMs(at + 10), seen: outcome.kind });
      this.samples.set(of.check, list);
    }
    const result: CheckResult = {
      check: of.check,
      service: of.service,
      checkKind: 'tcp',
      target: 't',
      startedAtMs: at,
      durationMs: 10,
      outcome,
      phases: {},
      loopDelayMs: 0,
    };
    await this.ledger.record(result);
  }
  /** One letter per second; `.` is a second without a result. */
  async play(of: CheckTiming, script: string): Promise<void> {
    for (const letter of script) {
      if (letter !== '.') await this.result(of, letter);
      await this.second();
    }
  }
  async second(): Promise<void> {
    await this.clock.advance(1000);
    await this.ledger.step(this.clock.now());
  }
  /** The timeline since the start, in seconds after it. */
  async timeline(fromS = 0, toS?: number, knownAtMs?: EpochMs): Promise<string> {
    return this.timelineOf('shop', { fromS, ...(toS === undefined ? {} : { toS }), ...(knownAtMs === undefined ? {} : { knownAtMs }) });
  }
  async timelineOf(service: string, { fromS = 0, toS, knownAtMs }: Asked = {}): Promise<string> {
    const to = toS === undefined ? this.clock.now() : epochMs(START_MS + toS * 1000);
    return words(await this.ledger.timeline(service, epochMs(START_MS + fromS * 1000), to, knownAtMs === undefined ? {} : { knownAtMs }));
  }
  async downtimes(service = 'shop'): Promise<string> {
    const list = (await this.ledger.downtimes({ service })).toReversed();
    return list.map((one) => `${since(one.fromAtMs)}-${one.toAtMs === null ? '' : since(one.toAtMs)} ${one.checks.join('+')}`).join(', ');
  }
}
/** Seconds after the start. */
export const since = (atMs: number): number => (atMs - START_MS) / 1000;
export const words = (timeline: Timeline): string =>
  timeline.intervals.map((one) => `${since(one.fromMs)}-${since(one.toMs)} ${one.unknownReason ?? one.state}`).join(', ');
export const worldOn = async (t: TestContext): Promise<World> => new World((await openSqliteForTest(t)).db);
