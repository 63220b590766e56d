import { BlockList, isIP } from 'node:net';
import { AppError } from '@nines/base/errors.ts';
import { type CheckSpec, localRefusal } from '../../checks/contract.ts';
import { type Judgement, judgeAddress, type Trust } from '../../platform/fetch/judge.ts';

/** What an agent lets the server ask from where it is. Whoever runs the agent decides; the server cannot widen it. */
export type Policy = {
  /** Subnets (`10.1.0.0/16`, `2001:db8::/32`) or addresses: nothing outside of them is asked. Empty: no such bound. */
  readonly only: readonly string[];
  /** Nothing inside of these is asked. */
  readonly never: readonly string[];
  /** Checks may look into this machine: its files, its processes, its containers, and the programs that are listed. */
  readonly local: boolean;
};

/** The judge of addresses under a policy, on top of what holds for everyone. `AppError` `bad_subnet` names what is none. */
export function judgeUnder({ only, never }: Pick<Policy, 'only' | 'never'>): (address: string, trust: Trust) => Judgement {
  const inside = listOf(only);
  const outside = listOf(never);
  const has = (list: BlockList, address: string): boolean => list.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
  return (address, trust) => {
    const general = judgeAddress(address, trust);
    if (!general.allowed) return general;
    if (has(outside, address)) return { allowed: false, reason: `${address} is among the addresses that this agent never asks` };
    if (only.length > 0 && !has(inside, address))
      return { allowed: false, reason: `${address} is outside of the addresses that this agent asks` };
    return general;
  };
}

/** Why this agent does not run a check; undefined: it does. */
export function refusalUnder({ local }: Pick<Policy, 'local'>, spec: CheckSpec): string | undefined {
  if (spec.kind === 'promql') return 'samples are at the server';
  const looksInside = localRefusal(spec) !== undefined;
  if (looksInside && !local) return `checks of kind ${spec.kind} look into this machine, which this agent does not allow (--local)`;
  return undefined;
}

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [net = '', prefix] = subnet.split('/');
    const family = isIP(net);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    if (family === 0 || !Number.isInteger(bits) || bits < 0 || bits > (family === 6 ? 128 : 32))
      throw new AppError('bad_input', 'bad_subnet', `"${subnet}" is no subnet; write for example 10.0.0.0/8`);
    list.addSubnet(net, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
  return list;
}
