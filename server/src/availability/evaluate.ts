import type { EpochMs, Ms } from '@nines/base/units.ts';
import {
  applyAttempt,
  type Attempt,
  type CheckHistory,
  type CheckRules,
  cutOff,
  EMPTY_HISTORY,
  forgetBefore,
  hasLapsed,
  type HistoryStep,
  lapse,
  validityMs,
} from '@nines/maths/slo/check-history.ts';
import { combineFrom, type Impact, type Voice } from '@nines/maths/slo/combine.ts';
import { type FlapHistory, type FlapLimits, noteState, STEADY } from '@nines/maths/slo/flapping.ts';
import type { Transition, UnknownReason } from '@nines/maths/slo/types.ts';

/**
 * The ledger's working memory and every decision on it. Entries are immutable: a change collects new ones in a draft, the draft is
 * saved, and only then do they enter the memory. So a failed transaction leaves nothing half done.
 */
export type CheckState = {
  readonly rules: CheckRules;
  readonly service: string;
  readonly impact: Impact;
  /** False once it left the configuration: its results are no longer taken. */
  readonly active: boolean;
  readonly history: CheckHistory;
  /** Null: nobody asks whether it flaps. */
  readonly flapLimits: FlapLimits | null;
  readonly flaps: FlapHistory;
};

export type ServiceState = {
  readonly checks: readonly string[];
  /** The newest transitions, ascending: all since the first one kept. */
  readonly transitions: readonly Transition[];
  readonly version: number;
};

export type Memory = { readonly checks: Map<string, CheckState>; readonly services: Map<string, ServiceState> };
export const emptyMemory = (): Memory => ({ checks: new Map(), services: new Map() });

/** Which stored transitions no longer stand (those at and after `fromMs`) and which stand in their place. */
export type Rewrite = {
  readonly kind: 'check' | 'service';
  readonly subject: string;
  readonly fromMs: EpochMs;
  readonly transitions: readonly Transition[];
};

/** A change in the making, on top of a memory that it does not touch. */
export type Draft = {
  readonly base: Memory;
  readonly checks: Map<string, CheckState>;
  readonly services: Map<string, ServiceState>;
  /** Per check the earliest instant whose history changed, over all steps of the batch. */
  readonly changedFrom: Map<string, EpochMs>;
  /** The same per service: from when on it must be decided anew. */
  readonly touchedFrom: Map<string, EpochMs>;
  /** Checks whose configuration changed: their tails are saved at once, so that a crash before their first saving is made good too. */
  readonly configured: Set<string>;
};

export const draftOf = (base: Memory): Draft => ({
  base,
  checks: new Map(),
  services: new Map(),
  changedFrom: new Map(),
  touchedFrom: new Map(),
  configured: new Set(),
});
export const checkIn = (draft: Draft, check: string): CheckState | undefined => draft.checks.get(check) ?? draft.base.checks.get(check);
export const serviceIn = (draft: Draft, service: string): ServiceState | undefined =>
  draft.services.get(service) ?? draft.base.services.get(service);

/** Makes the draft the memory. */
export function commit(draft: Draft): void {
  for (const [check, state] of draft.checks) draft.base.checks.set(check, state);
  for (const [service, state] of draft.services) draft.base.services.set(service, state);
}

const earlier = (map: Map<string, EpochMs>, key: string, atMs: EpochMs): void => {
  map.set(key, Math.min(atMs, map.get(key) ?? atMs) as EpochMs);
};

function put(draft: Draft, check: string, change: { readonly state: CheckState; readonly step: HistoryStep }): void {
  draft.checks.set(check, { ...change.state, history: change.step.history });
  if (change.step.changedFromMs === null) return;
  earlier(draft.changedFrom, check, change.step.changedFromMs);
  earlier(draft.touchedFrom, change.state.service, change.step.changedFromMs);
}

/** Takes one attempt in. Results of checks that are not (or no longer) configured are passed over. */
export function takeAttempt(draft: Draft, check: string, input: { readonly attempt: Attempt; readonly gapReason?: UnknownReason }): void {
  const state = checkIn(draft, check);
  if (state === undefined || !state.active) return;
  const options = { rules: state.rules, ...(input.gapReason === undefined ? {} : { gapReason: input.gapReason }) };
  const step = applyAttempt(state.history, input.attempt, options);
  put(draft, check, { state: { ...state, flaps: flapsAfter(state, step.history) }, step });
}

/** How restless the check is after one more attempt; an attempt that was passed over says nothing. */
function flapsAfter({ flaps, flapLimits, history }: CheckState, next: CheckHistory): FlapHistory {
  const state = next.transitions.at(-1)?.state;
  if (flapLimits === null || next === history || next.lastAtMs === null || state === undefined || state === 'unknown') return flaps;
  return noteState(flaps, { state, atMs: next.lastAtMs }, flapLimits).history;
}

