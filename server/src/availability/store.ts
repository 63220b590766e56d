import type { EpochMs } from '@nines/base/units.ts';
import type { CheckHistory } from '@nines/maths/slo/check-history.ts';
import { type FlapHistory, type FlapLimits, STEADY } from '@nines/maths/slo/flapping.ts';
import type { Transition, UnknownReason } from '@nines/maths/slo/types.ts';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { DowntimeChangeColumns, DowntimePartColumns } from '../platform/db/migrations/0019-downtime-parts.ts';
import type { DowntimeRevisionRow, DowntimeRow, LedgerTransitionRow } from '../platform/db/migrations/0003-ledger.ts';
import type { Database } from '../platform/db/schema.ts';
import type { Downtime, DowntimeFilter, DowntimeReason, KnownDowntimeFilter } from './contract.ts';
import type { CheckState, Composite, Rewrite } from './evaluate.ts';
import { restructuredServices, saveChange, type StoredChange, structureOf } from './store-parts.ts';
import { loadComposites, saveComposites } from './store-composites.ts';
import type { DowntimeHistory } from './known.ts';

/** Rows per statement. SQLite takes 32 766 parameters, a transition has eleven columns. */
const ROWS_PER_INSERT = 500;

export type SubjectKind = 'check' | 'service';
/** A check's tail as stored: everything of its state but the transitions. */
export type StoredTail = { readonly check: string; readonly state: Omit<CheckState, 'active'> };
export type Session = { readonly id: string; readonly startedAtMs: EpochMs };

/** One batch of changes; saved whole or not at all. `newId` makes the identities of rows. */
export type LedgerSave = {
  readonly nowMs: EpochMs;
  readonly newId: () => string;
  readonly rewrites: readonly Rewrite[];
  readonly tails: ReadonlyMap<string, CheckState>;
  /** Services whose composition changed; undefined: they consist of nothing any more. */
  readonly composed: ReadonlyMap<string, Composite | undefined>;
  readonly opened: readonly Downtime[];
  readonly changed: readonly Downtime[];
  readonly retracted: readonly string[];
};

export type LedgerStore = ReturnType<typeof createLedgerStore>;

/** SQL of the ledger. `recordedAt` of a lapse is its own instant: that a result's validity ends is known in advance. */
export function createLedgerStore(db: Kysely<Database>) {
  return {
    save: (batch: LedgerSave): Promise<void> => db.transaction().execute((trx) => saveBatch(trx, batch)),
    saveTails: (tails: ReadonlyMap<string, CheckState>): Promise<void> => db.transaction().execute((trx) => saveTails(trx, tails)),
    loadTails: () => loadTails(db),
    loadComposites: () => loadComposites(db),
    transitionsSince: (subject: { kind: SubjectKind; id: string }, fromMs: EpochMs) => transitionsSince(db, subject, fromMs),
    transitionsWithin: (service: string, window: KnownWindow) => transitionsWithin(db, service, window),
    firstTransitions: () => firstTransitions(db),
    downtimes: (filter: DowntimeFilter) => listDowntimes(db, filter),
    downtimeHistories: (filter: KnownDowntimeFilter) => downtimeHistories(db, filter),
    downtime: (id: string) => findDowntime(db, id),
    revisions: (id: string) => revisionsOf(db, id),
    detections: (filter: Required<DowntimeFilter> & { readonly knownAtMs: EpochMs }) => detectionsOf(db, filter),
    downtimesSince: (fromMs: EpochMs) => downtimesSince(db, fromMs),
    saveChange: (change: StoredChange): Promise<void> => db.transaction().execute((trx) => saveChange(trx, change)),
    structureOf: (service: string) => structureOf(db, service),
    restructuredServices: () => restructuredServices(db),
    beginSession: (session: Session) => beginSession(db, session),
    keepSession: (session: Session, at: { readonly aliveUntilMs: EpochMs; readonly stopped: boolean }) => keepSession(db, session, at),
    lastSeenAliveMs: () => lastSeenAliveMs(db),
  };
}

