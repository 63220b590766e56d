/**
 * What a group's flush sends, as pure stages: each takes the flush so far and returns it with its part decided and the
 * reason in words. Nothing here reads a clock or a database. pipeline.ts puts the stages in their order.
 */
import { formatDuration } from '@nines/base/duration.ts';
import type { AlertView } from '../alerting/contract.ts';
import { rfc3339 } from './message.ts';
import type { Group } from './route.ts';

export type Member = {
  readonly alert: AlertView;
  readonly cooldownMs: number;
  /** When this fingerprint was last announced as firing in this group; it outlives the alert until the cooldown has passed. */
  readonly announcedAtMs: number | null;
};

/** What the channel was last told about the group. */
export type Told = { readonly atMs: number | null; readonly firing: ReadonlySet<string> };

export type SendReason = 'fired' | 'repeated' | 'resolved' | 'escalated';
export type Verdict =
  | { readonly kind: 'send'; readonly reason: SendReason; readonly cause: string }
  /** Nothing goes out; `told` still moves on when the channel takes no resolves. */
  | { readonly kind: 'skip'; readonly cause: string };

export type Flush = {
  readonly group: Group;
  readonly sendResolved: boolean;
  readonly nowMs: number;
  /** A severity rose: the group is sent although nothing in it is new. */
  readonly escalated: boolean;
  readonly told: Told;
  /** What keeps alerts from people beside their handling. */
  readonly held: Held;
  /** Still on their way into the message. */
  readonly members: readonly Member[];
  /** Kept out of it, each with its cause; `untilMs` is when the cause ends by itself. */
  readonly muted: readonly (Muting & { readonly member: Member })[];
  readonly verdict: Verdict;
  /** When the group must be looked at again; null when only a change can matter. */
  readonly nextAtMs: number | null;
};

/** Why an alert is kept from people; `untilMs` is when that ends by itself, `sourceId` the alert that it lasts as long as. */
export type Muting = {
  readonly cause: string;
  readonly untilMs: number | null;
  readonly sourceId?: string;
  /** It keeps back a resolve, which history says. */
  readonly ofResolve?: boolean;
};

/** What a flush asks of the world, at its instant. */
export type Held = {
  readonly silenced: (labels: Readonly<Record<string, string>>) => Muting | undefined;
  readonly inhibited: (labels: Readonly<Record<string, string>>) => Muting | undefined;
  /** Whether the alert fires and resolves again and again. */
  readonly flapping: (alert: AlertView) => Muting | undefined;
  /** Whether the route of a group keeps quiet now. */
  readonly resting: (intervals: Group['intervals']) => Muting | undefined;
};

export type Stage = (flush: Flush) => Flush;

const isFiring = ({ alert }: Member): boolean => alert.condition === 'firing';
const wasTold = (flush: Flush, { alert }: Member): boolean => flush.told.firing.has(alert.fingerprint);

function muteBy(flush: Flush, judge: (member: Member) => Muting | undefined): Flush {
  const members: Member[] = [];
  const muted = [...flush.muted];
  for (const member of flush.members) {
    const muting = judge(member);
    if (muting === undefined) members.push(member);
    else muted.push({ member, ...muting });
  }
  return { ...flush, members, muted };
}

/** What the rule holds back, and handling by people: a suppressed or snoozed alert is left out; an acknowledged one needs no first page. A resolve is never muted. */
export const mute: Stage = (flush) =>
  muteBy(flush, (member) => {
    if (!isFiring(member)) return undefined;
    const { alert } = member;
    if (alert.held_back !== null && !wasTold(flush, member)) return { cause: alert.held_back, untilMs: null };
    if (alert.suppressed_at_ms !== null) return { cause: `suppressed by ${alert.suppressed_by}`, untilMs: null };
    if (alert.snoozed_until_resolved) return { cause: 'snoozed until resolved', untilMs: null };
    const until = alert.snoozed_until_ms;
    if (until !== null && until > flush.nowMs) return { cause: `snoozed until ${rfc3339(until)}`, untilMs: until };
    if (alert.acknowledged_at_ms === null || wasTold(flush, member)) return undefined;
    return { cause: `acknowledged by ${alert.acknowledged_by}`, untilMs: null };
  });

/** Another alert explains this one. The resolve of what was announced goes out, as with silences. */
export const inhibit: Stage = (flush) =>
  muteBy(flush, (member) => (isFiring(member) ? flush.held.inhibited(member.alert.labels) : undefined));

/** A route that rests sends nothing at all: the resolve of what was announced waits until it speaks again. */
export const rest: Stage = (flush) => {
  const resting = flush.held.resting(flush.group.intervals);
  return resting === undefined ? flush : muteBy(flush, (member) => (isFiring(member) || wasTold(flush, member) ? resting : undefined));
};

/** A silence keeps back what fires; the resolve of what was announced goes out, so that no receiver waits for it for ever. */
export const silence: Stage = (flush) =>
  muteBy(flush, (member) => (isFiring(member) ? flush.held.silenced(member.alert.labels) : undefined));

/** What flaps stays told as firing until it is steady: its resolve waits, so that its next firing is no news. It never keeps back what fires. */
export const steady: Stage = (flush) =>
  muteBy(flush, (member) => (isFiring(member) || !wasTold(flush, member) ? undefined : flush.held.flapping(member.alert)));

