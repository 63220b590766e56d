import type { Clock } from '@nines/base/clock.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import { DAY_MS } from '@nines/base/units.ts';
import { parseCron } from '@nines/maths/calendar/cron.ts';
import { nextCronMs } from '@nines/maths/calendar/cron-instants.ts';
import { formatScope, narrowed, parseScope } from '@nines/model/scope.ts';
import { z } from 'zod';
import type { AuditEntry, RecordAudit } from '../../audit/contract.ts';
import type { Mail, Mailer } from '../../notify/contract.ts';
import type { DashboardDeliveryRow } from '../../platform/db/migrations/0088-dashboard-deliveries.ts';
import type { Db } from '../../platform/db/open.ts';
import { html } from '../../platform/html.ts';
import type { Actor } from '../../platform/http/contract.ts';
import { type OutboxMessage, type OutboxVerdict, fromJson, keepable } from '../../platform/records/contract.ts';
import type { Outbox } from '../../platform/records/outbox.ts';
import { createTurns } from '../../platform/turns.ts';
import { refuseUnknown } from '../drawn/ask-values.ts';
import type { Drawer } from '../drawn/drawer.ts';
import { minute } from '../drawn/show.ts';
import type { EmbedsDeps } from '../embeds/service.ts';
import { mayKnow } from '../maker.ts';
import type { Dashboards } from '../service.ts';
import { DELIVERY_CODES, DELIVERY_LIMITS, type DeliverySpec, type DeliveryView, deliverySpec, deliveryView } from './contract.ts';
import {
  countDeliveries,
  deleteDelivery,
  dueDeliveries,
  findDelivery,
  insertDelivery,
  keepOutcome,
  listDeliveries,
  setEnabled,
  takeAsked,
  takeDue,
} from './store.ts';

export const DELIVERY_TOPIC = 'dashboard.send';
/** How long a mail is tried for: figures of the day before yesterday help nobody. */
const TRIED_MS = DAY_MS;
const NOTE_CHARS = 300;
const BY_ITSELF: AuditEntry['actor'] = { kind: 'system', id: 'nines', name: 'Nines', role: 'administrator' };

export type DeliveriesDeps = Pick<EmbedsDeps, 'sightOf' | 'externalUrl'> & {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly record: RecordAudit;
  readonly dashboards: Pick<Dashboards, 'get'>;
  readonly drawer: Pick<Drawer, 'paper'>;
  readonly outbox: Pick<Outbox, 'enqueue' | 'wake'>;
  /** Of a channel, or of the first one of kind `email`. */
  readonly mailer: (channel: string | undefined) => Mailer | undefined;
  /** Channels of kind `email`, as they are configured now. */
  readonly channels: () => readonly string[];
};

/** `dueAtMs`: where the stretch ends that is shown. */
const payloadSchema = z.object({ delivery: z.string(), dueAtMs: z.number() });

/** Dashboards that are sent as PDF by mail: again and again, and when somebody asks. Delivery is the outbox's. */
export class Deliveries {
  readonly #deps: DeliveriesDeps;
  readonly #alone = createTurns();

  constructor(deps: DeliveriesDeps) {
    this.#deps = deps;
  }

  channels(): readonly string[] {
    return this.#deps.channels();
  }