async function saveBatch(trx: Transaction<Database>, batch: LedgerSave): Promise<void> {
  for (const { kind, subject, fromMs } of batch.rewrites) {
    await trx
      .updateTable('ledger_transitions')
      .set({ superseded_at_ms: batch.nowMs })
      .where('subject_kind', '=', kind)
      .where('subject', '=', subject)
      .where('at_ms', '>=', fromMs)
      .where('superseded_at_ms', 'is', null)
      .execute();
  }
  const rows = batch.rewrites.flatMap(({ kind, subject, transitions }) =>
    transitions.map((one) => transitionToRow(one, { id: batch.newId(), kind, subject, nowMs: batch.nowMs })),
  );
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
    await trx
      .insertInto('ledger_transitions')
      .values(rows.slice(i, i + ROWS_PER_INSERT))
      .execute();
  }
  await saveTails(trx, batch.tails);
  await saveComposites(trx, batch.composed);
  for (const downtime of batch.opened) {
    await trx.insertInto('downtimes').values(downtimeToRow(downtime, batch.nowMs)).execute();
  }
  for (const downtime of batch.changed) {
    const row = downtimeToRow(downtime, batch.nowMs);
    // When it was first known stays.
    const { id, reason: _reason, note: _note, revision: _revision, recorded_at_ms: _recorded, ...edges } = row;
    await trx.updateTable('downtimes').set(edges).where('id', '=', id).execute();
  }
  if (batch.retracted.length > 0) {
    await trx.updateTable('downtimes').set({ retracted_at_ms: batch.nowMs }).where('id', 'in', batch.retracted).execute();
  }
}

function transitionToRow(
  transition: Transition,
  at: { readonly id: string; readonly kind: SubjectKind; readonly subject: string; readonly nowMs: EpochMs },
): LedgerTransitionRow {
  return {
    id: at.id,
    subject_kind: at.kind,
    subject: at.subject,
    at_ms: transition.atMs,
    state: transition.state,
    unknown_reason: transition.unknownReason ?? null,
    low_ms: transition.lowMs,
    high_ms: transition.highMs,
    evidence: JSON.stringify(transition.evidence),
    recorded_at_ms: transition.state === 'unknown' ? Math.min(transition.atMs, at.nowMs) : at.nowMs,
    superseded_at_ms: null,
  } satisfies LedgerTransitionRow;
}

const transitionFromRow = (row: Pick<Selectable<LedgerTransitionRow>, (typeof TRANSITION)[number]>): Transition => ({
  atMs: row.at_ms as EpochMs,
  state: row.state as Transition['state'],
  ...(row.unknown_reason === null ? {} : { unknownReason: row.unknown_reason as UnknownReason }),
  lowMs: row.low_ms as EpochMs,
  highMs: row.high_ms as EpochMs,
  evidence: row.evidence === '[]' ? [] : (JSON.parse(row.evidence) as Transition['evidence']),
});

async function saveTails(trx: Transaction<Database>, tails: ReadonlyMap<string, CheckState>): Promise<void> {
  const gone = [...tails].filter(([, state]) => !state.active).map(([check]) => check);
  const rows = [...tails]
    .filter(([, state]) => state.active)
    .map(([check, { service, impact, downAt, rules, vote, history, flapLimits, flaps }]) => ({
      check_id: check,
      service,
      last_at_ms: history.lastAtMs,
      known_until_ms: history.knownUntilMs,
      recent: JSON.stringify(history.recent),
      rules: JSON.stringify({ rules, impact, downAt, vote }),
      flapping: flapLimits === null ? null : JSON.stringify({ limits: flapLimits, history: flaps }),
    }));
  for (let i = 0; i < rows.length; i += ROWS_PER_INSERT) {
    await trx
      .insertInto('check_tails')
      .values(rows.slice(i, i + ROWS_PER_INSERT))
      .onConflict((conflict) =>
        conflict.column('check_id').doUpdateSet((row) => ({
          service: row.ref('excluded.service'),
          last_at_ms: row.ref('excluded.last_at_ms'),
          known_until_ms: row.ref('excluded.known_until_ms'),
          recent: row.ref('excluded.recent'),
          rules: row.ref('excluded.rules'),
          flapping: row.ref('excluded.flapping'),
        })),
      )
      .execute();
  }
  if (gone.length > 0) await trx.deleteFrom('check_tails').where('check_id', 'in', gone).execute();
}

