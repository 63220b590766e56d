import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS, type EpochMs } from '@nines/base/units.ts';
import { periodAt } from '@nines/maths/calendar/period.ts';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Ledger } from '../../availability/contract.ts';
import type { Mail, Mailer } from '../../notify/contract.ts';
import type { Database } from '../../platform/db/schema.ts';
import { html } from '../../platform/html.ts';
import { type OutboxMessage, type OutboxVerdict, fromJson } from '../../platform/records/contract.ts';
import type { Outbox } from '../../platform/records/outbox.ts';
import type { SlaBook } from '../book.ts';
import { statementCsv } from './csv.ts';
import { statementHtml } from './html.ts';
import { statementPdf } from './pdf.ts';
import { type StatementSchedule, duePeriod } from './schedule.ts';
import { type Rendered, type Statements, rendered } from './service.ts';
import type { IssuedStatement } from './store.ts';
import { insertSending, sendingsOf, wasSent } from './store.ts';
import { creditSentence, instant, percent, sentence, words } from './words.ts';

export const STATEMENT_TOPIC = 'statement.send';
/** How often `step` is to be called. */
export const SENDER_STEP_MS = MINUTE_MS;

export type SenderDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly book: SlaBook;
  readonly ledger: Pick<Ledger, 'monitoredSinceMs'>;
  readonly statements: Statements;
  readonly outbox: () => Pick<Outbox, 'enqueue' | 'wake'>;
  readonly mailer: (channel: string) => Mailer | undefined;
  readonly serviceName: (id: string) => string;
};

/** The shape of `GET /api/statement-schedules` items. */
export type ScheduleView = Pick<StatementSchedule, 'id' | 'every' | 'zone' | 'slas' | 'channel' | 'attach'> & {
  readonly customer: string | null;
  /** Empty: the channel's own. */
  readonly to: readonly string[];
  readonly next: { readonly period: string; readonly at_ms: number };
  /** Newest first. */
  readonly sent: readonly {
    readonly sla: string;
    readonly from_at_ms: number;
    readonly to_at_ms: number;
    readonly statement: string;
    readonly at_ms: number;
  }[];
};
const SENDINGS_SHOWN = 20;

const payloadSchema = z.object({ statement: z.string(), schedule: z.string() });

/** Issues statements when their periods are over and sends them by mail. Each period goes out once; delivery is the outbox's. */
export class StatementSender {
  readonly #deps: SenderDeps;
  #schedules: readonly StatementSchedule[] = [];

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  configure(schedules: readonly StatementSchedule[]): void {
    this.#schedules = schedules;
  }

