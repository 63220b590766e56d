import { type Kysely, sql } from 'kysely';

/**
 * Alerts with every step of their life, and what was sent about them. Condition and handling stand in separate columns, so
 * that an acknowledgement never hides whether the problem still holds. Groups and their members are kept so that a restart
 * between an alert and its notification, or between a notification and its repeat, loses and doubles nothing.
 */
export type AlertTables = {
  alerts: AlertRow;
  alert_transitions: AlertTransitionRow;
  notify_groups: NotifyGroupRow;
  notify_members: NotifyMemberRow;
  notifications: NotificationRow;
  notification_alerts: NotificationAlertRow;
};

export type AlertRow = {
  id: string;
  /** `rule` and `fingerprint` while the alert is open, null once it is resolved: unique, so two writers never open one alert twice. */
  open_key: string | null;
  fingerprint: string;
  team_id: string;
  kind: string;
  rule: string;
  alertname: string;
  /** `pending`, `firing`, `resolved`. */
  condition: string;
  severity: string;
  service: string | null;
  /** JSON object. */
  labels: string;
  /** JSON object. */
  annotations: string;
  /** A number as text, because NaN and infinities are values too. */
  value: string;
  active_since_ms: number;
  starts_at_ms: number;
  fired_at_ms: number | null;
  keep_firing_since_ms: number | null;
  ends_at_ms: number | null;
  cooldown_ms: number;
  /** 1 when the alert is shown but never routed to a channel. */
  dashboard_only: number;
  acknowledged_by: string | null;
  acknowledged_at_ms: number | null;
  suppressed_by: string | null;
  suppressed_at_ms: number | null;
  snoozed_until_ms: number | null;
  /** 1 when the snooze lasts until the alert resolves. */
  snoozed_until_resolved: number;
  assigned_to: string | null;
  /** Why nobody is told although the alert fires: the service that it depends on was down before. */
  held_back: string | null;
  /** Since 0026. */
  generator_url: string | null;
  created_at_ms: number;
  revision: number;
};

export type AlertTransitionRow = {
  id: string;
  alert_id: string;
  rule: string;
  fingerprint: string;
  at_ms: number;
  kind: string;
  reason: string;
  actor: string;
  /** JSON object: the value, the comment, the end of a snooze. */
  detail: string;
};

/** One group of one route: alerts that travel in one message. */
export type NotifyGroupRow = {
  /** Alertmanager's groupKey with the channel in front. */
  id: string;
  group_key: string;
  channel: string;
  /** The name that the route gave; empty in groups of versions that knew only channels. */
  receiver: string;
  /** JSON: names of the route's intervals, `mute` and `active`. */
  intervals: string;
  /** JSON object. */
  group_labels: string;
  group_wait_ms: number;
  group_interval_ms: number;
  repeat_interval_ms: number;
  /** When the group must be looked at next; null when only a change can matter. */
  flush_at_ms: number | null;
  flushed_at_ms: number | null;
  /** When a message last went into the outbox, and the fingerprints that it called firing (JSON array). */
  notified_at_ms: number | null;
  notified_firing: string;
};

export type NotifyMemberRow = {
  group_id: string;
  alert_id: string;
  fingerprint: string;
  /** The alert as last seen by notify, JSON. */
  alert: string;
  cooldown_ms: number;
  /** When this fingerprint was last announced as firing in this group; null when never. */
  announced_at_ms: number | null;
};

export type NotificationRow = {
  id: string;
  group_id: string;
  group_key: string;
  channel: string;
  /** `fired`, `repeated`, `resolved`, `escalated`, `test`. */
  reason: string;
  /** `queued`, `delivered`, `dead`, `suppressed`. */
  status: string;
  /** Why it was decided so, in words. */
  cause: string;
  /** The message as the channel gets it, JSON; '' for suppressions. */
  payload: string;
  attempts: number;
  last_error: string | null;
  receipt: string | null;
  created_at_ms: number;
  finished_at_ms: number | null;
  /** The bundle that it goes out with; since 0022. */
  bundle_id: string | null;
  /** 1 when another channel was told in its place; since 0022. */
  failed_over: number;
  /** Whom the channel is to reach in place of its own recipients; since 0032. */
  recipient: string | null;
  /** JSON: `{ "title", "text" }` in place of the channel's words; since 0032. */
  words: string | null;
  /** How many of `attempts` the end of the process cut off; since 0041. */
  cut_off: number;
};

