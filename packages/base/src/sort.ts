/** Items sorted without a break: a few milliseconds for label sets, which are slow to compare. */
const RUN = 2048;

/**
 * Sorts like `Array.prototype.sort`, stable, but calls `yieldNow` now and then and awaits what that returns, so that a long list
 * does not hold up other work. Returns a new array, or `items` itself when that is short.
 */
export async function sortInTurns<T>(
  items: T[],
  compare: (a: T, b: T) => number,
  yieldNow: (() => Promise<void> | undefined) | undefined,
): Promise<T[]> {
  if (items.length <= RUN) return items.sort(compare);
  let sorted: T[] = [];
  for (let from = 0; from < items.length; from += RUN) {
    for (const item of items.slice(from, from + RUN).sort(compare)) sorted.push(item);
    await yieldNow?.();
  }
  for (let width = RUN; width < items.length; width *= 2) {
    const merged: T[] = [];
    for (let from = 0; from < items.length; from += 2 * width) {
      const middle = Math.min(from + width, items.length);
      const end = Math.min(from + 2 * width, items.length);
      let left = from;
      let right = middle;
      while (left < middle || right < end) {
        const takesLeft = right >= end || (left < middle && compare(sorted[left] as T, sorted[right] as T) <= 0);
        merged.push(sorted[takesLeft ? left++ : right++] as T);
        if (merged.length % RUN === 0) await yieldNow?.();
      }
    }
    sorted = merged;
  }
  return sorted;
}
