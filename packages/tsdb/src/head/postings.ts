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

  remove(nameId: number, valueId: number, ref: number): void {
    const values = this.#byName.get(nameId);
    const posting = values?.get(valueId);
    if (values === undefined || posting === undefined) return;
    if (typeof posting !== 'number') {
      const at = posting.refs.subarray(0, posting.length).indexOf(ref);
      if (at < 0) return;
      posting.refs.copyWithin(at, at + 1, posting.length);
      posting.length--;
      if (posting.length > 0) return;
    } else if (posting !== ref) return;
    values.delete(valueId);
    if (values.size === 0) this.#byName.delete(nameId);
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
