import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, HOUR_MS } from '@nines/base/units.ts';
import type { Kysely, Transaction } from 'kysely';
import type { AlertSteps, AlertView, HistoryStep } from '../alerting/contract.ts';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { AlertChange, Page, Pager } from '../notify/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { Database } from '../platform/db/schema.ts';
import { type Chosen, POLICY_LADDER, choosePolicy, hears, isWorse, matchesAll, stakeholderLadder, stakeholderPolicy } from './choose.ts';
import { type Directory, type EscalationConfig, NO_POLICY, type PolicySpec, type StandingView } from './contract.ts';
import { type Ladder, type Look, type Recipient, type Step, type World, beginLadder, lookAt, namesOf, tellNow } from './evaluate.ts';
import { reach } from './reach.ts';
import {
  type LadderKey,
  type StoredLadder,
  countLadders,
  dueLadders,
  forgetEnded,
  laddersOf,
  lastTold,
  lockLadder,
  makeHeldDue,
  saveLadders,
} from './store.ts';
import { wordsFor } from './words.ts';

/** How often `step` is to be called. */
export const ESCALATION_STEP_MS = 1_000;
/** Ladders looked at in one step; the rest follows in the next. */
const MAX_PER_STEP = 200;
/** Ladders in one transaction where nobody else writes to the database; where others do they would wait for each other. */
const MAX_PER_TRANSACTION = 25;
/** Of more alerts that change at once only the rows are written; the steps tell them, so that nothing else waits behind a storm. */
const MAX_AT_ONCE = 50;
/** How long a ladder whose alert is over can be asked about. */
const KEPT_MS = 7 * DAY_MS;
const FORGOTTEN_AT_ONCE = 500;

export type EscalationSettings = {
  readonly config: EscalationConfig;
  /** The escalation policies that an alert's routes name, and the channels of each route. */
  readonly routed: (labels: Readonly<Record<string, string>>) => {
    readonly policies: readonly string[];
    readonly channels: readonly (readonly string[])[];
  };
};

export type EscalationDeps = {
  readonly db: Kysely<Database>;
  /** Whether nobody else writes to the database. */
  readonly alone: boolean;
  readonly clock: Pick<Clock, 'now'>;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly metrics: SelfMetrics;
  readonly pager: Pager;
  readonly history: AlertSteps;
  readonly directory: Directory;
  /** Policies in force, by id. */
  readonly policies: () => ReadonlyMap<string, PolicySpec>;
  readonly settings: EscalationSettings;
  readonly serviceName: (id: string) => string;
  readonly externalUrl: string;
  /** Tells the outbox that something waits. */
  readonly wake: () => void;
};

/** Where every alert stands on its ladders. Everything is in the database: a restart in the middle changes nothing. */
export class Escalation {
  readonly #deps: EscalationDeps;
  #settings: EscalationSettings;
  /** Whether any ladder may stand in the database; while none does, alerts cost nothing here. */
  #any = false;
  #purgedAtMs = 0;
  #counts: ReadonlyMap<string, number> = new Map();
  readonly #told: Counter;

