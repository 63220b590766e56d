import { type Histogram, added, hasCustomBuckets, haveSameBounds, scaled, subtracted, wasReset } from '@nines/model/histogram.ts';

/** The rate family over native histograms. Source of the rules: Prometheus' `histogramRate` and `instantValue`. */

/** What was odd about a window; the caller words it. */
export type HistogramNotes = {
  mixedBuckets(): void;
  notCounter(): void;
  notGauge(): void;
  reconciled(doing: 'addition' | 'subtraction'): void;
};

export type HistogramChange = { readonly counter: boolean; readonly notes: HistogramNotes };

/** The change over a window of at least two histograms, resets put right; undefined when their buckets cannot be compared. */
export function changeOf(window: readonly Histogram[], { counter, notes }: HistogramChange): Histogram | undefined {
  const [first, second] = window;
  const last = window.at(-1);
  if (first === undefined || second === undefined || last === undefined) throw new Error(`BUG: a change of ${window.length} histograms`);
  // A reset right behind the first sample makes its buckets irrelevant.
  const base = counter && wasReset(second, first) ? emptied(second) : first;
  const custom = hasCustomBuckets(base);
  if (hasCustomBuckets(last) !== custom) return mixed(notes);
  if (counter) {
    if (first.hint === 'gauge' || last.hint === 'gauge') notes.notCounter();
    for (const each of window.slice(1, -1)) {
      if (each.hint === 'gauge') notes.notCounter();
      if (hasCustomBuckets(each) !== custom) return mixed(notes);
    }
  } else if (first.hint !== 'gauge' || last.hint !== 'gauge') notes.notGauge();
  if (!haveSameBounds(last, base)) notes.reconciled('subtraction');
  let change = subtracted(last, base);
  if (change === undefined) return mixed(notes);
  if (!counter) return change;
  let before = base;
  for (const each of window.slice(1)) {
    if (wasReset(each, before)) {
      if (!haveSameBounds(change, before)) notes.reconciled('addition');
      change = added(change, before);
      if (change === undefined) return mixed(notes);
    }
    before = each;
  }
  return { ...change, hint: 'gauge' };
}

const emptied = (h: Histogram): Histogram => scaled(h, 0);

function mixed(notes: HistogramNotes): undefined {
  notes.mixedBuckets();
  return undefined;
}

/** `irate` and `idelta`: the change between the last two samples. */
export function lastChangeOf(before: Histogram, last: Histogram, { counter, notes }: HistogramChange): Histogram | undefined {
  if (counter && (before.hint === 'gauge' || last.hint === 'gauge')) notes.notCounter();
  if (!counter && (before.hint !== 'gauge' || last.hint !== 'gauge')) notes.notGauge();
  if (counter && wasReset(last, before)) return { ...last, hint: 'gauge' };
  const change = subtracted(last, before);
  if (change === undefined) return mixed(notes);
  if (!haveSameBounds(last, before)) notes.reconciled('subtraction');
  return change;
}
