import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { request } from '../api/client.ts';
import type { CheckDetailView, ResultView } from '../api/wire.ts';
import { RefusedNotice } from '../components/notices.tsx';
import { t } from '../language/t.ts';
import { millis, resultText } from '../pages/checks-table.tsx';
import { useCan } from '../shell/session.tsx';

/** Asks once more, and says what came of it. Nothing for those who may not, and for checks that wait to be told. */
export function RunNow({ check }: { readonly check: Pick<CheckDetailView, 'id' | 'kind' | 'paused' | 'vote'> }) {
  const client = useQueryClient();
  const run = useMutation({
    mutationFn: () => request<ResultView>(`/api/checks/${encodeURIComponent(check.id)}/run`, { method: 'POST' }),
    onSettled: () => client.invalidateQueries({ queryKey: ['checks'] }),
  });
  if (!useCan('operate', 'checks') || check.kind === 'heartbeat' || check.paused || check.vote !== null) return null;
  return (
    <div>
      <Button variant="default" loading={run.isPending} onClick={() => run.mutate()}>
        {t('Run now')}
      </Button>
      {run.data === undefined ? null : (
        <p className="faint" role="status">
          {t('{what}, after {length}', { what: resultText(run.data), length: millis(run.data.duration_ms) })}
        </p>
      )}
      {run.isError ? <RefusedNotice error={run.error} /> : null}
    </div>
  );
}
