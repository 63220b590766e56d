/** Rules as the server runs them, and what one would have done. */
import type { BacktestView, RuleDetailView, RuleView } from '@nines/server/rules/contract.ts';
import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { request, withQuery } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { Items } from './wire.ts';

export type { BacktestView, RuleDetailView, RuleView };

const SLOW_MS = 15_000;

/** The alerts of rules change with the stream; durations and errors are asked for again. */
export const rulesQuery = () =>
  queryOptions({
    queryKey: ['alerts', 'rules'],
    queryFn: ({ signal }) => request<Items<RuleView>>('/api/rules', { signal }),
    refetchInterval: SLOW_MS,
  });

const addressOf = (id: string): string => `/api/rules/${encodeURIComponent(id)}`;

/** One rule with what was saved of it, and whether it can be changed here. */
export const ruleQuery = (id: string) =>
  queryOptions({
    queryKey: ['alerts', 'rules', id],
    queryFn: ({ signal }) => request<RuleDetailView>(addressOf(id), { signal }),
  });

function useChange<Answer, Variables>(send: (of: Variables) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Variables>({
    mutationFn: send,
    onSettled: () => client.invalidateQueries({ queryKey: ['alerts', 'rules'] }),
  });
}

type Saved = {
  readonly rule: Readonly<Record<string, unknown>>;
  /** The saved rule that it takes the place of; absent: a new one. */
  readonly id?: string | undefined;
  /** Only while this is the one that is there. */
  readonly revision?: number | undefined;
};

export const useSaveRule = () =>
  useChange(({ rule, id, revision }: Saved) =>
    id === undefined
      ? request<RuleDetailView>('/api/rules', { method: 'POST', body: rule })
      : request<RuleDetailView>(withQuery(addressOf(id), { revision }), { method: 'PUT', body: rule }),
  );

export const useRemoveRule = () =>
  useChange(({ id, revision }: { readonly id: string; readonly revision: number | undefined }) =>
    request<void>(withQuery(addressOf(id), { revision }), { method: 'DELETE' }),
  );

/** Of `[now - lengthMs, now)`. */
export const backtestRule = (id: string, { nowMs, lengthMs }: { readonly nowMs: number; readonly lengthMs: number }) =>
  request<BacktestView>('/api/rules/backtest', {
    method: 'POST',
    body: { id, from: String((nowMs - lengthMs) / 1000), to: String(nowMs / 1000) },
  });

/** The same of a rule that is only written yet. */
export const backtestDraft = (
  rule: Readonly<Record<string, unknown>>,
  { nowMs, lengthMs }: { readonly nowMs: number; readonly lengthMs: number },
) =>
  request<BacktestView>('/api/rules/backtest', {
    method: 'POST',
    body: { rule, from: String((nowMs - lengthMs) / 1000), to: String(nowMs / 1000) },
  });
