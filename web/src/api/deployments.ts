/** Deployments, as pipelines told them. */
import type { DeploymentView } from '@nines/server/deployments/contract.ts';
import { queryOptions } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { Items } from './wire.ts';

export type { DeploymentView };

/** Marks of one chart; more of them are a wall. */
const MOST = 200;

type Asked = { readonly services: readonly string[]; readonly fromMs: number; readonly toMs: number };

/** Those under way within the stretch, newest first; without services those of all. */
export const deploymentsQuery = ({ services, fromMs, toMs }: Asked) =>
  queryOptions({
    queryKey: ['deployments', services, fromMs, toMs],
    queryFn: ({ signal }) =>
      request<Items<DeploymentView>>(
        withQuery('/api/deployments', { service: services, from: fromMs / 1000, to: toMs / 1000, limit: MOST }),
        { signal },
      ),
  });
