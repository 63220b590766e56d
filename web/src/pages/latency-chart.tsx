import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { deploymentsQuery } from '../api/deployments.ts';
import type { IntervalView } from '../api/wire.ts';
import { deploymentBand } from '../charts/deployment-band.ts';
import type { Band } from '../charts/plot-options.ts';
import { QueryChart } from '../charts/query-chart.tsx';
import { t } from '../language/t.ts';
import { STATE_WORDS } from '../states/words.ts';
import { type View, minutesOf, queryStepMs } from '../timeline/view.ts';

type Props = {
  readonly service: string;
  readonly view: View;
  readonly intervals: readonly IntervalView[];
  readonly everyMs: number;
  readonly onZoom: (view: View) => void;
};

const POINTS = 360;

/** Trouble of the service behind the lines, so that a reader sees what the durations did just before. */
function bandOf(interval: IntervalView): readonly Band[] {
  const { state } = interval;
  if (state !== 'down' && state !== 'degraded') return [];
  return [{ fromMs: interval.from_at_ms, toMs: interval.to_at_ms, state, name: STATE_WORDS[state] }];
}

/** How long the checks of a service took, one line per check. Where nothing was measured there is no line. */
export function LatencyChart({ service, view, intervals, everyMs, onZoom }: Props) {
  const stepSeconds = Math.max(everyMs, queryStepMs(view, POINTS, everyMs)) / 1000;
  const name = JSON.stringify(service);
  const queries = useMemo(
    () => [{ by: 'check', expr: `avg by (check) (avg_over_time(probe_duration_seconds{service=${name}}[${Math.ceil(stepSeconds)}s]))` }],
    [name, stepSeconds],
  );
  const deployments = useQuery(deploymentsQuery({ services: [service], ...minutesOf(view) }));
  const bands = useMemo(
    () => [...intervals.flatMap(bandOf), ...(deployments.data?.items ?? []).map((one) => deploymentBand(one, Date.now()))],
    [intervals, deployments.data],
  );
  return (
    <QueryChart
      title={t('Duration of the checks')}
      kind="seconds"
      view={view}
      queries={queries}
      writtenEveryMs={everyMs}
      bands={bands}
      empty={t('No check has run in this stretch of time.')}
      onZoom={onZoom}
    />
  );
}
