/** What the pages change. Each action says which records it touched, so that they are read again at once. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { request } from './client.ts';
import { ApiProblem } from './problem.ts';
import { servicesQuery } from './queries.ts';
import type { BulkWire, ChannelTestWire, MadeJoinToken, RoleDraft, RoleView, ServiceDetailView, WrittenServiceWire } from './wire.ts';

type AlertAction = { readonly name: 'acknowledge'; readonly ids: readonly string[] };

/** One action over any number of alerts, in one request. One refused alert does not stop the others, but is told. */
async function actOnAlerts({ name, ...body }: AlertAction): Promise<BulkWire> {
  const answer = await request<BulkWire>(`/api/alerts/${name}`, { method: 'POST', body });
  const refused = answer.items.filter((item) => !item.ok);
  const [first] = refused;
  if (first === undefined) return answer;
  const others = answer.items.length === 1 ? '' : ` (${refused.length} of ${answer.items.length} refused)`;
  throw new ApiProblem(`${first.error ?? 'refused'}${others}`, {
    status: 409,
    code: first.code ?? 'refused',
    where: `POST /api/alerts/${name}`,
  });
}

export function useAlertAction() {
  const client = useQueryClient();
  return useMutation<BulkWire, ApiProblem, AlertAction>({
    mutationFn: actOnAlerts,
    onSettled: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  });
}

/** Sends a test message through a channel and says what the channel said. */
export function useTestChannel() {
  const client = useQueryClient();
  return useMutation<ChannelTestWire, ApiProblem, string>({
    mutationFn: (id) => request(`/api/channels/${encodeURIComponent(id)}/test`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['notifications'] }),
  });
}

/** Puts a notification that was given up into the queue again. */
export function useRetryNotification() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/notifications/${encodeURIComponent(id)}/retry`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['notifications'] }),
  });
}

/** Makes a service that is owned by the pages, not by the configuration file. */
export function useCreateService() {
  const client = useQueryClient();
  return useMutation<ServiceDetailView, ApiProblem, WrittenServiceWire>({
    mutationFn: (body) => request('/api/services', { method: 'POST', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['services'] }),
  });
}

/** Ends the watching of a service and goes to the list: at once without it, for its rows ask for the history of each, and then read again. */
export function useRetireService() {
  const client = useQueryClient();
  const navigate = useNavigate();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/services/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: (_answer, retired) => {
      client.setQueryData(servicesQuery().queryKey, (list) => list && { ...list, items: list.items.filter(({ id }) => id !== retired) });
      void client.invalidateQueries({ queryKey: ['services', 'list'] });
      void navigate({ to: '/services' });
    },
  });
}

/** Stops a check from asking, or lets it go on. */
export function usePauseCheck(id: string) {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, 'pause' | 'resume'>({
    mutationFn: (action) => request(`/api/checks/${encodeURIComponent(id)}/${action}`, { method: 'POST' }),
    onSettled: () => Promise.all(['checks', 'services'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

export type Retirement = ReturnType<typeof useRetireService>;

type DowntimeEdit = { readonly id: string; readonly reason: string; readonly note?: string; readonly revision: number };

type Restructuring =
  | { readonly kind: 'split'; readonly id: string; readonly at: string; readonly revision: number }
  | { readonly kind: 'merge'; readonly id: string; readonly with: string };

/** Splits a downtime in two, or merges it with its neighbour. */
export function useRestructureDowntime() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, Restructuring>({
    mutationFn: ({ kind, id, ...body }) => request(`/api/downtime/${encodeURIComponent(id)}/${kind}`, { method: 'POST', body }),
    onSettled: () => Promise.all(['downtime', 'reliability'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

/** Takes the last edit of a downtime back, as a revision of its own. */
export function useUndoDowntime() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/downtime/${encodeURIComponent(id)}/undo`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['downtime'] }),
  });
}

