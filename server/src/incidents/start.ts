import type { AlertView } from '../alerting/contract.ts';
import { startLoop } from '../platform/loop.ts';
import { type IncidentsDeps, IncidentService } from './service.ts';

const STEP_MS = 1_000;

/** Incidents over the problems that were loaded before. Nothing happens before `run`. */
export async function openIncidents(deps: IncidentsDeps) {
  const incidents = new IncidentService(deps);
  await incidents.load();

  /** Follows problems and time from now on. */
  const run = (): AsyncDisposable => {
    const { clock, logger } = deps;
    const listening = deps.bus.subscribe(({ type, data }) => {
      if (type === 'alert.acknowledged') incidents.noticeAcknowledged(data as AlertView);
    });
    const loop = startLoop({ clock, logger, name: 'incidents', everyMs: STEP_MS, step: (nowMs) => incidents.step(nowMs) });
    return {
      async [Symbol.asyncDispose]() {
        listening[Symbol.dispose]();
        await loop[Symbol.asyncDispose]();
      },
    };
  };
  return { incidents, run };
}