  /** `AppError` `dashboard_not_found`, `unknown_variable`, `delivery_channel_not_found`, `too_many_deliveries`. */
  make(dashboard: string, spec: DeliverySpec, actor: Actor): Promise<DeliveryView> {
    return this.#alone(async () => {
      const { db, clock, ids, record, dashboards } = this.#deps;
      refuseUnknown((await dashboards.get(dashboard)).spec, spec.values);
      const channels = this.channels();
      if (spec.channel === undefined ? channels.length === 0 : !channels.includes(spec.channel)) throw noChannel(spec.channel);
      // The total first: who is told of their dashboard's would remove one of a few, where any of all helps.
      if ((await countDeliveries(db.kysely)) >= DELIVERY_LIMITS.all) throw tooMany(`${DELIVERY_LIMITS.all} deliveries of all dashboards`);
      if ((await listDeliveries(db.kysely, dashboard)).length >= DELIVERY_LIMITS.ofDashboard)
        throw tooMany(`${DELIVERY_LIMITS.ofDashboard} deliveries of this dashboard`);
      const nowMs = clock.now();
      const row: DashboardDeliveryRow = {
        id: ids.uuid(),
        dashboard,
        spec: JSON.stringify(spec),
        made_by_kind: actor.kind,
        made_by_id: actor.id,
        made_by_name: actor.name,
        scope: formatScope(actor.scope),
        made_at_ms: nowMs,
        enabled: 1,
        next_at_ms: nextOf(spec, nowMs),
        last_due_at_ms: null,
        last_at_ms: null,
        last_state: null,
        last_note: null,
      };
      await db.kysely.transaction().execute(async (trx) => {
        await insertDelivery(trx, row);
        await record(trx, {
          actor,
          action: 'dashboard.delivery_made',
          object: objectOf(row),
          phase: 'done',
          after: { dashboard, ...spec },
        });
      });
      return viewOf(row);
    });
  }

  /** Whoever sees a part of everything is told of their own only: others may show more. */
  async list(dashboard: string, actor: Actor): Promise<readonly DeliveryView[]> {
    await this.#deps.dashboards.get(dashboard);
    const rows = await listDeliveries(this.#deps.db.kysely, dashboard);
    return rows.filter((row) => mayKnow(actor, row)).map(viewOf);
  }

  /** `AppError` `delivery_not_found`. */
  async enable(
    dashboard: string,
    id: string,
    { enabled, actor }: { readonly enabled: boolean; readonly actor: Actor },
  ): Promise<DeliveryView> {
    const { db, clock, record } = this.#deps;
    const row = await this.#known(dashboard, id, actor);
    const nextAtMs = nextOf(specOf(row), clock.now());
    await db.kysely.transaction().execute(async (trx) => {
      await setEnabled(trx, id, { enabled, nextAtMs });
      const action = enabled ? 'dashboard.delivery_enabled' : 'dashboard.delivery_disabled';
      await record(trx, { actor, action, object: objectOf(row), phase: 'done', after: { dashboard, enabled } });
    });
    return viewOf({ ...row, enabled: enabled ? 1 : 0, next_at_ms: nextAtMs });
  }

  /** Of the stretch that ends now, also while it is disabled. `AppError` `delivery_not_found`, `delivery_running`, `delivery_too_soon`. */
  async sendNow(dashboard: string, id: string, actor: Actor): Promise<DeliveryView> {
    const { db, clock, record, outbox } = this.#deps;
    const row = await this.#known(dashboard, id, actor);
    const nowMs = clock.now();
    await db.kysely.transaction().execute(async (trx) => {
      const taken = await takeAsked(trx, id, { nowMs, restMs: DELIVERY_LIMITS.restMs, lostMs: TRIED_MS });
      if (!taken) throw notYet((await findDelivery(trx, id)) ?? row, nowMs);
      await outbox.enqueue(trx, { topic: DELIVERY_TOPIC, key: id, payload: { delivery: id, dueAtMs: nowMs } });
      await record(trx, { actor, action: 'dashboard.delivery_asked', object: objectOf(row), phase: 'done', after: { dashboard } });
    });
    outbox.wake();
    return viewOf({ ...row, last_due_at_ms: nowMs, last_at_ms: nowMs, last_state: 'sending', last_note: '' });
  }

  /** What waits in the outbox goes with it. `AppError` `delivery_not_found`. */
  async remove(dashboard: string, id: string, actor: Actor): Promise<void> {
    const { db, record } = this.#deps;
    const row = await this.#known(dashboard, id, actor);
    await db.kysely.transaction().execute(async (trx) => {
      await deleteDelivery(trx, id);
      const before = { dashboard, ...specOf(row) };
      await record(trx, { actor, action: 'dashboard.delivery_removed', object: objectOf(row), phase: 'done', before });
    });
  }

  /** Puts into the outbox what is due. What was due several times while nobody watched goes out once. */
  async step(nowMs: number): Promise<void> {
    const { db, outbox } = this.#deps;
    for (const row of await dueDeliveries(db.kysely, nowMs)) {
      await db.kysely.transaction().execute(async (trx) => {
        if (await takeDue(trx, row, nextOf(specOf(row), nowMs))) await this.#enqueue(trx, row, Number(row.next_at_ms));
      });
      outbox.wake();
    }
  }

  async #enqueue(trx: Parameters<Outbox['enqueue']>[0], { id }: DashboardDeliveryRow, dueAtMs: number): Promise<void> {
    const { outbox, clock } = this.#deps;
    await outbox.enqueue(trx, { topic: DELIVERY_TOPIC, key: id, payload: { delivery: id, dueAtMs } });
    await keepOutcome(trx, id, { dueAtMs, atMs: clock.now(), state: 'sending', note: '' });
  }

  /** One attempt to send a dashboard, with what its maker may see now. */
  async send(message: OutboxMessage): Promise<OutboxVerdict> {
    const { clock, db } = this.#deps;
    const { delivery, dueAtMs } = payloadSchema.parse(fromJson(message.payload));
    const row = await findDelivery(db.kysely, delivery);
    if (row === undefined) return { kind: 'dead', error: 'the delivery was removed' };
    const verdict = await this.#attempt(row, dueAtMs, message.id).catch((thrown: unknown) => failureOf(thrown));
    const late = verdict.kind === 'retry' && clock.now() - message.createdAtMs > TRIED_MS;
    const final: OutboxVerdict = late ? { kind: 'dead', error: verdict.error } : verdict;
    await this.#keep(row, dueAtMs, final);
    return final;
  }

  async #keep(row: DashboardDeliveryRow, dueAtMs: number, verdict: OutboxVerdict): Promise<void> {
    const { db, clock, record } = this.#deps;
    const state = verdict.kind === 'done' ? 'sent' : verdict.kind === 'dead' ? 'failed' : 'sending';
    const note = keepable((verdict.kind === 'done' ? '' : verdict.error).slice(0, NOTE_CHARS));
    await db.kysely.transaction().execute(async (trx) => {
      await keepOutcome(trx, row.id, { dueAtMs, atMs: clock.now(), state, note });
      if (verdict.kind === 'retry') return;
      const action = verdict.kind === 'done' ? 'dashboard.delivered' : 'dashboard.delivery_failed';
      const after = { dashboard: row.dashboard, asked_by: row.made_by_name, to: specOf(row).to, due_at_ms: dueAtMs, note };
      await record(trx, { actor: BY_ITSELF, action, object: objectOf(row), phase: 'done', after });
    });
  }

  async #attempt(row: DashboardDeliveryRow, dueAtMs: number, idempotencyKey: string): Promise<OutboxVerdict> {
    const { dashboards, drawer, sightOf, mailer } = this.#deps;
    const spec = specOf(row);
    const sight = await sightOf({ kind: row.made_by_kind, id: row.made_by_id });
    const then = parseScope(row.scope);
    if (sight === undefined || !then.ok) return { kind: 'dead', error: `${row.made_by_name} may not read dashboards any more` };
    const send = mailer(spec.channel);
    if (send === undefined) return { kind: 'dead', error: noChannel(spec.channel).message };
    const { spec: board } = await dashboards.get(row.dashboard);
    const length = parseDuration(spec.range ?? board.range);
    const span = { fromMs: dueAtMs - (length.ok ? length.value : DAY_MS), toMs: dueAtMs };
    // A variable that left the dashboard since is left out.
    const given = Object.fromEntries(Object.entries(spec.values).filter(([name]) => board.variables.some((one) => one.name === name)));
    const { kinds } = sight;
    const ask = { given, scope: narrowed(then.value, sight.scope), reads: (kind: string) => kinds.has(kind), span, isPublic: true };
    const pdf = await drawer.paper(board, ask, row.made_by_id);
    const delivery = await send.send(this.#mail({ row, spec, title: spec.title ?? board.title, span, pdf, idempotencyKey }));
    if (delivery.kind === 'delivered') return { kind: 'done', receipt: delivery.receipt };
    return { kind: delivery.retryable ? 'retry' : 'dead', error: delivery.error };
  }

  #mail({ row, spec, title, span, pdf, idempotencyKey }: Written): Mail {
    const asked = new URLSearchParams({ from: String(span.fromMs), to: String(span.toMs) });
    if (Object.keys(spec.values).length > 0) asked.set('vars', JSON.stringify(spec.values));
    const link = `${this.#deps.externalUrl}/dashboards/${encodeURIComponent(row.dashboard)}?${asked.toString()}`;
    const lines = [
      `${title}, ${minute(span.fromMs)} to ${minute(span.toMs)} UTC, is attached.`,
      `${row.made_by_name} asked for it to be sent to you (${spec.cron}, ${spec.zone}). It shows what they may see.`,
    ];
    return {
      subject: `${title}, ${minute(span.toMs).slice(0, 10)}`,
      text: [...lines, `Live: ${link}`].join('\n\n'),
      html: html`<!doctype html><html><body style="font-family:sans-serif;font-size:14px">${lines.map((line) => html`<p>${line}</p>`)}<p><a href="${link}">Live</a></p></body></html>`
        .markup,
      to: spec.to,
      attachments: [{ name: `${row.dashboard}-${minute(span.toMs).slice(0, 10)}.pdf`, mediaType: 'application/pdf', bytes: pdf }],
      idempotencyKey,
    };
  }

  async #known(dashboard: string, id: string, actor: Actor): Promise<DashboardDeliveryRow> {
    const row = await findDelivery(this.#deps.db.kysely, id);
    if (row !== undefined && row.dashboard === dashboard && mayKnow(actor, row)) return row;
    throw new AppError('not_found', DELIVERY_CODES.notFound, `there is no delivery ${id} of this dashboard`);
  }
}

