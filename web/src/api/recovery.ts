/** Recovery actions of checks: what is decided, what was done, and running one. */
import type { RecoveryActionView, RecoveryRunView } from '@nines/server/recovery/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { RecoveryActionView, RecoveryRunView } from '@nines/server/recovery/contract.ts';

const QUICK_MS = 5_000;
const MOST_RUNS = 20;

export const recoveryActionsQuery = (check: string) =>
  queryOptions({
    queryKey: ['checks', 'recovery', check, 'actions'],
    queryFn: ({ signal }) => request<Items<RecoveryActionView>>(withQuery('/api/recovery/actions', { check }), { signal }),
    refetchInterval: QUICK_MS,
  });

/** Newest first. */
export const recoveryRunsQuery = (check: string) =>
  queryOptions({
    queryKey: ['checks', 'recovery', check, 'runs'],
    queryFn: ({ signal }) => request<Items<RecoveryRunView>>(withQuery('/api/recovery/runs', { check, limit: MOST_RUNS }), { signal }),
    refetchInterval: QUICK_MS,
  });

/** Runs an action now, or asks what it would do; what comes of it stands among its runs. */
export function useRunRecovery(id: string) {
  const client = useQueryClient();
  return useMutation<RecoveryRunView, ApiProblem, { readonly dryRun: boolean }>({
    mutationFn: ({ dryRun }) =>
      request(`/api/recovery/actions/${encodeURIComponent(id)}/run`, { method: 'POST', body: { dry_run: dryRun } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['checks'] }),
  });
}
