import { startLoop } from '../platform/loop.ts';
import type { Secrets } from '../platform/secrets/contract.ts';
import { Authority } from './authority.ts';
import { AgentListener, LISTENER_STEP_MS } from './listener.ts';
import { Agents, type AgentsDeps, AGENTS_SAVE_MS } from './service.ts';

export type AgentsStart = AsyncDisposable & {
  readonly agents: Agents;
  /** Answers agents from now on; nothing when `agents.listen` is not set. */
  readonly listen: () => Promise<AsyncDisposable>;
};

/** The agents with their authority; nobody is answered before `listen`. */
export async function openAgents({
  secrets,
  ...deps
}: Omit<AgentsDeps, 'authority'> & { readonly secrets: Secrets }): Promise<AgentsStart> {
  const { sql, clock, logger, config } = deps;
  const authority = config.listen === undefined ? undefined : await Authority.open({ sql, secrets }, clock.now());
  const agents = new Agents({ ...deps, authority });
  await agents.load();
  const saving = startLoop({ clock, logger, name: 'agents', everyMs: AGENTS_SAVE_MS, step: () => agents.save() });
  return {
    agents,
    async listen() {
      const stack = new AsyncDisposableStack();
      if (authority === undefined || config.listen === undefined) return stack;
      const listener = stack.use(new AgentListener({ clock, logger, agents, authority, ...config.listen }));
      await listener.listen();
      stack.use(startLoop({ clock, logger, name: 'agents certificate', everyMs: LISTENER_STEP_MS, step: (nowMs) => listener.step(nowMs) }));
      return stack;
    },
    async [Symbol.asyncDispose]() {
      await saving[Symbol.asyncDispose]();
      await agents.save();
    },
  };
}