type Written = {
  readonly row: DashboardDeliveryRow;
  readonly spec: DeliverySpec;
  readonly title: string;
  readonly span: { readonly fromMs: number; readonly toMs: number };
  readonly pdf: Uint8Array;
  readonly idempotencyKey: string;
};

/** What cannot be mended by trying again is given up. */
const failureOf = (thrown: unknown): OutboxVerdict =>
  thrown instanceof AppError && (thrown.kind === 'not_found' || thrown.kind === 'bad_input')
    ? { kind: 'dead', error: thrown.message }
    : { kind: 'retry', error: messageOf(thrown) };

const tooMany = (count: string): AppError => new AppError('limited', DELIVERY_CODES.tooMany, `there are ${count} already; remove some`);

/** Why nothing is sent now, and when to ask again. */
function notYet(row: DashboardDeliveryRow, nowMs: number): AppError {
  const dueAtMs = Number(row.last_due_at_ms);
  const fromMs = dueAtMs + DELIVERY_LIMITS.restMs;
  if (fromMs > nowMs) {
    const message = `it was sent less than a minute ago, or is being sent; ask again from ${second(fromMs)} UTC on`;
    return new AppError('limited', DELIVERY_CODES.tooSoon, message, { retryAfterMs: fromMs - nowMs });
  }
  const message = `what was asked for at ${second(dueAtMs)} UTC is being sent; ask again when that is over, at the earliest in a minute`;
  return new AppError('limited', DELIVERY_CODES.running, message, { retryAfterMs: DELIVERY_LIMITS.restMs });
}
const second = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');

