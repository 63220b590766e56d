import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { RecordAudit } from '../audit/contract.ts';
import type { Db } from '../platform/db/open.ts';
import { type SessionBook, doneBy } from '../sessions/contract.ts';
import type { ProvidedPeople } from '../sso/contract.ts';
import { keyOf } from './contract.ts';
import { holdAdministrators } from './directory-store.ts';
import { hasPassword, newUser, personOf } from './person.ts';
import * as store from './store.ts';

/** How often a name may be taken before somebody has to choose. */
const MAX_NAMESAKES = 1_000;

export type ProvidedDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly record: RecordAudit;
  readonly sessions: SessionBook;
};

/** People who come from an identity provider: without a password, with the role that it gives them. */
export function createProvidedPeople({ db, clock, ids, logger, record, sessions }: ProvidedDeps): ProvidedPeople {
  const sql = db.kysely;
  return {
    async find(userId) {
      const user = await store.userById(sql, userId);
      if (user === undefined) return undefined;
      return user.disabled_at_ms === null ? personOf(user) : 'disabled';
    },
    async create(trx, { name, role }, place) {
      const free = await freeName(name, async (key) => (await store.userByName(trx, key)) === undefined);
      const nowMs = clock.now();
      const row = newUser({ id: ids.uuid(), name: free, role, created_at_ms: nowMs, joined_at_ms: nowMs, signed_in_at_ms: nowMs });
      await store.insertUser(trx, row);
      await record(trx, {
        ...doneBy(row, place),
        action: 'user.created',
        object: { kind: 'people', id: row.id },
        after: { name: free, role },
      });
      return personOf(row);
    },
    async follow(person, role, place) {
      if (person.role === role) return person;
      const changed = await db.kysely.transaction().execute(async (trx) => {
        // Nobody could administer any more; somebody has to raise another person first.
        const [first, ...others] = await holdAdministrators(trx, db.kind);
        if (first === person.id && others.length === 0) return false;
        await store.setRole(trx, person.id, role);
        await sessions.endAll(trx, person.id);
        const change = { before: { role: person.role }, after: { role } };
        await record(trx, { ...doneBy(person, place), action: 'user.role_changed', object: { kind: 'people', id: person.id }, ...change });
        return true;
      });
      if (!changed) {
        logger.warn('the last administrator keeps the role that their identity provider no longer gives', { person: person.name, role });
        return person;
      }
      sessions.forget();
      return { ...person, role };
    },
    async hasPassword(userId) {
      const user = await store.userById(sql, userId);
      return user !== undefined && hasPassword(user);
    },
  };
}

/** `ann`, else `ann 2`, `ann 3`, … */
async function freeName(name: string, isFree: (key: string) => Promise<boolean>): Promise<string> {
  for (let count = 1; count <= MAX_NAMESAKES; count++) {
    const tried = count === 1 ? name : `${name} ${count}`;
    if (await isFree(keyOf(tried))) return tried;
  }
  throw new Error(`there are ${MAX_NAMESAKES} people of the name ${name}`);
}
