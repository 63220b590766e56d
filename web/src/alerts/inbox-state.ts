/** The inbox as a list that changes alert by alert, never as a whole: what a fact does to the pages that were read. Pure. */
import type { AlertView } from '../api/wire.ts';
import { SEVERITY_ORDER } from '../states/words.ts';

export type AlertPage = { readonly items: readonly AlertView[]; readonly next?: string | null };

/** What has not fired yet comes behind what has. */
const rankOf = ({ severity, condition }: AlertView): number => (SEVERITY_ORDER[severity] ?? 9) + (condition === 'pending' ? 10 : 0);

/** Worst first, then newest, then by id: the order of the server's list. */
export function byUrgency(a: AlertView, b: AlertView): number {
  return rankOf(a) - rankOf(b) || b.starts_at_ms - a.starts_at_ms || (a.id < b.id ? 1 : -1);
}

export type AlertFact = {
  readonly alert: AlertView;
  /** Whether it belongs into the list now; undefined when only the server can tell. */
  readonly belongs: boolean | undefined;
};

/** The pages after one fact: an alert that is there changes in its place or goes, one that came is put where it belongs. */
export function withFact(pages: readonly AlertPage[], { alert, belongs }: AlertFact): readonly AlertPage[] {
  const at = pages.findIndex(({ items }) => items.some(({ id }) => id === alert.id));
  if (at >= 0) {
    return pages.map((page, index) => {
      if (index !== at) return page;
      const gone = belongs === false;
      const items = gone ? page.items.filter(({ id }) => id !== alert.id) : page.items.map((one) => (one.id === alert.id ? alert : one));
      return { ...page, items };
    });
  }
  if (belongs !== true) return pages;
  for (const [index, page] of pages.entries()) {
    const place = page.items.findIndex((one) => byUrgency(alert, one) < 0);
    const isLast = index === pages.length - 1;
    if (place < 0 && !(isLast && (page.next ?? null) === null)) continue;
    const items = page.items.toSpliced(place < 0 ? page.items.length : place, 0, alert);
    return pages.map((one, i) => (i === index ? { ...page, items } : one));
  }
  // It comes after all that was read: the next page will bring it.
  return pages;
}