/** Writes down the lapses that are due at `dueMs`. `reasonOf` names each. */
export function takeLapses(draft: Draft, dueMs: EpochMs, reasonOf: (check: string) => UnknownReason): void {
  for (const [check, state] of draft.base.checks) {
    if (hasLapsed(state.history, dueMs)) put(draft, check, { state, step: lapse(state.history, reasonOf(check)) });
  }
}

/**
 * After a restart: what is unknown by now is unknown because the monitor was away, from where knowledge ended; where it had
 * ended before the monitor did, the earlier reason stands until then.
 */
export function takeAbsence(draft: Draft, absence: { readonly aliveUntilMs: EpochMs; readonly nowMs: EpochMs }): void {
  for (const [check, state] of draft.checks) {
    const { history } = state;
    if (hasLapsed(history, absence.nowMs)) put(draft, check, { state, step: lapse(history, 'monitor_down') });
    else if (history.transitions.at(-1)?.unknownReason === 'no_data') {
      put(draft, check, { state, step: withKnownUntil(cutOff(history, absence.aliveUntilMs, 'monitor_down'), history) });
    }
  }
}

/** The tail stays where the results put it: an absence explains a gap, it does not move it. */
const withKnownUntil = (step: HistoryStep, before: CheckHistory): HistoryStep => ({
  ...step,
  history: { ...step.history, knownUntilMs: before.knownUntilMs },
});

/** Makes every known check unknown from the end of what is known, because wall time stepped back over it. */
export function takeStepBack(draft: Draft, nowMs: EpochMs): void {
  for (const [check, state] of draft.base.checks) {
    const { knownUntilMs, lastAtMs } = state.history;
    if (lastAtMs !== null && knownUntilMs !== null && lastAtMs > nowMs)
      put(draft, check, { state, step: lapse(state.history, 'clock_step') });
  }
}

export type CheckPlan = Pick<CheckState, 'rules' | 'service' | 'impact' | 'flapLimits'>;

/**
 * Puts the whole configuration in force at `nowMs`. A check that is new begins silent; one that left is cut off (`paused`: it has no
 * voice from now on); one whose rules changed keeps its history, which is never read again under new rules.
 */
export function takePlans(
  draft: Draft,
  plans: { readonly services: readonly string[]; readonly checks: readonly CheckPlan[] },
  nowMs: EpochMs,
): void {
  const planned = new Map(plans.checks.map((plan) => [plan.rules.check, plan]));
  for (const [check, state] of draft.base.checks) {
    const plan = planned.get(check);
    if (state.active && (plan === undefined || plan.service !== state.service)) {
      put(draft, check, { state: { ...state, active: false }, step: cutOff(state.history, nowMs, 'paused') });
      draft.configured.add(check);
    }
  }
  for (const plan of plans.checks) {
    const state = checkIn(draft, plan.rules.check);
    const moved = state !== undefined && state.service !== plan.service;
    // What a check saw for another service says nothing about this one; that it was silent until now does.
    const history = moved ? { ...EMPTY_HISTORY, transitions: state.history.transitions.slice(-1) } : (state?.history ?? EMPTY_HISTORY);
    // What flapped under other limits begins anew.
    const watched = plan.flapLimits !== null && JSON.stringify(state?.flapLimits) === JSON.stringify(plan.flapLimits);
    const flaps = watched && !moved ? (state?.flaps ?? STEADY) : STEADY;
    draft.checks.set(plan.rules.check, { ...plan, active: true, history, flaps });
    const same = state?.active === true && JSON.stringify(planOf(state)) === JSON.stringify(planOf(plan));
    if (!same || moved) draft.configured.add(plan.rules.check);
  }
  const byService = Map.groupBy(plans.checks, (plan) => plan.service);
  for (const service of plans.services) {
    const state = serviceIn(draft, service);
    const checks = (byService.get(service) ?? []).map((plan) => plan.rules.check);
    const left = (state?.checks ?? []).filter((check) => checkIn(draft, check)?.service === service && !checks.includes(check));
    draft.services.set(service, { checks: [...checks, ...left], transitions: state?.transitions ?? [], version: state?.version ?? 0 });
  }
}

const planOf = ({ rules, impact, flapLimits }: CheckPlan): unknown => [rules, impact, flapLimits];

const voicesOf = (draft: Draft, service: ServiceState): readonly Voice[] =>
  service.checks.flatMap((check) => {
    const state = checkIn(draft, check);
    return state === undefined ? [] : [{ impact: state.impact, transitions: state.history.transitions }];
  });

