import { type EpochMs, ms } from '@nines/base/units.ts';
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
import type { ServicePlan } from './contract.ts';
import { composeFrom, type CompositeRule } from '@nines/maths/slo/composite.ts';
import { filledFrom, lastAtOrBefore } from '@nines/maths/slo/imported.ts';
import type { Transition, UnknownReason } from '@nines/maths/slo/types.ts';
import { type CheckTiming, MAX_LATE_MS, VOTE_GRACE_MS } from '../checks/contract.ts';
import { heardOf, subjectOf, type VoiceOf } from './voices.ts';

/**
 * The ledger's working memory and every decision on it. Entries are immutable: a change collects new ones in a draft, the draft is
 * saved, and only then do they enter the memory. So a failed transaction leaves nothing half done.
 */
export type CheckState = {
  /** `rules.check` is the check's id, or that of one voice of it (`subjectOf`). */
  readonly rules: CheckRules;
  /** Of a check with locations: whose voice this is. */
  readonly vote?: VoiceOf;
  readonly service: string;
  readonly impact: Impact;
  /** So many of its service's checks must be down for the service to be; absent: one. All of a service's checks say the same. */
  readonly downAt?: number;
  /** False once it left the configuration: its results are no longer taken. */
  readonly active: boolean;
  readonly history: CheckHistory;
  /** Null: nobody asks whether it flaps. */
  readonly flapLimits: FlapLimits | null;
  readonly flaps: FlapHistory;
};

export type ServiceState = {
  readonly checks: readonly string[];
  /** What it consists of; then it has no checks, and its transitions are composed of its members'. */
  readonly composite?: Composite;
  /** The newest transitions, ascending: all since the first one kept. Of what we saw ourselves; imports are not among them. */
  readonly transitions: readonly Transition[];
  readonly version: number;
};

/** A rule and since when it holds; 0: over all that its members' ledgers hold. */
export type Composite = { readonly rule: CompositeRule; readonly fromMs: EpochMs };

export type Memory = {
  readonly checks: Map<string, CheckState>;
  readonly services: Map<string, ServiceState>;
  /** The services that consist of others. */
  readonly composites: Set<string>;
  /** What other monitors saw, by service: whole histories. */
  readonly imported: Map<string, readonly Transition[]>;
};
export const emptyMemory = (): Memory => ({ checks: new Map(), services: new Map(), composites: new Set(), imported: new Map() });

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
  /** Services whose composition changed, or ended (undefined). */
  readonly composed: Map<string, Composite | undefined>;
};

export const draftOf = (base: Memory): Draft => ({
  base,
  checks: new Map(),
  services: new Map(),
  changedFrom: new Map(),
  touchedFrom: new Map(),
  configured: new Set(),
  composed: new Map(),
});
export const checkIn = (draft: Draft, check: string): CheckState | undefined => draft.checks.get(check) ?? draft.base.checks.get(check);
export const serviceIn = (draft: Draft, service: string): ServiceState | undefined =>
  draft.services.get(service) ?? draft.base.services.get(service);

/** The service's history with what other monitors saw where ours saw nothing. */
export function historyIn(draft: Draft, service: string): readonly Transition[] {
  const transitions = serviceIn(draft, service)?.transitions ?? [];
  const imported = draft.base.imported.get(service) ?? [];
  const [first] = transitions;
  if (first === undefined) return onlyImported(imported);
  return filledFrom(transitions, imported.slice(Math.max(0, lastAtOrBefore(imported, first.atMs))), first.atMs);
}

/** Histories of services that nothing but imports tells of: merged once for each import, not at each look. */
const alone = new WeakMap<readonly Transition[], readonly Transition[]>();

function onlyImported(imported: readonly Transition[]): readonly Transition[] {
  const known = alone.get(imported);
  if (known !== undefined) return known;
  const merged = filledFrom([], imported, imported[0]?.atMs ?? (0 as EpochMs));
  alone.set(imported, merged);
  return merged;
}

