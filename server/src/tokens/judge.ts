import type { TokenRow } from '../platform/db/migrations/0002-access.ts';

/** Why a token opens nothing; whoever shows it is told none of these. */
export type TokenRefusal = 'malformed' | 'unknown' | 'revoked' | 'expired' | 'replaced' | 'address';
export type TokenJudgement = { readonly kind: 'good'; readonly endsAtMs: number } | { readonly kind: TokenRefusal };

/** Whether the token of `row`, shown with a secret of this digest, is good at `nowMs`. */
export function judgeToken(row: TokenRow | undefined, digest: string, nowMs: number): TokenJudgement {
  if (row === undefined) return { kind: 'unknown' };
  if (row.revoked_at_ms !== null) return { kind: 'revoked' };
  const endsAtMs = row.expires_at_ms ?? Number.POSITIVE_INFINITY;
  if (endsAtMs <= nowMs) return { kind: 'expired' };
  if (row.secret_hash === digest) return { kind: 'good', endsAtMs };
  const previousUntilMs = row.previous_until_ms ?? 0;
  return previousUntilMs > nowMs ? { kind: 'good', endsAtMs: Math.min(endsAtMs, previousUntilMs) } : { kind: 'replaced' };
}