  constructor(deps: EscalationDeps) {
    this.#deps = deps;
    this.#settings = deps.settings;
    this.#told = deps.metrics.counter(
      'nines_escalation_levels_total',
      'Levels of escalation that were told, or passed because they reach nobody.',
    );
    deps.metrics.watch(
      'nines_escalations_climbing',
      'Alerts whose next level waits for its time.',
      () => this.#counts.get('climbing') ?? 0,
    );
    deps.metrics.watch(
      'nines_escalations_exhausted',
      'Alerts whose every level was told and that nobody took.',
      () => this.#counts.get('exhausted') ?? 0,
    );
  }

  /** To be called once, before anything else. */
  async load(): Promise<void> {
    this.#counts = await countLadders(this.#deps.db);
    this.#any = this.#counts.size > 0;
  }

  /** Takes a new configuration. Alerts keep the policy that they came to. */
  configure(settings: EscalationSettings): void {
    this.#settings = settings;
  }

  /** Whether an alert is a sign of life that is expected to fire for ever, told to nobody. */
  isWatchdog(labels: Readonly<Record<string, string>>): boolean {
    return this.#settings.config.watchdogs.some(({ matchers }) => matchesAll(matchers, labels));
  }

  /** Whether the configuration says that nobody is to be told of an alert: it is expected, or its routes or its severity lead nowhere on purpose. */
  isMeantForNobody({ labels, severity }: Pick<AlertView, 'labels' | 'severity'>): boolean {
    if (this.isWatchdog(labels)) return true;
    const { policies, channels } = this.#settings.routed(labels);
    const policy = policies[0] ?? this.#settings.config.severities[severity];
    return channels.every((all) => all.length === 0) && (channels.length > 0 || policy === NO_POLICY);
  }

  /** Why an alert cannot be escalated by hand; undefined when it can. */
  readonly refuse = (alert: AlertView, policy: string | undefined): string | undefined => {
    if (policy !== undefined && !this.#deps.policies().has(policy)) return `there is no escalation policy "${policy}"`;
    if (policy !== undefined || this.#chosen(alert) !== undefined) return undefined;
    return 'no escalation policy takes this alert; name one with "policy", or configure `escalation.contacts`';
  };

  /** Called inside alerting's transaction, after routing. */
  async changed(trx: Transaction<Database>, changes: readonly AlertChange[], atMs: number): Promise<void> {
    const known = this.#any
      ? await laddersOf(
          trx,
          changes.map(({ alert }) => alert.id),
        )
      : new Map<string, readonly StoredLadder[]>();
    const fired = changes.filter(({ reason }) => reason === 'fired');
    const before =
      this.#any && fired.length > 0
        ? await lastTold(
            trx,
            fired.map(({ alert }) => alert.fingerprint),
          )
        : new Map();
    const saved: StoredLadder[] = [];
    for (const change of changes) {
      const { alert, cooldownMs } = change;
      let ladders = (known.get(alert.id) ?? []).map((one) => ({ ...one, cooldownMs, ladder: { ...one.ladder, alert } }));
      if (change.reason === 'fired' && ladders.length === 0) {
        ladders = this.#begin(change, atMs, (key) => {
          const last = before.get(`${alert.rule} ${alert.fingerprint} ${key}`) as { toldAtMs: number; cooldownMs: number } | undefined;
          return last === undefined ? atMs : last.toldAtMs + last.cooldownMs;
        });
      }
      const previous = known.get(alert.id)?.[0]?.ladder.alert.severity;
      const rose = change.reason === 'escalated' && isWorse(alert.severity, previous ?? 'info');
      if (rose) ladders = this.#afterRise(ladders, change, atMs);
      if (change.asked !== undefined) ladders = this.#withPolicy(ladders, change, atMs);
      if (changes.length > MAX_AT_ONCE && change.asked === undefined) saved.push(...ladders.map((one) => atNextStep(one, atMs)));
      else for (const one of ladders) saved.push(await this.#look(trx, one, { all: ladders, change, nowMs: atMs }));
    }
    if (saved.length === 0) return;
    this.#any = true;
    await saveLadders(trx, saved);
  }

  /** Looks at what is due. Steps must not overlap. Returns how many ladders there were. */
  async step(nowMs: number): Promise<number> {
    const { db, wake, logger } = this.#deps;
    if (!this.#any) return 0;
    const due = await dueLadders(db, nowMs, MAX_PER_STEP);
    const size = this.#deps.alone ? MAX_PER_TRANSACTION : 1;
    for (let from = 0; from < due.length; from += size) {
      const some = due.slice(from, from + size);
      if (some.length > 1 && (await this.#lookTogether(some, nowMs).catch(() => false))) continue;
      for (const key of some) {
        await this.#lookTogether([key], nowMs).catch((error: unknown) => {
          // Those behind it climb on.
          logger.error('an alert could not be escalated; it is tried again', { alert: key.alertId, ladder: key.key, error });
        });
      }
    }
    if (due.length > 0) wake();
    if (due.length > 0 || nowMs - this.#purgedAtMs >= HOUR_MS) await this.#count(nowMs);
    return due.length;
  }

  /** In one transaction: after a storm each of its own would be a write to the disk that everything waits for. */
  async #lookTogether(keys: readonly LadderKey[], nowMs: number): Promise<true> {
    const { db, bus, clock } = this.#deps;
    const looked = await db.transaction().execute(async (trx) => {
      const alerts: AlertView[] = [];
      for (const key of keys) {
        const stored = await lockLadder(trx, key);
        if (stored === undefined || stored.ladder.nextAtMs === null || stored.ladder.nextAtMs > nowMs) continue;
        const all = (await laddersOf(trx, [key.alertId])).get(key.alertId) ?? [];
        await saveLadders(trx, [await this.#look(trx, stored, { all, change: undefined, nowMs })]);
        alerts.push(stored.ladder.alert);
      }
      return alerts;
    });
    for (const alert of looked) bus.publish({ topic: 'alerts', type: 'alert.escalation', atMs: clock.now(), data: alert });
    return true;
  }

  /** What silences anything has changed: ladders that wait for it are looked at in the next step. */
  readonly reconsider = async (trx: Transaction<Database>, atMs: number): Promise<void> => {
    if (this.#any) await makeHeldDue(trx, atMs);
  };

  /** Where an alert stands. */
  async standing(alertId: string): Promise<StandingView> {
    const ladders = (await laddersOf(this.#deps.db, [alertId])).get(alertId) ?? [];
    return { alert_id: alertId, ladders: ladders.map((one) => viewOf(one, this.#byHand(one))) };
  }

  /** What escalating by hand would do now: the step itself, without its effects. */
  #byHand({ key, ladder }: StoredLadder): Standing['by_hand'] {
    if (key !== POLICY_LADDER || ladder.status === 'ended' || ladder.alert.condition !== 'firing') return null;
    const step = tellNow(ladder, this.#world(ladder, this.#deps.clock.now()), '').steps.at(-1);
    if (step === undefined || (step.kind !== 'told' && step.kind !== 'passed')) return null;
    return { level: step.level + 1, reaches: step.kind === 'told' ? step.recipients.map((one) => ({ ...one })) : [] };
  }

  async #count(nowMs: number): Promise<void> {
    const { db } = this.#deps;
    if (nowMs - this.#purgedAtMs >= HOUR_MS) {
      const forgotten = await forgetEnded(db, nowMs - KEPT_MS, FORGOTTEN_AT_ONCE);
      // After a storm the next steps go on.
      if (forgotten < FORGOTTEN_AT_ONCE) this.#purgedAtMs = nowMs;
    }
    this.#counts = await countLadders(db);
  }

  #chosen(alert: AlertView): Chosen | undefined {
    const { config, routed } = this.#settings;
    return choosePolicy(alert, {
      routed: routed(alert.labels).policies,
      severities: config.severities,
      policies: this.#deps.policies(),
      nowMs: this.#deps.clock.now(),
    });
  }

  /** The ladders of an alert that fires; `quietUntil` is the end of the cooldown of its fingerprint on one of them. */
  #begin({ alert, cooldownMs }: AlertChange, nowMs: number, quietUntil: (key: string) => number): StoredLadder[] {
    if (this.isWatchdog(alert.labels)) return [];
    const chosen = this.#chosen(alert);
    const policies = [
      ...(chosen === undefined ? [] : [{ key: POLICY_LADDER, policy: chosen.policy }]),
      ...this.#settings.config.stakeholders
        .filter((one) => hears(one, alert))
        .map((one) => ({ key: stakeholderLadder(one.id), policy: stakeholderPolicy(one) })),
    ];
    return policies.map(({ key, policy }) => ({
      key,
      cooldownMs,
      endedAtMs: null,
      ladder: beginLadder(alert, policy, { nowMs, notBeforeMs: quietUntil(key) }),
    }));
  }

  /** A severity that rose may lead to another policy, which is climbed from its first level; one that fell changes nothing. */
  #afterRise(ladders: StoredLadder[], change: AlertChange, nowMs: number): StoredLadder[] {
    const fresh = this.#begin(change, nowMs, () => nowMs);
    const kept = ladders.map((one) => {
      const next = fresh.find(({ key }) => key === one.key);
      if (next === undefined || one.key !== POLICY_LADDER || next.ladder.policy.id === one.ladder.policy.id) return one;
      return { ...next, ladder: { ...next.ladder, told: one.ladder.told, startedAtMs: one.ladder.startedAtMs } };
    });
    return [...kept, ...fresh.filter(({ key }) => !ladders.some((one) => one.key === key))];
  }

  /** With the policy that a person asks for, where the alert has none or another is named. */
  #withPolicy(ladders: StoredLadder[], { alert, cooldownMs, asked }: AlertChange, nowMs: number): StoredLadder[] {
    const own = ladders.find(({ key }) => key === POLICY_LADDER);
    const named = asked?.policy === undefined ? undefined : this.#deps.policies().get(asked.policy);
    if (own !== undefined && (named === undefined || named.id === own.ladder.policy.id)) return ladders;
    const policy = named ?? this.#chosen(alert)?.policy;
    if (policy === undefined || policy.id === NO_POLICY) return ladders;
    const { hours: _hours, ...always } = policy;
    const ladder = beginLadder(alert, always, { nowMs, notBeforeMs: nowMs });
    const told = own?.ladder.told ?? [];
    return [...ladders.filter((one) => one !== own), { key: POLICY_LADDER, cooldownMs, endedAtMs: null, ladder: { ...ladder, told } }];
  }

  /** One look at one ladder, and what follows from it. */
  async #look(
    trx: Transaction<Database>,
    stored: StoredLadder,
    { all, change, nowMs }: { all: readonly StoredLadder[]; change: AlertChange | undefined; nowMs: number },
  ): Promise<StoredLadder> {
    const { ladder, key } = stored;
    const isAsked = change?.asked !== undefined && key === POLICY_LADDER && ladder.alert.condition === 'firing';
    const world = this.#world(ladder, nowMs);
    const look = isAsked ? tellNow(ladder, world, `asked for by ${change.asked?.by}`) : lookAt(ladder, world);
    const climbing = all.find((one) => one.key === POLICY_LADDER)?.ladder;
    const after = await this.#enact(trx, { before: ladder, look, climbing, key, isAsked, nowMs });
    return { ...stored, ladder: after, endedAtMs: after.status === 'ended' ? (stored.endedAtMs ?? nowMs) : null };
  }

  #world({ alert }: Ladder, nowMs: number): World {
    const { pager, directory } = this.#deps;
    const channels = pager.channelIds();
    return {
      nowMs,
      keeping: () => pager.keeping(alert.labels, nowMs),
      reach: (targets) => reach(targets, { directory, channels, nowMs }),
    };
  }

  /** Puts messages into the outbox and steps into the history. */
  async #enact(trx: Transaction<Database>, { before, look, climbing, key, isAsked, nowMs }: Enacting): Promise<Ladder> {
    let { ladder } = look;
    const rows: HistoryStep[] = [];
    for (const step of look.steps) {
      if (step.kind === 'told') {
        const { kept, byRouting } = await this.#tell(trx, { ladder, step, climbing: climbing ?? undefined, key, isAsked, nowMs });
        // Who hears by routing hears of the end by routing.
        const gone = new Set(byRouting);
        ladder = { ...ladder, told: ladder.told.filter((one) => !gone.has(one)) };
        rows.push(rowOf(ladder, step, { key, nowMs, said: kept }));
      } else {
        rows.push(rowOf(ladder, step, { key, nowMs, said: '' }));
      }
      if (step.kind === 'told' || step.kind === 'passed') this.#told.add(1, { policy: ladder.policy.id, outcome: step.kind });
      if (step.kind === 'ended') await this.#sayEnd(trx, { ladder, reason: 'resolved', key, nowMs });
    }
    if (isTakenOver(before, ladder)) await this.#sayEnd(trx, { ladder, reason: 'acknowledged', key, nowMs });
    const worthSaying = rows.filter(({ detail }) => detail['quiet'] !== true);
    if (worthSaying.length > 0) await this.#deps.history.append(trx, worthSaying);
    return ladder;
  }

  async #tell(
    trx: Transaction<Database>,
    {
      ladder,
      step,
      climbing,
      key,
      isAsked,
      nowMs,
    }: Pick<Enacting, 'climbing' | 'key' | 'isAsked' | 'nowMs'> & { ladder: Ladder; step: Extract<Step, { kind: 'told' }> },
  ): Promise<{ readonly kept: string; readonly byRouting: readonly Recipient[] }> {
    const { pager } = this.#deps;
    const { policy, alert } = ladder;
    const byRouting: Recipient[] = [];
    const cause = `level ${step.level + 1} of ${policy.levels.length} of ${policy.name}: ${step.cause}`;
    for (const recipient of step.recipients) {
      const isFirst = step.level === 0 && ladder.round === 0 && recipient.to === null && policy.audience === undefined;
      if (isFirst && (await pager.hasTold(trx, alert.id, recipient.channel))) {
        byRouting.push(recipient);
        // A person who asks that somebody be told wants a message now, whatever was said before.
        if (!isAsked) continue;
      }
      const words = this.#wordsOf(ladder, climbing, nowMs);
      await pager.page(trx, {
        ...pageOf(ladder, recipient, key),
        reason: policy.audience === undefined ? 'escalation' : 'notice',
        cause,
        ...words,
      });
    }
    return { kept: byRouting.length === 0 || isAsked ? '' : ` (${namesOf(byRouting)} by routing)`, byRouting };
  }

  async #sayEnd(
    trx: Transaction<Database>,
    { ladder, reason, key, nowMs }: { ladder: Ladder; reason: 'resolved' | 'acknowledged'; key: string; nowMs: number },
  ): Promise<void> {
    const words = reason === 'resolved' ? this.#wordsOf(ladder, undefined, nowMs) : {};
    for (const recipient of ladder.told) {
      await this.#deps.pager.page(trx, { ...pageOf(ladder, recipient, key), reason, cause: ladder.why, ...words });
    }
  }

  #wordsOf({ policy, alert }: Ladder, climbing: Ladder | undefined, nowMs: number): Pick<Page, 'words' | 'templates'> {
    const { audience, title, text } = policy;
    if (audience === undefined) return {};
    const { serviceName, externalUrl } = this.#deps;
    const service = alert.service === null ? undefined : serviceName(alert.service);
    const words = wordsFor(audience, { alert, service, climbing, nowMs, externalUrl });
    return title === undefined && text === undefined ? { words } : { words, templates: { title, text } };
  }
}