const sameTransition = (a: Transition | undefined, b: Transition | undefined): boolean =>
  a?.atMs === b?.atMs && a?.state === b?.state && a?.unknownReason === b?.unknownReason && a?.lowMs === b?.lowMs && a?.highMs === b?.highMs;

/** The service's transitions with everything from `fromMs` on decided anew. */
function recombined(before: readonly Transition[], voices: readonly Voice[], fromMs: EpochMs): readonly Transition[] {
  const kept = before.filter((transition) => transition.atMs < fromMs);
  const last = kept.at(-1);
  const next = combineFrom(voices, fromMs);
  const first = next[0];
  const continues = first !== undefined && last !== undefined && first.state === last.state && first.unknownReason === last.unknownReason;
  return [...kept, ...(continues ? next.slice(1) : next)];
}

/**
 * Decides the services of all changed checks anew and returns every rewrite, checks first. The draft holds the new service
 * histories afterwards. A service whose combination did not change appears in no rewrite.
 */
export function settleDraft(draft: Draft): readonly Rewrite[] {
  const rewrites: Rewrite[] = [];
  for (const [check, fromMs] of draft.changedFrom) {
    const transitions = checkIn(draft, check)?.history.transitions ?? [];
    rewrites.push({ kind: 'check', subject: check, fromMs, transitions: transitions.filter((one) => one.atMs >= fromMs) });
  }
  for (const [id, fromMs] of draft.touchedFrom) {
    const service = serviceIn(draft, id);
    if (service === undefined) continue;
    const transitions = recombined(service.transitions, voicesOf(draft, service), fromMs);
    const differs = Math.max(transitions.length, service.transitions.length);
    let i = 0;
    while (i < differs && sameTransition(transitions[i], service.transitions[i])) i++;
    if (i === differs) continue;
    const changedMs = Math.min(transitions[i]?.atMs ?? Infinity, service.transitions[i]?.atMs ?? Infinity) as EpochMs;
    rewrites.push({ kind: 'service', subject: id, fromMs: changedMs, transitions: transitions.slice(i) });
    draft.services.set(id, { ...service, transitions, version: service.version + 1 });
  }
  return rewrites;
}

/** The service's transitions as they read at `nowMs`: what has lapsed by then is unknown, whether or not that is written down yet. */
export function transitionsAt(memory: Memory, service: string, nowMs: EpochMs): readonly Transition[] {
  const state = memory.services.get(service);
  if (state === undefined) return [];
  const draft = draftOf(memory);
  for (const check of state.checks) {
    const one = memory.checks.get(check);
    if (one !== undefined && hasLapsed(one.history, nowMs)) put(draft, check, { state: one, step: lapse(one.history, 'no_data') });
  }
  const fromMs = Math.min(...draft.changedFrom.values());
  return Number.isFinite(fromMs) ? recombined(state.transitions, voicesOf(draft, state), fromMs as EpochMs) : state.transitions;
}

/** How far back a rewrite of the check can reach: all attempts that confirmation counts, and one that is still under way. */
export const reachMs = (rules: CheckRules): number => (rules.confirm.of + 2) * validityMs(rules);

/** Histories shorter than this are left alone: forgetting one transition at a time would cost more than it saves. */
const FORGET_ABOVE = 32;

/** Drops from the changed checks and services of the draft what no later rewrite can reach. Long histories stand in the database. */
export function forget(draft: Draft, nowMs: EpochMs): void {
  for (const [check, state] of draft.checks) {
    if (state.history.transitions.length <= FORGET_ABOVE) continue;
    draft.checks.set(check, { ...state, history: forgetBefore(state.history, horizonOf(draft, state.service, nowMs)) });
  }
  for (const [id, service] of draft.services) {
    if (service.transitions.length <= FORGET_ABOVE) continue;
    const horizonMs = horizonOf(draft, id, nowMs);
    const keepFrom = Math.max(
      0,
      service.transitions.findLastIndex((transition) => transition.atMs <= horizonMs),
    );
    draft.services.set(id, { ...service, transitions: service.transitions.slice(keepFrom) });
  }
}

/** All histories of one service are cut at one instant, so that they can be combined from any instant after it. */
function horizonOf(draft: Draft, service: string, nowMs: EpochMs): EpochMs {
  const checks = serviceIn(draft, service)?.checks ?? [];
  const reach = Math.max(0, ...checks.flatMap((check) => checkIn(draft, check)?.rules ?? []).map(reachMs));
  return (nowMs - reach) as EpochMs;
}

/** The rules of a check from its timing. */
export const rulesOf = (timing: {
  readonly check: string;
  readonly intervalMs: Ms;
  readonly timeoutMs: Ms;
  readonly confirm: { readonly n: number; readonly of: number };
}): CheckRules => ({ check: timing.check, intervalMs: timing.intervalMs, timeoutMs: timing.timeoutMs, confirm: timing.confirm });
