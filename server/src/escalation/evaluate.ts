/**
 * One look at one ladder: what its alert, its policy and the instant ask for. Pure; each step carries its cause in words, which is what the
 * alert's history shows.
 */
import { formatDuration } from '@nines/base/duration.ts';
import { DAY_MS, MINUTE_MS, epochMs } from '@nines/base/units.ts';
import { outOfHours } from '@nines/maths/calendar/hours.ts';
import type { AlertView } from '../alerting/contract.ts';
import { type HoursSpec, businessHours } from '../platform/config/hours.ts';
import type { Audience, LADDER_STATUSES, LevelSpec, Target } from './contract.ts';

/** One address at one channel, and whose it is in words. */
export type Recipient = { readonly channel: string; readonly to: string | null; readonly who: string };
export type Reached = { readonly recipients: readonly Recipient[]; readonly notes: readonly string[] };

/** A policy as it was when the alert came to it. */
export type LadderPolicy = {
  readonly id: string;
  readonly name: string;
  readonly levels: readonly LevelSpec[];
  readonly repeat: { readonly times: number; readonly every: number };
  /** Levels fall due within these alone. */
  readonly hours?: HoursSpec | undefined;
  /** A stakeholder route: told once, whoever acknowledges. */
  readonly audience?: Audience | undefined;
  readonly title?: string | undefined;
  readonly text?: string | undefined;
};

export type PausedBy = '' | 'handling' | 'held' | 'hours';

/** Where an alert stands on a ladder. Level k is due at `baseMs` plus its `after`. */
export type Ladder = {
  readonly alert: AlertView;
  readonly policy: LadderPolicy;
  readonly status: (typeof LADDER_STATUSES)[number];
  readonly why: string;
  readonly pausedBy: PausedBy;
  /** How often the ladder was climbed before. */
  readonly round: number;
  /** The level to be told next, from 0. */
  readonly level: number;
  readonly baseMs: number;
  readonly nextAtMs: number | null;
  readonly toldAtMs: number | null;
  readonly told: readonly Recipient[];
  readonly startedAtMs: number;
};

export type World = {
  readonly nowMs: number;
  /** What keeps the alert from people beside what was done to it; asked when a level is due. */
  readonly keeping: () => { readonly cause: string; readonly untilMs: number | null } | undefined;
  readonly reach: (targets: readonly Target[]) => Reached;
};

export type Step =
  | { readonly kind: 'told'; readonly level: number; readonly recipients: readonly Recipient[]; readonly cause: string }
  | { readonly kind: 'passed'; readonly level: number; readonly cause: string }
  | { readonly kind: 'paused' | 'resumed' | 'exhausted' | 'ended'; readonly cause: string };

export type Look = { readonly ladder: Ladder; readonly steps: readonly Step[] };

/** When what keeps an alert from people has no known end, it is asked again so often. */
const ASK_AGAIN_MS = MINUTE_MS;
/** From here on a level that is told late says so: the loop looks every second. */
const LATE_MS = 30_000;
/** How far ahead hours are looked for; longer closed is closed. */
const HOURS_HORIZON_MS = 31 * DAY_MS;

/** What an alert's life began with, before anything of it was told. */
export const beginLadder = (
  alert: AlertView,
  policy: LadderPolicy,
  { nowMs, notBeforeMs }: { nowMs: number; notBeforeMs: number },
): Ladder => ({
  alert,
  policy,
  status: 'climbing',
  why: notBeforeMs > nowMs ? 'waits for the cooldown' : 'nobody was told yet',
  pausedBy: '',
  round: 0,
  level: 0,
  baseMs: Math.max(nowMs, notBeforeMs),
  nextAtMs: Math.max(nowMs, notBeforeMs) + (policy.levels[0]?.after ?? 0),
  toldAtMs: null,
  told: [],
  startedAtMs: nowMs,
});

/** Looks at a ladder now. Nothing is due twice: what was told is left behind. */
export function lookAt(before: Ladder, world: World): Look {
  const { nowMs } = world;
  if (before.status === 'ended') return { ladder: before, steps: [] };
  if (before.alert.condition === 'resolved') return end(before, 'the alert is resolved');
  const handling = handlingOf(before, nowMs);
  if (handling !== undefined) return pause(before, { ...handling, by: 'handling' });
  const steps: Step[] = [];
  let ladder = before;
  if (ladder.pausedBy === 'handling') {
    const resumed = resume(ladder, nowMs);
    ladder = resumed;
    steps.push({ kind: 'resumed', cause: resumed.why });
  }
  const climbed = climb(ladder, world);
  return { ladder: climbed.ladder, steps: [...steps, ...climbed.steps] };
}

