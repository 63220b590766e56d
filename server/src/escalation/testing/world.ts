import type { TestContext } from 'node:test';
import { createPolicyRouter } from '../../notify/route.ts';
import { routingConfig } from '../../notify/config.ts';
import { type Extended, type World, type WorldOptions, openWorld } from '../../notify/testing/world.ts';
import { type Directory, type Reachable, escalationConfig } from '../contract.ts';
import { type OpenEscalation, openEscalation } from '../start.ts';

export const MINUTE = 60_000;

/** People who are reached by text message, and one schedule whose answer tests change. */
export class Crew implements Directory {
  readonly people = new Map<string, Reachable>();
  onCall: readonly string[] = [];

  constructor(...names: readonly string[]) {
    names.forEach((name, index) => this.people.set(name, { id: name, name, contacts: [{ channel: 'mail', to: `+1555000${index}` }] }));
    this.onCall = names.slice(0, 1);
  }

  person(id: string): Reachable | undefined {
    return this.people.get(id);
  }

  hasSchedule(id: string): boolean {
    return id === 'platform';
  }

  whoAt(): ReturnType<Directory['whoAt']> {
    const people = this.onCall.flatMap((id) => this.people.get(id) ?? []);
    return { people, reason: people.length === 0 ? 'the schedule has a gap' : 'it is their week' };
  }
}

export type EscalationWorld = Omit<World, 'restart'> & { readonly escalating: OpenEscalation; restart(): Promise<EscalationWorld> };

type Options = Omit<WorldOptions, 'extend'> & {
  readonly escalation: unknown;
  readonly directory?: Directory;
  readonly lastHeard?: () => number | undefined;
  readonly request?: Parameters<typeof openEscalation>[0]['request'];
  /** Runs the auditor and the signs of life as well. */
  readonly signals?: boolean;
};

const SMS = { kind: 'sms', http: { url: 'http://127.0.0.1:1', reply_token: 't' }, from: 'Nines', to: '+4930123456', replies: true };
const NEVER: NonNullable<Options['request']> = () => Promise.reject(new Error('no request was expected'));

/** Alerting, routing, escalation and the outbox on one database and a clock that is moved by hand. */
export async function openEscalationWorld(t: TestContext, options: Options): Promise<EscalationWorld> {
  let opened: OpenEscalation | undefined;
  let auditedAtMs = 0;
  const config = escalationConfig.parse(options.escalation);
  const extend = async (parts: Extended) => {
    const escalating = await openEscalation({
      ...parts,
      db: parts.db.kysely,
      alone: parts.db.kind === 'sqlite',
      pager: parts.notify,
      directory: options.directory ?? new Crew(),
      settings: { config, routed: createPolicyRouter(routingConfig.parse(options.routing)) },
      contactFault: ({ channel }) => (['hook', 'pager', 'mail'].includes(channel) ? undefined : `there is no channel "${channel}"`),
      serviceName: (id) => (id === 'shop' ? 'Web shop' : id),
      externalUrl: 'http://nines.example',
      request: options.request ?? NEVER,
      alert: (evaluation) => parts.alerting().apply(evaluation),
      lastHeard: options.lastHeard ?? (() => undefined),
    });
    await escalating.configure(
      { config, routed: createPolicyRouter(routingConfig.parse(options.routing)) },
      config.policies.map((spec) => ({ spec, place: 'nines.yml:1' })),
    );
    opened = escalating;
    return {
      telling: escalating.telling,
      handlers: escalating.handlers,
      refuseEscalation: escalating.escalation.refuse,
      onSilence: escalating.escalation.reconsider,
      step: async (nowMs: number) => {
        await escalating.escalation.step(nowMs);
        if (options.signals !== true) return;
        if (nowMs - auditedAtMs >= MINUTE) {
          auditedAtMs = nowMs;
          await escalating.auditor.step(nowMs);
        }
        await escalating.signals.step(nowMs);
      },
    };
  };
  const world = await openWorld(t, { ...options, channels: { mail: SMS, ...options.channels }, extend });
  const withEscalation = (one: World): EscalationWorld => {
    if (opened === undefined) throw new Error('escalation was not opened');
    const { restart } = one;
    return Object.assign(one, { escalating: opened, restart: async () => withEscalation(await restart()) });
  };
  return withEscalation(world);
}

/** `+minutes channel[ address] firing|resolved` per message, for comparing whole stories. */
export const ladderStory = (world: Pick<World, 'sent'>, fromMs: number): readonly string[] =>
  world.sent.map(({ atMs, message, attempt }) => {
    const to = attempt.to === undefined ? '' : ` ${attempt.to}`;
    return `+${Math.round((atMs - fromMs) / 600) / 100} ${message.receiver}${to} ${attempt.reason === 'acknowledged' ? 'acknowledged' : message.status}`;
  });

/** What the history of the one open (or last) alert says of its escalation. */
export async function historyOf(world: Pick<World, 'alerting'>, alertId: string): Promise<readonly string[]> {
  const { transitions } = await world.alerting.get(alertId);
  return transitions.filter(({ kind }) => kind.startsWith('escalat')).map(({ reason }) => reason);
}
