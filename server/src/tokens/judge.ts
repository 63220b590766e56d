import { BlockList, isIP } from 'node:net';
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

/** An address or a network: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}

/** Whether an address lies in one of the networks; IPv4 in IPv6 clothes counts as IPv4. */
export function within(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const network of networks) {
    const [address = '', prefix] = network.split('/');
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4';
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return (address) => {
    const plain = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1] ?? address;
    const family = isIP(plain);
    return family !== 0 && list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
}
