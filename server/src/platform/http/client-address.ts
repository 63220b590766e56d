import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { inNetworks, plainAddress } from '../networks.ts';

/** Proxies in a row that are looked behind; more than a few is a header that somebody made up. */
const MAX_HOPS = 20;

export const FORWARDED_HEADERS = ['X-Forwarded-For', 'Forwarded'] as const;
export type ForwardedHeader = (typeof FORWARDED_HEADERS)[number];

export type TrustedProxies = { readonly proxies: readonly string[]; readonly header: ForwardedHeader };

/**
 * Who sent a request: the address of its connection, or, when that is a trusted proxy's, what the proxy says of it. The header is read
 * from its end and only as far as trusted proxies wrote it, so that a client cannot choose its address by sending one. Only one of the
 * two headers is ever read: a proxy that sets one of them passes the other on as the client wrote it.
 */
export function clientAddresses({ proxies, header }: TrustedProxies): (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string {
  const isTrusted = inNetworks(proxies);
  const name = header.toLowerCase();
  return ({ headers, socket }) => {
    let address = plainAddress(socket.remoteAddress ?? '');
    if (proxies.length === 0 || isIP(address) === 0 || !isTrusted(address)) return address;
    const hops = String(headers[name] ?? '')
      .split(',')
      .slice(-MAX_HOPS);
    for (const hop of hops.toReversed()) {
      const before = header === 'Forwarded' ? forOf(hop) : withoutPort(hop.trim());
      if (isIP(before) === 0) return address;
      address = plainAddress(before);
      if (!isTrusted(address)) return address;
    }
    return address;
  };
}

/** `192.0.2.7:4711`, `[2001:db8::1]:4711` and `[2001:db8::1]` without port and brackets. */
function withoutPort(text: string): string {
  return /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([^:]*):\d+$/.exec(text)?.[1] ?? text;
}

/** The parameter `for` of one element of `Forwarded` (RFC 7239). */
function forOf(element: string): string {
  const value = /(?:^|;)\s*for=(?:"([^"]*)"|([^;\s]*))/i.exec(element);
  return withoutPort(value?.[1] ?? value?.[2] ?? '');
}
