import type { TestContext } from 'node:test';
import { epochMs } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { type ManualClock, manualClock } from '../../../../test/harness/manual-clock.ts';
import type { Ledger } from '../../availability/contract.ts';
import { type World, type WorldOptions, openWorld } from '../../notify/testing/world.ts';
import { createBus } from '../../platform/bus.ts';
import type { Db } from '../../platform/db/open.ts';
import { createIds } from '../../platform/ids.ts';
import { ProblemService } from '../../problems/service.ts';
import type { ServiceEntry } from '../../services/contract.ts';
import { IncidentService } from '../service.ts';

const BELOW: Readonly<Record<string, readonly string[]>> = { db: [], shop: ['db'], mail: ['db'], bank: [] };

const entryOf = (id: string): ServiceEntry | undefined =>
  BELOW[id] === undefined
    ? undefined
    : {
        entityId: id,
        id,
        name: id,
        owner: `team-${id}`,
        labels: {},
        teamId: 'default',
        tier: id === 'bank' ? 'external' : '',
        description: '',
        runbook: '',
        tags: [],
        dependsOn: BELOW[id],
        suppressWhenParentDown: false,
        checks: [],
        origin: { kind: 'ui' },
      };

/** Alerting, notify, problems and incidents on one database and one clock that is moved by hand. */
export type IncidentWorld = {
  readonly world: World;
  readonly clock: ManualClock;
  readonly incidents: IncidentService;
  readonly problems: ProblemService;
  /** These services have an alert of this name and severity, and no others have. */
  fail(
    services: readonly string[],
    given?: { readonly alertname?: string; readonly severity?: 'warning' | 'critical' | 'emergency' },
  ): Promise<void>;
  advance(lengthMs: number): Promise<void>;
  restart(): Promise<IncidentWorld>;
};

type Options = { readonly db: Db; readonly clock?: ManualClock; readonly world?: World; readonly sent?: WorldOptions['sent'] };

export async function openIncidentWorld(t: TestContext, { db, clock = manualClock(), sent = [] }: Options): Promise<IncidentWorld> {
  const bus = createBus((thrown) => {
    throw thrown;
  });
  const ids = createIds(clock);
  const services = { get: entryOf };
  const problems = new ProblemService({
    sql: db.kysely,
    clock,
    logger: silentLogger,
    ids,
    bus,
    topology: {
      dependenciesOf: (id) => BELOW[id] ?? [],
      dependentsOf: (id) => Object.keys(BELOW).filter((other) => BELOW[other]?.includes(id)),
    },
    onChanged: (changed) => incidents.notice(changed),
  });
  const world = await openWorld(t, { db, clock, sent, routing: {}, problems });
  const ledger: Pick<Ledger, 'timeline'> = {
    timeline: (_service, fromMs, toMs) => {
      const evidence = { kind: 'none' } as never;
      return Promise.resolve({ fromMs, toMs, intervals: [{ fromMs, toMs, state: 'down', evidence } as never] });
    },
  };
  const incidents: IncidentService = new IncidentService({
    sql: db.kysely,
    clock,
    ids,
    bus,
    logger: silentLogger,
    problems,
    services,
    slasOf: (service) => (service === 'shop' ? ['shop-availability'] : []),
    pager: world.notify,
    sent: () => {},
    externalUrl: 'http://nines.example',
    ledger,
    alerts: world.alerting,
  });
  await problems.load(world.alerting.open());
  await incidents.load();
  world.bus.subscribe(({ type, data }) => {
    if (type === 'alert.acknowledged') incidents.noticeAcknowledged(data as never);
  });
  const settle = async (): Promise<void> => {
    await problems.step(clock.now());
    await incidents.step(clock.now());
  };
  return {
    world,
    clock,
    incidents,
    problems,
    async fail(failing, { alertname = 'ServiceDown', severity = 'critical' } = {}) {
      await world.alerting.apply({
        rule: {
          id: alertname,
          kind: 'service',
          alertname,
          severity,
          teamId: 'default',
          forMs: 0 as never,
          keepFiringForMs: 0 as never,
          cooldownMs: 0 as never,
        },
        atMs: epochMs(clock.now()),
        found: {
          kind: 'complete',
          active: failing.map((service) => ({
            labels: labelsOf({ alertname, service, severity }),
            annotations: {},
            value: 1,
          })),
          holding: [],
        },
      });
      await settle();
    },
    async advance(lengthMs) {
      for (const untilMs = clock.now() + lengthMs; clock.now() < untilMs; ) {
        await clock.advance(Math.min(15_000, untilMs - clock.now()));
        await settle();
      }
      await world.advance(1_000);
    },
    async restart() {
      const again = await world.restart();
      return openIncidentWorld(t, { db, clock, sent: again.sent });
    },
  };
}
