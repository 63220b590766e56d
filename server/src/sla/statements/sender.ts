import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS, type EpochMs } from '@nines/base/units.ts';
import { periodAt } from '@nines/maths/calendar/period.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { Ledger } from '../../availability/contract.ts';
import type { Mail, Mailer } from '../../notify/contract.ts';
import type { Database } from '../../platform/db/schema.ts';
import { html } from '../../platform/html.ts';
import { type OutboxMessage, type OutboxVerdict, fromJson } from '../../platform/records/contract.ts';
import type { Outbox } from '../../platform/records/outbox.ts';
import type { SlaBook } from '../book.ts';
import { reportIn, summary } from '../reports/forms.ts';
import type { SignedReport } from '../reports/report.ts';
import type { Reports } from '../reports/service.ts';
import type { ReportTemplates } from '../reports/templates.ts';
import { MEDIA_TYPES, fileName, statementIn } from './forms.ts';
import { type StatementSchedule, duePeriod } from './schedule.ts';
import { type Statements, rendered } from './service.ts';
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
  readonly reports: Pick<Reports, 'issue' | 'find' | 'ofSchedule'>;
  readonly templates: Pick<ReportTemplates, 'get'>;
  readonly outbox: () => Pick<Outbox, 'enqueue' | 'wake'>;
  readonly mailer: (channel: string) => Mailer | undefined;
  readonly serviceName: (id: string) => string;
};

/** The shape of `GET /api/statement-schedules` items. */
export type ScheduleView = Pick<StatementSchedule, 'id' | 'every' | 'zone' | 'slas' | 'together' | 'channel' | 'attach'> & {
  readonly customer: string | null;
  /** Empty: the channel's own. */
  readonly to: readonly string[];
  readonly next: { readonly period: string; readonly at_ms: number };
  /** Newest first. */
  readonly sent: readonly {
    /** '' where one report is over all of them; `statement` is its id then. */
    readonly sla: string;
    readonly from_at_ms: number;
    readonly to_at_ms: number;
    readonly statement: string;
    readonly at_ms: number;
  }[];
};
const SENDINGS_SHOWN = 20;

/** One of the two. */
const payloadSchema = z.object({ statement: z.string().optional(), report: z.string().optional(), schedule: z.string() });

