import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Db } from '../platform/db/open.ts';
import type { Sql } from '../platform/records/contract.ts';
import type { Throttle } from '../platform/throttle.ts';
import type { Person, Place } from '../sessions/contract.ts';
import { PEOPLE_CODES } from './contract.ts';
import { keyOf } from './name.ts';
import { NO_ONES_HASH, verifyPassword } from './password.ts';
import * as store from './store.ts';
import { refuseWhileWaiting } from './turns.ts';

export type ExamineDeps = {
  readonly db: Db;
  readonly clock: Pick<Clock, 'now'>;
  /** Of passwords, the same that signing in counts with. */
  readonly throttle: Throttle;
};

/** However the name is typed; undefined when nobody has it or they may not sign in. */
export async function personNamed(db: Sql, name: string): Promise<Person | undefined> {
  const user = await store.findUser(db, keyOf(name));
  return user === undefined ? undefined : { id: user.id, name: user.name, role: user.role };
}

/** Finds and examines people who are known by their id already. */
export function examiner({ db, clock, throttle }: ExamineDeps) {
  return {
    /** Undefined when nobody has this id or they may not sign in. */
    async person(userId: string): Promise<Person | undefined> {
      const user = await store.findUserById(db.kysely, userId);
      return user === undefined || user.disabled_at_ms !== null ? undefined : { id: user.id, name: user.name, role: user.role };
    },
    /** False for those whom an identity provider lets in, and nothing else. */
    async hasPassword(userId: string): Promise<boolean> {
      const user = await store.findUserById(db.kysely, userId);
      return user !== undefined && user.password_hash !== NO_ONES_HASH;
    },
    /** `AppError` `wrong_credentials`, `too_many_tries`. */
    async examinePassword({ id }: Person, password: string, { address }: Place): Promise<void> {
      const user = await store.findUserById(db.kysely, id);
      const account = user?.name_key ?? id;
      refuseWhileWaiting(throttle, { account, address }, clock.now());
      throttle.trying(account, address, clock.now());
      if (!(await verifyPassword(password, user?.password_hash ?? NO_ONES_HASH))) {
        throw new AppError('bad_input', PEOPLE_CODES.wrongCredentials, 'the password is wrong', { field: 'password' });
      }
      throttle.succeeded(account, address);
    },
  };
}