async function loadTails(db: Kysely<Database>): Promise<readonly StoredTail[]> {
  const rows = await db.selectFrom('check_tails').selectAll().execute();
  return rows.map((row) => {
    const read = JSON.parse(row.rules) as Pick<CheckState, 'rules' | 'impact' | 'downAt' | 'vote'>;
    const history: CheckHistory = {
      transitions: [],
      lastAtMs: row.last_at_ms as EpochMs | null,
      knownUntilMs: row.known_until_ms as EpochMs | null,
      recent: JSON.parse(row.recent) as CheckHistory['recent'],
    };
    const flapping = row.flapping === null ? undefined : (JSON.parse(row.flapping) as { limits: FlapLimits; history: FlapHistory });
    const { limits: flapLimits, history: flaps } = flapping ?? { limits: null, history: STEADY };
    return { check: row.check_id, state: { service: row.service, ...read, history, flapLimits, flaps } };
  });
}

/** The transition in force at `fromMs` and all after it, ascending. */
async function transitionsSince(
  db: Kysely<Database>,
  subject: { readonly kind: SubjectKind; readonly id: string },
  fromMs: EpochMs,
): Promise<readonly Transition[]> {
  const live = db
    .selectFrom('ledger_transitions')
    .where('subject_kind', '=', subject.kind)
    .where('subject', '=', subject.id)
    .where('superseded_at_ms', 'is', null);
  const inForce = await live.selectAll().where('at_ms', '<=', fromMs).orderBy('at_ms', 'desc').limit(1).executeTakeFirst();
  const after = await live.selectAll().where('at_ms', '>', fromMs).orderBy('at_ms').execute();
  return [...(inForce === undefined ? [] : [inForce]), ...after].map(transitionFromRow);
}

/** `knownAtMs` undefined: what stands now. */
export type KnownWindow = { readonly fromMs: EpochMs; readonly toMs: EpochMs; readonly knownAtMs?: EpochMs };

/** A service's transitions of `[fromMs, toMs)`, with the one in force at `fromMs` and the one before that, ascending. */
/** What a transition is made of; the other columns are for the ledger's own use, and exports read a million rows. */
const TRANSITION = ['at_ms', 'state', 'unknown_reason', 'low_ms', 'high_ms', 'evidence'] as const;

async function transitionsWithin(db: Kysely<Database>, service: string, window: KnownWindow): Promise<readonly Transition[]> {
  const { knownAtMs } = window;
  const all = db.selectFrom('ledger_transitions').where('subject_kind', '=', 'service').where('subject', '=', service);
  const known =
    knownAtMs === undefined
      ? all.where('superseded_at_ms', 'is', null)
      : all
          .where('recorded_at_ms', '<=', knownAtMs)
          .where((row) => row.or([row('superseded_at_ms', 'is', null), row('superseded_at_ms', '>', knownAtMs)]));
  // Two before the window: one is in force at its start, the one before decides whether that one's bounds are shown.
  const before = await known.select(TRANSITION).where('at_ms', '<=', window.fromMs).orderBy('at_ms', 'desc').limit(2).execute();
  const within = await known
    .select(TRANSITION)
    .where('at_ms', '>', window.fromMs)
    .where('at_ms', '<', window.toMs)
    .orderBy('at_ms')
    .execute();
  return [...before.reverse(), ...within].map(transitionFromRow);
}

/** When the history of each service begins. */
async function firstTransitions(db: Kysely<Database>): Promise<ReadonlyMap<string, EpochMs>> {
  const rows = await db
    .selectFrom('ledger_transitions')
    .select(({ fn }) => ['subject', fn.min('at_ms').as('first_ms')])
    .where('subject_kind', '=', 'service')
    .where('superseded_at_ms', 'is', null)
    .groupBy('subject')
    .execute();
  return new Map(rows.map((row) => [row.subject, Number(row.first_ms) as EpochMs]));
}

