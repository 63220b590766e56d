import type { FactorChallengeRow, PasskeyRow, RecoveryCodeRow, TotpRow } from '../platform/db/migrations/0051-factors.ts';
import type { Sql } from '../platform/records/contract.ts';

/** The app's secret that is in force. */
export async function confirmedTotp(db: Sql, userId: string): Promise<TotpRow | undefined> {
  return db
    .selectFrom('totp_factors')
    .selectAll()
    .where('user_id', '=', userId)
    .where('confirmed_at_ms', 'is not', null)
    .executeTakeFirst();
}

export async function unconfirmedTotp(db: Sql, userId: string): Promise<TotpRow | undefined> {
  return db.selectFrom('totp_factors').selectAll().where('user_id', '=', userId).where('confirmed_at_ms', 'is', null).executeTakeFirst();
}

/** Takes the place of whatever waited for its first code. */
export async function replaceUnconfirmedTotp(db: Sql, row: TotpRow): Promise<void> {
  await db.deleteFrom('totp_factors').where('user_id', '=', row.user_id).where('confirmed_at_ms', 'is', null).execute();
  await db.insertInto('totp_factors').values(row).execute();
}

/** Puts `id` in force and ends the one before; false when somebody else did meanwhile. */
export async function confirmTotp(db: Sql, { id, user_id }: TotpRow, step: number, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('totp_factors')
    .set({ confirmed_at_ms: nowMs, last_used_at_ms: nowMs, last_step: step })
    .where('id', '=', id)
    .where('confirmed_at_ms', 'is', null)
    .executeTakeFirst();
  await db.deleteFrom('totp_factors').where('user_id', '=', user_id).where('id', '!=', id).execute();
  return done.numUpdatedRows === 1n;
}

