import type { UserRow } from '../platform/db/migrations/0002-access.ts';
import { DEFAULT_TEAM } from '../platform/records/contract.ts';
import type { Person } from '../sessions/contract.ts';
import { keyOf } from './contract.ts';
import { NO_ONES_HASH } from './password.ts';

export const personOf = ({ id, name, role }: UserRow): Person => ({ id, name, role });

/** False for those whom an identity provider lets in, and nothing else, and for who has not joined. */
export const hasPassword = (user: UserRow): boolean => user.password_hash !== NO_ONES_HASH;

/** Somebody who sees everything that their role permits, has no password and has not joined, as far as `given` says nothing else. */
export const newUser = (given: Pick<UserRow, 'id' | 'name' | 'role' | 'created_at_ms'> & Partial<UserRow>): UserRow => ({
  name_key: keyOf(given.name),
  team_id: DEFAULT_TEAM,
  teams: '[]',
  scope: '',
  password_hash: NO_ONES_HASH,
  disabled_at_ms: null,
  revision: 1,
  email: null,
  joined_at_ms: null,
  signed_in_at_ms: null,
  ...given,
});
