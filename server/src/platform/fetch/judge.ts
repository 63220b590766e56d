import { type Meaning, meaningOf } from './address.ts';
import { type ClassPolicy, type OutboundConfig, classPolicy, covers, outboundConfig } from './policy.ts';
import { INTERNAL, METADATA } from './ranges.ts';

/**
 * Who chose the target. `trusted`: the configuration file, written by whoever runs the server; `administrator` and `operator`: people
 * with an account, in the UI or API; `untrusted`: anybody, as who subscribes to a status page.
 */
export type Trust = 'trusted' | 'administrator' | 'operator' | 'untrusted';

declare const JUDGED: unique symbol;
/** An address that was judged: only such a one can be connected to. */
export type JudgedAddress = string & { readonly [JUDGED]: true };

export type Judgement = { readonly allowed: true; readonly address: JudgedAddress } | { readonly allowed: false; readonly reason: string };
/** `host` is the name that was resolved to the address, if there was one. */
export type Judge = (address: string, trust: Trust, host?: string) => Judgement;

/**
 * Judges addresses, not names: resolve first, judge, then connect to exactly what was judged. An IPv6 address that leads on to an IPv4
 * address (mapped, NAT64, 6to4, Teredo, …) is judged as both.
 */
export function createJudge(policies: Readonly<Record<Trust, ClassPolicy>>): Judge {
  return (address, trust, host) => {
    const meaning = meaningOf(address);
    if (meaning === undefined) return { allowed: false, reason: `${address} is not an address` };
    const reason = metadataRefusal(meaning) ?? refusalBy(policies[trust], meaning, host);
    return reason === undefined ? { allowed: true, address: (meaning.plain + meaning.zone) as JudgedAddress } : { allowed: false, reason };
  };
}

/** The policy of the section `outbound`. What anybody chose may go to public addresses, and nowhere that operators may not. */
export const policiesOf = (config: OutboundConfig): Readonly<Record<Trust, ClassPolicy>> => ({
  trusted: classPolicy('outbound.file', config.file),
  administrator: classPolicy('outbound.administrator', config.administrator),
  operator: classPolicy('outbound.operator', config.operator),
  untrusted: classPolicy('outbound.operator', { allow: ['public'], deny: config.operator.deny }),
});

/** What holds at agents, on top of what each of them says itself. What it denies is denied to the configuration file as well. */
export function policiesAtAgents(agent: OutboundConfig['agent']): Readonly<Record<Trust, ClassPolicy>> {
  const policy = classPolicy('outbound.agent', agent);
  const trusted = classPolicy('outbound.agent', { allow: ['any'], deny: agent.deny });
  return { trusted, administrator: policy, operator: policy, untrusted: policy };
}

/** As it is without a section `outbound`. */
export const judgeAddress: Judge = createJudge(policiesOf(outboundConfig.parse(undefined)));

/**
 * For the name server that this machine itself is told to ask: whoever runs it chose it, and some clouds have it at the address of their
 * metadata service.
 */
export const judgeNameServer: Judge = (address) => {
  const plain = meaningOf(address)?.plain;
  return plain === undefined
    ? { allowed: false, reason: `${address} is not an address` }
    : { allowed: true, address: plain as JudgedAddress };
};

const places = ({ plain, family, carried }: Meaning) => [
  { address: plain, family },
  ...carried.map((address) => ({ address, family: 'ipv4' as const })),
];

function metadataRefusal(meaning: Meaning): string | undefined {
  const found = places(meaning).find(({ address, family }) => METADATA.check(address, family));
  if (found === undefined) return undefined;
  const leads = found.address === meaning.plain ? '' : `${meaning.plain} leads to `;
  return `${leads}${found.address} is a cloud metadata address, which is refused always`;
}

function refusalBy({ name, allow, deny }: ClassPolicy, meaning: Meaning, host: string | undefined): string | undefined {
  for (const { address, family } of places(meaning)) {
    const place = { address, family, host };
    const leads = address === meaning.plain ? '' : `${meaning.plain} leads to `;
    const denied = deny.find((rule) => covers(rule, place));
    if (denied !== undefined) return `${leads}${address} is refused by ${name}.deny: ${denied.text}`;
    if (allow.some((rule) => covers(rule, place))) continue;
    if (!INTERNAL.check(address, family)) return `${leads}${address} is not among what ${name}.allow names`;
    return `${leads}${address} is internal; targets made in the UI or API may not reach it. Declare the target in the configuration file, or allow it in ${name}.allow`;
  }
  return undefined;
}
