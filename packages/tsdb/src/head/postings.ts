import { grownU32 } from './growing.ts';

/**
 * Which series carry a label pair: per label name a map from value to references, sorted. New references are above old
 * ones, so adding is appending (only a replayed log brings older ones). A pair of one series, by far the most common, is
 * the bare number.
 */
type Posting = number | PostingList;

type PostingList = { refs: Uint32Array<ArrayBuffer>; length: number };

export class Postings {
  readonly #byName = new Map<number, Map<number, Posting>>();

  add(nameId: number, valueId: number, ref: number): void {
    let values = this.#byName.get(nameId);
    if (values === undefined) {
      values = new Map();
      this.#byName.set(nameId, values);
    }
    const posting = values.get(valueId);
    if (posting === undefined) values.set(valueId, ref);
    else if (typeof posting === 'number')
      values.set(valueId, { refs: Uint32Array.of(Math.min(posting, ref), Math.max(posting, ref), 0, 0), length: 2 });
    else {
      posting.refs = grownU32(posting.refs, posting.length + 1);
      let at = posting.length++;
      for (; at > 0 && (posting.refs[at - 1] ?? 0) > ref; at--) posting.refs[at] = posting.refs[at - 1] ?? 0;
      posting.refs[at] = ref;
    }
  }

  /** Removes references, ascending in each list, from the lists they are in. */
  remove(gone: ReadonlyMap<number, ReadonlyMap<number, readonly number[]>>): void {
    for (const [nameId, lists] of gone) {
      const values = this.#byName.get(nameId);
      if (values === undefined) continue;
      for (const [valueId, refs] of lists) {
        const posting = values.get(valueId);
        if (posting === undefined) continue;
        if (typeof posting === 'number' || !removeSorted(posting, refs)) values.delete(valueId);
      }
      if (values.size === 0) this.#byName.delete(nameId);
    }
  }

  names(): Iterable<number> {
    return this.#byName.keys();
  }

  /** The values that series have for the name. */
  values(nameId: number): Iterable<number> {
    return this.#byName.get(nameId)?.keys() ?? [];
  }

  /** Sorted; valid until the next change. */
  refs(nameId: number, valueId: number): Uint32Array {
    const posting = this.#byName.get(nameId)?.get(valueId);
    if (posting === undefined) return new Uint32Array(0);
    return typeof posting === 'number' ? Uint32Array.of(posting) : posting.refs.subarray(0, posting.length);
  }

  /** Copies the references of a pair to `to` from `at` on and returns where they end. */
  copy(nameId: number, valueId: number, to: Uint32Array, at: number): number {
    const posting = this.#byName.get(nameId)?.get(valueId);
    if (posting === undefined) return at;
    if (typeof posting === 'number') {
      to[at] = posting;
      return at + 1;
    }
    to.set(posting.refs.subarray(0, posting.length), at);
    return at + posting.length;
  }

  /** Sets `marks[ref]` to 1 for each reference of a pair. */
  mark(nameId: number, valueId: number, marks: Uint8Array): void {
    const posting = this.#byName.get(nameId)?.get(valueId);
    if (posting === undefined) return;
    if (typeof posting === 'number') marks[posting] = 1;
    else for (let i = 0; i < posting.length; i++) marks[posting.refs[i] as number] = 1;
  }

  count(nameId: number, valueId: number): number {
    const posting = this.#byName.get(nameId)?.get(valueId);
    if (posting === undefined) return 0;
    return typeof posting === 'number' ? 1 : posting.length;
  }
}

/** Whether any reference is left. The array is made smaller when most of it has become empty. */
function removeSorted(list: PostingList, gone: readonly number[]): boolean {
  const { refs, length } = list;
  let i = lowerBound(list, gone[0] ?? 0);
  let kept = i;
  let next = 0;
  for (; i < length && next < gone.length; i++) {
    const ref = refs[i] ?? 0;
    while (next < gone.length && (gone[next] ?? 0) < ref) next++;
    if (gone[next] !== ref) refs[kept++] = ref;
  }
  refs.copyWithin(kept, i, length);
  kept += length - i;
  list.length = kept;
  if (kept * 4 < list.refs.length) list.refs = list.refs.slice(0, Math.max(4, kept));
  return kept > 0;
}

/** The place of the first reference that is not below `ref`. */
function lowerBound({ refs, length }: PostingList, ref: number): number {
  let from = 0;
  let to = length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if ((refs[middle] ?? 0) < ref) from = middle + 1;
    else to = middle;
  }
  return from;
}
