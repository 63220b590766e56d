import type { TestContext } from 'node:test';
import { FULL_SCOPE } from '@nines/model/storage.ts';
import type { Transaction } from 'kysely';
import { type EpochMs, epochMs, ms } from '@nines/base/units.ts';
import { labelsOf } from '@nines/model/labels.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { type ManualClock, manualClock, settle } from '../../../../test/harness/manual-clock.ts';
import type { AlertingRule, AlertView, ActiveElement } from '../../alerting/contract.ts';
import { type AlertingDeps, type AlertingService, createAlerting } from '../../alerting/service.ts';
import { createSelfMetrics } from '../../collect/self.ts';
import { type Bus, createBus } from '../../platform/bus.ts';
import type { Db } from '../../platform/db/open.ts';
import type { Database } from '../../platform/db/schema.ts';
import type { OutboxHandler } from '../../platform/records/contract.ts';
import type { Actor } from '../../platform/http/contract.ts';
import { createIds } from '../../platform/ids.ts';
import { type Outbox, createOutbox } from '../../platform/records/outbox.ts';
import { createTestSecrets } from '../../platform/secrets/testing/secrets.ts';
import { type Silences, loadSilences } from '../../silences/service.ts';
import type { OpenChannel } from '../channels.ts';
import { channelsConfig, intervalsOf, routingConfig } from '../config.ts';
import type { Attempt, Channel, Delivery, Message, NotifyFn } from '../contract.ts';
import { AcknowledgeLinks } from '../acknowledge-links.ts';
import { createRouter } from '../route.ts';
import { type NotifyDeps, NotifyService } from '../service.ts';

export const ANNE: Actor = { kind: 'user', id: 'u1', name: 'anne', role: 'operator', teamId: 'default', scope: FULL_SCOPE };

export type Sent = { readonly atMs: number; readonly message: Message; readonly key: string; readonly attempt: Attempt };

/** Alerting, notify and the outbox on one database and one clock that is moved by hand, with channels that remember. */
export type World = {
  readonly db: Db;
  readonly clock: ManualClock;
  readonly alerting: AlertingService;
  readonly notify: NotifyService;
  readonly silences: Silences;
  readonly bus: Bus;
  readonly sent: Sent[];
  /** What channels answer from now on; delivered by default. */
  answer: (attempt: Attempt) => Delivery;
  /** The rule is evaluated now and finds these series. */
  evaluate(series: readonly string[], rule?: Partial<AlertingRule>, element?: Partial<ActiveElement>): Promise<void>;
  /** Moves time, running what falls due, and waits until the database has answered. */
  advance(lengthMs: number): Promise<void>;
  /** Ends this world as a kill would (no farewell) and starts another on the same database. */
  restart(): Promise<World>;
};

/** A domain that hears of alerts after routing. */
export type Extension = {
  readonly telling: (notify: NotifyFn) => NotifyFn;
  readonly handlers: Readonly<Record<string, OutboxHandler>>;
  readonly refuseEscalation: AlertingDeps['refuseEscalation'];
  readonly step: (nowMs: number) => Promise<void>;
  readonly onSilence: (trx: Transaction<Database>, atMs: EpochMs) => Promise<void>;
};
/** What an extension is built from. */
export type Extended = Omit<NotifyDeps, 'settings' | 'db'> & {
  readonly db: Db;
  readonly notify: NotifyService;
  readonly alerting: () => AlertingService;
  readonly outbox: () => Outbox;
};

export type WorldOptions = {
  readonly db: Db;
  readonly routing: unknown;
  readonly clock?: ManualClock;
  readonly sent?: Sent[];
  readonly sendResolved?: boolean;
  readonly takesAcknowledgements?: boolean;
  readonly standsAlone?: boolean;
  /** What correlates alerts. */
  readonly problems?: NonNullable<AlertingDeps['problems']> & { observe(changed: readonly AlertView[]): void };
  /** Fields of channels, by their ids, as the configuration file would write them. */
  readonly channels?: Readonly<Record<string, object>>;
  /** Real channels in place of those that remember, on the world's clock. */
  readonly open?: (clock: ManualClock) => ReadonlyMap<string, OpenChannel>;
  readonly extend?: (parts: Extended) => Promise<Extension>;
  /** Why alerts about services are kept from people now. */
  readonly holdBack?: () => string | undefined;
};

/** Rounds until everything due must be under way or done; a message that needs more is stuck. */
const MAX_ROUNDS = 500;
/** Worlds that follow each other on one database have one key. */
const SECRETS = createTestSecrets();
/** Long waits go in larger steps; the stories' times are multiples of it. */
const LONG_STEP_MS = 5_000;

