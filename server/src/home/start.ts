import type { Clock } from '@nines/base/clock.ts';
import { type ArrivalsDeps, Arrivals } from './arrivals.ts';
import type { LocalTarget, TargetListView } from '../collect/contract.ts';
import type { FirstRunView } from './contract.ts';
import { type Standing, firstRun } from './first-run.ts';
import { readListeningPorts } from './listening.ts';
import { LocalTargets } from './local-targets.ts';

type Asked = Pick<Standing, 'services' | 'slas' | 'statusPages'>;

export type HomeDeps = ArrivalsDeps & {
  readonly clock: Pick<Clock, 'now'>;
  readonly scrapes: { applyLocal(targets: readonly LocalTarget[]): Promise<void>; list(): TargetListView };
  readonly standing: () => Asked;
  readonly channels: () => Promise<readonly { readonly id: string; readonly delivered_at_ms: number | null }[]>;
};

export type Home = {
  readonly arrivals: Arrivals;
  readonly localTargets: LocalTargets;
  readonly firstRun: () => Promise<FirstRunView>;
};

/** What a new installation lacks, and what came in since. */
export async function openHome({ scrapes, standing, channels, ...deps }: HomeDeps): Promise<Home> {
  const arrivals = new Arrivals(deps);
  await arrivals.load();
  const scrape = (targets: readonly LocalTarget[]) => scrapes.applyLocal(targets);
  const localTargets = new LocalTargets({ ...deps, listening: readListeningPorts, scrape });
  await localTargets.load();
  return {
    arrivals,
    localTargets,
    async firstRun() {
      const { items } = scrapes.list();
      return firstRun({
        ...standing(),
        channels: (await channels()).map(({ id, delivered_at_ms: atMs }) => ({ id, delivered: atMs !== null })),
        arrivals: arrivals.list(),
        targets: items.map(({ job, state, last_scrape_at_ms: lastAtMs, samples }) => ({ job, state, lastAtMs, samples })),
        local: localTargets.programs(new Set(items.map(({ url }) => new URL(url).host))),
      });
    },
  };
}
