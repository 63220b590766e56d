import { type PageHead, type PageQuery, type PageStore, ROLLUP_WINDOW_MS } from '../contract.ts';
import type { Steps } from '../steps.ts';

/** Days of a range that is looked up in one go with what `find` keeps; beyond, heads would push out what dashboards ask for. */
const KEPT_DAYS = 8;

/**
 * `PageStore.find` a day at a time, with a chance to yield between two days: reading the heads of months takes far longer than anybody may hold the
 * event loop. Ascending by id. Pages that change meanwhile may be missing or gone, as with any walk in steps.
 */
export function* findInSteps(pageStore: PageStore, query: PageQuery): Steps<readonly PageHead[]> {
  const days = pageStore.days();
  const [first, last] = [days[0]?.dayMs, days.at(-1)?.dayMs];
  if (first === undefined || last === undefined) return [];
  // A day is open on the left, so its first instant is the one after; pages of the last one may reach a window further.
  const fromMs = Math.max(query.fromMs, first);
  const toMs = Math.min(query.toMs, last + 2 * ROLLUP_WINDOW_MS);
  if (toMs - fromMs <= ROLLUP_WINDOW_MS) return fromMs > toMs ? [] : pageStore.find({ ...query, fromMs, toMs });
  const passing = toMs - fromMs > KEPT_DAYS * ROLLUP_WINDOW_MS;
  const found: PageHead[] = [];
  for (let dayMs = fromMs; dayMs <= toMs; ) {
    const nextMs = (Math.floor(dayMs / ROLLUP_WINDOW_MS) + 1) * ROLLUP_WINDOW_MS;
    // One that reaches back before this day was found there.
    for (const page of pageStore.find({ ...query, fromMs: dayMs, toMs: Math.min(toMs, nextMs - 1), passing }))
      if (dayMs === fromMs || page.fromMs >= dayMs) found.push(page);
    dayMs = nextMs;
    yield;
  }
  return found.sort((a, b) => a.id - b.id);
}