/** Says why a service was down. `revision` is the one the person saw: whoever was faster wins, and the other is told. */
export function useEditDowntime() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, DowntimeEdit>({
    mutationFn: ({ id, ...body }) => request(`/api/downtime/${encodeURIComponent(id)}`, { method: 'PATCH', body }),
    onSettled: () => client.invalidateQueries({ queryKey: ['downtime'] }),
  });
}

/** The password was right, and a second factor is still to be shown. */
export type FactorNeeded = { readonly kind: 'factor_needed'; readonly challenge: string; readonly kinds: readonly string[] };

export function useSignIn() {
  const client = useQueryClient();
  return useMutation<FactorNeeded | undefined, ApiProblem, { readonly name: string; readonly password: string }>({
    mutationFn: (body) => request('/api/session', { method: 'POST', body }),
    onSuccess: (needed) => (needed === undefined ? client.resetQueries() : undefined),
  });
}

export function useSignOut() {
  return useMutation<unknown, ApiProblem, void>({
    mutationFn: () => request('/api/session', { method: 'DELETE' }),
    // A fresh page: nothing that was read before stays in memory for the next person.
    onSuccess: () => window.location.replace('/login'),
  });
}

export function useSetUp() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, { readonly token: string; readonly name: string; readonly password: string }>({
    mutationFn: (body) => request('/api/setup', { method: 'POST', body }),
    onSuccess: () => client.resetQueries(),
  });
}

export function useChangePassword() {
  return useMutation<unknown, ApiProblem, { readonly current: string; readonly next: string }>({
    mutationFn: ({ current, next }) => request('/api/password', { method: 'POST', body: { current, next } }),
  });
}

export type NewToken = {
  readonly name: string;
  readonly role: string;
  readonly teams: readonly string[];
  readonly scope: string;
  readonly addresses?: readonly string[];
  readonly actions?: readonly string[];
  readonly expires_at_ms?: number;
};

export function useCreateToken() {
  const client = useQueryClient();
  return useMutation<{ readonly token: string }, ApiProblem, NewToken>({
    mutationFn: (body) => request('/api/tokens', { method: 'POST', body }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}

/** Makes a role, or changes the one of `revision`. */
export function useSaveRole(revision?: number) {
  const client = useQueryClient();
  return useMutation<RoleView, ApiProblem, RoleDraft>({
    mutationFn: (body) =>
      revision === undefined
        ? request('/api/roles', { method: 'POST', body })
        : request(`/api/roles/${encodeURIComponent(body.id)}?revision=${revision}`, { method: 'PUT', body }),
    onSuccess: () => Promise.all(['roles', 'session'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

export function useRemoveRole() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/roles/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['roles'] }),
  });
}

export function useReplaceToken() {
  const client = useQueryClient();
  return useMutation<{ readonly name: string; readonly token: string }, ApiProblem, string>({
    mutationFn: (id) => request(`/api/tokens/${encodeURIComponent(id)}/replace`, { method: 'POST' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}

export function useRevokeToken() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/tokens/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['tokens'] }),
  });
}

/** A token that one agent can join with; the answer holds it this once. */
export function useCreateJoinToken() {
  const client = useQueryClient();
  return useMutation<MadeJoinToken, ApiProblem, string>({
    mutationFn: (location) => request('/api/agents/join-tokens', { method: 'POST', body: { location } }),
    onSettled: () => client.invalidateQueries({ queryKey: ['agents'] }),
  });
}

export function useWithdrawJoinToken() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, string>({
    mutationFn: (id) => request(`/api/agents/join-tokens/${encodeURIComponent(id)}`, { method: 'DELETE' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['agents'] }),
  });
}

/** Refuses an agent from now on, or has it take a new key. */
export function useChangeAgent() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, { readonly id: string; readonly action: 'revoke' | 'rotate' }>({
    mutationFn: ({ id, action }) => request(`/api/agents/${encodeURIComponent(id)}/${action}`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['agents'] }),
  });
}
