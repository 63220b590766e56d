import type { Clock } from '@nines/base/clock.ts';
import type { Logger } from '@nines/base/logger.ts';
import { type RecordsRuns, openPrograms } from './audit/programs.ts';
import type { Config } from './config.ts';
import { type CountsRefusals, openOutbound } from './platform/fetch/guard.ts';

type Deps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: Pick<Config, 'outbound' | 'programs'>;
  readonly metrics: CountsRefusals;
  readonly audit: RecordsRuns;
};

/** All that leaves the server: connections under the policy in force, and programs. `ways` is what those who go out are handed. */
export async function openOutgoing({ clock, logger, config, metrics, audit }: Deps) {
  const stack = new AsyncDisposableStack();
  const guard = stack.use(openOutbound(config.outbound, { clock, metrics }));
  const programs = stack.use(await openPrograms({ clock, logger, config: config.programs, audit }));
  return {
    outbound: guard.outbound,
    programs,
    ways: { clock, ...guard.ways, run: programs.run },
    forAgents: guard.forAgents,
    configure: guard.configure,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
