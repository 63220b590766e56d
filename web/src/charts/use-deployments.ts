import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { deploymentsQuery } from '../api/deployments.ts';
import { mayIn } from '../api/permits.ts';
import { useSession } from '../shell/session.tsx';
import { minutesOf } from '../timeline/view.ts';
import { deploymentBand } from './deployment-band.ts';
import type { Band } from './plot-options.ts';

const NO_SERVICES: readonly string[] = [];
const MINUTE_MS = 60_000;

/** Deployments of all services that began within the stretch, as marks of a chart; none for who may not see services. */
export function useDeployments(fromMs: number, toMs: number): readonly Band[] {
  const may = mayIn(useSession(), 'read', 'services');
  const { data } = useQuery({
    ...deploymentsQuery({ services: NO_SERVICES, ...minutesOf({ fromMs, toMs }) }),
    enabled: may && toMs > fromMs,
    staleTime: MINUTE_MS,
  });
  return useMemo(
    () => (data?.items ?? []).map((one) => deploymentBand(one, Date.now())).filter((mark) => mark.fromMs >= fromMs && mark.fromMs <= toMs),
    [data, fromMs, toMs],
  );
}