/** Tells the next level now, whatever waits; after the last one, the last one again. */
export function tellNow(before: Ladder, world: World, cause: string): Look {
  const last = before.policy.levels.length - 1;
  let ladder: Ladder = { ...before, level: Math.min(before.level, last) };
  const steps: Step[] = [];
  const just = new Set<string>();
  for (;;) {
    const { level } = ladder;
    const told = tellLevel(ladder, { world, just, cause });
    steps.push(told.step);
    ladder = told.ladder;
    if (told.step.kind === 'told' || level >= last) break;
  }
  const paused = before.status === 'paused' && before.pausedBy === 'handling';
  if (paused) return { ladder: { ...ladder, status: 'paused', pausedBy: 'handling', why: before.why, nextAtMs: before.nextAtMs }, steps };
  const settled = settle({ ...ladder, pausedBy: '' });
  return { ladder: settled.nextAtMs === null ? { ...settled, status: 'exhausted', why: exhaustion(settled) } : settled, steps };
}

/** The end of the alert; everybody who was told hears of it. */
export function end(before: Ladder, cause: string): Look {
  return { ladder: { ...before, status: 'ended', why: cause, pausedBy: '', nextAtMs: null }, steps: [{ kind: 'ended', cause }] };
}

/** Why nobody is told for as long as the alert stays so. */
function handlingOf({ alert, policy }: Ladder, nowMs: number): { readonly cause: string; readonly untilMs: number | null } | undefined {
  if (alert.held_back !== null) return { cause: alert.held_back, untilMs: null };
  if (alert.suppressed_at_ms !== null) return { cause: `suppressed by ${alert.suppressed_by}`, untilMs: null };
  if (alert.snoozed_until_resolved) return { cause: 'snoozed until resolved', untilMs: null };
  const until = alert.snoozed_until_ms;
  if (until !== null && until > nowMs) return { cause: `snoozed until ${iso(until)}`, untilMs: until };
  if (alert.acknowledged_at_ms !== null && policy.audience === undefined)
    return { cause: `acknowledged by ${alert.acknowledged_by}`, untilMs: null };
  return undefined;
}

function pause(before: Ladder, { cause, untilMs, by }: { cause: string; untilMs: number | null; by: PausedBy }): Look {
  const ladder: Ladder = { ...before, status: 'paused', why: cause, pausedBy: by, nextAtMs: untilMs };
  const same = before.status === 'paused' && before.pausedBy === by && before.why === cause;
  return { ladder, steps: same ? [] : [{ kind: 'paused', cause }] };
}

/** Nobody has it in hand any more: the level that was told last is told again, and the next one is its distance away. */
function resume(before: Ladder, nowMs: number): Ladder {
  const again = before.policy.audience === undefined && before.toldAtMs !== null && before.level > 0;
  const level = again ? before.level - 1 : before.level;
  const dueAtMs = before.baseMs + afterOf(before, level);
  const isPast = level < before.policy.levels.length && dueAtMs < nowMs;
  const baseMs = again || isPast ? nowMs - afterOf(before, level) : before.baseMs;
  return settle({ ...before, status: 'climbing', pausedBy: '', level, baseMs, why: `no longer ${before.why}` });
}

/** Tells every level that is due. */
function climb(before: Ladder, world: World): Look {
  const { nowMs } = world;
  const steps: Step[] = [];
  const just = new Set<string>();
  let ladder = before;
  for (;;) {
    const dueAtMs = dueOf(ladder);
    if (dueAtMs === null) {
      if (ladder.status !== 'exhausted') {
        const cause = exhaustion(ladder);
        ladder = { ...ladder, status: 'exhausted', why: cause, pausedBy: '', nextAtMs: null };
        if (ladder.policy.audience === undefined) steps.push({ kind: 'exhausted', cause });
      }
      return { ladder, steps };
    }
    if (dueAtMs > nowMs) return { ladder: settle({ ...ladder, pausedBy: '' }), steps };
    const waits = waitOf(ladder, world);
    if (waits !== undefined) {
      const paused = pause(ladder, waits);
      return { ladder: paused.ladder, steps: [...steps, ...paused.steps] };
    }
    if (ladder.level >= ladder.policy.levels.length) {
      // After a stop the ladder is climbed once more, not once for each time that was missed.
      ladder = { ...ladder, round: ladder.round + 1, level: 0, baseMs: nowMs - afterOf(ladder, 0) };
      continue;
    }
    const waited = ladder.pausedBy === 'held' || ladder.pausedBy === 'hours';
    if (waited) ladder = { ...ladder, baseMs: nowMs - afterOf(ladder, ladder.level) };
    const told = tellLevel(ladder, { world, just, cause: causeOf(ladder, { nowMs, dueAtMs, waited }) });
    steps.push(told.step);
    ladder = { ...told.ladder, pausedBy: '' };
  }
}