const noChannel = (channel: string | undefined): AppError =>
  new AppError(
    'bad_input',
    DELIVERY_CODES.noChannel,
    channel === undefined ? 'no channel of kind email is configured' : `there is no channel "${channel}" of kind email`,
    { field: 'channel' },
  );

function nextOf({ cron, zone }: DeliverySpec, nowMs: number): number {
  const read = parseCron(cron);
  if (!read.ok) throw new Error(`expected a cron expression that was read before, found ${cron}`);
  return nextCronMs(read.value, nowMs, zone);
}

const specOf = (row: DashboardDeliveryRow): DeliverySpec => deliverySpec.parse(JSON.parse(row.spec));
const objectOf = ({ id }: DashboardDeliveryRow) => ({ kind: 'dashboards/deliveries', id });

function viewOf(row: DashboardDeliveryRow): DeliveryView {
  const { title = null, channel = null, range = null, cron, zone, to, values } = specOf(row);
  const last =
    row.last_state === null
      ? null
      : { due_at_ms: Number(row.last_due_at_ms), at_ms: Number(row.last_at_ms), state: row.last_state, note: row.last_note ?? '' };
  const enabled = row.enabled === 1;
  const when = { enabled, next_at_ms: enabled ? Number(row.next_at_ms) : null, last };
  const made = { made_by: row.made_by_name, made_at_ms: Number(row.made_at_ms) };
  return deliveryView.parse({ id: row.id, dashboard: row.dashboard, title, cron, zone, to, channel, range, values, ...when, ...made });
}
