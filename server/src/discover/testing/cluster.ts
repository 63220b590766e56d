import assert from 'node:assert/strict';
import type { Logger } from '@nines/base/logger.ts';
import { z } from 'zod';
import { poll } from '../../../../test/harness/poll.ts';
import { realClock } from '../../platform/clock.ts';
import { createOutbound } from '../../platform/fetch/outbound.ts';
import { type TargetGroup, discoveriesOf, discoveryFields } from '../contract.ts';
import { createDiscover } from '../service.ts';
import { type ApiServer, startApiServer } from './api-server.ts';

export const schema = z.strictObject(discoveryFields);
type Written = NonNullable<z.input<typeof schema>['kubernetes_sd_configs']>[number];
/** A cluster's API and discovery over it. */
export type Cluster = AsyncDisposable & {
  readonly api: ApiServer;
  readonly groups: () => readonly TargetGroup[];
  readonly fault: () => string;
  until(what: string, right: (groups: readonly TargetGroup[]) => boolean): Promise<readonly TargetGroup[]>;
};

/** Discovery over an API server with `role`, once `fill` has put its objects there. */
export async function openCluster(
  written: Partial<Written> & { readonly role: Written['role'] },
  fill: (api: ApiServer) => void,
): Promise<Cluster> {
  const api = await startApiServer();
  fill(api);
  const outbound = createOutbound({ clock: realClock });
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: () => undefined,
    child: () => logger,
  };
  const discover = createDiscover({ clock: realClock, logger, outbound });
  const [config] = discoveriesOf(schema.parse({ kubernetes_sd_configs: [{ api_server: api.url, ...written }] }), '/');
  assert.ok(config !== undefined);
  let groups: readonly TargetGroup[] | undefined;
  discover.watch(config, (told) => {
    groups = told;
  });
  return {
    api,
    groups: () => groups ?? [],
    fault: () => discover.status()[0]?.lastError ?? '',
    until: (what, right) => poll(what, () => (groups !== undefined && right(groups) ? groups : undefined)),
    [Symbol.asyncDispose]: async () => {
      await discover[Symbol.asyncDispose]();
      await outbound[Symbol.asyncDispose]();
      await api[Symbol.asyncDispose]();
    },
  };
}