type Enacting = {
  readonly before: Ladder;
  readonly look: Look;
  readonly climbing: Ladder | undefined;
  readonly key: string;
  /** A person asked for it. */
  readonly isAsked: boolean;
  readonly nowMs: number;
};

/** Looked at in the next step, unless it waits for a later instant of its own. */
const atNextStep = (one: StoredLadder, nowMs: number): StoredLadder => {
  const { status, toldAtMs, nextAtMs } = one.ladder;
  const waits = status === 'climbing' && toldAtMs === null && (nextAtMs ?? 0) > nowMs;
  return status === 'ended' || waits ? one : { ...one, ladder: { ...one.ladder, nextAtMs: nowMs } };
};

const pageOf = ({ alert }: Ladder, { channel, to }: Recipient, key: string): Pick<Page, 'channel' | 'to' | 'alert' | 'thread'> => ({
  channel,
  to: to ?? undefined,
  alert,
  // As groups are named, so that whoever reads the record sees what it was about.
  thread: `escalation/${key}/${alert.id}:{${aboutOf(alert)}}`,
});

const aboutOf = ({ alertname, service }: Ladder['alert']): string =>
  [`alertname=${JSON.stringify(alertname)}`, ...(service === null ? [] : [`service=${JSON.stringify(service)}`])].join(', ');

