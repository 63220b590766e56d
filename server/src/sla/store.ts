import { invariant } from '@nines/base/errors.ts';
import type { Kysely, Selectable } from 'kysely';
import type { SlaContractRow, SlaViolationRow } from '../platform/db/migrations/0004-sla.ts';
import { expectUpdated } from '../platform/db/revision.ts';
import type { Database } from '../platform/db/schema.ts';
import type { SlaSpec } from './spec.ts';
import { type Violation, type ViolationFigures, type ViolationSeverity, subjectKey } from './violations.ts';

/** One version of a contract, as recorded. */
export type ContractVersion = {
  readonly id: string;
  readonly sla: string;
  readonly version: number;
  readonly teamId: string;
  readonly spec: SlaSpec;
  readonly effectiveFromMs: number;
  readonly recordedAtMs: number;
};

/** All versions of one SLA's contract, oldest first. */
export async function contractVersions(db: Kysely<Database>, sla: string): Promise<readonly ContractVersion[]> {
  const rows = await db.selectFrom('sla_contracts').selectAll().where('sla', '=', sla).orderBy('version').execute();
  return rows.map(toContract);
}

/** The newest version of every contract. */
export async function newestContracts(db: Kysely<Database>): Promise<readonly ContractVersion[]> {
  const rows = await db
    .selectFrom('sla_contracts as c')
    .selectAll()
    .where('c.version', '=', (inner) =>
      inner
        .selectFrom('sla_contracts as n')
        .select((each) => each.fn.max('n.version').as('newest'))
        .whereRef('n.sla', '=', 'c.sla'),
    )
    .execute();
  return rows.map(toContract);
}

/** Adds a version; a version number that another writer took meanwhile is refused by the database. */
export async function addContract(db: Kysely<Database>, contract: ContractVersion): Promise<void> {
  await db
    .insertInto('sla_contracts')
    .values({
      id: contract.id,
      sla: contract.sla,
      version: contract.version,
      team_id: contract.teamId,
      spec: JSON.stringify(contract.spec),
      effective_from_ms: contract.effectiveFromMs,
      recorded_at_ms: contract.recordedAtMs,
    } satisfies SlaContractRow)
    .execute();
}

/** Every open violation, oldest first. */
export async function openViolations(db: Kysely<Database>): Promise<readonly Violation[]> {
  const rows = await db.selectFrom('sla_violations').selectAll().where('open_key', 'is not', null).orderBy('opened_at_ms').execute();
  return rows.map(toViolation);
}

/** Violations of one SLA that were open at some time in `[fromMs, toMs)`, newest first, at most `limit`. */
export async function violationsOf(
  db: Kysely<Database>,
  sla: string,
  filter: { readonly fromMs: number; readonly toMs: number; readonly limit: number },
): Promise<readonly Violation[]> {
  const rows = await db
    .selectFrom('sla_violations')
    .selectAll()
    .where('sla', '=', sla)
    .where('opened_at_ms', '<', filter.toMs)
    .where((where) => where.or([where('closed_at_ms', 'is', null), where('closed_at_ms', '>', filter.fromMs)]))
    .orderBy('opened_at_ms', 'desc')
    .orderBy('id', 'desc')
    .limit(filter.limit)
    .execute();
  return rows.map(toViolation);
}

/** Rows of one page. */
const VIOLATIONS_PER_PAGE = 2_000;