/** A fingerprint that fires again soon after it was announced stays quiet; if it still fires when the cooldown ends, it is announced then. */
export const cooldown: Stage = (flush) =>
  muteBy(flush, (member) => {
    if (!isFiring(member) || wasTold(flush, member) || member.announcedAtMs === null) return undefined;
    const untilMs = member.announcedAtMs + member.cooldownMs;
    if (untilMs <= flush.nowMs) return undefined;
    const cause = `cooldown of ${formatDuration(member.cooldownMs)}: last announced at ${rfc3339(member.announcedAtMs)}`;
    return { cause, untilMs };
  });

/** Whether the channel must hear anything. The order of the questions is Alertmanager's (notify/dedup_stage.go). */
export const dedup: Stage = (flush) => ({ ...flush, verdict: needsUpdate(flush) });

function needsUpdate(flush: Flush): Verdict {
  const { told, members, muted, nowMs, group } = flush;
  const firing = members.filter(isFiring);
  const newlyFiring = firing.filter((member) => !wasTold(flush, member));
  const ended = members.filter((member) => !isFiring(member) && wasTold(flush, member));
  if (newlyFiring.length > 0) {
    return { kind: 'send', reason: 'fired', cause: told.firing.size === 0 ? 'first notification' : 'new alerts added' };
  }
  if (ended.length > 0) {
    if (!flush.sendResolved) return { kind: 'skip', cause: 'the channel takes no resolves' };
    const rest = firing.length > 0 || muted.some(({ member }) => wasTold(flush, member));
    return { kind: 'send', reason: 'resolved', cause: rest ? 'some alerts resolved' : 'all alerts resolved' };
  }
  if (firing.length === 0) return { kind: 'skip', cause: 'nothing to tell' };
  if (flush.escalated) return { kind: 'send', reason: 'escalated', cause: 'severity rose' };
  if (told.atMs === null || nowMs - told.atMs < group.repeatIntervalMs)
    return { kind: 'skip', cause: 'nothing new since the last notification' };
  const unhandled = firing.some(({ alert }) => alert.acknowledged_at_ms === null);
  if (!unhandled) return { kind: 'skip', cause: 'repeats end with the acknowledgement' };
  return { kind: 'send', reason: 'repeated', cause: `repeat interval of ${formatDuration(group.repeatIntervalMs)} elapsed` };
}

/** When to look again: a tree ticks by its interval while anything is in the group, the default groups at their own deadlines. */
export const schedule: Stage = (flush) => {
  const { group, nowMs, members, muted, verdict, told } = flush;
  if (members.length + muted.length === 0) return { ...flush, nextAtMs: null };
  if (group.groupIntervalMs > 0) return { ...flush, nextAtMs: nowMs + group.groupIntervalMs };
  const deadlines: number[] = muted.flatMap(({ untilMs }) => (untilMs === null ? [] : [untilMs]));
  const unhandled = members.some((member) => isFiring(member) && member.alert.acknowledged_at_ms === null);
  const toldAtMs = verdict.kind === 'send' ? nowMs : told.atMs;
  if (unhandled && toldAtMs !== null) deadlines.push(toldAtMs + group.repeatIntervalMs);
  // A member that has ended is forgotten when its cooldown has passed.
  for (const member of members) if (!isFiring(member)) deadlines.push((member.announcedAtMs ?? nowMs) + member.cooldownMs);
  return { ...flush, nextAtMs: deadlines.length === 0 ? null : Math.max(nowMs + 1, Math.min(...deadlines)) };
};

/** What the group is after the flush: what the channel now believes, and which members are forgotten. */
export function outcomeOf(flush: Flush): {
  readonly told: Told;
  readonly messageAlerts: readonly AlertView[];
  readonly announced: readonly AlertView[];
  readonly forgotten: readonly AlertView[];
  /** Mutings that really kept something back; the others would have had nothing to say either. */
  readonly heldBack: Flush['muted'];
} {
  const { members, muted, verdict, nowMs, told } = flush;
  const sends = verdict.kind === 'send';
  const repeatDue = told.atMs !== null && nowMs - told.atMs >= flush.group.repeatIntervalMs;
  const firing = members.filter(isFiring);
  const ended = members.filter((member) => !isFiring(member));
  const stillTold = muted.filter(({ member }) => wasTold(flush, member)).map(({ member }) => member.alert.fingerprint);
  const believed = sends
    ? firing.map(({ alert }) => alert.fingerprint)
    : firing.filter((member) => wasTold(flush, member)).map(({ alert }) => alert.fingerprint);
  const announces = verdict.kind === 'send' && verdict.reason !== 'resolved';
  return {
    told: { atMs: sends ? nowMs : told.atMs, firing: new Set([...believed, ...stillTold]) },
    messageAlerts: [...firing, ...(flush.sendResolved ? ended.filter((member) => wasTold(flush, member)) : [])].map(({ alert }) => alert),
    announced: announces ? firing.filter((member) => verdict.reason !== 'fired' || !wasTold(flush, member)).map(({ alert }) => alert) : [],
    heldBack: muted.filter(({ member, ofResolve }) => ofResolve === true || (isFiring(member) && (repeatDue || !wasTold(flush, member)))),
    forgotten: ended.filter((member) => (member.announcedAtMs ?? 0) + member.cooldownMs <= nowMs).map(({ alert }) => alert),
  };
}
