/** Channels: what they can be made of, and those that are made here. */
import type { ChannelKindView, MadeChannelView } from '@nines/server/notify/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { ChannelTestWire, Items } from './wire.ts';

export type { ChannelField, ChannelKindView, MadeChannelView } from '@nines/server/notify/contract.ts';

const part = encodeURIComponent;

export const channelKindsQuery = () =>
  queryOptions({
    queryKey: ['channel-kinds'],
    queryFn: ({ signal }) => request<Items<ChannelKindView>>('/api/channel-kinds', { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** As it is written, without its secrets; read anew for each form. */
export const madeChannelQuery = (id: string) =>
  queryOptions({
    queryKey: ['made-channel', id],
    queryFn: ({ signal }) => request<MadeChannelView>(`/api/channels/${part(id)}`, { signal }),
    staleTime: 0,
    gcTime: 0,
  });

export type Declaration = Readonly<Record<string, unknown>>;
type Saving = { readonly channel: Declaration; readonly takes_rest: boolean };

/** Makes a channel, or changes the one of `revision`. */
export function useSaveChannel(known: Pick<MadeChannelView, 'id' | 'revision'> | undefined) {
  const client = useQueryClient();
  return useMutation<MadeChannelView, ApiProblem, Saving>({
    mutationFn: (body) =>
      known === undefined
        ? request('/api/channels', { method: 'POST', body })
        : request(`/api/channels/${part(known.id)}?revision=${known.revision}`, { method: 'PUT', body }),
    onSuccess: () => changed(client),
    onError: () => client.invalidateQueries({ queryKey: ['made-channel'] }),
  });
}

export function useRemoveChannel() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/channels/${part(id)}`, { method: 'DELETE' }),
    onSuccess: () => changed(client),
  });
}

/** Sends a test through what is written, before it is saved. */
export function useTryChannel(of: string | undefined) {
  return useMutation<ChannelTestWire, ApiProblem, Declaration>({
    mutationFn: (channel) => request('/api/channels/test', { method: 'POST', body: { channel, ...(of === undefined ? {} : { of }) } }),
  });
}

const changed = (client: ReturnType<typeof useQueryClient>) =>
  Promise.all(
    ['notifications', 'routing', 'escalation', 'home', 'used-by', 'object-text'].map((record) =>
      client.invalidateQueries({ queryKey: [record] }),
    ),
  );
