/**
 * API tokens: what programs show instead of a password. Invariants: the secret is in the answer that makes it and nowhere else;
 * what is stored opens nothing; a revoked or expired token opens nothing.
 */
import { z } from 'zod';
import { scopeFields } from '../access/contract.ts';
import type { Role } from '../platform/http/contract.ts';

const role = z.string().min(1, 'a role is needed').max(63);

/** Without `expires_at_ms` a token lives until it is revoked. */
export const tokenBody = z.strictObject({
  name: z.string().trim().min(1, 'a name is needed').max(100, 'a name has at most 100 characters'),
  role,
  ...scopeFields,
  expires_at_ms: z.int().positive().nullish(),
});

export const tokenView = z.object({
  id: z.string(),
  name: z.string(),
  role,
  teams: z.array(z.string()),
  scope: z.string(),
  hint: z.string(),
  created_by: z.string(),
  created_at_ms: z.int(),
  expires_at_ms: z.int().nullable(),
  last_used_at_ms: z.int().nullable(),
});
export type TokenView = z.infer<typeof tokenView>;

export type NewToken = {
  readonly name: string;
  readonly role: Role;
  readonly teams?: readonly string[];
  readonly scope?: string;
  readonly expires_at_ms?: number | null | undefined;
};

export const TOKEN_CODES = { notFound: 'token_not_found', alreadyExpired: 'token_already_expired' } as const;
