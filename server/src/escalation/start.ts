import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { Kysely } from 'kysely';
import type { Alerting, AlertSteps, Evaluation } from '../alerting/contract.ts';
import type { SelfMetrics } from '../collect/contract.ts';
import type { NotifyFn, Pager } from '../notify/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Outbound } from '../platform/fetch/outbound.ts';
import { startLoop } from '../platform/loop.ts';
import type { Outbox } from '../platform/records/outbox.ts';
import { AUDIT_STEP_MS, Auditor } from './audit.ts';
import type { Directory, EscalationKnown } from './contract.ts';
import { type DeclaredPolicy, Policies } from './policies.ts';
import { ESCALATION_STEP_MS, Escalation, type EscalationSettings } from './service.ts';
import { HEARTBEAT_TOPIC, type LastHeard, SIGNAL_STEP_MS, Signals } from './signals.ts';

export type EscalationParts = {
  readonly db: Kysely<Database>;
  /** Whether nobody else writes to the database. */
  readonly alone: boolean;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly metrics: SelfMetrics;
  readonly pager: Pager;
  readonly directory: Directory;
  readonly settings: EscalationSettings;
  readonly contactFault: EscalationKnown['contactFault'];
  readonly serviceName: (id: string) => string;
  readonly externalUrl: string;
  readonly request: Outbound['request'];
  readonly alerting: () => Alerting & AlertSteps;
  readonly outbox: () => Pick<Outbox, 'enqueue' | 'wake'>;
  readonly alert: (evaluation: Evaluation) => Promise<void>;
  readonly lastHeard: LastHeard;
};

/** Escalation on this database. Nothing happens by itself before `run`. */
export async function openEscalation(parts: EscalationParts) {
  const { clock, logger, pager, directory } = parts;
  let { settings } = parts;
  const wake = (): void => parts.outbox().wake();
  const policies = new Policies({
    ...parts,
    channelIds: () => pager.channelIds(),
    config: () => settings.config,
  });
  const escalation = new Escalation({
    ...parts,
    directory,
    history: { append: (trx, steps) => parts.alerting().append(trx, steps) },
    policies: () => policies.inForce(),
    wake,
  });
  const isWatchdog = escalation.isWatchdog.bind(escalation);
  const isMeantForNobody = escalation.isMeantForNobody.bind(escalation);
  const auditor = new Auditor({ ...parts, alerting: { awaiting: () => parts.alerting().awaiting() }, isMeantForNobody });
  const signals = new Signals({
    ...parts,
    enqueue: (trx, entry) => parts.outbox().enqueue(trx, entry),
    wake,
    alerting: { open: () => parts.alerting().open() },
    config: () => settings.config,
    audit: () => auditor.found,
  });
  await escalation.load();
  return {
    policies,
    escalation,
    auditor,
    signals,
    handlers: { [HEARTBEAT_TOPIC]: signals.send },
    health: (): { readonly status: 'ok' | 'degraded'; readonly detail: string } => {
      const lost = auditor.found.gaps.length;
      return lost === 0
        ? { status: 'ok', detail: 'every open alert has a next step' }
        : { status: 'degraded', detail: `${lost} open ${lost === 1 ? 'alert has' : 'alerts have'} no next step` };
    },
    /** Routing and escalation in alerting's transaction; what is expected to fire for ever is told to nobody. */
    telling:
      (notify: NotifyFn): NotifyFn =>
      async (trx, changes, atMs, options) => {
        const told = changes.filter(({ alert }) => !isWatchdog(alert.labels));
        await notify(trx, told, atMs, options);
        await escalation.changed(trx, changes, atMs);
      },
    configure: async (next: EscalationSettings, declared: readonly DeclaredPolicy[]): Promise<void> => {
      settings = next;
      escalation.configure(next);
      await policies.declare(declared);
    },
    run: (): AsyncDisposable => {
      const step = (name: string, everyMs: number, run: (nowMs: number) => Promise<unknown>) =>
        startLoop({ clock, logger, name, everyMs, step: async (nowMs) => void (await run(nowMs)) });
      const loops = [
        step('escalation', ESCALATION_STEP_MS, (nowMs) => escalation.step(nowMs)),
        step('audit of alerts', AUDIT_STEP_MS, (nowMs) => auditor.step(nowMs)),
        step('heartbeats', SIGNAL_STEP_MS, (nowMs) => signals.step(nowMs)),
      ];
      return { [Symbol.asyncDispose]: async () => void (await Promise.all(loops.map((loop) => loop[Symbol.asyncDispose]()))) };
    },
  };
}
export type OpenEscalation = Awaited<ReturnType<typeof openEscalation>>;
