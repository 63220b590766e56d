import type { Clock } from '@nines/base/clock.ts';
import { AppError, invariant } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Transaction } from 'kysely';
import type { Counter, SelfMetrics } from '../collect/contract.ts';
import type { Breath } from '../platform/breath.ts';
import type { Bus } from '../platform/bus.ts';
import type { NotificationRow } from '../platform/db/migrations/0005-alerts.ts';
import type { Db } from '../platform/db/open.ts';
import type { Database } from '../platform/db/schema.ts';
import type { OutboxHandler } from '../platform/records/contract.ts';
import type { AlertView } from '../alerting/contract.ts';
import type { AcknowledgeLinks } from './acknowledge-links.ts';
import { channelRecords } from './channel-store.ts';
import { type OpenChannel, describeChannel, takesRecipient } from './channels.ts';
import type { RoutingConfig } from './config.ts';
import type { AlertChange, ChannelView, Delivery, NotifyFn, NotificationView, Notifications, Page, Pager } from './contract.ts';
import { type Flush, type Held, outcomeOf } from './evaluate.ts';
import { type FlappingOf, heldAt } from './held.ts';
import { type Inhibiting, Inhibitor } from './inhibit.ts';
import { buildMessage } from './message.ts';
import { runPipeline } from './pipeline.ts';
import type { Group, Router } from './route.ts';
import type { NamedIntervals } from './time-interval.ts';
import { BUNDLE_TOPIC, MAX_ALERTS, type OutboxPort, SEND_TOPIC, Sender, endingOf } from './sender.ts';
import {
  type NotificationFilter,
  type StoredGroup,
  deleteGroup,
  deleteMembers,
  dueGroups,
  findGroup,
  findNotification,
  groupsOfAlerts,
  hasSuppression,
  insertNotification,
  listNotifications,
  lockGroup,
  makeDue,
  makeUntimedDue,
  markAnnounced,
  membersOf,
  isThreadWaiting,
  pendingAlerts,
  requeue,
  saveGroup,
  saveMembers,
  waitUntil,
  wasRouted,
} from './store.ts';
import type { Silencing } from '../silences/contract.ts';
import { testMessage } from './test-message.ts';

/** How far back the record of a channel looks. */
const CHANNEL_RECORD_MS = 7 * DAY_MS;

/** What changes with the configuration; replaced whole by `configure`. */
export type NotifySettings = {
  readonly router: Router;
  readonly intervals: readonly NamedIntervals[];
  readonly channels: ReadonlyMap<string, OpenChannel>;
  /** The product's own address, without a trailing slash. */
  readonly externalUrl: string;
};

export type NotifyDeps = {
  readonly db: Db;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly metrics: SelfMetrics;
  readonly settings: NotifySettings;
  /** What people silenced; absent, nothing is. */
  readonly silences?: Silencing;
  /** What fires and resolves again and again; absent, nothing does. */
  readonly flapping?: FlappingOf;
  /** Lets others have the event loop between groups. */
  readonly yieldNow?: Breath;
  /** The links that acknowledge; absent, messages have none. */
  readonly links?: Pick<AcknowledgeLinks, 'urlOf'>;
};

/** Groups flushed in one step; the rest follows in the next, a second later. */
const MAX_GROUPS_PER_STEP = 500;
/** How long the rest of a storm waits for its other parts, at most. */
const STORM_GATHER_MS = 5 * SECOND_MS;
/** Stands as the reason of what the test button sent. */
const TEST_REASON = 'test';

export class NotifyService implements Notifications, Pager {
  readonly #deps: NotifyDeps;
  #settings: NotifySettings;
  #port: OutboxPort | undefined;
  readonly #attempts: Counter;
  readonly #sender: Sender;
  readonly #inhibitor = new Inhibitor();

  constructor(deps: NotifyDeps) {
    this.#deps = deps;
    this.#settings = deps.settings;
    this.#attempts = deps.metrics.counter('nines_notifications_total', 'Attempts to notify and suppressions, by channel and outcome.');
    const outbox = (): OutboxPort => this.#outbox;
    this.#sender = new Sender({ ...deps, attempts: this.#attempts, outbox, settings: () => this.#settings });
  }

  /** The outbox needs `send` as its handler and this needs the outbox; whoever composes makes them known to each other, before anything fires. */
  connect(outbox: OutboxPort): void {
    this.#port = outbox;
  }

  get #outbox(): OutboxPort {
    invariant(this.#port !== undefined, 'notify was used before its outbox was connected');
    return this.#port;
  }

