import type { EpochMs } from '@nines/base/units.ts';
import type { Evidence, Transition } from '@nines/maths/slo/types.ts';
import type { Downtime } from './contract.ts';
import { checkIn, checksBelow, type Draft } from './evaluate.ts';
import { MAX_DOWNTIME_EVIDENCE } from './parts.ts';
import { heardOf } from './voices.ts';

/** One `down` stretch of a service's history, as its downtime must say it. */
export type Outage = {
  readonly edges: Pick<Downtime, 'fromAtMs' | 'toAtMs' | 'fromBoundsAtMs' | 'toBoundsAtMs'>;
  /** The checks that failed within it, and what each saw first. */
  readonly checks: readonly string[];
  readonly evidence: readonly Evidence[];
  /** Checks whose history reaches back to its start and that did not fail within it. */
  readonly cleared: readonly string[];
};

/** What the downtimes of one service must become. */
export type DowntimeStep = {
  readonly opened: readonly Outage[];
  readonly changed: readonly Downtime[];
  /** Ids of those that better evidence showed to be none. */
  readonly retracted: readonly string[];
};

/** The history of a check that can make the service down, and the start of its last attempt. */
export type DownVoice = { readonly check: string; readonly transitions: readonly Transition[]; readonly lastAtMs: EpochMs | null };

/** The voices that decide whether a service is down: of its own checks, or of those of its members. */
export const downVoicesOf = (draft: Draft, service: string): readonly DownVoice[] =>
  heardOf(checksBelow(draft, service).map((check) => checkIn(draft, check))).filter(({ impact }) => impact === 'down');

/** The outages in a service's history that end at or after `fromMs`, ascending. */
export function outagesFrom(transitions: readonly Transition[], voices: readonly DownVoice[], fromMs: EpochMs): readonly Outage[] {
  return transitions.flatMap((transition, i) => {
    const next = transitions[i + 1];
    if (transition.state !== 'down' || (next !== undefined && next.atMs < fromMs)) return [];
    const toMs = next?.atMs ?? null;
    const failing = failingWithin(voices, transition.atMs, toMs);
    return {
      edges: {
        fromAtMs: transition.atMs,
        toAtMs: toMs,
        fromBoundsAtMs: [transition.lowMs, transition.highMs],
        toBoundsAtMs: next === undefined ? null : endBounds(next, voices),
      },
      ...failing,
      evidence: failing.evidence.length > 0 ? failing.evidence : transition.evidence,
    };
  });
}

/** An end that nobody saw lies between the last attempt and where knowledge ended. */
function endBounds(next: Transition, voices: readonly DownVoice[]): readonly [EpochMs, EpochMs] {
  if (next.state !== 'unknown') return [next.lowMs, next.highMs];
  const attempts = voices.flatMap((voice) => (voice.lastAtMs !== null && voice.lastAtMs <= next.atMs ? voice.lastAtMs : []));
  return [Math.min(next.atMs, Math.max(...attempts, 0) || next.atMs) as EpochMs, next.atMs];
}

/** The checks that were down at some instant of `[fromMs, toMs)`, and what each saw first. */
function failingWithin(voices: readonly DownVoice[], fromMs: EpochMs, toMs: EpochMs | null): Omit<Outage, 'edges'> {
  const checks: string[] = [];
  const cleared: string[] = [];
  const evidence: Evidence[] = [];
  for (const { check, transitions } of voices) {
    const first = transitions.find((transition, i) => {
      const endMs = transitions[i + 1]?.atMs ?? Infinity;
      return transition.state === 'down' && endMs > fromMs && (toMs === null || transition.atMs < toMs);
    });
    if (first === undefined) {
      if ((transitions[0]?.atMs ?? Infinity) <= fromMs) cleared.push(check);
      continue;
    }
    checks.push(check);
    evidence.push(...first.evidence.slice(0, 1));
  }
  return { checks: checks.sort(), cleared, evidence: evidence.sort((a, b) => a.atMs - b.atMs).slice(0, MAX_DOWNTIME_EVIDENCE) };
}

/**
 * Compares the outages from `fromMs` on with the downtimes that stand (those open or ending at or after `fromMs`). A downtime keeps its
 * identity as long as an outage overlaps it, so a person's reason survives when the edges move.
 */
export function reconcile(outages: readonly Outage[], standing: readonly Downtime[], fromMs: EpochMs): DowntimeStep {
  const left = new Map(standing.filter((one) => one.toAtMs === null || one.toAtMs >= fromMs).map((one) => [one.id, one]));
  const opened: Outage[] = [];
  const changed: Downtime[] = [];
  for (const outage of outages) {
    const match = left.values().find((one) => overlap(one, outage.edges));
    if (match === undefined) {
      opened.push(outage);
      continue;
    }
    left.delete(match.id);
    const next = grown(match, outage);
    if (JSON.stringify(next) !== JSON.stringify(match)) changed.push(next);
  }
  return { opened, changed, retracted: [...left.keys()] };
}

const endOf = (one: Pick<Downtime, 'toAtMs'>): number => one.toAtMs ?? Infinity;
const overlap = (a: Pick<Downtime, 'fromAtMs' | 'toAtMs'>, b: Pick<Downtime, 'fromAtMs' | 'toAtMs'>): boolean =>
  a.fromAtMs === b.fromAtMs || (a.fromAtMs < endOf(b) && b.fromAtMs < endOf(a));

/**
 * Checks seen failing stay listed when their history has been forgotten since, not when it, or what was seen of them first, shows
 * that they failed at another time: an outage may turn out to have ended before.
 */
function grown(downtime: Downtime, outage: Outage): Downtime {
  const behind = downtime.evidence.filter((one) => one.atMs >= endOf(outage.edges)).map((one) => one.check);
  const before = downtime.checks.filter((check) => !outage.cleared.includes(check) && !behind.includes(check));
  const checks = [...new Set([...before, ...outage.checks])].sort();
  const stays = downtime.evidence.filter((one) => checks.includes(one.check));
  const known = new Set(stays.map((one) => one.check));
  const evidence = [...stays, ...outage.evidence.filter((one) => !known.has(one.check))].slice(0, MAX_DOWNTIME_EVIDENCE);
  return { ...downtime, ...outage.edges, checks, evidence };
}