function downtimeToRow(downtime: Downtime, nowMs: EpochMs): DowntimeRow & DowntimePartColumns {
  return {
    id: downtime.id,
    service: downtime.service,
    from_ms: downtime.fromAtMs,
    to_ms: downtime.toAtMs,
    from_low_ms: downtime.fromBoundsAtMs[0],
    from_high_ms: downtime.fromBoundsAtMs[1],
    to_low_ms: downtime.toBoundsAtMs?.[0] ?? null,
    to_high_ms: downtime.toBoundsAtMs?.[1] ?? null,
    reason: downtime.reason,
    note: downtime.note,
    checks: JSON.stringify(downtime.checks),
    evidence: JSON.stringify(downtime.evidence),
    excluded: downtime.excluded ? 1 : 0,
    revision: downtime.revision,
    recorded_at_ms: nowMs,
    retracted_at_ms: null,
    part_of: null,
  } satisfies DowntimeRow & DowntimePartColumns;
}

const downtimeFromRow = (row: Selectable<DowntimeRow & DowntimePartColumns>): Downtime => ({
  id: row.id,
  service: row.service,
  fromAtMs: row.from_ms as EpochMs,
  toAtMs: row.to_ms as EpochMs | null,
  fromBoundsAtMs: [row.from_low_ms as EpochMs, row.from_high_ms as EpochMs],
  toBoundsAtMs: row.to_low_ms === null || row.to_high_ms === null ? null : [row.to_low_ms as EpochMs, row.to_high_ms as EpochMs],
  reason: row.reason as DowntimeReason,
  note: row.note,
  checks: JSON.parse(row.checks) as string[],
  evidence: JSON.parse(row.evidence) as Downtime['evidence'],
  excluded: row.excluded !== 0,
  revision: row.revision,
  ...(row.part_of === null ? {} : { partOf: row.part_of }),
});

/** Downtimes listed at once; older ones need a narrower window. */
const MAX_DOWNTIMES_LISTED = 1_000;

async function listDowntimes(db: Kysely<Database>, filter: DowntimeFilter): Promise<readonly Downtime[]> {
  const { service, fromMs, toMs } = filter;
  let query = db.selectFrom('downtimes').selectAll().where('retracted_at_ms', 'is', null).where('part_of', 'is', null);
  if (service !== undefined) query = query.where('service', '=', service);
  if (toMs !== undefined) query = query.where('from_ms', '<', toMs);
  if (fromMs !== undefined) query = query.where((row) => row.or([row('to_ms', 'is', null), row('to_ms', '>', fromMs)]));
  const rows = await query.orderBy('from_ms', 'desc').orderBy('id', 'desc').limit(MAX_DOWNTIMES_LISTED).execute();
  return rows.map(downtimeFromRow);
}

/** Downtimes that may have been known in `[fromMs, toMs)`, retracted ones included, with the descriptions that edits replaced. */
async function downtimeHistories(
  db: Kysely<Database>,
  { service, fromMs, toMs }: KnownDowntimeFilter,
): Promise<readonly DowntimeHistory[]> {
  const rows = await db
    .selectFrom('downtimes')
    .selectAll()
    .where('service', '=', service)
    .where('part_of', 'is', null)
    .where('from_ms', '<', toMs)
    .where((row) => row.or([row('to_ms', 'is', null), row('to_ms', '>', fromMs)]))
    .orderBy('from_ms')
    .orderBy('id')
    .limit(MAX_DOWNTIMES_LISTED)
    .execute();
  if (rows.length === 0) return [];
  const revisions = await db
    .selectFrom('downtime_revisions as r')
    .innerJoin('downtimes as d', 'd.id', 'r.downtime_id')
    .select(['r.downtime_id', 'r.revision', 'r.reason', 'r.note', 'r.replaced_at_ms'])
    .where('d.service', '=', service)
    .where('d.from_ms', '<', toMs)
    .orderBy('r.revision')
    .execute();
  const byDowntime = Map.groupBy(revisions, (row) => row.downtime_id);
  return rows.map((row) => ({
    downtime: downtimeFromRow(row),
    recordedAtMs: row.recorded_at_ms,
    replaced: (byDowntime.get(row.id) ?? []).map((one) => ({
      revision: one.revision,
      reason: one.reason as DowntimeReason,
      note: one.note,
      replacedAtMs: one.replaced_at_ms,
    })),
  }));
}

