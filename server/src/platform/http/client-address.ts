import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';

/** Proxies in a row that are looked behind; more than a few is a header that somebody made up. */
const MAX_HOPS = 20;

export const FORWARDED_HEADERS = ['X-Forwarded-For', 'Forwarded'] as const;
export type ForwardedHeader = (typeof FORWARDED_HEADERS)[number];

/** Addresses and networks (`10.0.0.0/8`, `2001:db8::/32`, `192.0.2.7`); undefined when `text` is neither. */
export function parseNetwork(
  text: string,
): { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return undefined;
  const longest = version === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : Number(prefix);
  return length > longest ? undefined : { address, prefix: length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

export type TrustedProxies = { readonly proxies: readonly string[]; readonly header: ForwardedHeader };

/**
 * Who sent a request: the address of its connection, or, when that is a trusted proxy's, what the proxy says of it. The header is read
 * from its end and only as far as trusted proxies wrote it, so that a client cannot choose its address by sending one. Only one of the
 * two headers is ever read: a proxy that sets one of them passes the other on as the client wrote it.
 */
export function clientAddresses({ proxies, header }: TrustedProxies): (request: Pick<IncomingMessage, 'headers' | 'socket'>) => string {
  const trusted = new BlockList();
  for (const network of proxies) {
    const parsed = parseNetwork(network);
    if (parsed !== undefined) trusted.addSubnet(parsed.address, parsed.prefix, parsed.family);
  }
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
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

/** An IPv4 address as such, also where a socket for both families wrote it as IPv6. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
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

/** Whom a limit by address counts together: one IPv4 address, or the /64 that one site of IPv6 has to choose from. */
export function addressGroup(address: string): string {
  if (!address.includes(':')) return address;
  const [left = '', right] = address.split('::');
  const groups = left === '' ? [] : left.split(':');
  if (right === undefined || groups.length >= 4) return groups.slice(0, 4).join(':');
  const tail = right === '' ? [] : right.split(':');
  const zeros = Array<string>(Math.max(0, 8 - groups.length - tail.length)).fill('0');
  return [...groups, ...zeros, ...tail].slice(0, 4).join(':');
}
