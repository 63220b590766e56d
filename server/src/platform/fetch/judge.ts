import { BlockList, isIP } from 'node:net';

/**
 * Who chose the target. The configuration file is written by whoever runs the server, so its targets are trusted; what was
 * typed into the UI or API is not, and may not reach this host or its private networks.
 */
export type Trust = 'trusted' | 'untrusted';
export type Judgement = { readonly allowed: true } | { readonly allowed: false; readonly reason: string };

const list = (...subnets: readonly (readonly [net: string, prefix: number, family: 'ipv4' | 'ipv6'])[]): BlockList => {
  const made = new BlockList();
  for (const [net, prefix, family] of subnets) made.addSubnet(net, prefix, family);
  return made;
};

/** Cloud metadata services hand out credentials to whoever asks from inside. Refused for everyone, always. */
const METADATA = list(
  ['169.254.169.254', 32, 'ipv4'],
  ['169.254.170.2', 32, 'ipv4'],
  ['100.100.100.200', 32, 'ipv4'],
  ['fd00:ec2::254', 128, 'ipv6'],
);

/** Loopback, private, link-local, carrier, documentation, multicast and reserved ranges (IANA special-purpose registries). */
const INTERNAL = list(
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.0.0.0', 24, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 127, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
);

/** Judges an address, not a name: resolve first, judge, then connect to exactly what was judged. IPv4 in IPv6 clothes is judged as IPv4. */
export function judgeAddress(address: string, trust: Trust): Judgement {
  const plain = mappedIpv4(address) ?? address;
  const family = isIP(plain) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(plain) === 0) return { allowed: false, reason: `${address} is not an address` };
  if (METADATA.check(plain, family)) return { allowed: false, reason: `${plain} is a cloud metadata address, which is refused always` };
  if (trust === 'untrusted' && INTERNAL.check(plain, family)) {
    return {
      allowed: false,
      reason: `${plain} is internal; targets made in the UI or API may not reach it. Declare the target in the configuration file`,
    };
  }
  return { allowed: true };
}

/** `::ffff:127.0.0.1` and `::ffff:7f00:1` are 127.0.0.1. */
function mappedIpv4(address: string): string | undefined {
  const rest = /^(?:::|(?:0{1,4}:){5})ffff:(.+)$/i.exec(address)?.[1];
  if (rest === undefined) return undefined;
  if (isIP(rest) === 4) return rest;
  const [high, low] = rest.split(':').map((part) => Number.parseInt(part, 16));
  if (high === undefined || low === undefined) return undefined;
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