  /** Takes a new configuration. Groups that wait keep waiting; a channel that left gets nothing more. */
  configure(settings: NotifySettings): void {
    this.#settings = settings;
  }

  /** Takes the rules of inhibition, with what is open now. When they are others than before, what they hold back is looked at in the next step. */
  async inhibitBy(rules: RoutingConfig['inhibit_rules'], open: readonly AlertView[]): Promise<void> {
    const { db, clock } = this.#deps;
    if (this.#inhibitor.configure(rules, open)) await db.kysely.transaction().execute((trx) => makeUntimedDue(trx, clock.now()));
  }

  /** What keeps alerts from people at an instant, beside their handling. */
  held(nowMs: number, inhibiting: Inhibiting = this.inhibiting): Held {
    const { silences, flapping } = this.#deps;
    return heldAt(nowMs, { silences, flapping, inhibiting, intervals: this.#settings.intervals });
  }

  /** What keeps an alert with these labels from people while it fires. */
  readonly inhibiting: Inhibiting = (labels) => this.#inhibitor.inhibiting(labels);

  /** What alerting has committed. */
  committed(alerts: readonly AlertView[]): void {
    this.#inhibitor.learn(alerts);
  }

  /** `NotifyFn`: called inside alerting's transaction. */
  readonly notify: NotifyFn = async (trx, changes, atMs, { more } = { more: false }) => {
    const touched = new Map<string, { group: Group; changes: AlertChange[] }>();
    const ids = changes.map(({ alert }) => alert.id);
    const known = await groupsOfAlerts(trx, ids);
    for (const change of changes) {
      for (const group of this.#groupsOf(change, known.get(change.alert.id) ?? [])) {
        const entry = touched.get(group.id) ?? { group, changes: [] };
        entry.changes.push(change);
        touched.set(group.id, entry);
      }
    }
    const inhibiting = this.#inhibitor.after(changes.map(({ alert }) => alert));
    for (const { group, changes: ofGroup } of touched.values())
      await this.#change(trx, group, { changes: ofGroup, atMs, inhibiting, more });
    const ended = changes.flatMap(({ alert, reason }) => (reason === 'resolved' ? [alert.id] : []));
    // In the next step, when that these have ended is committed.
    await makeDue(trx, this.#inhibitor.waitingFor(ended), atMs);
  };

  /** Flushes the groups that are due. Runs every second; returns how many there were. */
  async step(nowMs: number): Promise<number> {
    const due = await dueGroups(this.#deps.db.kysely, nowMs, MAX_GROUPS_PER_STEP);
    const { inhibiting } = this.#inhibitor;
    for (const id of due) {
      await this.#deps.yieldNow?.();
      await this.#deps.db.kysely.transaction().execute(async (trx) => {
        await lockGroup(trx, id);
        const stored = await findGroup(trx, id);
        const flushAtMs = stored?.flushAtMs ?? null;
        if (stored !== undefined && flushAtMs !== null && flushAtMs <= nowMs)
          await this.#flush(trx, stored, { nowMs, escalated: false, inhibiting });
      });
    }
    if (due.length > 0) this.#outbox.wake();
    return due.length;
  }

  /** What silences anything has changed: groups without a tick of their own are looked at in the next step. */
  readonly reconsider = (trx: Transaction<Database>, atMs: number): Promise<void> => makeUntimedDue(trx, atMs);

  /** The outbox's handlers: one attempt of one message, or of many in one. */
  get handlers(): Readonly<Record<string, OutboxHandler>> {
    return {
      [SEND_TOPIC]: (row, options) => this.#sender.send(row, options),
      [BUNDLE_TOPIC]: (row, options) => this.#sender.sendBundle(row, options),
    };
  }

  async list(filter: NotificationFilter): Promise<readonly NotificationView[]> {
    return listNotifications(this.#deps.db.kysely, filter);
  }

  async ofAlert(alertId: string): Promise<readonly NotificationView[]> {
    const filter = { status: undefined, channel: undefined, after: undefined, alertId, limit: 1_000 };
    return [...(await this.list(filter))].reverse();
  }

  /** Puts a dead letter back into the outbox. `AppError` `notification_not_found`, `notification_not_dead`. */
  async retry(id: string): Promise<void> {
    const { db } = this.#deps;
    const stored = await findNotification(db.kysely, id);
    if (stored === undefined) throw new AppError('not_found', 'notification_not_found', `there is no notification ${id}`);
    await db.kysely.transaction().execute(async (trx) => {
      if (!(await requeue(trx, id)))
        throw new AppError('conflict', 'notification_not_dead', `notification ${id} is ${stored.status}, not dead`);
      await this.#sender.enqueue(trx, stored);
    });
    this.#outbox.wake();
  }

  channelIds(): readonly string[] {
    return [...this.#settings.channels.keys()];
  }

  keeping(labels: Readonly<Record<string, string>>, nowMs: number): ReturnType<Pager['keeping']> {
    const held = this.held(nowMs);
    return held.silenced(labels) ?? held.inhibited(labels);
  }

  hasTold(trx: Transaction<Database>, alertId: string, channel: string): Promise<boolean> {
    return wasRouted(trx, alertId, channel);
  }

  isWaiting(thread: string): Promise<boolean> {
    return isThreadWaiting(this.#deps.db.kysely, thread);
  }

  pendingAlerts(): Promise<ReadonlySet<string>> {
    return pendingAlerts(this.#deps.db.kysely);
  }

  async page(trx: Transaction<Database>, { channel, to, alert, thread, reason, cause, words, templates }: Page): Promise<boolean> {
    const open = this.#settings.channels.get(channel);
    if (open === undefined) return false;
    if (reason === 'resolved' && !open.config.send_resolved) return false;
    if (reason === 'acknowledged' && open.channel.takesAcknowledgements !== true) return false;
    if (reason === 'handover' && open.channel.standsAlone === true) return false;
    const recipient = takesRecipient(open.config) ? (to ?? null) : null;
    const { service } = alert.labels;
    const group = {
      id: `${channel} ${thread}${recipient === null ? '' : ` ${recipient}`}`,
      groupKey: thread,
      channel,
      receiver: channel,
      groupLabels: { alertname: alert.alertname, ...(service === undefined ? {} : { service }) },
    };
    const message = buildMessage({ group, alerts: [alert], externalUrl: this.#settings.externalUrl, maxAlerts: MAX_ALERTS });
    const row = {
      ...this.#row({ group, reason, cause }),
      payload: JSON.stringify(message),
      recipient,
      words: words === undefined && templates === undefined ? null : JSON.stringify({ ...words, templates }),
    };
    await this.#sender.queue(trx, row, { alertIds: alert.id === '' ? [] : [alert.id], service: service ?? '' });
    return true;
  }

  openChannels(): NotifySettings['channels'] {
    return this.#settings.channels;
  }

  channels(): readonly ReturnType<typeof describeChannel>[] {
    return [...this.#settings.channels.values()].map(({ config }) => describeChannel(config));
  }

  /** The channels, each with what became of its messages of the last week. */
  async channelViews(): Promise<readonly ChannelView[]> {
    const records = await channelRecords(this.#deps.db.kysely, this.#deps.clock.now() - CHANNEL_RECORD_MS);
    return this.channels().map((channel) => {
      const record = records.get(channel.id);
      return {
        ...channel,
        delivered: record?.delivered ?? 0,
        given_up: record?.givenUp ?? 0,
        waiting: record?.waiting ?? 0,
        delivered_at_ms: record?.deliveredAtMs ?? null,
        failed: record === undefined || record.failed === null ? null : { at_ms: record.failed.atMs, error: record.failed.error },
      };
    });
  }

  /** Sends a test message now, past the outbox, and says what the channel said. `AppError` `channel_not_found`. */
  async test(channelId: string, by: string, signal: AbortSignal): Promise<Delivery> {
    if (!this.#settings.channels.has(channelId)) throw new AppError('not_found', 'channel_not_found', `there is no channel ${channelId}`);
    const { clock, db } = this.#deps;
    const message = testMessage({ channel: channelId, by, atMs: clock.now(), externalUrl: this.#settings.externalUrl });
    const row = this.#row({
      group: { id: '', groupKey: message.groupKey, channel: channelId },
      reason: TEST_REASON,
      cause: `asked for by ${by}`,
    });
    const about = { reason: TEST_REASON, cause: row.cause, thread: undefined };
    const delivery = await this.#sender.deliver(channelId, { message, idempotencyKey: row.id, ...about, signal });
    const ending = endingOf(delivery, { attempts: 1, nowMs: clock.now(), expired: true });
    await db.kysely.transaction().execute((trx) => insertNotification(trx, { ...row, payload: JSON.stringify(message), ...ending }, []));
    return delivery;
  }

  /** A new alert goes where routing sends it; what is known already goes where its start was told, whatever routing says now. */
  #groupsOf({ alert, reason }: AlertChange, known: readonly Group[]): readonly Group[] {
    if (reason !== 'fired') return known;
    const routed = this.#settings.router(alert.labels);
    return [...routed, ...known.filter((group) => !routed.some((other) => other.id === group.id))];
  }

  async #change(
    trx: Transaction<Database>,
    group: Group,
    { changes, atMs, inhibiting, more }: { changes: readonly AlertChange[]; atMs: number; inhibiting: Inhibiting; more: boolean },
  ): Promise<void> {
    // The first part of a storm is told at once; the rest of a group waits for the others, and costs no look at what it told.
    if (more && (await waitUntil(trx, group.id, atMs + STORM_GATHER_MS))) return saveMembers(trx, group.id, changes);
    await lockGroup(trx, group.id);
    const found = await findGroup(trx, group.id);
    const stored: StoredGroup = found === undefined ? newGroup(group) : { ...found, group };
    await this.#tellAcknowledged(trx, stored, changes);
    await saveMembers(trx, group.id, changes);
    const waitsUntilMs = this.#waitOf(stored, { changes, atMs });
    if (waitsUntilMs > atMs) return saveGroup(trx, { ...stored, flushAtMs: waitsUntilMs });
    await this.#flush(trx, stored, { nowMs: atMs, escalated: changes.some((change) => change.reason === 'escalated'), inhibiting });
  }

  /** A channel that can show it hears when the last of what it called firing is acknowledged. Before the members are saved. */
  async #tellAcknowledged(trx: Transaction<Database>, { group, told }: StoredGroup, changes: readonly AlertChange[]): Promise<void> {
    if (this.#settings.channels.get(group.channel)?.channel.takesAcknowledgements !== true) return;
    const isAcknowledged = ({ alert }: AlertChange): boolean => alert.condition === 'firing' && alert.acknowledged_at_ms !== null;
    const updated = changes.filter(
      (change) => change.reason === 'updated' && isAcknowledged(change) && told.firing.has(change.alert.fingerprint),
    );
    const [first] = updated;
    if (first === undefined) return;
    const members = await membersOf(trx, group.id);
    const isNew = ({ alert }: AlertChange): boolean =>
      members.some((member) => member.alert.id === alert.id && member.alert.acknowledged_at_ms === null);
    if (!updated.some(isNew)) return;
    const after = members.map(({ alert }) => updated.find((change) => change.alert.id === alert.id)?.alert ?? alert);
    const firing = after.filter((alert) => told.firing.has(alert.fingerprint));
    if (!firing.every((alert) => alert.acknowledged_at_ms !== null)) return;
    const verdict = { reason: 'acknowledged', cause: `acknowledged by ${first.alert.acknowledged_by}` };
    await this.#queue(trx, { group, verdict, alerts: firing });
  }

  /** Alertmanager's timing: a new group waits `group_wait` from the alert's start, a known one for its next tick. */
  #waitOf({ group, flushAtMs, flushedAtMs }: StoredGroup, { changes, atMs }: { changes: readonly AlertChange[]; atMs: number }): number {
    if (group.groupIntervalMs === 0) return atMs;
    if (flushedAtMs !== null) return flushAtMs ?? flushedAtMs + group.groupIntervalMs;
    const firstMs = Math.min(...changes.map((change) => change.alert.starts_at_ms)) + group.groupWaitMs;
    return Math.min(flushAtMs ?? Number.POSITIVE_INFINITY, Math.max(atMs, firstMs));
  }

  /** The group with the timings and intervals that the newest routing gives it; as it was when routing knows it no more. */
  #asRouted(group: Group, alert: AlertView | undefined): Group {
    if (alert === undefined) return group;
    return this.#settings.router(alert.labels).find(({ id }) => id === group.id) ?? group;
  }

  /** Decides one group and writes what follows: message, outbox row, suppressions, the group's next look. */
  async #flush(
    trx: Transaction<Database>,
    stored: StoredGroup,
    { nowMs, escalated, inhibiting }: { nowMs: number; escalated: boolean; inhibiting: Inhibiting },
  ): Promise<void> {
    const members = await membersOf(trx, stored.group.id);
    const group = this.#asRouted(stored.group, members[0]?.alert);
    const open = this.#settings.channels.get(group.channel);
    if (open === undefined || members.length === 0) {
      await deleteMembers(
        trx,
        group.id,
        members.map(({ alert }) => alert.fingerprint),
      );
      return deleteGroup(trx, group.id);
    }
    const flush = runPipeline({
      group,
      sendResolved: open.config.send_resolved,
      nowMs,
      escalated,
      told: stored.told,
      held: this.held(nowMs, inhibiting),
      members,
      muted: [],
      verdict: { kind: 'skip', cause: 'undecided' },
      nextAtMs: null,
    });
    const outcome = outcomeOf(flush);
    // A tree's groups look by themselves.
    const sources = group.groupIntervalMs > 0 ? [] : flush.muted.flatMap(({ sourceId }) => sourceId ?? []);
    for (const sourceId of sources) this.#inhibitor.waits(group.id, sourceId);
    if (flush.verdict.kind === 'send')
      await this.#queue(trx, { group, verdict: flush.verdict, alerts: outcome.messageAlerts, news: newsOf(outcome) });
    await this.#recordMuted(trx, group, outcome.heldBack);
    await markAnnounced(trx, group.id, { fingerprints: outcome.announced.map((alert) => alert.fingerprint), atMs: nowMs });
    const forgotten = outcome.forgotten.map((alert) => alert.fingerprint);
    await deleteMembers(trx, group.id, forgotten);
    if (forgotten.length === members.length) return deleteGroup(trx, group.id);
    // A group in which nothing fires any more begins anew: its next alert waits `group_wait`, as a new group in Alertmanager.
    const idle = outcome.told.firing.size === 0 && flush.muted.length === 0;
    await saveGroup(trx, { group, told: outcome.told, flushAtMs: flush.nextAtMs, flushedAtMs: idle ? null : nowMs });
  }

  async #queue(trx: Transaction<Database>, { group, verdict, alerts, news }: Queued): Promise<void> {
    const config = this.#settings.channels.get(group.channel)?.config;
    const maxAlerts = config?.kind === 'webhook' ? config.max_alerts : MAX_ALERTS;
    const message = buildMessage({ group, alerts, externalUrl: this.#settings.externalUrl, maxAlerts });
    const row = { ...this.#row({ group, reason: verdict.reason, cause: verdict.cause }), payload: JSON.stringify(message) };
    const service = group.groupLabels['service'] ?? alerts[0]?.labels['service'] ?? '';
    await this.#sender.queue(trx, row, { alertIds: (news ?? alerts).map((alert) => alert.id), service });
  }

  async #recordMuted(trx: Transaction<Database>, group: Group, muted: Flush['muted']): Promise<void> {
    for (const { member, cause } of muted) {
      const suppression = { groupId: group.id, alertId: member.alert.id, cause };
      if (await hasSuppression(trx, suppression)) continue;
      const row = this.#row({ group, reason: member.alert.condition === 'resolved' ? 'resolved' : 'fired', cause });
      await insertNotification(trx, { ...row, status: 'suppressed', finished_at_ms: row.created_at_ms }, [member.alert.id]);
      this.#count(group.channel, 'suppressed');
    }
  }

  #row({ group, reason, cause }: { group: Pick<Group, 'id' | 'groupKey' | 'channel'>; reason: string; cause: string }): NotificationRow {
    return {
      id: this.#deps.ids.uuid(),
      group_id: group.id,
      group_key: group.groupKey,
      channel: group.channel,
      reason,
      status: 'queued',
      cause,
      payload: '',
      attempts: 0,
      last_error: null,
      receipt: null,
      created_at_ms: this.#deps.clock.now(),
      finished_at_ms: null,
      bundle_id: null,
      failed_over: 0,
      recipient: null,
      words: null,
      cut_off: 0,
    };
  }

  #count(channel: string, outcome: string): void {
    this.#attempts.add(1, { channel, outcome });
  }
}

type Queued = {
  readonly group: Group;
  readonly verdict: { readonly reason: string; readonly cause: string };
  readonly alerts: Parameters<typeof buildMessage>[0]['alerts'];
  /** Those in whose history the message stands; absent, all. */
  readonly news?: readonly AlertView[];
};

/** In the history of a storm's alert stand the messages that told its start and its end, and not each that told of the others. */
function newsOf({ messageAlerts, announced }: ReturnType<typeof outcomeOf>): readonly AlertView[] {
  if (messageAlerts.length <= MAX_ALERTS) return messageAlerts;
  const begun = new Set(announced.map((alert) => alert.id));
  return messageAlerts.filter((alert) => begun.has(alert.id) || alert.condition === 'resolved');
}

const newGroup = (group: Group): StoredGroup => ({ group, told: { atMs: null, firing: new Set() }, flushAtMs: null, flushedAtMs: null });
