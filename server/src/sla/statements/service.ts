import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { DAY_MS, type EpochMs, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import type { Span } from '@nines/maths/slo/types.ts';
import type { Kysely } from 'kysely';
import { createHash } from 'node:crypto';
import { type Json, canonicalJson } from '@nines/base/canonical-json.ts';
import type { Ledger } from '../../availability/contract.ts';
import type { Maintenance } from '../../maintenance/contract.ts';
import type { Bus } from '../../platform/bus.ts';
import type { Database } from '../../platform/db/schema.ts';
import { DEFAULT_TEAM } from '../../platform/records/contract.ts';
import type { Signer } from '../../platform/signing/signer.ts';
import { type Turns, createTurns } from '../../platform/turns.ts';
import type { SlaBook } from '../book.ts';
import { type AccountView, type BurnDownView, type DayView, type TrendView, accountOf, burnDownOf, daysOf, trendOf } from './account.ts';
import { changesBetween } from './changes.ts';
import { type Question, gather, judgeAlignment } from './gather.ts';
import { signed } from './signature.ts';
import { type IssuedForm, type RevisionView, type SignedStatement, type Statement, makeStatement, materialDigest } from './statement.ts';
import {
  type IssuedStatement,
  type StatementFilter,
  type StatementKey,
  findStatement,
  insertStatement,
  issuedStatement,
  newestStatements,
  statementsOf,
} from './store.ts';
import { type WhatIfTerms, type WhatIfView, whatIf } from './what-if.ts';

export type StatementDeps = {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly book: SlaBook;
  readonly ledger: Pick<Ledger, 'timeline' | 'monitoredSinceMs' | 'downtimes' | 'version'>;
  readonly maintenance: Maintenance;
  readonly signer: () => Signer;
};

export const STATEMENT_CODES = { notFound: 'statement_not_found', notOver: 'period_not_over' } as const;

/** Statements of periods that ended this long ago are looked at again when the ledger changed: no result comes later by itself. */
const LATE_MS = 3 * DAY_MS;
/** How often `step` is to be called. */
export const STATEMENT_STEP_MS = MINUTE_MS;
const MAX_LISTED = 1_000;
const ISSUER = 'nines';

/** A statement with its bytes. */
export type Rendered = { readonly statement: SignedStatement; readonly text: string };

/** Statements: computed for whoever asks, issued and kept, issued again when what decided them changed. */
export class Statements {
  readonly #deps: StatementDeps;
  /** Revisions of one period follow one another. */
  readonly #turn: Turns = createTurns();
  readonly #seen = new Map<string, number>();

  constructor(deps: StatementDeps) {
    this.#deps = deps;
  }

  /**
   * The statement of a period, signed: the newest revision when it was issued, restated first when it no longer holds; otherwise
   * one without a revision. `AppError` `sla_not_found`, `range_invalid`, `customer_unknown`.
   */
  async report(question: Question): Promise<Rendered> {
    const statement = await this.#statement(question);
    if (statement.finality === 'final' && question.knownAtMs === undefined) {
      const issued = await issuedStatement(this.#deps.db, keyOf(question));
      if (issued !== undefined) return rendered(issued.digest === materialDigest(statement) ? issued : await this.issue(question, ISSUER));
    }
    return this.#signed({ ...statement, revision: null });
  }

  /**
   * Issues the statement of a period that is over: the first, the one that stands when nothing changed, or a restatement.
   * `AppError` `period_not_over` and those of `report`.
   */
  issue(question: Question, by: string): Promise<IssuedStatement> {
    return this.#turn(async () => {
      const statement = await this.#statement(question);
      if (statement.finality !== 'final') {
        const until = new Date(question.period.toMs).toISOString();
        throw new AppError(
          'conflict',
          STATEMENT_CODES.notOver,
          `the period lasts until ${until}: until it is over its statement is provisional and not issued`,
        );
      }
      judgeAlignment(statement.contract.terms, question.period);
      const before = await issuedStatement(this.#deps.db, keyOf(question));
      const digest = materialDigest(statement);
      if (before?.digest === digest) return before;
      const issued = this.#issued(question, { statement, digest, before, by });
      await insertStatement(this.#deps.db, issued);
      const type = before === undefined ? 'statement.issued' : 'statement.restated';
      this.#deps.bus.publish({ topic: 'slas', type, atMs: issued.issuedAtMs, data: issuedToWire(issued) });
      return issued;
    });
  }

  #issued(
    question: Question,
    made: { readonly statement: Statement; readonly digest: string; readonly before: IssuedStatement | undefined; readonly by: string },
  ): IssuedStatement {
    const { statement, before } = made;
    const revision: RevisionView =
      before === undefined
        ? { number: 1, restates: null, why: [], changes: [] }
        : {
            number: before.revision + 1,
            restates: createHash('sha256').update(before.document).digest('hex'),
            ...changesBetween(JSON.parse(before.document) as Statement, statement),
          };
    return {
      ...keyOf(question),
      id: this.#deps.ids.uuid(),
      teamId: DEFAULT_TEAM,
      revision: revision.number,
      digest: made.digest,
      document: this.#signed({ ...statement, revision }).text,
      issuedBy: made.by,
      issuedAtMs: this.#deps.clock.now(),
    };
  }

  /** One revision of an issued statement, byte for byte as it was issued. `AppError` `statement_not_found`. */
  async find(id: string): Promise<IssuedStatement> {
    const found = await findStatement(this.#deps.db, id);
    if (found === undefined) throw new AppError('not_found', STATEMENT_CODES.notFound, `there is no statement ${id}`);
    return found;
  }

  /** One revision of a period's issued statement. `AppError` `statement_not_found`. */
  async revision(question: Question, number: number): Promise<Rendered> {
    const found = await issuedStatement(this.#deps.db, keyOf(question), number);
    if (found !== undefined) return rendered(found);
    throw new AppError('not_found', STATEMENT_CODES.notFound, `no revision ${number} of the statement of this period was issued`);
  }

  /** The verdict about a past window under other terms; nothing is kept. */
  whatIf(asked: Question & { readonly terms: WhatIfTerms }): Promise<WhatIfView> {
    return whatIf(this.#deps, asked, this.#deps.clock.now());
  }

  /** How the contract counts each stretch of a period. */
  account(question: Question): Promise<AccountView> {
    return accountOf(this.#deps, question, this.#deps.clock.now());
  }

  days(question: Question): Promise<readonly DayView[]> {
    return daysOf(this.#deps, question, this.#deps.clock.now());
  }

  burnDown(question: Question): Promise<BurnDownView> {
    return burnDownOf(this.#deps, question, this.#deps.clock.now());
  }

  trend(question: Question): Promise<TrendView> {
    return trendOf(this.#deps, question, this.#deps.clock.now());
  }

  /** Every revision that was issued, for an SLA or a customer or at all, newest period first; at most the newest thousand. */
  list(filter: StatementFilter): Promise<readonly IssuedStatement[]> {
    return statementsOf(this.#deps.db, filter, MAX_LISTED);
  }

  /** Looks at the issued statements of an SLA whose periods overlap `span`, and restates those that no longer hold. */
  async recheck(slas: readonly string[], span: Span): Promise<void> {
    for (const issued of await newestStatements(this.#deps.db, slas, span)) {
      await this.issue(questionOf(issued), ISSUER).catch((thrown: unknown) => {
        this.#deps.logger.error('a statement could not be looked at again', {
          sla: issued.sla,
          statement: issued.id,
          error: messageOf(thrown),
        });
      });
    }
  }

  /** The same for the SLAs of a service: an outage was described anew. */
  recheckService(service: string, span: Span): Promise<void> {
    return this.recheck(this.#slasOf(service), span);
  }

  /** Services whose history changed since the last time, for periods that ended lately. */
  async step(nowMs: EpochMs): Promise<void> {
    const services = new Set(this.#deps.book.entries().map(({ terms }) => terms.spec.service));
    for (const service of services) {
      const version = this.#deps.ledger.version(service);
      if (this.#seen.get(service) === version) continue;
      this.#seen.set(service, version);
      await this.recheckService(service, { fromMs: epochMs(nowMs - LATE_MS), toMs: nowMs });
    }
  }

  #slasOf(service: string): readonly string[] {
    return this.#deps.book
      .entries()
      .filter(({ terms }) => terms.spec.service === service)
      .map(({ contract }) => contract.sla);
  }

  async #statement(question: Question): Promise<Statement> {
    return makeStatement(await gather(this.#deps, question, this.#deps.clock.now()));
  }

  #signed(statement: IssuedForm): Rendered {
    const whole = signed(statement, this.#deps.signer());
    return { statement: whole, text: canonicalJson(whole as unknown as Json) };
  }
}

export const rendered = ({ document }: IssuedStatement): Rendered => ({
  statement: JSON.parse(document) as SignedStatement,
  text: document,
});

const keyOf = ({ sla, customer, period, zone }: Question): StatementKey => ({
  sla,
  customer: customer ?? '',
  fromMs: period.fromMs,
  toMs: period.toMs,
  zone,
});

const questionOf = ({ sla, customer, fromMs, toMs, zone }: StatementKey): Question => ({
  sla,
  period: { fromMs: epochMs(fromMs), toMs: epochMs(toMs) },
  zone,
  ...(customer === '' ? {} : { customer }),
});

/** The shape of `GET /api/statements` items. */
export type IssuedView = {
  readonly id: string;
  readonly sla: string;
  readonly name: string;
  readonly service: string;
  readonly customer: string | null;
  readonly from_at_ms: number;
  readonly to_at_ms: number;
  readonly zone: string;
  /** `2026-11` where the period is one of the calendar. */
  readonly period: string | null;
  readonly status: Statement['status'];
  readonly attained: number | null;
  readonly target: number;
  readonly credit: Statement['credit'];
  readonly revision: number;
  readonly why: readonly string[];
  readonly key_id: string;
  readonly issued_by: string;
  readonly issued_at_ms: number;
};

export function issuedToWire(issued: IssuedStatement): IssuedView {
  const { statement } = rendered(issued);
  return {
    id: issued.id,
    sla: issued.sla,
    name: statement.name,
    service: statement.service,
    customer: issued.customer === '' ? null : issued.customer,
    from_at_ms: issued.fromMs,
    to_at_ms: issued.toMs,
    zone: issued.zone,
    period: statement.calendar.name,
    status: statement.status,
    attained: statement.attained,
    target: statement.target,
    credit: statement.credit,
    revision: issued.revision,
    why: statement.revision?.why ?? [],
    key_id: statement.signature.key_id,
    issued_by: issued.issuedBy,
    issued_at_ms: issued.issuedAtMs,
  };
}
