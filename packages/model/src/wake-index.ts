import type { Matcher } from '@nines/base/matcher.ts';
import { type Labels, METRIC_NAME, labelValue } from './labels.ts';
import { NO_SERIES } from './storage.ts';

/** Who wants to be woken by which series: one entry of `selectors` matching is enough. */
export type Listener = { readonly selectors: readonly (readonly Matcher[])[] };

/** Series whose listeners are remembered at first and at most, 8 bytes each. */
const MIN_REMEMBERED = 1 << 10;
const MAX_REMEMBERED = 1 << 21;

/**
 * From series to the rules that read them. Matching runs once per new series; afterwards a series costs one look-up per
 * request. Series without listeners are remembered too, since they are the many.
 */
export class WakeIndex {
  readonly #labelsOf: (ref: number) => Labels;
  readonly #byName = new Map<string, { listener: number; matchers: readonly Matcher[] }[]>();
  /** Selectors that name no metric by `=` must be tried on every new series. */
  readonly #anyName: { listener: number; matchers: readonly Matcher[] }[] = [];
  /**
   * Set number by series; sets are shared, as thousands of series have the same listeners. Place `ref & mask` belongs to the
   * series that stands in `#refs`: references are dense, so that live series get in each other's way only beyond the most.
   */
  #refs = new Uint32Array(MIN_REMEMBERED).fill(NO_SERIES);
  #setOfRef = new Uint32Array(MIN_REMEMBERED);
  readonly #sets: (readonly number[])[] = [[]];
  readonly #setByKey = new Map<string, number>([['', 0]]);

  constructor(listeners: readonly Listener[], labelsOf: (ref: number) => Labels) {
    this.#labelsOf = labelsOf;
    listeners.forEach(({ selectors }, listener) => {
      for (const matchers of selectors) {
        const name = matchers.find((matcher) => matcher.name === METRIC_NAME && matcher.op === '=' && matcher.value !== '')?.value;
        if (name === undefined) this.#anyName.push({ listener, matchers });
        else this.#byName.set(name, [...(this.#byName.get(name) ?? []), { listener, matchers }]);
      }
    });
  }

  /** Numbers of the listeners of any of `refs`. */
  wokenBy(refs: Uint32Array): ReadonlySet<number> {
    const woken = new Set<number>();
    const told = new Set<number>([0]);
    let last = 0;
    for (const ref of refs) {
      if (ref === NO_SERIES) continue;
      const set = this.#setOf(ref);
      if (set === last || set === 0) continue;
      last = set;
      if (told.has(set)) continue;
      told.add(set);
      for (const listener of this.#sets[set] ?? []) woken.add(listener);
    }
    return woken;
  }

  /** Numbers of the listeners of one series, ascending. */
  listenersOf(ref: number): readonly number[] {
    return this.#sets[this.#setOf(ref)] ?? [];
  }

  #setOf(ref: number): number {
    const place = ref & (this.#refs.length - 1);
    return this.#refs[place] === ref ? (this.#setOfRef[place] ?? 0) : this.#remember(ref);
  }

  #remember(ref: number): number {
    while (ref >= this.#refs.length && this.#refs.length < MAX_REMEMBERED) this.#grow();
    const set = this.#match(ref);
    const place = ref & (this.#refs.length - 1);
    this.#refs[place] = ref;
    this.#setOfRef[place] = set;
    return set;
  }

  #grow(): void {
    const refs = this.#refs;
    const sets = this.#setOfRef;
    this.#refs = new Uint32Array(2 * refs.length).fill(NO_SERIES);
    this.#setOfRef = new Uint32Array(2 * refs.length);
    // Below the most, a series stands at its own number: it keeps its place.
    this.#refs.set(refs);
    this.#setOfRef.set(sets);
  }

  #match(ref: number): number {
    const labels = this.#labelsOf(ref);
    const found = new Set<number>();
    for (const { listener, matchers } of [...(this.#byName.get(labelValue(labels, METRIC_NAME)) ?? []), ...this.#anyName]) {
      if (!found.has(listener) && matchers.every(({ name, matches }) => matches(labelValue(labels, name)))) found.add(listener);
    }
    const listeners = [...found].sort((a, b) => a - b);
    const key = listeners.join(',');
    const known = this.#setByKey.get(key);
    const set = known ?? this.#sets.push(listeners) - 1;
    if (known === undefined) this.#setByKey.set(key, set);
    return set;
  }
}
