import type { Health, HealthStatus } from '../contract.ts';
import { startLoop } from '../../platform/loop.ts';
import type { Http } from '../../platform/http/contract.ts';
import { type HealthConfig, measuresOf } from './config.ts';
import { healthReportView } from './contract.ts';
import { HEALTH_FIRST_MS, HEALTH_STEP_MS, HealthChecks, type HealthChecksDeps } from './service.ts';

export type OpenDeps = Omit<HealthChecksDeps, 'measures' | 'parts'> & {
  readonly config: HealthConfig;
  readonly health: Health;
  /** The states of all services now. */
  readonly states: () => readonly string[];
  /** How many of `checks.references` nobody answers at, in percent; undefined without any. */
  readonly unreachable: () => Promise<number | undefined>;
};

const UNWELL: Readonly<Record<HealthStatus, number>> = { ok: 0, degraded: 1, failing: 2 };

export type OpenHealthChecks = Pick<HealthChecks, 'report'> & {
  /** Looks once a minute from now on. */
  start(): AsyncDisposable;
};

export function openHealthChecks(deps: OpenDeps): OpenHealthChecks {
  const { health, states, unreachable } = deps;
  const checks = new HealthChecks({
    ...deps,
    measures: measuresOf(deps.config),
    parts: {
      services_down: async () => states().filter((state) => state === 'down').length,
      parts_unwell: async () => UNWELL[(await health.report()).status],
      references_unreachable: unreachable,
    },
  });
  const step = (nowMs: number): Promise<void> => checks.step(nowMs);
  return {
    report: () => checks.report(),
    start: () => startLoop({ ...deps, name: 'health checks', everyMs: HEALTH_STEP_MS, firstAfterMs: HEALTH_FIRST_MS, step }),
  };
}

/** Looks once a minute from now on, and answers for it. */
export function startHealthChecks(http: Http, deps: OpenDeps): AsyncDisposable {
  const checks = openHealthChecks(deps);
  http.get(
    '/api/health/checks',
    {
      config: { permission: 'read' },
      schema: {
        summary: 'The five built-in health checks of this host and of Nines: figures, thresholds, trend and the last day',
        response: { 200: healthReportView },
      },
    },
    () => checks.report(),
  );
  return checks.start();
}