/** Uses a step up, exactly once even when two show its code at the same time. */
export async function useTotpStep(db: Sql, id: string, step: number, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('totp_factors')
    .set({ last_step: step, last_used_at_ms: nowMs })
    .where('id', '=', id)
    .where('last_step', '<', step)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

export async function deleteTotp(db: Sql, userId: string): Promise<boolean> {
  const done = await db.deleteFrom('totp_factors').where('user_id', '=', userId).executeTakeFirst();
  return done.numDeletedRows > 0n;
}

export async function recoveryCodes(db: Sql, userId: string): Promise<readonly RecoveryCodeRow[]> {
  return db.selectFrom('recovery_codes').selectAll().where('user_id', '=', userId).execute();
}

export async function replaceRecoveryCodes(db: Sql, userId: string, rows: readonly RecoveryCodeRow[]): Promise<void> {
  await db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  if (rows.length > 0)
    await db
      .insertInto('recovery_codes')
      .values([...rows])
      .execute();
}

/** Uses a code up, exactly once even when two show it at the same time. */
export async function useRecoveryCode(db: Sql, userId: string, digest: string, nowMs: number): Promise<boolean> {
  const done = await db
    .updateTable('recovery_codes')
    .set({ used_at_ms: nowMs })
    .where('digest', '=', digest)
    .where('user_id', '=', userId)
    .where('used_at_ms', 'is', null)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

/** Oldest first. */
export async function passkeysOf(db: Sql, userId: string): Promise<readonly PasskeyRow[]> {
  return db.selectFrom('passkeys').selectAll().where('user_id', '=', userId).orderBy('created_at_ms').orderBy('id').execute();
}

export async function passkeyByCredential(db: Sql, credentialId: string): Promise<PasskeyRow | undefined> {
  return db.selectFrom('passkeys').selectAll().where('credential_id', '=', credentialId).executeTakeFirst();
}

/** False when the credential is known already. */
export async function insertPasskey(db: Sql, row: PasskeyRow): Promise<boolean> {
  const done = await db
    .insertInto('passkeys')
    .values(row)
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .executeTakeFirst();
  return done.numInsertedOrUpdatedRows === 1n;
}

/** Notes a use; false when another use of the same passkey was faster. */
export async function usePasskey(
  db: Sql,
  row: PasskeyRow,
  used: { readonly counter: number; readonly backed_up: number; readonly last_used_at_ms: number },
): Promise<boolean> {
  const done = await db.updateTable('passkeys').set(used).where('id', '=', row.id).where('counter', '=', row.counter).executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

export async function renamePasskey(db: Sql, userId: string, id: string, name: string): Promise<boolean> {
  const done = await db.updateTable('passkeys').set({ name }).where('id', '=', id).where('user_id', '=', userId).executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

export async function deletePasskey(db: Sql, userId: string, id: string): Promise<boolean> {
  const done = await db.deleteFrom('passkeys').where('id', '=', id).where('user_id', '=', userId).executeTakeFirst();
  return done.numDeletedRows === 1n;
}

/** Everything that is known of a person's factors. */
export async function deleteFactors(db: Sql, userId: string): Promise<void> {
  await db.deleteFrom('totp_factors').where('user_id', '=', userId).execute();
  await db.deleteFrom('passkeys').where('user_id', '=', userId).execute();
  await db.deleteFrom('recovery_codes').where('user_id', '=', userId).execute();
  await db.deleteFrom('factor_challenges').where('user_id', '=', userId).execute();
  await db.deleteFrom('factor_tries').where('user_id', '=', userId).execute();
}

/** Keeps a challenge, forgets those that are over and, of those that strangers asked for, all but the newest `most`. */
export async function insertChallenge(db: Sql, row: FactorChallengeRow, nowMs: number, most: number): Promise<void> {
  await db.deleteFrom('factor_challenges').where('expires_at_ms', '<=', nowMs).execute();
  if (row.user_id === null) {
    const oldest = db
      .selectFrom('factor_challenges')
      .select('expires_at_ms')
      .where('user_id', 'is', null)
      .orderBy('expires_at_ms', 'desc')
      .offset(most - 1)
      .limit(1);
    await db.deleteFrom('factor_challenges').where('user_id', 'is', null).where('expires_at_ms', '<=', oldest).execute();
  }
  await db.insertInto('factor_challenges').values(row).execute();
}

/** Uses a challenge up, whatever becomes of the answer; undefined when there is none, or somebody else was faster. */
export async function takeChallenge(db: Sql, digest: string): Promise<FactorChallengeRow | undefined> {
  const row = await db.selectFrom('factor_challenges').selectAll().where('digest', '=', digest).executeTakeFirst();
  if (row === undefined) return undefined;
  const done = await db.deleteFrom('factor_challenges').where('digest', '=', digest).executeTakeFirst();
  return done.numDeletedRows === 1n ? row : undefined;
}

export type Tries = { readonly failures: number; readonly last_at_ms: number };

export async function triesOf(db: Sql, userId: string, kind: string): Promise<Tries | undefined> {
  return db
    .selectFrom('factor_tries')
    .select(['failures', 'last_at_ms'])
    .where('user_id', '=', userId)
    .where('kind', '=', kind)
    .executeTakeFirst();
}

type Counted = { readonly userId: string; readonly kind: string; readonly known: Tries | undefined; readonly next: Tries };

/** Counts a try after `known`; false when another try was counted meanwhile. */
export async function countTry(db: Sql, { userId, kind, known, next }: Counted): Promise<boolean> {
  if (known === undefined) {
    const made = await db
      .insertInto('factor_tries')
      .values({ user_id: userId, kind, ...next })
      .onConflict((conflict) => conflict.columns(['user_id', 'kind']).doNothing())
      .executeTakeFirst();
    return made.numInsertedOrUpdatedRows === 1n;
  }
  const done = await db
    .updateTable('factor_tries')
    .set(next)
    .where('user_id', '=', userId)
    .where('kind', '=', kind)
    .where('failures', '=', known.failures)
    .where('last_at_ms', '=', known.last_at_ms)
    .executeTakeFirst();
  return done.numUpdatedRows === 1n;
}

export async function clearTries(db: Sql, userId: string, kind: string): Promise<void> {
  await db.deleteFrom('factor_tries').where('user_id', '=', userId).where('kind', '=', kind).execute();
}