/** Violations of these SLAs, or of all, that were open at some time in `[fromMs, toMs)`, ascending by SLA and opening, page by page. */
export async function* violationPages(
  db: Kysely<Database>,
  { slas, span }: { readonly slas: readonly string[]; readonly span: { readonly fromMs: number; readonly toMs: number } },
): AsyncGenerator<readonly Violation[]> {
  const ordered = db
    .selectFrom('sla_violations')
    .selectAll()
    .$if(slas.length > 0, (all) => all.where('sla', 'in', slas))
    .where('opened_at_ms', '<', span.toMs)
    .where((where) => where.or([where('closed_at_ms', 'is', null), where('closed_at_ms', '>', span.fromMs)]))
    .orderBy('sla')
    .orderBy('opened_at_ms')
    .orderBy('id')
    .limit(VIOLATIONS_PER_PAGE);
  for (let last: SlaViolationRow | undefined, more = true; more; ) {
    const after = last;
    const rows = await ordered
      .$if(after !== undefined, (all) =>
        all.where((where) =>
          where.eb(
            where.refTuple('sla', 'opened_at_ms', 'id'),
            '>',
            where.tuple(after?.sla ?? '', after?.opened_at_ms ?? 0, after?.id ?? ''),
          ),
        ),
      )
      .execute();
    if (rows.length > 0) yield rows.map(toViolation);
    last = rows.at(-1);
    more = rows.length === VIOLATIONS_PER_PAGE;
  }
}

/** Fails when a violation of the same subject is already open. */
export async function insertViolation(db: Kysely<Database>, violation: Violation): Promise<void> {
  await db.insertInto('sla_violations').values(toViolationRow(violation)).execute();
}

/** Compare-and-set on the revision that was read; `AppError` `revision_conflict` when another writer was faster. */
export async function updateViolation(db: Kysely<Database>, violation: Violation): Promise<void> {
  const row = toViolationRow(violation);
  const result = await db
    .updateTable('sla_violations')
    .set({ open_key: row.open_key, severity: row.severity, closed_at_ms: row.closed_at_ms, figures: row.figures, revision: row.revision })
    .where('id', '=', violation.id)
    .where('revision', '=', violation.revision - 1)
    .executeTakeFirst();
  expectUpdated(result, `violation ${violation.id}`);
}

const toContract = (row: Selectable<SlaContractRow>): ContractVersion => ({
  id: row.id,
  sla: row.sla,
  version: row.version,
  teamId: row.team_id,
  spec: JSON.parse(row.spec) as SlaSpec,
  effectiveFromMs: row.effective_from_ms,
  recordedAtMs: row.recorded_at_ms,
});

const toViolationRow = (violation: Violation): SlaViolationRow => {
  const { subject } = violation;
  const burn = subject.kind === 'burn' ? subject : undefined;
  return {
    id: violation.id,
    sla: violation.sla,
    service: violation.service,
    team_id: violation.teamId,
    contract_version: violation.contractVersion,
    open_key: violation.closedAtMs === null ? `${violation.sla}/${subjectKey(subject)}` : null,
    kind: subject.kind,
    long_ms: burn?.longMs ?? null,
    short_ms: burn?.shortMs ?? null,
    factor: burn?.factor ?? null,
    severity: violation.severity,
    opened_at_ms: violation.openedAtMs,
    closed_at_ms: violation.closedAtMs,
    reason: violation.reason,
    figures: JSON.stringify(violation.figures),
    revision: violation.revision,
  };
};

function toViolation(row: Selectable<SlaViolationRow>): Violation {
  const { long_ms: longMs, short_ms: shortMs, factor } = row;
  invariant(
    row.kind === 'budget' || (longMs !== null && shortMs !== null && factor !== null),
    `a burn violation without its pair: ${row.id}`,
  );
  return {
    id: row.id,
    sla: row.sla,
    service: row.service,
    teamId: row.team_id,
    contractVersion: row.contract_version,
    subject: row.kind === 'budget' ? { kind: 'budget' } : { kind: 'burn', longMs: longMs ?? 0, shortMs: shortMs ?? 0, factor: factor ?? 0 },
    severity: row.severity as ViolationSeverity,
    openedAtMs: row.opened_at_ms,
    closedAtMs: row.closed_at_ms,
    reason: row.reason,
    figures: JSON.parse(row.figures) as ViolationFigures,
    revision: row.revision,
  };
}
