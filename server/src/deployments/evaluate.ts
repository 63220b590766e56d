import { HOUR_MS, MINUTE_MS } from '@nines/base/units.ts';
import type { DeploymentView, ToldDeployment } from './contract.ts';

/** The same version told again within this is the same deployment: a pipeline that tries again, not a second one. */
export const SAME_WITHIN_MS = 10 * MINUTE_MS;
/** Clocks differ; further ahead is a mistake. */
const MAX_AHEAD_MS = HOUR_MS;

type Given = { readonly told: ToldDeployment; readonly nowMs: number };

/** Why it cannot be so, naming the field; undefined when it can. */
export function faultOf(
  told: ToldDeployment,
  nowMs: number,
  beganAtMs = told.at_ms ?? nowMs,
): readonly [field: string, why: string] | undefined {
  if ((told.at_ms ?? 0) > nowMs + MAX_AHEAD_MS) return ['at_ms', 'is more than an hour ahead; write Unix milliseconds'];
  if ((told.ended_at_ms ?? 0) > nowMs + MAX_AHEAD_MS) return ['ended_at_ms', 'is more than an hour ahead; write Unix milliseconds'];
  if (told.ended_at_ms !== undefined && told.ended_at_ms < beganAtMs) return ['ended_at_ms', 'is before it began'];
  if (told.ended_at_ms !== undefined && told.status === 'running') return ['status', 'is "running", but ended_at_ms says that it ended'];
  return undefined;
}

/** One that was not known. */
export function begun({ told, nowMs }: Given, { id, by }: { readonly id: string; readonly by: string }): DeploymentView {
  return {
    id,
    service: told.service,
    version: told.version,
    environment: told.environment,
    status: told.status ?? 'succeeded',
    at_ms: told.at_ms ?? nowMs,
    ended_at_ms: told.ended_at_ms ?? null,
    url: told.url ?? '',
    by: told.by ?? by,
    note: told.note ?? '',
  };
}

/** What a known one becomes by what is told of it: when it began stays; one that ran and runs no more ends now. */
export function amended(known: DeploymentView, { told, nowMs }: Given): DeploymentView {
  const status = told.status ?? (told.ended_at_ms !== undefined && known.status === 'running' ? 'succeeded' : known.status);
  const over = known.status === 'running' && status !== 'running';
  return {
    ...known,
    version: told.version,
    status,
    ended_at_ms: status === 'running' ? null : (told.ended_at_ms ?? known.ended_at_ms ?? (over ? Math.max(nowMs, known.at_ms) : null)),
    url: told.url ?? known.url,
    by: told.by ?? known.by,
    note: told.note ?? known.note,
  };
}
