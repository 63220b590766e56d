import type { AuditEntry } from '../audit/contract.ts';
import type { FactorKind } from '../people/contract.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { SessionBook } from '../sessions/contract.ts';
import type { FactorDeps } from './answers.ts';
import * as store from './store.ts';

/** With what a person may complete a sign-in; nothing when the password alone is enough. */
export async function kindsOf(db: Sql, userId: string): Promise<readonly FactorKind[]> {
  const totp: FactorKind[] = (await store.confirmedTotp(db, userId)) === undefined ? [] : ['totp'];
  const passkey: FactorKind[] = (await store.passkeysOf(db, userId)).length === 0 ? [] : ['passkey'];
  const kinds = [...totp, ...passkey];
  if (kinds.length === 0) return [];
  const unused = (await store.recoveryCodes(db, userId)).some(({ used_at_ms }) => used_at_ms === null);
  return unused ? [...kinds, 'recovery_code'] : kinds;
}

export type ResetDeps = Pick<FactorDeps, 'db' | 'record'> & { readonly sessions: SessionBook };
type Reset = { readonly by: AuditEntry['actor']; readonly userId: string; readonly address?: string | undefined };

/** Takes all factors of a person away and ends their sessions: they have lost them. Who has none loses their sessions alone. */
export async function resetFactors({ db, record, sessions }: ResetDeps, { by, userId, address }: Reset): Promise<void> {
  await db.kysely.transaction().execute(async (trx) => {
    const factors = await kindsOf(trx, userId);
    await store.deleteFactors(trx, userId);
    await sessions.endAll(trx, userId);
    const from = address === undefined ? {} : { address };
    const object = { kind: 'people', id: userId };
    await record(trx, { actor: by, ...from, object, action: 'factors.reset', phase: 'done', before: { factors } });
  });
  sessions.forget();
}
