import { isIP } from 'node:net';

/**
 * What an address stands for. One IPv4 address can be written as many IPv6 addresses, and a gateway or the system takes each of them
 * there: who judges the clothes alone lets the wearer pass.
 */
export type Meaning = {
  /** As the system connects to it: without a zone, IPv4-mapped addresses as IPv4. */
  readonly plain: string;
  readonly family: 'ipv4' | 'ipv6';
  /** `%eth0`: the interface that a link-local address is meant on; empty without one. */
  readonly zone: string;
  /** IPv4 addresses that translation and tunnels lead on to. */
  readonly carried: readonly string[];
};

/** Undefined for what is no address. */
export function meaningOf(address: string): Meaning | undefined {
  if (isIP(address) === 4) return { plain: address, family: 'ipv4', zone: '', carried: [] };
  const groups = groupsOf(address);
  if (groups === undefined) return undefined;
  const mapped = startsWith(groups, [0, 0, 0, 0, 0, 0xffff]);
  if (mapped) return { plain: quad(groups[6], groups[7]), family: 'ipv4', zone: '', carried: [] };
  const zone = (groups[0] & 0xffc0) === 0xfe80 ? (/%[\w.-]{1,15}$/.exec(address)?.[0] ?? '') : '';
  return { plain: written(groups), family: 'ipv6', zone, carried: carriedBy(groups) };
}

type Groups = readonly [number, number, number, number, number, number, number, number];

/** The eight groups of an IPv6 address; the URL parser has undone every spelling. */
function groupsOf(address: string): Groups | undefined {
  const bare = address.split('%', 1)[0] ?? '';
  if (isIP(bare) !== 6) return undefined;
  const normal = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::', 2);
  const numbers = (text: string): number[] => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)));
  const [front, back] = [numbers(head), numbers(tail ?? '')];
  const whole = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => 0), ...back];
  return whole as unknown as Groups;
}

const startsWith = (groups: Groups, prefix: readonly number[]): boolean => prefix.every((group, at) => groups[at] === group);
const quad = (high: number, low: number): string => [high >> 8, high & 255, low >> 8, low & 255].join('.');
const written = (groups: Groups): string =>
  new URL(`http://[${groups.map((group) => group.toString(16)).join(':')}]/`).hostname.slice(1, -1);

/** Sources: RFC 4291 2.5.5, RFC 6052, RFC 8215, RFC 3056, RFC 4380, RFC 5214, RFC 2765. */
function carriedBy(groups: Groups): readonly string[] {
  const [, a, b, c, d, e, f, g] = groups;
  const last = quad(f, g);
  // IPv4-compatible, but for `::` and `::1`, and IPv4-translated.
  if (startsWith(groups, [0, 0, 0, 0, 0, 0])) return f === 0 && g <= 1 ? [] : [last];
  if (startsWith(groups, [0, 0, 0, 0, 0xffff, 0])) return [last];
  if (startsWith(groups, [0x64, 0xff9b, 0, 0, 0, 0])) return [last];
  // A network's own NAT64 prefix may be 48 bits long, with the address around bits 64 to 71, or 96 bits long.
  if (startsWith(groups, [0x64, 0xff9b, 1])) return [last, quad(c, ((d & 255) << 8) | (e >> 8))];
  if (groups[0] === 0x2002) return [quad(a, b)];
  // Teredo: the server, and the client with its bits turned over.
  if (startsWith(groups, [0x2001, 0])) return [quad(b, c), quad(f ^ 0xffff, g ^ 0xffff)];
  // ISATAP.
  return (d & 0xfdff) === 0 && e === 0x5efe ? [last] : [];
}