async function findDowntime(db: Kysely<Database>, id: string): Promise<Downtime | undefined> {
  const row = await db.selectFrom('downtimes').selectAll().where('id', '=', id).where('retracted_at_ms', 'is', null).executeTakeFirst();
  return row === undefined ? undefined : downtimeFromRow(row);
}

/** What edits replaced, oldest first. */
async function revisionsOf(db: Kysely<Database>, id: string): Promise<readonly Selectable<DowntimeRevisionRow & DowntimeChangeColumns>[]> {
  return db.selectFrom('downtime_revisions').selectAll().where('downtime_id', '=', id).orderBy('revision').execute();
}

/** From the start of each downtime that began in `[fromMs, toMs)` to when it was first recorded, in milliseconds. What other monitors saw we did not detect. */
async function detectionsOf(db: Kysely<Database>, filter: KnownDowntimeFilter): Promise<readonly number[]> {
  const rows = await db
    .selectFrom('downtimes')
    .select(['from_ms', 'recorded_at_ms', 'evidence'])
    .where('service', '=', filter.service)
    .where('part_of', 'is', null)
    .where('from_ms', '>=', filter.fromMs)
    .where('from_ms', '<', filter.toMs)
    .where('recorded_at_ms', '<=', filter.knownAtMs)
    .where((row) => row.or([row('retracted_at_ms', 'is', null), row('retracted_at_ms', '>', filter.knownAtMs)]))
    .orderBy('from_ms')
    .limit(MAX_DOWNTIMES_LISTED)
    .execute();
  return rows.flatMap((row) => (isImported(row.evidence) ? [] : [Math.max(0, row.recorded_at_ms - row.from_ms)]));
}

function isImported(text: string): boolean {
  const evidence = JSON.parse(text) as Downtime['evidence'];
  return evidence.length > 0 && evidence.every(({ importId }) => importId !== undefined);
}

/** Those that are open or ended at or after `fromMs`: what a rewrite may still move. */
async function downtimesSince(db: Kysely<Database>, fromMs: EpochMs): Promise<readonly Downtime[]> {
  const rows = await db
    .selectFrom('downtimes')
    .selectAll()
    .where('retracted_at_ms', 'is', null)
    .where('part_of', 'is', null)
    .where((row) => row.or([row('to_ms', 'is', null), row('to_ms', '>=', fromMs)]))
    .orderBy('from_ms')
    .execute();
  return rows.map(downtimeFromRow);
}

async function beginSession(db: Kysely<Database>, session: Session): Promise<void> {
  await db
    .insertInto('monitor_sessions')
    .values({ id: session.id, started_at_ms: session.startedAtMs, alive_until_ms: session.startedAtMs, stopped_at_ms: null })
    .execute();
}

async function keepSession(
  db: Kysely<Database>,
  session: Session,
  at: { readonly aliveUntilMs: EpochMs; readonly stopped: boolean },
): Promise<void> {
  await db
    .updateTable('monitor_sessions')
    .set({ alive_until_ms: at.aliveUntilMs, ...(at.stopped ? { stopped_at_ms: at.aliveUntilMs } : {}) })
    .where('id', '=', session.id)
    .execute();
}

/** When a monitor was last seen alive; null on a fresh database. */
async function lastSeenAliveMs(db: Kysely<Database>): Promise<EpochMs | null> {
  const row = await db
    .selectFrom('monitor_sessions')
    .select(({ fn }) => fn.max('alive_until_ms').as('last_ms'))
    .executeTakeFirst();
  return row === undefined || row.last_ms === null ? null : (Number(row.last_ms) as EpochMs);
}
