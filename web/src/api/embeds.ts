/** Links under which dashboards stand in pages of others. */
import type { EmbedView } from '@nines/server/dashboards/embeds/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { EmbedView };

/** What is asked for when a link is made; the server says what each may be. */
export type NewEmbed = {
  readonly panel?: string;
  readonly values: Readonly<Record<string, readonly string[]>>;
  readonly range?: string;
  readonly sites: readonly string[];
  readonly title?: string;
  readonly logo?: string;
  readonly theme: 'light' | 'dark';
  readonly colours: { readonly accent?: string };
  readonly expires_in: string;
};

const path = (dashboard: string, rest = ''): string => `/api/dashboards/${encodeURIComponent(dashboard)}/embeds${rest}`;

export const embedsQuery = (dashboard: string) =>
  queryOptions({ queryKey: ['embeds', dashboard], queryFn: ({ signal }) => request<Items<EmbedView>>(path(dashboard), { signal }) });

function useChange<Variables, Answer>(dashboard: string, send: (variables: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Variables>({
    mutationFn: send,
    onSuccess: () => client.invalidateQueries({ queryKey: ['embeds', dashboard] }),
  });
}

export const useMakeEmbed = (dashboard: string) =>
  useChange(dashboard, (body: NewEmbed) => request<EmbedView>(path(dashboard), { method: 'POST', body }));

export const useRevokeEmbed = (dashboard: string) =>
  useChange(dashboard, (id: string) => request(path(dashboard, `/${encodeURIComponent(id)}`), { method: 'DELETE' }));
