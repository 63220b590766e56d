import { formatDuration } from '@nines/base/duration.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { CurrentState } from '../availability/contract.ts';
import type { HoldReason, RecoveryAction, RecoveryRun } from './contract.ts';

/** What is known when it is decided whether an action runs. */
export type Situation = {
  readonly nowMs: EpochMs;
  readonly state: Pick<CurrentState, 'state' | 'unknownReason' | 'sinceMs'>;
  readonly isFlapping: boolean;
  /** The maintenance of the service that goes on, in words. */
  readonly maintenance: string | undefined;
  /** Runs of the outage that lasts, of every action of the check. */
  readonly runs: readonly RecoveryRun[];
  /** When the last run of this action ended, in whatever outage. */
  readonly lastEndedAtMs: EpochMs | undefined;
  /** An action of the check is under way. */
  readonly isRunning: boolean;
  /** As many actions run as may at once. */
  readonly isBusy: boolean;
};

export type Decision =
  | { readonly kind: 'run'; readonly reason: 'down' | 'dry_run'; readonly tryNumber: number; readonly detail: string }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly detail: string; readonly untilMs?: EpochMs };

const hold = (reason: HoldReason, detail: string, untilMs?: number): Decision => ({
  kind: 'hold',
  reason,
  detail,
  ...(untilMs === undefined ? {} : { untilMs: untilMs as EpochMs }),
});

/** Whether an action runs by itself now. */
export function decide(action: RecoveryAction, situation: Situation): Decision {
  const { nowMs, state, runs } = situation;
  if (state.state === 'up' || state.state === 'degraded') return hold('not_down', `the check is ${state.state}`);
  const never = neverNow(situation);
  if (never !== undefined) return never;
  if (!action.automatic) return hold('manual_only', 'it runs only when a person asks for it');
  const dueMs = state.sinceMs + action.after;
  if (nowMs < dueMs) return hold('not_yet', `the check has not been down for ${formatDuration(action.after)}`, dueMs);
  const tries = triesOf(action.id, runs);
  if (tries >= action.max_tries) return hold('tries_used_up', `it was tried ${timesOf(tries)} in this outage`);
  const cooling = coolingDown(action, situation);
  if (cooling !== undefined) return cooling;
  const lasted = `down since ${new Date(state.sinceMs).toISOString()}, try ${tries + 1} of ${action.max_tries}`;
  return { kind: 'run', reason: action.dry_run ? 'dry_run' : 'down', tryNumber: tries + 1, detail: lasted };
}

/** Whether an action runs because a person asks for it: they need not wait for an outage, nor count tries; the rest holds for them too. */
export function decideAsked(action: RecoveryAction, situation: Situation, dryRun: boolean): Decision {
  const dry = dryRun || action.dry_run;
  // To say what would be done harms nobody.
  const held = dry ? (situation.isRunning ? neverNow(situation) : undefined) : (neverNow(situation) ?? coolingDown(action, situation));
  if (held !== undefined) return held;
  const tryNumber = triesOf(action.id, situation.runs) + 1;
  return { kind: 'run', reason: dry ? 'dry_run' : 'down', tryNumber, detail: `the check is ${situation.state.state}` };
}

function neverNow({ isRunning, isBusy, state, isFlapping, maintenance }: Situation): Decision | undefined {
  if (isRunning) return hold('running', 'an action of this check is under way');
  if (state.state === 'unknown') return hold('unknown', `the state of the check is unknown (${state.unknownReason ?? 'no_data'})`);
  if (isFlapping) return hold('flapping', 'the check changes its state too often to act on it');
  if (maintenance !== undefined) return hold('maintenance', maintenance);
  if (isBusy) return hold('busy', 'as many actions run as may at once');
  return undefined;
}

function coolingDown(action: RecoveryAction, { nowMs, lastEndedAtMs }: Situation): Decision | undefined {
  if (lastEndedAtMs === undefined) return undefined;
  const untilMs = lastEndedAtMs + action.cooldown;
  return nowMs < untilMs ? hold('cooling_down', `it waits until ${new Date(untilMs).toISOString()}`, untilMs) : undefined;
}

/** Runs that count as tries; what a crash cut short does: nobody knows what it did. */
const triesOf = (action: string, runs: readonly RecoveryRun[]): number =>
  runs.filter((run) => run.action === action && run.by === '').length;

const timesOf = (count: number): string => (count === 1 ? 'once' : `${count} times`);

/** A check for which everything was tried in vain. */
export type Exhausted = {
  readonly check: string;
  readonly sinceMs: EpochMs;
  readonly severity: RecoveryAction['severity'];
  readonly tried: readonly RecoveryRun[];
};

const SEVERITIES = ['info', 'warning', 'critical', 'emergency'] as const;

/**
 * Whether people must know that nothing helped: each automatic action of the check used up its tries in this outage, and the last run is
 * over. What only said what it would do was no try.
 */
export function exhausted(check: string, actions: readonly RecoveryAction[], runs: readonly RecoveryRun[]): Exhausted | undefined {
  const acting = actions.filter((action) => action.check === check && action.automatic && !action.dry_run);
  const tried = runs.filter((run) => !run.dryRun);
  if (acting.length === 0 || tried.length === 0) return undefined;
  if (tried.some(({ endedAtMs }) => endedAtMs === null)) return undefined;
  if (acting.some((action) => triesOf(action.id, tried) < action.max_tries)) return undefined;
  const sinceMs = Math.max(...tried.map(({ endedAtMs }) => endedAtMs ?? 0)) as EpochMs;
  const severity = SEVERITIES[Math.max(...acting.map((action) => SEVERITIES.indexOf(action.severity)))] ?? 'critical';
  return { check, sinceMs, severity, tried };
}