export async function openWorld(t: TestContext, options: WorldOptions): Promise<World> {
  const clock = options.clock ?? manualClock();
  const { db } = options;
  const ids = createIds(clock);
  const bus = createBus((thrown) => {
    throw thrown;
  });
  const sent = options.sent ?? [];
  const metrics = createSelfMetrics();
  const routing = routingConfig.parse(options.routing);
  const channel: Channel = {
    takesAcknowledgements: options.takesAcknowledgements ?? false,
    standsAlone: options.standsAlone ?? false,
    deliver: async (attempt) => deliver(attempt),
  };
  const names = ['hook', 'pager', 'mail'];
  const written = names.map((id) => ({ id, kind: 'log', send_resolved: options.sendResolved ?? true, ...options.channels?.[id] }));
  const configs = channelsConfig.parse(written);
  const silences = await loadSilences({
    db: db.kysely,
    clock,
    ids,
    bus,
    onChange: async (trx, atMs) => {
      await notify.reconsider(trx, atMs);
      await extension?.onSilence(trx, atMs);
    },
  });
  const notify: NotifyService = new NotifyService({
    db,
    clock,
    ids,
    logger: silentLogger,
    bus,
    metrics,
    settings: {
      router: createRouter(routing),
      intervals: intervalsOf(routing),
      channels: options.open?.(clock) ?? new Map(configs.map((config) => [config.id, { config, channel }])),
      externalUrl: 'http://nines.example',
    },
    links: new AcknowledgeLinks('secret', 'http://nines.example'),
    silences,
    flapping: (alert, atMs) => alerting.flapping(alert, atMs),
  });
  const shared = { db, clock, ids, logger: silentLogger, bus, metrics };
  const extension = await options.extend?.({ ...shared, notify, alerting: () => alerting, outbox: () => outbox });
  const outbox: Outbox = createOutbox({
    db,
    clock,
    ids,
    logger: silentLogger,
    secrets: SECRETS,
    random: () => 0.5,
    handlers: { ...notify.handlers, ...extension?.handlers },
  });
  notify.connect(outbox);
  const alerting = await createAlerting({
    db,
    clock,
    ids,
    logger: silentLogger,
    bus,
    metrics,
    notify: extension?.telling(notify.notify) ?? notify.notify,
    ...(extension?.refuseEscalation === undefined ? {} : { refuseEscalation: extension.refuseEscalation }),
    ...(options.holdBack === undefined ? {} : { holdBack: options.holdBack }),
    ...(options.problems === undefined ? {} : { problems: options.problems }),
    afterCommit: (changed) => {
      outbox.wake();
      notify.committed(changed);
      options.problems?.observe(changed);
    },
  });
  await notify.inhibitBy(routing.inhibit_rules, alerting.open());
  let ended = false;
  const end = async (): Promise<void> => {
    if (!ended) await outbox[Symbol.asyncDispose]();
    ended = true;
  };
  t.after(end);
  const deliver = (attempt: Attempt): Delivery => {
    const answer = world.answer(attempt);
    if (answer.kind === 'delivered') sent.push({ atMs: clock.now(), message: attempt.message, key: attempt.idempotencyKey, attempt });
    return answer;
  };
  const isIdle = async (): Promise<boolean> => {
    const due = db.kysely.selectFrom('outbox').select('id').where('state', 'in', ['queued', 'sending']);
    return (await due.where((row) => row.or([row('next_at_ms', '<=', clock.now()), row('state', '=', 'sending')])).execute()).length === 0;
  };
  const settleAll = async (): Promise<void> => {
    for (let round = 0; round < MAX_ROUNDS; round++) {
      await clock.advance(0);
      await settle();
      if (await isIdle()) return;
    }
  };
  const world: World = {
    db,
    clock,
    alerting,
    notify,
    silences,
    bus,
    sent,
    answer: () => ({
      kind: 'delivered',
      receipt: 'ok',
    }),
    async evaluate(series, rule = {}, element = {}) {
      await alerting.apply(
        evaluationOf({
          series,
          rule,
          element,
          atMs: clock.now(),
        }),
      );
      await settleAll();
    },
    async advance(lengthMs) {
      const untilMs = clock.now() + lengthMs;
      const stepMs = lengthMs > 6e4 ? LONG_STEP_MS : 1e3;
      while (clock.now() < untilMs) {
        await clock.advance(Math.min(stepMs, untilMs - clock.now()));
        await notify.step(clock.now());
        await extension?.step(clock.now());
        await settleAll();
      }
    },
    async restart() {
      await end();
      return openWorld(t, {
        ...options,
        clock,
        sent,
      });
    },
  };
  return world;
}

type Evaluating = {
  readonly series: readonly string[];
  readonly rule: Partial<AlertingRule>;
  readonly element: Partial<ActiveElement>;
  readonly atMs: EpochMs;
};

function evaluationOf({ series, rule, element, atMs }: Evaluating): Parameters<AlertingService['apply']>[0] {
  const asked: AlertingRule = {
    id: 'R',
    kind: 'rule',
    alertname: 'High',
    severity: 'critical',
    teamId: 'default',
    forMs: ms(0),
    keepFiringForMs: ms(0),
    cooldownMs: ms(3e5),
    ...rule,
  };
  const active = series.map((instance) => ({
    labels: labelsOf({ alertname: asked.alertname, instance, service: 'shop', severity: asked.severity }),
    annotations: { summary: `${instance} is high` },
    value: 97.2,
    ...element,
  }));
  return { rule: asked, atMs: epochMs(atMs), found: { kind: 'complete', active, holding: [] } };
}

/** `+seconds firing|resolved instance,…` per message, for comparing whole stories. */
export const storyOf = (world: World, fromMs: number): readonly string[] =>
  world.sent.map(({ atMs, message }) => {
    const alerts = message.alerts.map((alert) => `${alert.labels['instance']}${alert.status === 'resolved' ? '-' : ''}`);
    return `+${Math.round((atMs - fromMs) / 1000)} ${message.receiver} ${message.status} ${alerts.join(',')}`;
  });