function waitOf(ladder: Ladder, { nowMs, keeping }: World): { cause: string; untilMs: number; by: PausedBy } | undefined {
  const kept = keeping();
  if (kept !== undefined) return { cause: kept.cause, untilMs: kept.untilMs ?? nowMs + ASK_AGAIN_MS, by: 'held' };
  const opensAtMs = ladder.policy.hours === undefined ? nowMs : nextOpenMs(ladder.policy.hours, nowMs);
  return opensAtMs <= nowMs
    ? undefined
    : { cause: `outside of the policy's hours until ${iso(opensAtMs)}`, untilMs: opensAtMs, by: 'hours' };
}

/** Tells one level, or passes it when it reaches nobody: then the next one is due at once. */
function tellLevel(
  ladder: Ladder,
  { world, just, cause }: { readonly world: World; readonly just: Set<string>; readonly cause: string },
): { readonly ladder: Ladder; readonly step: Step } {
  const { nowMs } = world;
  const { level, policy } = ladder;
  const { recipients, notes } = world.reach(policy.levels[level]?.targets ?? []);
  const fresh = recipients.filter((one) => !just.has(keyOf(one)));
  for (const one of fresh) just.add(keyOf(one));
  const said = notes.length === 0 ? '' : `; ${notes.join('; ')}`;
  const next = { ...ladder, level: level + 1 };
  if (recipients.length === 0) {
    const what = notes.length === 0 ? 'it reaches nobody' : notes.join('; ');
    const passed =
      level + 1 < policy.levels.length
        ? { ...next, baseMs: nowMs - afterOf(ladder, level + 1) }
        : { ...next, baseMs: nowMs - afterOf(ladder, level) };
    return { ladder: settle(passed), step: { kind: 'passed', level, cause: what } };
  }
  const told = [...ladder.told, ...fresh.filter((one) => !ladder.told.some((other) => keyOf(other) === keyOf(one)))];
  const why = `${fresh.length === 0 ? 'nobody else' : namesOf(fresh)} told at level ${level + 1} of ${policy.levels.length}`;
  // A level that was asked for early moves the ones after it.
  const baseMs = ladder.baseMs + afterOf(ladder, level) > nowMs ? nowMs - afterOf(ladder, level) : ladder.baseMs;
  return {
    ladder: settle({ ...next, baseMs, status: 'climbing', told, toldAtMs: nowMs, why }),
    step: { kind: 'told', level, recipients: fresh, cause: `${cause}${said}` },
  };
}

/** When the next level is due; null when there is none. */
function dueOf({ policy, level, round, baseMs }: Ladder): number | null {
  const rung = policy.levels[level];
  if (rung !== undefined) return baseMs + rung.after;
  if (round >= policy.repeat.times) return null;
  return baseMs + (policy.levels.at(-1)?.after ?? 0) + policy.repeat.every;
}

const settle = (ladder: Ladder): Ladder => ({ ...ladder, nextAtMs: dueOf(ladder) });
const afterOf = ({ policy }: Pick<Ladder, 'policy'>, level: number): number => policy.levels[level]?.after ?? 0;

function causeOf(ladder: Ladder, { nowMs, dueAtMs, waited }: { nowMs: number; dueAtMs: number; waited: boolean }): string {
  const { policy, level, round, startedAtMs, alert } = ladder;
  const late = !waited && nowMs - dueAtMs > LATE_MS ? `, ${formatDuration(nowMs - dueAtMs)} late` : '';
  if (waited) return `no longer ${ladder.why}`;
  if (ladder.why.startsWith('no longer ')) return ladder.why;
  if (policy.audience !== undefined) return `for ${policy.audience} stakeholders${late}`;
  const open = formatDuration(Math.max(0, Math.round((nowMs - startedAtMs) / 1_000) * 1_000));
  if (round === 0 && level === 0) return `${alert.severity} alert fired${late}`;
  const again = round === 0 ? '' : `, round ${round + 1} of ${policy.repeat.times + 1}`;
  return `nobody acknowledged for ${open}${again}${late}`;
}

const exhaustion = ({ policy, told }: Ladder): string =>
  told.length === 0
    ? `no level of "${policy.name}" reaches anybody`
    : `every level of "${policy.name}" was told, ${policy.repeat.times + 1} ${policy.repeat.times === 0 ? 'time' : 'times'}`;

/** When the hours are open next; now when they are. A year's end that never comes is looked at again after the horizon. */
export function nextOpenMs(hours: HoursSpec, nowMs: number): number {
  const span = { fromMs: epochMs(nowMs), toMs: epochMs(nowMs + HOURS_HORIZON_MS) };
  const [first] = outOfHours(businessHours(hours), span);
  return first === undefined || first.fromMs > nowMs ? nowMs : first.toMs;
}

export const keyOf = ({ channel, to }: Pick<Recipient, 'channel' | 'to'>): string => `${channel} ${to ?? ''}`;
export const namesOf = (recipients: readonly Recipient[]): string => recipients.map(({ who }) => who).join(', ');
const iso = (atMs: number): string => new Date(atMs).toISOString().replace('.000Z', 'Z');
