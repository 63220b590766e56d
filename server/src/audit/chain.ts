import { type Json, canonicalJson } from '@nines/base/canonical-json.ts';
import type { AuditChainRow, AuditRow } from '../platform/db/migrations/0042-audit.ts';
import type { AuditKey } from '../platform/signing/audit-key.ts';
import type { AuditFault, AuditVerdict } from './contract.ts';

/** What an entry is before it has its place in the chain. */
export type Unchained = Omit<AuditRow, 'seq' | 'key_id' | 'detail_digest' | 'prev' | 'digest'>;
export type Ends = Omit<AuditChainRow, 'id' | 'mac'>;
/** The last entry as it was at an instant. */
export type Anchor = { readonly at_ms: number; readonly seq: number; readonly digest: string; readonly mac: string };

/** How far around an entry that does not fit its number the right number is looked for. */
const MOVED_WITHIN = 10_000;

const digestOf = (key: AuditKey, { detail: _detail, digest: _digest, ...signed }: AuditRow): string =>
  key.digest('entry', canonicalJson(signed as Json));

/** The entry at its place after `prev`. */
export function chained(key: AuditKey, entry: Unchained, at: { readonly seq: number; readonly prev: string }): AuditRow {
  const row: AuditRow = { ...entry, ...at, key_id: key.id, detail_digest: key.digest('detail', entry.detail), digest: '' };
  return { ...row, digest: digestOf(key, row) };
}

export const macOfEnds = (key: AuditKey, { start_seq, start_prev, seq, digest }: Ends): string =>
  key.digest('ends', canonicalJson({ start_seq, start_prev, seq, digest }));

export function anchored(key: AuditKey, at: Omit<Anchor, 'mac'>): Anchor {
  return { ...at, mac: macOfAnchor(key, at) };
}

const macOfAnchor = (key: AuditKey, { at_ms, seq, digest }: Omit<Anchor, 'mac'>): string =>
  key.digest('anchor', canonicalJson({ at_ms, seq, digest }));

export type Chain = {
  /** By `seq`, each once. */
  readonly rows: AsyncIterable<AuditRow>;
  readonly ends: AuditChainRow;
  /** A line that is no anchor is undefined. */
  readonly anchors: readonly (Anchor | undefined)[];
};

/** Examines everything that is kept, in order, and names the first thing that is wrong. */
export async function verifyChain(key: AuditKey, { rows, ends, anchors }: Chain): Promise<AuditVerdict> {
  const bySeq = new Map(anchors.flatMap((anchor) => (anchor === undefined ? [] : [[anchor.seq, anchor] as const])));
  let last: { readonly seq: number; readonly digest: string } = { seq: ends.start_seq - 1, digest: ends.start_prev };
  let entries = 0;
  let anchorsMet = 0;
  const verdict = (fault: AuditFault | undefined): AuditVerdict => ({
    whole: fault === undefined,
    entries,
    from_seq: entries === 0 ? 0 : ends.start_seq,
    to_seq: entries === 0 ? 0 : last.seq,
    anchors: anchorsMet,
    fault: fault ?? null,
  });
  for await (const row of rows) {
    const fault = faultOfRow(key, row, { last, ends });
    if (fault !== undefined) return verdict(fault);
    const anchor = bySeq.get(row.seq);
    if (anchor !== undefined) {
      const wrong = faultOfAnchor(key, anchor, row.digest);
      if (wrong !== undefined) return verdict(wrong);
      anchorsMet++;
    }
    last = row;
    entries++;
  }
  return verdict(faultOfEnds(key, ends, last) ?? faultOfRest(key, anchors, { first: ends.start_seq, last: last.seq }));
}

function faultOfRow(
  key: AuditKey,
  row: AuditRow,
  { last, ends }: { readonly last: { readonly seq: number; readonly digest: string }; readonly ends: AuditChainRow },
): AuditFault | undefined {
  const { seq } = row;
  if (seq <= last.seq)
    return { seq, problem: 'inserted', detail: `entry ${seq} stands before the first one that is kept, ${ends.start_seq}` };
  if (seq > ends.seq) return { seq, problem: 'inserted', detail: `entry ${seq} stands after the last one that was written, ${ends.seq}` };
  if (seq !== last.seq + 1) return missing(last.seq + 1, seq - 1);
  if (row.key_id !== key.id)
    return { seq, problem: 'edited', detail: `entry ${seq} says that it was made with the key ${row.key_id}; this is ${key.id}` };
  if (key.digest('detail', row.detail) !== row.detail_digest)
    return { seq, problem: 'edited', detail: `the detail of entry ${seq} is not what was written` };
  if (digestOf(key, row) !== row.digest) {
    const home = homeOf(key, row, ends.seq);
    if (home !== undefined) return { seq, problem: 'moved', detail: `what stands as entry ${seq} was written as entry ${home}` };
    return { seq, problem: 'edited', detail: `entry ${seq} is not what was written` };
  }
  if (row.prev !== last.digest)
    return {
      seq,
      problem: 'reordered',
      detail: `entry ${seq} is genuine, but was written after another entry ${seq - 1} than the one here`,
    };
  return undefined;
}

function missing(from: number, to: number): AuditFault {
  return { seq: from, problem: 'missing', detail: from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing` };
}

/** The number under which the entry was written; undefined when it is not genuine under any number nearby. */
function homeOf(key: AuditKey, row: AuditRow, lastSeq: number): number | undefined {
  for (let away = 1; away <= Math.min(MOVED_WITHIN, lastSeq); away++) {
    for (const seq of [row.seq - away, row.seq + away])
      if (seq > 0 && seq <= lastSeq && digestOf(key, { ...row, seq }) === row.digest) return seq;
  }
  return undefined;
}

function faultOfAnchor(key: AuditKey, anchor: Anchor, digest: string): AuditFault | undefined {
  const { seq, at_ms } = anchor;
  const day = new Date(at_ms).toISOString();
  if (macOfAnchor(key, anchor) !== anchor.mac) return { seq, problem: 'wrong_anchor', detail: `the anchor of entry ${seq} is not genuine` };
  if (anchor.digest === digest) return undefined;
  return { seq, problem: 'wrong_anchor', detail: `entry ${seq} is another one than the one that was anchored at ${day}` };
}

function faultOfEnds(key: AuditKey, ends: AuditChainRow, last: { readonly seq: number; readonly digest: string }): AuditFault | undefined {
  if (last.seq < ends.seq) return missing(last.seq + 1, ends.seq);
  const isNew = ends.mac === '' && ends.seq === 0 && ends.start_seq === 1;
  if (last.digest !== ends.digest || (!isNew && macOfEnds(key, ends) !== ends.mac))
    return { seq: null, problem: 'ends_edited', detail: 'the record of the first and the last entry is not what was written' };
  return undefined;
}

/** Anchors that were not met on the way: those before the start are of what retention removed. */
function faultOfRest(
  key: AuditKey,
  anchors: readonly (Anchor | undefined)[],
  kept: { readonly first: number; readonly last: number },
): AuditFault | undefined {
  for (const anchor of anchors) {
    if (anchor === undefined) return { seq: null, problem: 'wrong_anchor', detail: 'a line of the file of anchors is not readable' };
    if (macOfAnchor(key, anchor) !== anchor.mac)
      return { seq: anchor.seq, problem: 'wrong_anchor', detail: `the anchor of entry ${anchor.seq} is not genuine` };
    if (anchor.seq > kept.last) return missing(kept.last + 1, anchor.seq);
  }
  return undefined;
}
