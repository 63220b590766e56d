import { BlockList } from 'node:net';
import { domainToASCII } from 'node:url';
import { z } from 'zod';
import { parseNetwork } from '../networks.ts';
import { INTERNAL } from './ranges.ts';

/**
 * Where requests may go, by who chose the target. A rule is `any`, `public` (every address that is not internal), an address, a subnet
 * (`10.0.0.0/8`), a host name, or a host name with everything below it (`*.example.org`). What `allow` names may be asked unless `deny`
 * names it too.
 */

const MAX_RULES = 1_000;
const LABEL = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const NAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

type Rule =
  | { readonly kind: 'any' | 'public'; readonly text: string }
  | { readonly kind: 'subnet'; readonly text: string; readonly list: BlockList }
  | { readonly kind: 'name'; readonly text: string; readonly name: string; readonly below: boolean };

/** Undefined when it is none. */
export function parseRule(text: string): Rule | undefined {
  if (text === 'any' || text === 'public') return { kind: text, text };
  const network = parseNetwork(text);
  if (network !== undefined) {
    const list = new BlockList();
    list.addSubnet(network.address, network.prefix, network.family);
    return { kind: 'subnet', text, list };
  }
  const name = plainName(text.replace(/^\*\./, ''));
  if (text.includes('/') || /^[\d.]+$/.test(text) || name === undefined) return undefined;
  return { kind: 'name', text, name, below: text.startsWith('*.') };
}

/** A name as it is compared: lower case, ASCII (punycode), without the last dot. Undefined for what is no host name. */
export function plainName(host: string): string | undefined {
  const name = domainToASCII(host.replace(/\.$/, '')).toLowerCase();
  return name.length <= 253 && NAME.test(name) ? name : undefined;
}

const rule = z.string().refine((text) => parseRule(text) !== undefined, {
  error: ({ input }) => `"${String(input)}" is no rule; write any, public, an address, a subnet (10.0.0.0/8), a name or *.name`,
});
const rules = z.array(rule).max(MAX_RULES);
const classOf = (allow: readonly string[]) => z.strictObject({ allow: rules.default([...allow]), deny: rules.default([]) }).prefault({});

/** The section `outbound`. Takes effect at a reload. */
export const outboundConfig = z
  .strictObject({
    /** What stands in the configuration file: whoever runs the server wrote it. */
    file: classOf(['any']),
    /** What an administrator made in the UI or API. */
    administrator: classOf(['public']),
    /** What anybody else with an account made there. */
    operator: classOf(['public']),
    /** What agents are asked to reach for the UI or API; each agent has a policy of its own besides. */
    agent: classOf(['public']),
  })
  .prefault({});
export type OutboundConfig = z.output<typeof outboundConfig>;

/** The rules of one class of askers. `name` is how they are called in the configuration file. */
export type ClassPolicy = { readonly name: string; readonly allow: readonly Rule[]; readonly deny: readonly Rule[] };

export const classPolicy = (
  name: string,
  written: { readonly allow: readonly string[]; readonly deny: readonly string[] },
): ClassPolicy => ({
  name,
  allow: written.allow.flatMap((text) => parseRule(text) ?? []),
  deny: written.deny.flatMap((text) => parseRule(text) ?? []),
});

/** One address that is to be asked, and the name that led to it. */
export type Place = { readonly address: string; readonly family: 'ipv4' | 'ipv6'; readonly host: string | undefined };

export function covers(one: Rule, { address, family, host }: Place): boolean {
  switch (one.kind) {
    case 'any':
      return true;
    case 'public':
      return !INTERNAL.check(address, family);
    case 'subnet':
      return one.list.check(address, family);
    case 'name': {
      const name = host === undefined ? undefined : plainName(host);
      return name !== undefined && (name === one.name ? !one.below : one.below && name.endsWith(`.${one.name}`));
    }
  }
}
