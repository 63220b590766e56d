/** What the pages of contracts change. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from './client.ts';
import type { ApiProblem } from './problem.ts';
import type { ArchivedReportView, ExclusionView, IssuedView } from './wire.ts';

const of = (id: string, what: string): string => `/api/slas/${encodeURIComponent(id)}/${what}`;

export type AskedExclusion = {
  readonly fromMs: number;
  readonly toMs: number;
  readonly reason: string;
  readonly note: string;
};

function useSlaMutation<Answer, Asked>(act: (asked: Asked) => Promise<Answer>) {
  const client = useQueryClient();
  return useMutation<Answer, ApiProblem, Asked>({
    mutationFn: act,
    onSettled: () => client.invalidateQueries({ queryKey: ['slas'] }),
  });
}

/** Asks for time to be taken out; somebody decides about it. */
export const useAskExclusion = (sla: string) =>
  useSlaMutation<ExclusionView, AskedExclusion>(({ fromMs, toMs, reason, note }) =>
    request(of(sla, 'exclusions'), {
      method: 'POST',
      body: { from: String(fromMs / 1000), to: String(toMs / 1000), reason, note },
    }),
  );

/** A promise of availability, as the pages make it. */
export type WrittenSlaWire = {
  readonly id: string;
  readonly service: string;
  readonly indicator: { readonly kind: 'availability' };
  readonly target: string;
  readonly window: { readonly rolling: string };
};

export const useMakeSla = () =>
  useSlaMutation<{ readonly id: string }, WrittenSlaWire>((body) => request('/api/slas', { method: 'POST', body }));

export type ExclusionAction = 'approve' | 'reject' | 'withdraw' | 'revoke';

export const useDecideExclusion = (sla: string, id: string) =>
  useSlaMutation<ExclusionView, { readonly action: ExclusionAction; readonly note: string }>(({ action, note }) =>
    request(of(sla, `exclusions/${encodeURIComponent(id)}/${action}`), { method: 'POST', body: { note } }),
  );

/** Issues the statement of a period that is over. */
export const useIssueStatement = (sla: string) =>
  useSlaMutation<IssuedView, Readonly<Record<string, string>>>((body) => request(of(sla, 'statements'), { method: 'POST', body }));

/** Issues the report over several contracts into the archive. */
export const useIssueReport = () =>
  useSlaMutation<ArchivedReportView, Readonly<Record<string, unknown>>>((body) => request('/api/reports', { method: 'POST', body }));
