import { type Judge, createJudge, policiesAtAgents, policiesOf } from './judge.ts';
import { type Outbound, type OutboundDeps, createOutbound } from './outbound.ts';
import type { OutboundConfig } from './policy.ts';

/** The policy in force and the way out under it. A reload replaces the policy. */
export type GuardedOutbound = AsyncDisposable & {
  readonly outbound: Outbound;
  /** What senders of messages may use of it. */
  readonly ways: Pick<Outbound, 'request' | 'connect'> & { readonly judge: Judge; readonly judgeAtAgents: Judge };
  /** What agents are told. */
  readonly forAgents: () => OutboundConfig['agent'];
  readonly configure: (config: OutboundConfig) => void;
};

export type CountsRefusals = {
  counter(name: string, help: string): { add(count: number, labels: Readonly<Record<string, string>>): void };
};

export function openOutbound(
  config: OutboundConfig,
  { metrics, ...deps }: Omit<OutboundDeps, 'judge'> & { readonly metrics: CountsRefusals },
): GuardedOutbound {
  const refused = metrics.counter('nines_outbound_refused_total', 'Connections that the outbound policy refused, by who chose the target.');
  let current = config;
  let inForce = createJudge(policiesOf(config));
  let atAgents = createJudge(policiesAtAgents(config.agent));
  const judge: Judge = (address, trust, host) => {
    const judgement = inForce(address, trust, host);
    if (!judgement.allowed) refused.add(1, { trust });
    return judgement;
  };
  const outbound = createOutbound({ ...deps, judge });
  return {
    outbound,
    ways: {
      request: outbound.request.bind(outbound),
      connect: outbound.connect.bind(outbound),
      judge,
      judgeAtAgents: (...place) => atAgents(...place),
    },
    forAgents: () => current.agent,
    configure(next) {
      current = next;
      inForce = createJudge(policiesOf(next));
      atAgents = createJudge(policiesAtAgents(next.agent));
    },
    [Symbol.asyncDispose]: () => outbound[Symbol.asyncDispose](),
  };
}
