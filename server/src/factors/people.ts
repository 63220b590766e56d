import { AppError } from '@nines/base/errors.ts';
import type { Actor } from '../platform/http/contract.ts';
import type { Person, Place } from '../sessions/contract.ts';
import { FACTOR_CODES } from './contract.ts';

/** What `people` does for those who prove who they are. */
export interface PeopleBook {
  /** Undefined when nobody has this id or they may not sign in. */
  person(userId: string): Promise<Person | undefined>;
  /** False for those whom an identity provider lets in, and nothing else: their second factor is its matter. */
  hasPassword(userId: string): Promise<boolean>;
  /** `AppError` `wrong_credentials` when the password is wrong, `too_many_tries`. */
  examinePassword(person: Person, password: string, place: Place): Promise<void>;
}

/** Whoever signed in; programs and the open mode have no factors. */
export function personOf({ kind, id, name, role }: Actor): Person {
  if (kind === 'user') return { id, name, role };
  throw new AppError('forbidden', FACTOR_CODES.sessionNeeded, 'only a person who is signed in has factors');
}
