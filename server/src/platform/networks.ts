import { BlockList, isIP } from 'node:net';

/** Addresses as they are compared and counted. Where a connection may go is the matter of `fetch/`. */

export type Network = { readonly address: string; readonly prefix: number; readonly family: 'ipv4' | 'ipv6' };

/** An address or a network: `192.0.2.7`, `10.0.0.0/8`, `2001:db8::/32`; undefined when `text` is neither. */
export function parseNetwork(text: string): Network | undefined {
  const [address = '', prefix, ...rest] = text.split('/');
  const version = isIP(address);
  if (version === 0 || rest.length > 0 || (prefix !== undefined && !/^\d{1,3}$/.test(prefix))) return undefined;
  const longest = version === 4 ? 32 : 128;
  const length = prefix === undefined ? longest : Number(prefix);
  return length > longest ? undefined : { address, prefix: length, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** Whether an address lies in one of the networks; IPv4 in IPv6 clothes counts as IPv4. A text that is no network holds no address. */
export function inNetworks(networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const { address, prefix, family } of networks.flatMap((text) => parseNetwork(text) ?? [])) list.addSubnet(address, prefix, family);
  return (address) => {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && list.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  };
}

/** An IPv4 address as such, also where a socket for both families wrote it as IPv6. */
export function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  return mapped ?? address;
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