/** Makes the draft the memory. */
export function commit(draft: Draft): void {
  for (const [check, state] of draft.checks) draft.base.checks.set(check, state);
  for (const [service, state] of draft.services) draft.base.services.set(service, state);
  for (const [service, composite] of draft.composed) {
    if (composite === undefined) draft.base.composites.delete(service);
    else draft.base.composites.add(service);
  }
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

/** What flapping knows of the check after one more attempt; an attempt that was passed over says nothing. */
function flapsAfter({ flaps, flapLimits, history }: CheckState, next: CheckHistory): FlapHistory {
  const state = next.transitions.at(-1)?.state;
  if (flapLimits === null || next === history || next.lastAtMs === null || state === undefined || state === 'unknown') return flaps;
  return noteState(flaps, { state, atMs: next.lastAtMs }, flapLimits).history;
}

/** Whether a lapse is to be written down. The voices of a slot are held back until all are there. */
export const isDue = ({ history, vote }: CheckState, dueMs: EpochMs): boolean =>
  hasLapsed(history, vote === undefined ? dueMs : ((dueMs - VOTE_GRACE_MS) as EpochMs));

/** Writes down the lapses that are due at `dueMs`. `reasonOf` names each. */
export function takeLapses(draft: Draft, dueMs: EpochMs, reasonOf: (check: string) => UnknownReason): void {
  for (const [check, state] of draft.base.checks) {
    if (isDue(state, dueMs)) put(draft, check, { state, step: lapse(state.history, reasonOf(check)) });
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

export type ServiceInPlan = { readonly id: string; readonly composite?: CompositeRule };
export type CheckPlan = Pick<CheckState, 'rules' | 'service' | 'impact' | 'downAt' | 'vote' | 'flapLimits'>;

/**
 * Puts the whole configuration in force at `nowMs`. A check that is new begins silent; one that left is cut off (`paused`: it has no
 * voice from now on); one whose rules changed keeps its history, which is never read again under new rules.
 */
export function takePlans(
  draft: Draft,
  plans: { readonly services: readonly ServiceInPlan[]; readonly checks: readonly CheckPlan[] },
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
    // Another quorum, or another number of failing checks, decides from now on.
    const votes = state?.vote !== undefined && state.vote.quorum !== plan.vote?.quorum;
    if (votes || (state !== undefined && state.downAt !== plan.downAt)) earlier(draft.touchedFrom, plan.service, nowMs);
  }
  const byService = Map.groupBy(plans.checks, (plan) => plan.service);
  const composites = new Map(plans.services.map(({ id, composite }) => [id, composite]));
  for (const id of new Set([...composites.keys(), ...draft.base.services.keys()])) {
    const state = serviceIn(draft, id);
    const checks = (byService.get(id) ?? []).map((plan) => plan.rules.check);
    const left = (state?.checks ?? []).filter((check) => checkIn(draft, check)?.service === id && !checks.includes(check));
    const composite = compositeAt(draft, { service: id, rule: composites.get(id) }, nowMs);
    if (!composites.has(id) && !draft.composed.has(id)) continue;
    draft.services.set(id, {
      checks: [...checks, ...left],
      ...(composite === undefined ? {} : { composite }),
      transitions: state?.transitions ?? [],
      version: state?.version ?? 0,
    });
  }
}

const planOf = ({ rules, impact, downAt, vote, flapLimits }: CheckPlan): unknown => [rules, impact, downAt, vote, flapLimits];

/** What a service consists of from now on. A rule that replaces another, or checks, holds from now; the first one holds over all the past. */
function compositeAt(
  draft: Draft,
  { service, rule }: { readonly service: string; readonly rule: CompositeRule | undefined },
  nowMs: EpochMs,
): Composite | undefined {
  const state = serviceIn(draft, service);
  const before = state?.composite;
  if (JSON.stringify(before?.rule) === JSON.stringify(rule)) return before;
  const hasPast = (state?.transitions.length ?? 0) > 0;
  const next = rule === undefined ? undefined : { rule, fromMs: hasPast ? nowMs : (0 as EpochMs) };
  draft.composed.set(service, next);
  // The past of a first rule is composed from what is stored (see rebuild.ts), not from memory.
  if (hasPast) earlier(draft.touchedFrom, service, nowMs);
  return next;
}

const voicesOf = (draft: Draft, service: ServiceState): readonly Voice[] => heardOf(service.checks.map((check) => checkIn(draft, check)));

const downAtOf = (draft: Draft, { checks }: ServiceState): number =>
  Math.max(
    1,
    ...checks.flatMap((check) => {
      const state = checkIn(draft, check);
      return state?.active === true ? (state.downAt ?? 1) : [];
    }),
  );

const sameTransition = (a: Transition | undefined, b: Transition | undefined): boolean =>
  a?.atMs === b?.atMs && a?.state === b?.state && a?.unknownReason === b?.unknownReason && a?.lowMs === b?.lowMs && a?.highMs === b?.highMs;

/** The service's transitions with everything from `fromMs` on decided anew. */
function recombined(draft: Draft, id: string, fromMs: EpochMs): readonly Transition[] {
  const service = serviceIn(draft, id);
  if (service === undefined) return [];
  const { composite } = service;
  // A rule that is younger leaves what stood before it.
  if (composite !== undefined) return spliced(service.transitions, composedIn(draft, service, fromMs), max(fromMs, composite.fromMs));
  const next = combineFrom(voicesOf(draft, service), fromMs, downAtOf(draft, service));
  const ended = draft.composed.has(id) && next.length === 0 && service.transitions.length > 0;
  return spliced(service.transitions, ended ? [pausedAt(fromMs)] : next, fromMs);
}

function composedIn(draft: Draft, { composite, transitions }: ServiceState, fromMs: EpochMs): readonly Transition[] {
  if (composite === undefined) return [];
  const histories = composite.rule.members.map(({ id }) => historyIn(draft, id));
  const begun = transitions.some((transition) => transition.atMs < fromMs);
  return composeFrom(histories, composite.rule, { fromMs: max(fromMs, composite.fromMs), begun });
}

const max = (a: EpochMs, b: EpochMs): EpochMs => (a > b ? a : b);
const pausedAt = (atMs: EpochMs): Transition => ({
  atMs,
  state: 'unknown',
  unknownReason: 'paused',
  lowMs: atMs,
  highMs: atMs,
  evidence: [],
});

/** What stood before `fromMs`, then what is told from there on. */
export function spliced(before: readonly Transition[], next: readonly Transition[], fromMs: EpochMs): readonly Transition[] {
  const kept = before.filter((transition) => transition.atMs < fromMs);
  const last = kept.at(-1);
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
  for (const id of servicesToSettle(draft)) {
    const fromMs = draft.touchedFrom.get(id);
    const service = serviceIn(draft, id);
    if (service === undefined || fromMs === undefined) continue;
    const transitions = recombined(draft, id, fromMs);
    const changedMs = firstDifference(service.transitions, transitions);
    if (changedMs === undefined) continue;
    rewrites.push({ kind: 'service', subject: id, fromMs: changedMs, transitions: transitions.filter((one) => one.atMs >= changedMs) });
    draft.services.set(id, { ...service, transitions, version: service.version + 1 });
  }
  return rewrites;
}

/** The touched services and, after all their members, the composites that this touches. */
function servicesToSettle(draft: Draft): readonly string[] {
  const composites = compositesInOrder(draft);
  const touched = new Set(draft.touchedFrom.keys());
  for (const { id, composite } of composites) {
    for (const member of composite.rule.members) {
      const fromMs = draft.touchedFrom.get(member.id);
      if (fromMs !== undefined) earlier(draft.touchedFrom, id, fromMs);
    }
    touched.delete(id);
  }
  return [...touched, ...composites.flatMap(({ id }) => (draft.touchedFrom.has(id) ? id : []))];
}

/** All composites, each after those among its members. Circles are refused with the configuration. */
export function compositesInOrder(draft: Draft): readonly { readonly id: string; readonly composite: Composite }[] {
  const ordered = new Map<string, { readonly id: string; readonly composite: Composite }>();
  const entered = new Set<string>();
  const enter = (id: string): void => {
    const composite = serviceIn(draft, id)?.composite;
    if (composite === undefined || entered.has(id)) return;
    entered.add(id);
    for (const member of composite.rule.members) enter(member.id);
    ordered.set(id, { id, composite });
  };
  for (const id of [...draft.base.composites, ...draft.composed.keys()]) enter(id);
  return [...ordered.values()];
}

/** From when on two histories differ; undefined when they do not. */
export function firstDifference(a: readonly Transition[], b: readonly Transition[]): EpochMs | undefined {
  const length = Math.max(a.length, b.length);
  let i = 0;
  while (i < length && sameTransition(a[i], b[i])) i++;
  return i === length ? undefined : (Math.min(a[i]?.atMs ?? Number.POSITIVE_INFINITY, b[i]?.atMs ?? Number.POSITIVE_INFINITY) as EpochMs);
}

/** The checks that decide about a service: its own, or those of its members. */
export function checksBelow(draft: Draft, service: string, seen = new Set<string>()): readonly string[] {
  if (seen.has(service)) return [];
  seen.add(service);
  const state = serviceIn(draft, service);
  const members = state?.composite?.rule.members ?? [];
  return [...(state?.checks ?? []), ...members.flatMap(({ id }) => checksBelow(draft, id, seen))];
}

/** The service's transitions as they read at `nowMs`: what has lapsed by then is unknown, whether or not that is written down yet. */
export function transitionsAt(memory: Memory, service: string, nowMs: EpochMs): readonly Transition[] {
  const draft = draftOf(memory);
  for (const check of checksBelow(draft, service)) {
    const one = memory.checks.get(check);
    if (one !== undefined && hasLapsed(one.history, nowMs)) put(draft, check, { state: one, step: lapse(one.history, 'no_data') });
  }
  if (draft.changedFrom.size > 0) settleDraft(draft);
  return historyIn(draft, service);
}

/** How far back a rewrite of the check can reach: all attempts that confirmation counts, and one that is still under way. */
export const reachMs = (rules: CheckRules): number => (rules.confirm.of + 2) * validityMs(rules) + (rules.lateMs ?? 0);

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
const horizonOf = (draft: Draft, service: string, nowMs: EpochMs): EpochMs =>
  (nowMs - reachTogether(draft, serviceIn(draft, service)?.checks ?? [], service)) as EpochMs;

/** How far back the histories of a service must reach: as far as any of its checks may still be rewritten, or any that a composite combines it with. */
export function reachTogether(draft: Draft, checks: readonly string[], service: string): number {
  const reachOf = (ids: readonly string[]): number =>
    Math.max(0, ...ids.flatMap((check) => checkIn(draft, check)?.rules ?? []).map(reachMs));
  const composites = compositesInOrder(draft);
  const joined = composites.some(({ id, composite }) => id === service || composite.rule.members.some((member) => member.id === service));
  return joined ? Math.max(...composites.map(({ id }) => reachOf(checksBelow(draft, id))), reachOf(checks)) : reachOf(checks);
}

/** How the results of a check are read: one plan, or one for each of its locations. */
export function plansOf(
  { check, intervalMs, timeoutMs, confirm, impact, vote, flapping }: CheckTiming,
  { service, downAt }: Pick<ServicePlan, 'service' | 'downAt'>,
): readonly CheckPlan[] {
  const common = { service, impact, ...(downAt === undefined ? {} : { downAt }) };
  if (vote === undefined) return [{ ...common, rules: { check, intervalMs, timeoutMs, confirm }, flapLimits: flapping || null }];
  return vote.locations.map((location) => ({
    ...common,
    rules: { check: subjectOf(check, location), intervalMs, timeoutMs, confirm, lateMs: ms(MAX_LATE_MS) },
    vote: { check, location, quorum: vote.quorum },
    // A vote is steadier than each of its voices.
    flapLimits: null,
  }));
}
