import { type Json, canonicalJson } from '@nines/base/canonical-json.ts';
import type { AuditChainRow, AuditRow } from '../platform/db/migrations/0042-audit.ts';
import type { AuditKey, AuditKeys } from '../platform/signing/audit-key.ts';
import { type AuditFault, type AuditVerdict, KEY_ROTATED } from './contract.ts';

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
export async function verifyChain(keys: AuditKeys, { rows, ends, anchors }: Chain): Promise<AuditVerdict> {
  const bySeq = new Map(anchors.flatMap((anchor) => (anchor === undefined ? [] : [[anchor.seq, anchor] as const])));
  let last: Last = { seq: ends.start_seq - 1, digest: ends.start_prev, nextKeyId: undefined };
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
    const fault = faultOfRow(keys, row, { last, ends });
    if (fault !== undefined) return verdict(fault);
    const anchor = bySeq.get(row.seq);
    if (anchor !== undefined) {
      const wrong = faultOfAnchor(keys, anchor, row.digest);
      if (wrong !== undefined) return verdict(wrong);
      anchorsMet++;
    }
    last = { seq: row.seq, digest: row.digest, nextKeyId: row.action === KEY_ROTATED ? (row.object_id ?? '') : row.key_id };
    entries++;
  }
  return verdict(faultOfEnds(keys, ends, last) ?? faultOfRest(keys, anchors, { first: ends.start_seq, last: last.seq }));
}

/** What the next entry must follow. `nextKeyId` is undefined before the first entry that is kept. */
type Last = { readonly seq: number; readonly digest: string; readonly nextKeyId: string | undefined };

function faultOfRow(
  keys: AuditKeys,
  row: AuditRow,
  { last, ends }: { readonly last: Last; readonly ends: AuditChainRow },
): AuditFault | undefined {
  const { seq } = row;
  if (seq <= last.seq)
    return { seq, problem: 'inserted', detail: `entry ${seq} stands before the first one that is kept, ${ends.start_seq}` };
  if (seq > ends.seq) return { seq, problem: 'inserted', detail: `entry ${seq} stands after the last one that was written, ${ends.seq}` };
  if (seq !== last.seq + 1) return missing(last.seq + 1, seq - 1);
  const key = keys.all.find(({ id }) => id === row.key_id);
  if (key === undefined)
    return { seq, problem: 'edited', detail: `entry ${seq} says that it was made with the key ${row.key_id}, which is not one of ours` };
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
  // Whoever has a key that was replaced must not go on with it.
  if (last.nextKeyId !== undefined && row.key_id !== last.nextKeyId)
    return { seq, problem: 'edited', detail: `entry ${seq} was made with the key ${row.key_id}; its time was that of ${last.nextKeyId}` };
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

const isGenuine = (keys: AuditKeys, anchor: Anchor): boolean => keys.all.some((key) => macOfAnchor(key, anchor) === anchor.mac);

function faultOfAnchor(keys: AuditKeys, anchor: Anchor, digest: string): AuditFault | undefined {
  const { seq, at_ms } = anchor;
  const day = new Date(at_ms).toISOString();
  if (!isGenuine(keys, anchor)) return { seq, problem: 'wrong_anchor', detail: `the anchor of entry ${seq} is not genuine` };
  if (anchor.digest === digest) return undefined;
  return { seq, problem: 'wrong_anchor', detail: `entry ${seq} is another one than the one that was anchored at ${day}` };
}

function faultOfEnds(keys: AuditKeys, ends: AuditChainRow, last: Last): AuditFault | undefined {
  if (last.seq < ends.seq) return missing(last.seq + 1, ends.seq);
  const isNew = ends.mac === '' && ends.seq === 0 && ends.start_seq === 1;
  const wrong = (detail: string): AuditFault => ({ seq: null, problem: 'ends_edited', detail });
  const at = keys.all.findIndex(({ id }) => id === (last.nextKeyId ?? keys.current.id));
  const key = keys.all[at];
  if (last.digest !== ends.digest || (!isNew && (key === undefined || macOfEnds(key, ends) !== ends.mac)))
    return wrong('the record of the first and the last entry is not what was written');
  // An older key that somebody kept could otherwise cut the log off before the rotation that replaced it.
  if (at < keys.all.findIndex(({ id }) => id === keys.current.id))
    return wrong(`the log ends under the key ${key?.id}, which was replaced by ${keys.current.id}`);
  return undefined;
}

/** Anchors that were not met on the way: those before the start are of what retention removed. */
function faultOfRest(
  keys: AuditKeys,
  anchors: readonly (Anchor | undefined)[],
  kept: { readonly first: number; readonly last: number },
): AuditFault | undefined {
  for (const anchor of anchors) {
    if (anchor === undefined) return { seq: null, problem: 'wrong_anchor', detail: 'a line of the file of anchors is not readable' };
    if (!isGenuine(keys, anchor))
      return { seq: anchor.seq, problem: 'wrong_anchor', detail: `the anchor of entry ${anchor.seq} is not genuine` };
    if (anchor.seq > kept.last) return missing(kept.last + 1, anchor.seq);
  }
  return undefined;
}
