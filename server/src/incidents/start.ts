import { DAY_MS, HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { AlertView } from '../alerting/contract.ts';
import { startLoop } from '../platform/loop.ts';
import { type RulesPreview, previewOf } from './preview.ts';
import type { IncidentRules } from './rules.ts';
import { type IncidentsDeps, IncidentService } from './service.ts';

const STEP_MS = 1_000;
/** What other rules are tried on. */
const PREVIEW_MS = 30 * DAY_MS;
const MAX_PROBLEMS = 1_000;

/** Incidents over the problems that were loaded before. Nothing happens before `run`. */
export async function openIncidents({
  keptMs,
  ...deps
}: IncidentsDeps & { /** How long those that are over are kept. */ readonly keptMs: number }) {
  const incidents = new IncidentService(deps);
  await incidents.load();

  /** Follows problems and time from now on. */
  const run = (): AsyncDisposable => {
    const { clock, logger } = deps;
    const listening = deps.bus.subscribe(({ type, data }) => {
      if (type === 'alert.acknowledged') incidents.noticeAcknowledged(data as AlertView);
    });
    const loop = startLoop({ clock, logger, name: 'incidents', everyMs: STEP_MS, step: (nowMs) => incidents.step(nowMs) });
    const purging = startLoop({
      clock,
      logger,
      name: 'incident history',
      everyMs: HOUR_MS,
      firstAfterMs: MINUTE_MS,
      step: async (nowMs, signal) => {
        const removed = await incidents.purge(nowMs - keptMs, signal);
        if (removed > 0) logger.info('old incidents were removed', { removed, overBefore: new Date(nowMs - keptMs).toISOString() });
      },
    });
    return {
      async [Symbol.asyncDispose]() {
        listening[Symbol.dispose]();
        await purging[Symbol.asyncDispose]();
        await loop[Symbol.asyncDispose]();
      },
    };
  };

  /** What of the last 30 days would have opened an incident by these rules. */
  const preview = async (sent: IncidentRules): Promise<RulesPreview> => {
    const toMs = deps.clock.now();
    const fromMs = toMs - PREVIEW_MS;
    const { problems, services } = deps;
    const found = await problems.began({ fromMs, toMs, limit: MAX_PROBLEMS + 1 });
    const past = await Promise.all(
      found.slice(0, MAX_PROBLEMS).map(async (problem) => ({ problem, alerts: await problems.alertsOf(problem.id) })),
    );
    const rules = { sent, inForce: incidents.rules().rules };
    return { from_at_ms: fromMs, to_at_ms: toMs, more: found.length > MAX_PROBLEMS, ...previewOf(past, rules, services) };
  };
  return { incidents, run, preview };
}
