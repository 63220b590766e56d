import { AppError } from '@nines/base/errors.ts';
import { type CheckSpec, localRefusal } from '../../checks/contract.ts';
import { meaningOf } from '../../platform/fetch/address.ts';
import { createJudge, type Judge, policiesAtAgents } from '../../platform/fetch/judge.ts';
import { covers, outboundConfig, parseRule } from '../../platform/fetch/policy.ts';
import type { ChecksAnswer } from '../contract.ts';

/** What an agent lets the server ask from where it is. Whoever runs the agent decides; the server cannot widen it. */
export type Policy = {
  /** Subnets (`10.1.0.0/16`, `2001:db8::/32`) or addresses: nothing outside of them is asked. Empty: no such bound. */
  readonly only: readonly string[];
  /** Nothing inside of these is asked. */
  readonly never: readonly string[];
  /** Checks may look into this machine: its files, its processes, its containers, and the programs that are listed. */
  readonly local: boolean;
};

export type AgentJudge = { readonly judge: Judge; tell(outbound: ChecksAnswer['outbound']): void };

/**
 * The judge of addresses under a policy, on top of what holds for everyone and what the server says of agents (`outbound.agent`).
 * `AppError` `bad_subnet` names what is none.
 */
export function judgeUnder({ only, never }: Pick<Policy, 'only' | 'never'>): AgentJudge {
  const inside = only.map(subnetOf);
  const outside = never.map(subnetOf);
  let general = generalJudge(undefined);
  const judge: Judge = (address, trust, host) => {
    const judgement = general(address, trust, host);
    const meaning = meaningOf(address);
    if (!judgement.allowed || meaning === undefined) return judgement;
    const { plain, family, carried } = meaning;
    for (const place of [{ address: plain, family, host }, ...carried.map((one) => ({ address: one, family: 'ipv4' as const, host }))]) {
      if (outside.some((rule) => covers(rule, place)))
        return { allowed: false, reason: `${address} is among the addresses that this agent never asks` };
      if (only.length > 0 && !inside.some((rule) => covers(rule, place)))
        return { allowed: false, reason: `${address} is outside of the addresses that this agent asks` };
    }
    return judgement;
  };
  return { judge, tell: (outbound) => void (general = generalJudge(outbound)) };
}

const generalJudge = (outbound: ChecksAnswer['outbound']): Judge =>
  createJudge(policiesAtAgents(outbound ?? outboundConfig.parse({}).agent));

/** Why this agent does not run a check; undefined: it does. */
export function refusalUnder({ local }: Pick<Policy, 'local'>, spec: CheckSpec): string | undefined {
  if (spec.kind === 'promql') return 'samples are at the server';
  const looksInside = localRefusal(spec) !== undefined;
  if (looksInside && !local) return `checks of kind ${spec.kind} look into this machine, which this agent does not allow (--local)`;
  return undefined;
}

function subnetOf(written: string): NonNullable<ReturnType<typeof parseRule>> {
  const rule = parseRule(written);
  if (rule?.kind !== 'subnet') throw new AppError('bad_input', 'bad_subnet', `"${written}" is no subnet; write for example 10.0.0.0/8`);
  return rule;
}
