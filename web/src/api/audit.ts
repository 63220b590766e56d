import type { AuditEntryView, AuditVerdict } from '@nines/server/audit/contract.ts';
import type { ConfigurationChange, ConfigurationView } from '@nines/server/configuration/contract.ts';
import { infiniteQueryOptions, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { AuditSearch } from '../shell/search.ts';
import { objectIn } from './audit-object.ts';
import { request, withQuery } from './client.ts';
import type { Items } from './wire.ts';

export type { AuditEntryView, AuditVerdict, ConfigurationChange, ConfigurationView };

type Page<Item> = { readonly items: readonly Item[]; readonly next: string | null };
type Reloaded = { readonly version: number; readonly warnings: readonly string[] };

function filterOf({ actor, action, object, from, to, phase }: AuditSearch): Record<string, string | undefined> {
  const { kind, id } = object === undefined ? { kind: undefined, id: null } : objectIn(object);
  return { actor, action, object_kind: kind, object_id: id ?? undefined, phase, from: isoOf(from), to: isoOf(to) };
}

const isoOf = (atMs: number | undefined): string | undefined => (atMs === undefined ? undefined : new Date(atMs).toISOString());

/** Asked again by hand: a log that moves under the reader cannot be read. */
export const auditQuery = (search: AuditSearch) =>
  infiniteQueryOptions({
    queryKey: ['audit', 'list', filterOf(search)],
    queryFn: ({ signal, pageParam }) =>
      request<Page<AuditEntryView>>(withQuery('/api/audit', { ...filterOf(search), limit: '200', cursor: pageParam }), { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next ?? undefined,
  });

/** Who changed an object last, and what: the newest entry that says both. */
export const lastChangeQuery = (kind: string, id: string) =>
  queryOptions({
    queryKey: ['audit', 'last', kind, id],
    queryFn: async ({ signal }) => {
      const question = { object_kind: kind, object_id: id, phase: 'done', limit: '20' };
      const { items } = await request<Page<AuditEntryView>>(withQuery('/api/audit', question), { signal });
      return items.find(({ before, after }) => before !== null && after !== null) ?? null;
    },
    staleTime: 0,
    gcTime: 0,
  });

export const exportAddress = (search: AuditSearch, format: 'json' | 'csv'): string =>
  withQuery('/api/audit/export', { ...filterOf(search), format });

export const auditActorsQuery = () =>
  queryOptions({
    queryKey: ['audit', 'actors'],
    queryFn: ({ signal }) => request<Items<AuditEntryView['actor']>>('/api/audit/actors', { signal }),
  });

export const useVerifyAudit = () => useMutation({ mutationFn: () => request<AuditVerdict>('/api/audit/verify') });

export const configurationsQuery = () =>
  queryOptions({
    queryKey: ['config', 'history'],
    queryFn: ({ signal }) => request<Page<ConfigurationView>>('/api/config/history?limit=200', { signal }),
  });

export const configurationQuery = (version: number) =>
  queryOptions({
    queryKey: ['config', 'version', version],
    queryFn: ({ signal }) => request<ConfigurationView & { readonly yaml: string }>(`/api/config/history/${version}`, { signal }),
  });

export const configurationDiffQuery = (from: number, to: number) =>
  queryOptions({
    queryKey: ['config', 'diff', from, to],
    queryFn: ({ signal }) =>
      request<{ readonly changes: readonly ConfigurationChange[] }>(`/api/config/diff?from=${from}&to=${to}`, { signal }),
    enabled: from > 0,
  });

export function useRestoreConfiguration() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (version: number) => request<Reloaded>('/api/config/restore', { method: 'POST', body: { version } }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['config'] }),
  });
}
