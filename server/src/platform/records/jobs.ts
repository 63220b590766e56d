import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { JobRow } from '../db/migrations/0001-records.ts';
import { DEFAULT_TEAM, fromJson, type Job, type JobState, type Sql, toJson } from './contract.ts';

const toJob = (row: JobRow): Job =>
  ({
    id: row.id,
    kind: row.kind,
    entityId: row.entity_id,
    teamId: row.team_id,
    state: row.state as JobState,
    runAtMs: row.run_at_ms,
    leaseOwner: row.lease_owner,
    fence: row.fence,
    leaseUntilMs: row.lease_until_ms,
    tries: row.tries,
    maxTries: row.max_tries,
    input: fromJson(row.input),
    steps: fromJson(row.steps) as Record<string, unknown>,
    outcome: row.outcome === null ? null : fromJson(row.outcome),
    createdAtMs: row.created_at_ms,
    finishedAtMs: row.finished_at_ms,
  }) satisfies Job;

export type JobInput = {
  readonly kind: string;
  readonly input: unknown;
  readonly runAtMs: number;
  readonly maxTries: number;
  readonly entityId?: string | null;
  readonly teamId?: string;
};

/** Puts work into the queue. It runs at `runAtMs` or later, at most `maxTries` times. */
export async function enqueueJob(sql: Sql, input: JobInput, at: { readonly ids: Ids; readonly nowMs: number }): Promise<Job> {
  const row: JobRow = {
    id: at.ids.uuid(),
    kind: input.kind,
    entity_id: input.entityId ?? null,
    team_id: input.teamId ?? DEFAULT_TEAM,
    state: 'queued',
    run_at_ms: input.runAtMs,
    lease_owner: null,
    fence: 0,
    lease_until_ms: null,
    tries: 0,
    max_tries: input.maxTries,
    input: toJson(input.input),
    steps: '{}',
    outcome: null,
    created_at_ms: at.nowMs,
    finished_at_ms: null,
    revision: 1,
  };
  await sql.insertInto('jobs').values(row).execute();
  return toJob(row);
}

/** Candidates looked at in one claim; another worker that takes the first leaves the next. */
const CLAIM_CANDIDATES = 10;

/**
 * Takes the oldest due job of these kinds, with a lease and a fence that is higher than any before. A job whose lease has
 * lapsed is taken over with its steps; one that lapsed in its last try fails. Undefined when nothing is due.
 */
export async function claimJob(
  sql: Sql,
  claim: { readonly kinds: readonly string[]; readonly owner: string; readonly leaseMs: number },
  nowMs: number,
): Promise<Job | undefined> {
  if (claim.kinds.length === 0) return undefined;
  const due = await sql
    .selectFrom('jobs')
    .selectAll()
    .where('kind', 'in', claim.kinds)
    .where((row) =>
      row.or([
        row.and([row('state', '=', 'queued'), row('run_at_ms', '<=', nowMs)]),
        row.and([row('state', '=', 'running'), row('lease_until_ms', '<=', nowMs)]),
      ]),
    )
    .orderBy('run_at_ms')
    .orderBy('id')
    .limit(CLAIM_CANDIDATES)
    .execute();
  for (const row of due) {
    const exhausted = row.tries >= row.max_tries;
    const next: JobRow = exhausted
      ? {
          ...row,
          state: 'failed',
          lease_until_ms: null,
          finished_at_ms: nowMs,
          outcome: toJson({ error: 'the lease lapsed in the last try' }),
        }
      : {
          ...row,
          state: 'running',
          lease_owner: claim.owner,
          fence: row.fence + 1,
          tries: row.tries + 1,
          lease_until_ms: nowMs + claim.leaseMs,
        };
    const { id, ...fields } = next;
    const result = await sql
      .updateTable('jobs')
      .set(fields)
      .where('id', '=', id)
      .where('fence', '=', row.fence)
      .where('state', '=', row.state)
      .executeTakeFirst();
    if (result.numUpdatedRows > 0n && !exhausted) return toJob(next);
  }
  return undefined;
}

/** Extends the lease. `AppError` `job_lease_lost` when someone else has the job now; so do all that follow. */
export async function heartbeatJob(sql: Sql, job: Job, leaseUntilMs: number): Promise<void> {
  await writeHeld(sql, job, { lease_until_ms: leaseUntilMs });
}

/** Records a step as done, so that a later try goes on after it. Returns the job with the step. */
export async function finishStep(sql: Sql, job: Job, step: { readonly name: string; readonly result: unknown }): Promise<Job> {
  const steps = { ...job.steps, [step.name]: step.result ?? null };
  await writeHeld(sql, job, { steps: toJson(steps) });
  return { ...job, steps };
}

export async function finishJob(sql: Sql, job: Job, done: { readonly outcome: unknown; readonly nowMs: number }): Promise<void> {
  await writeHeld(sql, job, { state: 'done', outcome: toJson(done.outcome), finished_at_ms: done.nowMs, lease_until_ms: null });
}

/** Ends a try that failed: back into the queue for `retryAtMs` while tries are left, else failed for good. Returns which. */
export async function failJob(
  sql: Sql,
  job: Job,
  failure: { readonly error: string; readonly retryAtMs: number; readonly nowMs: number },
): Promise<'queued' | 'failed'> {
  const outcome = toJson({ error: failure.error });
  if (job.tries < job.maxTries) {
    await writeHeld(sql, job, { state: 'queued', run_at_ms: failure.retryAtMs, outcome, lease_until_ms: null, lease_owner: null });
    return 'queued';
  }
  await writeHeld(sql, job, { state: 'failed', outcome, finished_at_ms: failure.nowMs, lease_until_ms: null });
  return 'failed';
}

export async function findJob(sql: Sql, id: string): Promise<Job | undefined> {
  const row = await sql.selectFrom('jobs').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? undefined : toJob(row);
}

async function writeHeld(sql: Sql, job: Job, change: Partial<JobRow>): Promise<void> {
  const result = await sql
    .updateTable('jobs')
    .set((row) => ({ ...change, revision: row('revision', '+', 1) }))
    .where('id', '=', job.id)
    .where('fence', '=', job.fence)
    .where('state', '=', 'running')
    .executeTakeFirst();
  if (result.numUpdatedRows === 0n)
    throw new AppError('conflict', 'job_lease_lost', `job ${job.id} is no longer held under fence ${job.fence}`);
}