export type NotificationAlertRow = { notification_id: string; alert_id: string };

export async function up(db: Kysely<unknown>): Promise<void> {
  await createAlerts(db);
  await createTransitions(db);
  await createGroups(db);
  await createNotifications(db);
}

async function createAlerts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('alerts')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('open_key', 'text', (column) => column.unique())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('team_id', 'text', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('alertname', 'text', (column) => column.notNull())
    .addColumn('condition', 'text', (column) => column.notNull())
    .addColumn('severity', 'text', (column) => column.notNull())
    .addColumn('service', 'text')
    .addColumn('labels', 'text', (column) => column.notNull())
    .addColumn('annotations', 'text', (column) => column.notNull())
    .addColumn('value', 'text', (column) => column.notNull())
    .addColumn('active_since_ms', 'bigint', (column) => column.notNull())
    .addColumn('starts_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('fired_at_ms', 'bigint')
    .addColumn('keep_firing_since_ms', 'bigint')
    .addColumn('ends_at_ms', 'bigint')
    .addColumn('cooldown_ms', 'bigint', (column) => column.notNull())
    .addColumn('dashboard_only', 'integer', (column) => column.notNull())
    .addColumn('acknowledged_by', 'text')
    .addColumn('acknowledged_at_ms', 'bigint')
    .addColumn('suppressed_by', 'text')
    .addColumn('suppressed_at_ms', 'bigint')
    .addColumn('snoozed_until_ms', 'bigint')
    .addColumn('snoozed_until_resolved', 'integer', (column) => column.notNull())
    .addColumn('assigned_to', 'text')
    .addColumn('held_back', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  // Lists go newest first by start, with the id as tie-break.
  await db.schema.createIndex('alerts_by_start').on('alerts').columns(['starts_at_ms', 'id']).execute();
  await db.schema.createIndex('alerts_by_service').on('alerts').columns(['service', 'starts_at_ms']).execute();
}

async function createTransitions(db: Kysely<unknown>): Promise<void> {
  // No foreign key: the steps of a pending alert that never fired outlive its row.
  await db.schema
    .createTable('alert_transitions')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('alert_id', 'text', (column) => column.notNull())
    .addColumn('rule', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('detail', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('alert_transitions_by_alert').on('alert_transitions').columns(['alert_id', 'id']).execute();
}

async function createGroups(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('notify_groups')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('group_key', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('group_labels', 'text', (column) => column.notNull())
    .addColumn('group_wait_ms', 'bigint', (column) => column.notNull())
    .addColumn('group_interval_ms', 'bigint', (column) => column.notNull())
    .addColumn('repeat_interval_ms', 'bigint', (column) => column.notNull())
    .addColumn('flush_at_ms', 'bigint')
    .addColumn('flushed_at_ms', 'bigint')
    .addColumn('notified_at_ms', 'bigint')
    .addColumn('notified_firing', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('notify_groups_by_flush').on('notify_groups').column('flush_at_ms').execute();
  await db.schema
    .createTable('notify_members')
    .addColumn('group_id', 'text', (column) => column.notNull())
    .addColumn('alert_id', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('alert', 'text', (column) => column.notNull())
    .addColumn('cooldown_ms', 'bigint', (column) => column.notNull())
    .addColumn('announced_at_ms', 'bigint')
    .addPrimaryKeyConstraint('notify_members_key', ['group_id', 'fingerprint'])
    .execute();
  await db.schema.createIndex('notify_members_by_alert').on('notify_members').column('alert_id').execute();
}

async function createNotifications(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('notifications')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('group_id', 'text', (column) => column.notNull())
    .addColumn('group_key', 'text', (column) => column.notNull())
    .addColumn('channel', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('cause', 'text', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull().defaultTo(sql`0`))
    .addColumn('last_error', 'text')
    .addColumn('receipt', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .execute();
  await db.schema.createIndex('notifications_by_time').on('notifications').columns(['created_at_ms', 'id']).execute();
  await db.schema
    .createTable('notification_alerts')
    .addColumn('notification_id', 'text', (column) => column.notNull())
    .addColumn('alert_id', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('notification_alerts_key', ['notification_id', 'alert_id'])
    .execute();
  await db.schema.createIndex('notification_alerts_by_alert').on('notification_alerts').column('alert_id').execute();
}
