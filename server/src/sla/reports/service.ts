import { type Json, canonicalJson } from '@nines/base/canonical-json.ts';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../../platform/db/schema.ts';
import type { Signer } from '../../platform/signing/signer.ts';
import type { SlaBook } from '../book.ts';
import { SLA_CODES } from '../contract.ts';
import { STATEMENT_CODES, type Rendered, type Statements } from '../statements/service.ts';
import { signed } from '../statements/signature.ts';
import { type SignedReport, makeReport } from './report.ts';
import { type ArchivedReport, archivedReports, findReport, insertReport } from './store.ts';

export type ReportDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly book: SlaBook;
  readonly statements: Pick<Statements, 'report'>;
  readonly signer: () => Signer;
  readonly serviceName: (id: string) => string;
};

/** Which contracts, and over which time. Without `slas`: all of the services, of the customer, or all there are. */
export type ReportQuestion = {
  readonly slas: readonly string[];
  readonly services: readonly string[];
  readonly customer: string | undefined;
  readonly title: string | undefined;
  readonly period: Span;
  /** IANA. */
  readonly zone: string;
};

const REPORT_CODES = { notFound: 'report_not_found', empty: 'report_empty', tooLarge: 'report_too_large' } as const;

/** Contracts of one report: more are no document for people. */
const MAX_CONTRACTS = 500;
const MAX_LISTED = 1_000;

/** Reports over several contracts: made for whoever asks, issued into the archive. */
export class Reports {
  readonly #deps: ReportDeps;

  constructor(deps: ReportDeps) {
    this.#deps = deps;
  }

  /** `AppError` `report_empty`, `sla_not_found`, and those of a statement. */
  async make(question: ReportQuestion): Promise<SignedReport> {
    const { statements, serviceName, signer } = this.#deps;
    const { period, zone, customer } = question;
    const made: Rendered[] = [];
    for (const sla of this.#slasOf(question)) {
      made.push(await statements.report({ sla, period, zone, ...(customer === undefined ? {} : { customer }) }));
    }
    return signed(makeReport({ statements: made, title: question.title, serviceName }), signer());
  }

  /** Makes a report and keeps it, in one transaction with what is to be done `within` it. `AppError` `period_not_over`. */
  async issue(
    question: ReportQuestion,
    by: {
      readonly name: string;
      readonly schedule?: string;
      readonly within?: (trx: Transaction<Database>, id: string) => Promise<unknown>;
    },
  ): Promise<ArchivedReport> {
    const report = await this.make(question);
    if (report.finality !== 'final') {
      const until = new Date(question.period.toMs).toISOString();
      throw new AppError(
        'conflict',
        STATEMENT_CODES.notOver,
        `the period lasts until ${until}: until it is over its report is provisional and not issued`,
      );
    }
    const archived: ArchivedReport = {
      id: this.#deps.ids.uuid(),
      schedule: by.schedule ?? '',
      title: report.title,
      customer: question.customer ?? '',
      from_ms: question.period.fromMs,
      to_ms: question.period.toMs,
      zone: question.zone,
      document: canonicalJson(report as unknown as Json),
      issued_by: by.name,
      issued_at_ms: this.#deps.clock.now(),
    };
    await this.#deps.db.transaction().execute(async (trx) => {
      await insertReport(trx, archived);
      await by.within?.(trx, archived.id);
    });
    return archived;
  }

  /** `AppError` `report_not_found`. */
  async find(id: string): Promise<SignedReport> {
    const found = await findReport(this.#deps.db, id);
    if (found === undefined) throw new AppError('not_found', REPORT_CODES.notFound, `there is no report ${id}`);
    return JSON.parse(found.document) as SignedReport;
  }

  async list(): Promise<readonly ArchivedReportView[]> {
    return (await archivedReports(this.#deps.db, { limit: MAX_LISTED })).map(toArchivedView);
  }

  /** Those that a schedule issued, newest first. */
  async ofSchedule(schedule: string, limit: number): Promise<readonly ArchivedReportView[]> {
    return (await archivedReports(this.#deps.db, { schedule, limit })).map(toArchivedView);
  }

  #slasOf({ slas, services, customer }: ReportQuestion): readonly string[] {
    const { book } = this.#deps;
    if (slas.length > 0) {
      for (const id of slas) if (book.get(id) === undefined) throw new AppError('not_found', SLA_CODES.notFound, `there is no SLA "${id}"`);
      return [...new Set(slas)];
    }
    const found = book
      .entries()
      .filter(({ terms: { spec } }) => services.length === 0 || services.includes(spec.service))
      .filter(({ terms: { spec } }) => customer === undefined || spec.customers?.some(({ id }) => id === customer) === true)
      .map(({ contract }) => contract.sla);
    if (found.length === 0) throw new AppError('not_found', REPORT_CODES.empty, 'no contract is about these services and this customer');
    if (found.length > MAX_CONTRACTS) {
      throw new AppError(
        'limited',
        REPORT_CODES.tooLarge,
        `${found.length} contracts are more than the ${MAX_CONTRACTS} of one report; name some of them`,
      );
    }
    return found;
  }
}

/** The shape of `GET /api/reports` items. */
export type ArchivedReportView = {
  readonly id: string;
  readonly title: string;
  readonly customer: string | null;
  readonly schedule: string | null;
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly zone: string;
  readonly issued_by: string;
  readonly issued_at_ms: number;
};

export const toArchivedView = (row: Omit<ArchivedReport, 'document'>): ArchivedReportView => ({
  id: row.id,
  title: row.title,
  customer: row.customer === '' ? null : row.customer,
  schedule: row.schedule === '' ? null : row.schedule,
  from_at_ms: row.from_ms,
  to_at_ms: row.to_ms,
  zone: row.zone,
  issued_by: row.issued_by,
  issued_at_ms: row.issued_at_ms,
});
