/** One's own second factors, signing in with them, and proof before administration. */
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { CreationOptions, FactorsView, RequestOptions } from '@nines/server/factors/contract.ts';
import { request } from './client.ts';
import { makePasskey, usePasskeyOnce } from './passkey.ts';
import type { ApiProblem } from './problem.ts';

export type { CreationOptions, FactorsView, PasskeyView, ProofKind, RequestOptions } from '@nines/server/factors/contract.ts';

export const factorsQuery = () =>
  queryOptions<FactorsView, ApiProblem>({ queryKey: ['factors'], queryFn: ({ signal }) => request('/api/factors', { signal }) });

type Added = { readonly recovery_codes: readonly string[] };

/** Whatever changes factors may also let the person do more: both are read again. */
function useFactorChange<Answer, Input = void>(change: (input: Input) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Input>({
    mutationFn: change,
    onSuccess: () => client.invalidateQueries({ queryKey: ['factors'] }),
  });
}

export const useStartTotp = () =>
  useMutation<{ readonly uri: string; readonly secret: string }, ApiProblem, void>({
    mutationFn: () => request('/api/factors/totp', { method: 'POST' }),
  });
export const useConfirmTotp = () =>
  useFactorChange<Added, string>((code) => request('/api/factors/totp/confirm', { method: 'POST', body: { code } }));
export const useRemoveTotp = () => useFactorChange<unknown>(() => request('/api/factors/totp', { method: 'DELETE' }));
export const useMakeRecoveryCodes = () => useFactorChange<Added>(() => request('/api/factors/recovery-codes', { method: 'POST' }));
export const useRemovePasskey = () =>
  useFactorChange<unknown, string>((id) => request(`/api/factors/passkeys/${encodeURIComponent(id)}`, { method: 'DELETE' }));
export const useRenamePasskey = () =>
  useFactorChange<unknown, { readonly id: string; readonly name: string }>(({ id, name }) =>
    request(`/api/factors/passkeys/${encodeURIComponent(id)}`, { method: 'PATCH', body: { name } }),
  );
export const useAddPasskey = () =>
  useFactorChange<Added, string>(async (name) => {
    const options = await request<CreationOptions>('/api/factors/passkeys/options', { method: 'POST' });
    return request('/api/factors/passkeys', { method: 'POST', body: { name, answer: await makePasskey(options) } });
  });

/** What the person shows; a passkey is asked for by the browser. */
export type ShownFactor = { readonly kind: 'totp' | 'recovery_code'; readonly code: string } | { readonly kind: 'passkey' };

/** The second step of signing in. */
export function useFinishSignIn() {
  const client = useQueryClient();
  return useMutation<
    { readonly recovery_codes_left: number | null },
    ApiProblem,
    { readonly challenge: string; readonly shown: ShownFactor }
  >({
    mutationFn: async ({ challenge, shown }) => {
      const factor = shown.kind === 'passkey' ? await answered('/api/session/factor/options', { challenge }) : shown;
      return request('/api/session/factor', { method: 'POST', body: { challenge, factor } });
    },
    onSuccess: () => client.resetQueries(),
  });
}

/** Signing in without name and password. */
export function usePasskeySignIn() {
  const client = useQueryClient();
  return useMutation<unknown, ApiProblem, void>({
    mutationFn: async () => {
      const { answer } = await answered('/api/session/passkey/options');
      return request('/api/session/passkey', { method: 'POST', body: { answer } });
    },
    onSuccess: () => client.resetQueries(),
  });
}

export type ShownProof =
  | { readonly kind: 'password'; readonly password: string }
  | { readonly kind: 'totp'; readonly code: string }
  | { readonly kind: 'passkey' };

export const useProve = () =>
  useMutation<unknown, ApiProblem, ShownProof>({
    mutationFn: async (shown) => {
      const body = shown.kind === 'passkey' ? await answered('/api/session/proof/options') : shown;
      return request('/api/session/proof', { method: 'POST', body });
    },
  });

async function answered(path: string, body?: unknown): Promise<{ readonly kind: 'passkey'; readonly answer: unknown }> {
  const options = await request<RequestOptions>(path, { method: 'POST', ...(body === undefined ? {} : { body }) });
  return { kind: 'passkey', answer: await usePasskeyOnce(options) };
}
