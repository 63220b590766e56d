import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Db } from '../platform/db/open.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Throttle } from '../platform/throttle.ts';
import type { Person, Place } from '../sessions/contract.ts';
import { PEOPLE_CODES, keyOf } from './contract.ts';
import { NO_ONES_HASH, verifyPassword } from './password.ts';
import { hasPassword, personOf } from './person.ts';
import * as store from './store.ts';
import { takeTurn } from './waiting.ts';

export type ExamineDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  /** Of passwords, the same that signing in counts with. */
  readonly throttle: Throttle;
};

/** However the name is typed; undefined when nobody has it or they may not sign in. */
export async function personNamed(db: Sql, name: string): Promise<Person | undefined> {
  const user = await store.enabledUserByName(db, keyOf(name));
  return user === undefined ? undefined : personOf(user);
}

/** Finds and examines people who are known by their id already. */
export function examiner({ db, clock, throttle }: ExamineDeps) {
  return {
    /** Undefined when nobody has this id or they may not sign in. */
    async person(userId: string): Promise<Person | undefined> {
      const user = await store.enabledUserById(db.kysely, userId);
      return user === undefined ? undefined : personOf(user);
    },
    /** False for those whom an identity provider lets in, and nothing else. */
    async hasPassword(userId: string): Promise<boolean> {
      const user = await store.userById(db.kysely, userId);
      return user !== undefined && hasPassword(user);
    },
    /** `AppError` `wrong_credentials`, `too_many_tries`. */
    async examinePassword({ id }: Person, password: string, { address }: Place): Promise<void> {
      const user = await store.userById(db.kysely, id);
      const account = user?.name_key ?? id;
      takeTurn(throttle, { account, address }, clock.now());
      if (!(await verifyPassword(password, user?.password_hash ?? NO_ONES_HASH))) {
        throw new AppError('bad_input', PEOPLE_CODES.wrongCredentials, 'the password is wrong', { field: 'password' });
      }
      throttle.succeeded(account, address);
    },
  };
}
