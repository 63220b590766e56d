import { changePercent } from '@nines/maths/slo/flapping.ts';
import type { Flapping } from './contract.ts';
import type { CheckState } from './evaluate.ts';

/** Null while the check is steady, or is not watched. */
export function flappingOf(state: CheckState | undefined): Flapping | null {
  const sinceMs = state?.flaps.sinceMs ?? null;
  if (state === undefined || !state.active || state.flapLimits === null || sinceMs === null) return null;
  return { sinceMs, changePercent: changePercent(state.flaps.states), leavePercent: state.flapLimits.leave };
}

/**
 * Why an outage of the service with these checks is no news; undefined when it is. One steady check that is down makes it one, whatever
 * the others do.
 */
export function whyFlapping(checks: readonly CheckState[]): string | undefined {
  const deciding = checks.filter(
    ({ active, impact, history }) => active && impact === 'down' && history.transitions.at(-1)?.state === 'down',
  );
  const flapping = deciding.filter((state) => flappingOf(state) !== null);
  if (flapping.length === 0 || flapping.length < deciding.length) return undefined;
  const names = flapping.map(({ rules }) => rules.check).join(', ');
  const sinceMs = Math.min(...flapping.map(({ flaps }) => flaps.sinceMs ?? Number.MAX_SAFE_INTEGER));
  return `flapping since ${new Date(sinceMs).toISOString()} (${names}): told once, and again when it is steady`;
}
