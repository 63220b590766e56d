/**
 * Which series have, or had, native histograms anywhere: those are read sample by sample and have no rollups. The page store keeps
 * the list (`histogram_refs`, in the commit that first has one of them on a page), since only unpacking would tell otherwise.
 */
export const HISTOGRAM_REFS_KEY = 'histogram_refs';

export class HistogramRefs {
  readonly #refs = new Set<number>();
  /** Some of them are not in the page store's list yet. */
  isNew = false;

  has(ref: number): boolean {
    return this.#refs.size > 0 && this.#refs.has(ref);
  }

  add(ref: number): void {
    if (this.#refs.has(ref)) return;
    this.#refs.add(ref);
    this.isNew = true;
  }

  /** Takes one from the page store's list. */
  load(ref: number): void {
    this.#refs.add(ref);
  }

  delete(ref: number): void {
    this.#refs.delete(ref);
  }

  /** As the page store keeps it: differences of ascending references in base 36. */
  text(): string {
    let before = 0;
    return [...this.#refs]
      .sort((a, b) => a - b)
      .map((ref) => {
        const difference = ref - before;
        before = ref;
        return difference.toString(36);
      })
      .join(' ');
  }
}

export function readHistogramRefs(text = ''): readonly number[] {
  let ref = 0;
  return text === '' ? [] : text.split(' ').map((difference) => (ref += Number.parseInt(difference, 36)));
}
