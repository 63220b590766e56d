import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { TokenRow } from '../platform/db/migrations/0002-access.ts';
import { judgeToken } from './judge.ts';
import { isTokenLike, makeSecret } from './secret.ts';

const ROW = { secret_hash: 'now', previous_hash: 'before', previous_until_ms: 50, expires_at_ms: 100, revoked_at_ms: null } as TokenRow;

test('a token is good until it expires, is revoked, or its secret was replaced long enough ago', () => {
  const cases: readonly (readonly [TokenRow | undefined, digest: string, nowMs: number, kind: string])[] = [
    [ROW, 'now', 99, 'good'],
    [ROW, 'now', 100, 'expired'],
    [ROW, 'before', 49, 'good'],
    [ROW, 'before', 50, 'replaced'],
    [{ ...ROW, previous_until_ms: null }, 'before', 1, 'replaced'],
    [{ ...ROW, revoked_at_ms: 1 }, 'now', 2, 'revoked'],
    [{ ...ROW, revoked_at_ms: 1 }, 'before', 2, 'revoked'],
    [{ ...ROW, expires_at_ms: null }, 'now', Number.MAX_SAFE_INTEGER, 'good'],
    [undefined, 'now', 1, 'unknown'],
  ];
  for (const [row, digest, nowMs, kind] of cases) assert.equal(judgeToken(row, digest, nowMs).kind, kind, `${digest} at ${nowMs}`);
});

test('a token carries its own check: a changed character is told without asking anybody', () => {
  const secret = makeSecret({ secret: (bytes) => Buffer.alloc(bytes, 7).toString('base64url') });
  assert.match(secret, /^nines_[A-Za-z0-9_-]{43}[a-z0-9]{7}$/);
  assert.ok(isTokenLike(secret));
  assert.ok(isTokenLike(`nines_${'A'.repeat(43)}`), 'one of before there was a check');
  fc.assert(
    fc.property(fc.nat(secret.length - 1), fc.constantFrom(...Array.from('abcXYZ019_-')), (at, char) => {
      const changed = secret.slice(0, at) + char + secret.slice(at + 1);
      assert.equal(isTokenLike(changed), changed === secret, changed);
    }),
  );
  for (const bad of ['', 'nines_', secret.slice(1), `${secret}x`, ` ${secret}`, secret.toUpperCase()]) assert.ok(!isTokenLike(bad), bad);
});