  /** The schedules with the period that each sends next, when, and what it sent last. */
  async list(nowMs: EpochMs): Promise<readonly ScheduleView[]> {
    return Promise.all(
      this.#schedules.map(async (schedule) => {
        const next = periodAt(nowMs - schedule.after, schedule.every, schedule.zone);
        const sent = await sendingsOf(this.#deps.db, schedule.id, SENDINGS_SHOWN);
        return {
          id: schedule.id,
          every: schedule.every,
          zone: schedule.zone,
          slas: schedule.slas,
          customer: schedule.customer ?? null,
          channel: schedule.channel,
          to: schedule.to ?? [],
          attach: schedule.attach,
          next: { period: next.name, at_ms: next.toMs + schedule.after },
          sent: sent.map(({ sla, fromMs, toMs, statementId, atMs }) => ({
            sla,
            from_at_ms: fromMs,
            to_at_ms: toMs,
            statement: statementId,
            at_ms: atMs,
          })),
        };
      }),
    );
  }

  /** Issues what is due. A statement that cannot be issued is logged and tried again at the next step; the others go on. */
  async step(nowMs: EpochMs): Promise<void> {
    for (const schedule of this.#schedules) {
      for (const sla of schedule.slas) {
        await this.#issue(schedule, sla, nowMs).catch((thrown: unknown) =>
          this.#deps.logger.error('a scheduled statement was not issued', { schedule: schedule.id, sla, error: messageOf(thrown) }),
        );
      }
    }
  }

  async #issue(schedule: StatementSchedule, sla: string, nowMs: EpochMs): Promise<void> {
    const { db, book, ledger, statements, outbox } = this.#deps;
    const service = book.get(sla)?.terms.spec.service;
    const period = duePeriod(schedule, nowMs);
    const sinceMs = service === undefined ? null : await ledger.monitoredSinceMs(service);
    // About time that nobody watched there is nothing to state.
    if (sinceMs === null || sinceMs >= period.toMs) return;
    const { customer, zone } = schedule;
    const key = { schedule: schedule.id, sla, customer: customer ?? '', fromMs: period.fromMs, toMs: period.toMs };
    if (await wasSent(db, key)) return;
    const question = { sla, period: { fromMs: period.fromMs, toMs: period.toMs }, zone, ...(customer === undefined ? {} : { customer }) };
    const issued = await statements.issue(question, `schedule ${schedule.id}`);
    await db.transaction().execute(async (trx) => {
      await insertSending(trx, key, { statementId: issued.id, atMs: nowMs });
      const payload = { statement: issued.id, schedule: schedule.id };
      await outbox().enqueue(trx, { topic: STATEMENT_TOPIC, key: `${schedule.id}/${sla}`, payload });
    });
    outbox().wake();
  }

  /** One attempt to send an issued statement. */
  async send(message: OutboxMessage): Promise<OutboxVerdict> {
    const payload = payloadSchema.parse(fromJson(message.payload));
    const schedule = this.#schedules.find(({ id }) => id === payload.schedule);
    const mailer = schedule === undefined ? undefined : this.#deps.mailer(schedule.channel);
    if (schedule === undefined || mailer === undefined) {
      return { kind: 'dead', error: `the schedule "${payload.schedule}" or its channel is no longer configured` };
    }
    const mail = this.#mail(schedule, await this.#deps.statements.find(payload.statement), message.id);
    const delivery = await mailer.send(mail);
    if (delivery.kind === 'delivered') return { kind: 'done', receipt: delivery.receipt };
    return { kind: delivery.retryable ? 'retry' : 'dead', error: delivery.error };
  }

  #mail(schedule: StatementSchedule, issued: IssuedStatement, idempotencyKey: string): Mail {
    const { statement, text } = rendered(issued);
    const serviceName = this.#deps.serviceName(statement.service);
    const period = statement.calendar.name ?? `${instant(issued.fromMs)} to ${instant(issued.toMs)}`;
    const lines = [
      `${serviceName}: ${words(statement.status)}, ${statement.attained === null ? 'nothing was measured' : percent(statement.attained)} of a promised ${percent(statement.contract.terms.target)}.`,
      sentence(statement),
      ...(statement.credit === null ? [] : [`Credit: ${creditSentence(statement.credit)}`]),
      `Signed by the key ${statement.signature.key_id}; the JSON form can be checked with: nines sla verify FILE`,
    ];
    return {
      subject: `${statement.name}, ${period}: ${words(statement.status)}`,
      text: lines.join('\n\n'),
      html: html`<!doctype html><html><body style="font-family:sans-serif;font-size:14px">${lines.map((line) => html`<p>${line}</p>`)}</body></html>`
        .markup,
      ...(schedule.to === undefined ? {} : { to: schedule.to }),
      attachments: schedule.attach.map((form) => attachment(form, { statement, text }, { serviceName, name: `${statement.id}-${period}` })),
      idempotencyKey,
    };
  }
}

type Form = StatementSchedule['attach'][number];
const MEDIA_TYPES: Readonly<Record<Form, string>> = {
  pdf: 'application/pdf',
  json: 'application/json',
  csv: 'text/csv',
  html: 'text/html',
};

function attachment(form: Form, { statement, text }: Rendered, of: { readonly serviceName: string; readonly name: string }) {
  const contents: Readonly<Record<Form, () => Uint8Array>> = {
    pdf: () => statementPdf(statement, of.serviceName),
    json: () => Buffer.from(text),
    csv: () => Buffer.from(statementCsv(statement)),
    html: () => Buffer.from(statementHtml(statement, of.serviceName)),
  };
  return { name: `${of.name.replace(/[^\w.-]+/g, '_')}.${form}`, mediaType: MEDIA_TYPES[form], bytes: contents[form]() };
}