const isTakenOver = (before: Ladder, after: Ladder): boolean =>
  after.status === 'paused' && after.why !== before.why && after.alert.acknowledged_at_ms !== null && after.why.startsWith('acknowledged');

function rowOf(ladder: Ladder, step: Step, { key, nowMs, said }: { key: string; nowMs: number; said: string }): HistoryStep {
  const { alert, policy, round } = ladder;
  const common = { alert, atMs: nowMs, detail: { ladder: key, policy: policy.id, round } };
  if (step.kind === 'told' || step.kind === 'passed') {
    const [number, levels] = [step.level + 1, policy.levels.length];
    const detail = { ...common.detail, level: number };
    if (step.kind === 'passed')
      return { ...common, kind: 'escalated', reason: `level ${number} of ${levels} of ${policy.name} was passed: ${step.cause}`, detail };
    const who = step.recipients.length === 0 ? 'nobody who was not told just now' : namesOf(step.recipients);
    const recipients = step.recipients.map((one) => one.who);
    return {
      ...common,
      kind: 'escalated',
      reason: `level ${number} of ${levels} of ${policy.name} told ${who}${said}: ${step.cause}`,
      detail: { ...detail, recipients },
    };
  }
  const words = { paused: 'waits', resumed: 'goes on', exhausted: 'is at its end', ended: 'is over' }[step.kind];
  // The alert's own end says it already.
  const quiet = step.kind === 'ended' && ladder.told.length === 0;
  return {
    ...common,
    kind: 'escalation',
    reason: `${policy.name} ${words}: ${step.cause}`,
    detail: quiet ? { ...common.detail, quiet } : common.detail,
  };
}

type Standing = StandingView['ladders'][number];

function viewOf({ key, ladder }: StoredLadder, byHand: Standing['by_hand']): Standing {
  const { policy, level, nextAtMs } = ladder;
  const again = level >= policy.levels.length ? 1 : level + 1;
  return {
    ladder: key,
    policy: policy.id,
    name: policy.name,
    status: ladder.status,
    why: ladder.why,
    next_level: nextAtMs === null ? null : again,
    levels: policy.levels.length,
    round: ladder.round + 1,
    next_at_ms: nextAtMs,
    told_at_ms: ladder.toldAtMs,
    told: ladder.told.map((one) => ({ ...one })),
    by_hand: byHand,
    started_at_ms: ladder.startedAtMs,
  };
}
