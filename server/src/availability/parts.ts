import type { EpochMs } from '@nines/base/units.ts';
import type { Downtime, DowntimeReason } from './contract.ts';

/** How people cut and joined downtimes. The ledger's time is untouched by it: outages are counted anew, not lengthened. */
export const CHANGES = ['edited', 'split', 'rejoined', 'merged', 'unmerged'] as const;
export type Change = (typeof CHANGES)[number];

/** One step of the log. `other`: the part split off, or the later downtime merged in. */
export type StructureChange = { readonly change: Change; readonly downtime: string; readonly other: string; readonly atMs: EpochMs };

/** A part that was split off, with what people say of it. */
export type Part = {
  readonly id: string;
  readonly partOf: string;
  readonly fromMs: EpochMs;
  readonly reason: DowntimeReason;
  readonly note: string;
  readonly revision: number;
};

export type Structure = {
  /** Parts that are split off now. */
  readonly split: ReadonlySet<string>;
  /** Merged downtimes, by the later one: the earlier one that it belongs to. */
  readonly merged: ReadonlyMap<string, string>;
};

/** What of the log holds at an instant; `log` in the order in which it was written. */
export function structureAt(log: readonly StructureChange[], atMs: number): Structure {
  const split = new Set<string>();
  const merged = new Map<string, string>();
  for (const { change, downtime, other, atMs: changedMs } of log) {
    if (changedMs > atMs) continue;
    if (change === 'split') split.add(other);
    if (change === 'rejoined') split.delete(other);
    if (change === 'merged') merged.set(other, downtime);
    if (change === 'unmerged') merged.delete(other);
  }
  return { split, merged };
}

/** The downtimes of one service as people see them, newest first: split where they were split, merged where they were merged. */
export function asPeopleSee(ledger: readonly Downtime[], parts: readonly Part[], structure: Structure): readonly Downtime[] {
  const ascending = ledger.toSorted((a, b) => a.fromAtMs - b.fromAtMs);
  const pieces = ascending.flatMap((downtime) =>
    cut(
      downtime,
      parts.filter((part) => structure.split.has(part.id) && part.partOf === downtime.id),
    ),
  );
  const seen = new Map<string, Downtime>();
  for (const piece of pieces) {
    const head = headOf(structure, piece.id);
    const before = seen.get(head);
    if (before === undefined) seen.set(piece.id, piece);
    else seen.set(head, joined(before, piece));
  }
  return [...seen.values()].toReversed();
}

/** The downtime that an id is part of after all merges. */
function headOf({ merged }: Structure, id: string): string {
  let head = id;
  for (let step = 0; step <= merged.size; step++) {
    const next = merged.get(head);
    if (next === undefined) break;
    head = next;
  }
  return head;
}

function cut(downtime: Downtime, parts: readonly Part[]): readonly Downtime[] {
  const endMs = downtime.toAtMs ?? Number.POSITIVE_INFINITY;
  const inside = parts.filter((part) => part.fromMs > downtime.fromAtMs && part.fromMs < endMs).toSorted((a, b) => a.fromMs - b.fromMs);
  return [undefined, ...inside].map((part, i): Downtime => {
    const next = inside[i]?.fromMs;
    const said =
      part === undefined ? {} : { id: part.id, reason: part.reason, note: part.note, revision: part.revision, partOf: downtime.id };
    const from = part === undefined ? {} : { fromAtMs: part.fromMs, fromBoundsAtMs: [part.fromMs, part.fromMs] as const };
    const to = next === undefined ? {} : { toAtMs: next, toBoundsAtMs: [next, next] as const };
    return { ...downtime, ...said, ...from, ...to };
  });
}

/** Evidence kept per downtime, merged or not: each check's first failure, so more than this says nothing new. */
export const MAX_DOWNTIME_EVIDENCE = 16;

function joined(head: Downtime, next: Downtime): Downtime {
  return {
    ...head,
    toAtMs: next.toAtMs,
    toBoundsAtMs: next.toBoundsAtMs,
    spans: [...spansOf(head), ...spansOf(next)],
    checks: [...new Set([...head.checks, ...next.checks])].sort(),
    evidence: [...head.evidence, ...next.evidence].slice(0, MAX_DOWNTIME_EVIDENCE),
    mergedIds: [...(head.mergedIds ?? []), next.id],
  };
}

/** The stretches of down time of a downtime; more than one when it was merged. */
export const spansOf = (downtime: Downtime): NonNullable<Downtime['spans']> =>
  downtime.spans ?? [{ fromAtMs: downtime.fromAtMs, toAtMs: downtime.toAtMs }];
