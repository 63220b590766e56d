/** People, their one-time links and sessions: what is read, and what administrators and everybody for themselves change. */
import type { IssuedView, LinkView, PasswordJudgement, PersonView } from '@nines/server/people/contract.ts';
import type { SessionRowView } from '@nines/server/sessions/contract.ts';
import { keepPreviousData, queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { FactorNeeded } from './actions.ts';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { IssuedView, LinkView, PasswordJudgement, PersonView, SessionRowView };

const part = encodeURIComponent;

export const peopleQuery = () =>
  queryOptions({
    queryKey: ['people'],
    queryFn: ({ signal }) => request<Items<PersonView> & { readonly mail: boolean }>('/api/people', { signal }),
    // Others administer too, and people join.
    refetchInterval: 30_000,
  });

/** Of the person who asks, or of another one. */
export const sessionsQuery = (person?: string) =>
  queryOptions({
    queryKey: ['sessions', person ?? ''],
    queryFn: ({ signal }) =>
      request<Items<SessionRowView>>(person === undefined ? '/api/sessions' : `/api/people/${part(person)}/sessions`, { signal }),
  });

export const linkQuery = (token: string) =>
  queryOptions<LinkView, ApiProblem>({
    queryKey: ['join', token],
    queryFn: ({ signal }) => request('/api/join/look', { method: 'POST', body: { token }, signal }),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });

/** What the server says about a password while it is typed; it is sent in a body, and kept by nobody. */
export const judgementQuery = (body: { readonly password: string; readonly name?: string; readonly token?: string }) =>
  queryOptions<PasswordJudgement, ApiProblem>({
    queryKey: ['judgement', body],
    queryFn: ({ signal }) => request('/api/password/judge', { method: 'POST', body, signal }),
    placeholderData: keepPreviousData,
    enabled: body.password !== '',
    retry: false,
    gcTime: 0,
  });

/** A change after which people and sessions are read again. */
function usePeopleChange<Answer, Input>(change: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Input>({
    mutationFn: change,
    onSettled: () => Promise.all(['people', 'sessions'].map((record) => client.invalidateQueries({ queryKey: [record] }))),
  });
}

type Sight = { readonly teams: readonly string[]; readonly scope: string };
export type Invitation = Sight & { readonly name: string; readonly role: string; readonly email?: string; readonly send: boolean };
export const useInvite = () => usePeopleChange<IssuedView, Invitation>((body) => request('/api/people', { method: 'POST', body }));

export type PersonEdit = Partial<Sight> & {
  readonly id: string;
  readonly revision: number;
  readonly role?: string;
  readonly disabled?: boolean;
};
export const useChangePerson = () =>
  usePeopleChange<PersonView, PersonEdit>(({ id, ...body }) => request(`/api/people/${part(id)}`, { method: 'PATCH', body }));
export const useRemovePerson = () =>
  usePeopleChange<unknown, PersonView>(({ id, revision }) => request(`/api/people/${part(id)}?revision=${revision}`, { method: 'DELETE' }));
export const useMakeLink = () =>
  usePeopleChange<IssuedView, { readonly id: string; readonly send: boolean }>(({ id, send }) =>
    request(`/api/people/${part(id)}/link`, { method: 'POST', body: { send } }),
  );
export const useRevokeLink = () => usePeopleChange<unknown, string>((id) => request(`/api/people/${part(id)}/link`, { method: 'DELETE' }));

/** One session, or all others without `session`. */
export const useEndSessions = (person?: string) =>
  usePeopleChange<unknown, string | undefined>((session) => {
    const all = person === undefined ? '/api/sessions' : `/api/people/${part(person)}/sessions`;
    return request(session === undefined ? all : `${all}/${part(session)}`, { method: 'DELETE' });
  });

export function useJoin() {
  const client = useQueryClient();
  return useMutation<FactorNeeded | undefined, ApiProblem, { readonly token: string; readonly password: string }>({
    mutationFn: (body) => request('/api/join', { method: 'POST', body }),
    onSuccess: (answer) => (answer === undefined ? client.resetQueries({ queryKey: ['session'] }) : undefined),
  });
}