/** Issues statements and reports when their periods are over and sends them by mail or webhook. Each period goes out once; delivery is the outbox's. */
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
        const reported = await this.#deps.reports.ofSchedule(schedule.id, SENDINGS_SHOWN);
        return {
          id: schedule.id,
          every: schedule.every,
          zone: schedule.zone,
          slas: schedule.slas,
          together: schedule.together,
          customer: schedule.customer ?? null,
          channel: schedule.channel,
          to: schedule.to ?? [],
          attach: schedule.attach,
          next: { period: next.name, at_ms: next.toMs + schedule.after },
          sent: [
            ...reported.map((one) => ({
              sla: '',
              from_at_ms: one.from_at_ms,
              to_at_ms: one.to_at_ms,
              statement: one.id,
              at_ms: one.issued_at_ms,
            })),
            ...sent.map(({ sla, fromMs, toMs, statementId, atMs }) => ({
              sla,
              from_at_ms: fromMs,
              to_at_ms: toMs,
              statement: statementId,
              at_ms: atMs,
            })),
          ].slice(0, SENDINGS_SHOWN),
        };
      }),
    );
  }

  /** Issues what is due. A statement that cannot be issued is logged and tried again at the next step; the others go on. */
  async step(nowMs: EpochMs): Promise<void> {
    for (const schedule of this.#schedules) {
      if (schedule.together) await this.#issueReport(schedule, nowMs).catch((thrown: unknown) => this.#notIssued(schedule, '', thrown));
      else
        for (const sla of schedule.slas)
          await this.#issue(schedule, sla, nowMs).catch((thrown: unknown) => this.#notIssued(schedule, sla, thrown));
    }
  }

  #notIssued(schedule: StatementSchedule, sla: string, thrown: unknown): void {
    this.#deps.logger.error('a scheduled statement was not issued', { schedule: schedule.id, sla, error: messageOf(thrown) });
  }

  /** About time that nobody watched there is nothing to state. */
  async #isWatched(sla: string, period: Span): Promise<boolean> {
    const service = this.#deps.book.get(sla)?.terms.spec.service;
    const sinceMs = service === undefined ? null : await this.#deps.ledger.monitoredSinceMs(service);
    return sinceMs !== null && sinceMs < period.toMs;
  }

  /** One report over the contracts that were watched; its statements are issued with it. */
  async #issueReport(schedule: StatementSchedule, nowMs: EpochMs): Promise<void> {
    const { statements, reports, outbox } = this.#deps;
    const { fromMs, toMs } = duePeriod(schedule, nowMs);
    const { customer, zone } = schedule;
    const before = await reports.ofSchedule(schedule.id, SENDINGS_SHOWN);
    if (before.some((one) => one.customer === (customer ?? null) && one.from_at_ms === fromMs && one.to_at_ms === toMs)) return;
    const slas: string[] = [];
    for (const sla of schedule.slas) if (await this.#isWatched(sla, { fromMs, toMs })) slas.push(sla);
    if (slas.length === 0) return;
    const by = `schedule ${schedule.id}`;
    const period = { fromMs, toMs };
    for (const sla of slas) await statements.issue({ sla, period, zone, ...(customer === undefined ? {} : { customer }) }, by);
    const question = { slas, services: [], customer, title: undefined, period, zone };
    await reports.issue(question, {
      name: by,
      schedule: schedule.id,
      within: (trx, report) =>
        outbox().enqueue(trx, { topic: STATEMENT_TOPIC, key: schedule.id, payload: { report, schedule: schedule.id } }),
    });
    outbox().wake();
  }

  async #issue(schedule: StatementSchedule, sla: string, nowMs: EpochMs): Promise<void> {
    const { db, statements, outbox } = this.#deps;
    const period = duePeriod(schedule, nowMs);
    if (!(await this.#isWatched(sla, period))) return;
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
    const mail =
      payload.report === undefined
        ? this.#mail(schedule, await this.#deps.statements.find(payload.statement ?? ''), message.id)
        : this.#reportMail(schedule, await this.#deps.reports.find(payload.report), message.id);
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
      ...this.#letter(schedule, { subject: `${statement.name}, ${period}: ${words(statement.status)}`, lines, idempotencyKey }),
      attachments: schedule.attach.map((form) => ({
        name: fileName(`${statement.id}-${period}`, form),
        mediaType: MEDIA_TYPES[form],
        bytes: statementIn(form, { statement, text }, serviceName),
      })),
    };
  }

  #reportMail(schedule: StatementSchedule, report: SignedReport, idempotencyKey: string): Mail {
    const template = schedule.template === undefined ? undefined : this.#deps.templates.get(schedule.template);
    const period = report.calendar.name ?? `${instant(report.period.from_at_ms)} to ${instant(report.period.to_at_ms)}`;
    const lines = [
      summary(report),
      `Signed by the key ${report.signature.key_id}; the JSON form can be checked with: nines sla verify FILE`,
    ];
    return {
      ...this.#letter(schedule, { subject: `${report.title}, ${period}`, lines, idempotencyKey }),
      attachments: schedule.attach.map((form) => ({
        name: fileName(`${report.id}-${period}`, form),
        mediaType: MEDIA_TYPES[form],
        bytes: reportIn(form, report, template),
      })),
    };
  }

  #letter(
    schedule: StatementSchedule,
    of: { readonly subject: string; readonly lines: readonly string[]; readonly idempotencyKey: string },
  ): Omit<Mail, 'attachments'> {
    const { subject, lines, idempotencyKey } = of;
    return {
      subject,
      text: lines.join('\n\n'),
      html: html`<!doctype html><html><body style="font-family:sans-serif;font-size:14px">${lines.map((line) => html`<p>${line}</p>`)}</body></html>`
        .markup,
      ...(schedule.to === undefined ? {} : { to: schedule.to }),
      idempotencyKey,
    };
  }
}
