import { FULL_SCOPE } from '@nines/model/storage.ts';
import type { Clock } from '@nines/base/clock.ts';
import { createIds } from '../../platform/ids.ts';
import { createHttp } from '../../platform/http/server.ts';
import { createAliases } from '../aliases.ts';
import { type SampleQuery, otlpConfig } from '../contract.ts';
import { type CollectRoutesDeps, collectRoutes } from '../routes.ts';
import type { World } from './world.ts';

export type Served = AsyncDisposable & { readonly base: string };

/** The routes of this folder on a real server, open to everybody. `query` answers nothing unless given. */
export async function serve(world: World, clock: Clock, changes: Partial<CollectRoutesDeps> = {}): Promise<Served> {
  const everybody = { kind: 'anonymous', id: '', name: 'test', role: 'administrator', teamId: '', scope: FULL_SCOPE } as const;
  const gate = { authenticate: () => Promise.resolve(everybody), allows: () => true };
  const http = await createHttp({ logger: world.logger, ids: createIds(clock), gate, hosts: 'any', version: '0.0.0' });
  const nothing: SampleQuery = { instant: () => Promise.resolve([]), range: () => Promise.resolve([]) };
  const scrapes: CollectRoutesDeps['scrapes'] = {
    view: () => ({ activeTargets: [], droppedTargets: [], droppedTargetCounts: {}, scrapePools: [] }),
    list: () => ({ items: [], jobs: [], dropped: [] }),
    exposed: () => [],
    job: () => undefined,
  };
  collectRoutes(http, {
    ...world,
    clock,
    query: nothing,
    aliases: createAliases(15_000),
    instance: 'box',
    scrapes,
    metricsOpen: false,
    otlp: otlpConfig.parse({}),
    ...changes,
  });
  const base = await http.listen({ host: '127.0.0.1', port: 0 });
  return { base, [Symbol.asyncDispose]: () => http.close() };
}
