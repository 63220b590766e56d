import type { Clock } from '@nines/base/clock.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { RecordAudit } from '../audit/contract.ts';
import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import type { Db } from '../platform/db/open.ts';
import type { Role } from '../platform/http/contract.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import type { Person, Place, SessionBook } from '../sessions/contract.ts';
import type { ProvidedPeople } from '../sso/contract.ts';
import { keyOf } from './name.ts';
import { NO_ONES_HASH } from './password.ts';
import { holdAdministrators } from './directory-store.ts';
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
      const user = await store.findUserById(sql, userId);
      if (user === undefined) return undefined;
      return user.disabled_at_ms === null ? personOf(user) : 'disabled';
    },
    async create(trx, { name, role }, place) {
      const free = await freeName(name, async (key) => !(await store.isNameTaken(trx, key)));
      const nowMs = clock.now();
      const row: UserRow = {
        id: ids.uuid(),
        name: free,
        name_key: keyOf(free),
        team_id: DEFAULT_TEAM,
        role,
        password_hash: NO_ONES_HASH,
        teams: '[]',
        scope: '',
        email: null,
        created_at_ms: nowMs,
        joined_at_ms: nowMs,
        signed_in_at_ms: nowMs,
        disabled_at_ms: null,
        revision: 1,
      };
      await store.insertUser(trx, row);
      await record(trx, { ...by(row, place), action: 'user.created', object: { kind: 'people', id: row.id }, after: { name: free, role } });
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
        await record(trx, { ...by(person, place), action: 'user.role_changed', object: { kind: 'people', id: person.id }, ...change });
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
      const user = await store.findUserById(sql, userId);
      return user !== undefined && user.password_hash !== NO_ONES_HASH;
    },
  };
}

const personOf = ({ id, name, role }: UserRow): Person => ({ id, name, role: role as Role });

const by = ({ id, name, role }: Pick<UserRow, 'id' | 'name' | 'role'>, { address }: Place) =>
  ({ actor: { kind: 'user', id, name, role: role as Role }, address, phase: 'done' }) as const;

/** `ann`, else `ann 2`, `ann 3`, … */
async function freeName(name: string, isFree: (key: string) => Promise<boolean>): Promise<string> {
  for (let count = 1; count <= MAX_NAMESAKES; count++) {
    const tried = count === 1 ? name : `${name} ${count}`;
    if (await isFree(keyOf(tried))) return tried;
  }
  throw new Error(`there are ${MAX_NAMESAKES} people of the name ${name}`);
}
