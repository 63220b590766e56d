/** Rules as the server runs them, and what one would have done. */
import type { BacktestView, RuleView } from '@nines/server/rules/contract.ts';
import { queryOptions } from '@tanstack/react-query';
import { request } from './client.ts';
import type { Items } from './wire.ts';

export type { BacktestView, RuleView };

const SLOW_MS = 15_000;

/** The alerts of rules change with the stream; durations and errors are asked for again. */
export const rulesQuery = () =>
  queryOptions({
    queryKey: ['alerts', 'rules'],
    queryFn: ({ signal }) => request<Items<RuleView>>('/api/rules', { signal }),
    refetchInterval: SLOW_MS,
  });

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
