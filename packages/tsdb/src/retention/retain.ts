import { type PageHead, ROLLUP_WINDOW_MS, type Resolution, WINDOW_MS } from '../contract.ts';
import { type DeleteDeps, rewritePage } from '../delete.ts';
import { Columns } from '../codec/columns.ts';
import { rewriteRollupPage } from '../rollup/rewrite.ts';
import { ROLLUP_RESOLUTIONS, type RuleBook, rollsUp, samplesCutMs, sizeCutMs } from './policy.ts';

/**
 * What retention drops besides the samples that no rule keeps any more (`Store.deleteBefore`): samples and rollups of rules that
 * keep less than others, samples beyond a number of points, and the oldest of everything beyond a size. All in whole windows,
 * page by page; others get a turn between pages.
 */
export type RetainDeps = DeleteDeps & {
  readonly rules: RuleBook;
  readonly exclusively: <T>(step: () => Promise<T>) => Promise<T>;
  /** Something of the resolution before this instant is about to be dropped. */
  readonly droppedBefore: (resolutionMs: Resolution, atMs: number) => void;
};

/** Windows per resolution whose pages were looked at for rules that keep less than others: the cuts of the last run, by rule. */
export type DoneCuts = Map<Resolution, readonly number[]>;

/** Up to here the days of all series that are rolled up have been. */
export function rolledUpToMs({ pageStore }: Pick<RetainDeps, 'pageStore'>): number {
  return pageStore.days().find(({ current }) => !current)?.dayMs ?? Number.POSITIVE_INFINITY;
}

/** The exact instant before which no rule keeps samples. */
export function commonCutMs({ rules, pageStore }: RetainDeps, nowMs: number): number {
  const rolledMs = rolledUpToMs({ pageStore });
  return Math.min(
    ...rules.policy.rules.map((rule) => (rollsUp(rule) ? Math.min(nowMs - rule.samplesMs, rolledMs) : nowMs - rule.samplesMs)),
  );
}

/** Drops by age what some rules no longer keep. Returns how many samples (resolution 0) or buckets went. */
export async function dropByAge(
  deps: RetainDeps,
  resolutionMs: Resolution,
  { nowMs, done }: { readonly nowMs: number; readonly done: DoneCuts },
): Promise<number> {
  const { rules, pageStore } = deps;
  const lengthMs = resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS;
  const rolledMs = rolledUpToMs(deps);
  const cuts = rules.policy.rules.map((rule) =>
    resolutionMs === 0 ? samplesCutMs(rule, nowMs, rolledMs) : nowMs - rule.rollupMs[resolutionMs],
  );
  const before = done.get(resolutionMs) ?? cuts.map(() => Number.NEGATIVE_INFINITY);
  const isDue = (endMs: number): boolean =>
    cuts.some((cutMs, rule) => endMs <= cutMs && endMs > (before[rule] ?? Number.NEGATIVE_INFINITY));
  let dropped = 0;
  for (const { windowMs } of pageStore.windows(resolutionMs)) {
    if (!isDue(windowMs + lengthMs)) continue;
    const isGone = (ref: number): boolean => windowMs + lengthMs <= (cuts[rules.numberOf(ref)] ?? 0);
    dropped += await dropFromWindow(deps, { resolutionMs, windowMs }, isGone);
  }
  done.set(resolutionMs, cuts);
  return dropped;
}

/** Drops the samples of series in a window. */
export async function dropFromWindow(
  deps: RetainDeps,
  { resolutionMs, windowMs }: { readonly resolutionMs: Resolution; readonly windowMs: number },
  isGone: (ref: number) => boolean,
): Promise<number> {
  const lengthMs = resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS;
  let dropped = 0;
  const found = deps.pageStore.find({ resolutionMs, fromMs: windowMs, toMs: windowMs + lengthMs });
  for (const page of found) {
    if (page.windowMs !== windowMs) continue;
    // A page that was joined with others meanwhile is not there any more; what became of it has its turn at the next run.
    dropped += await deps.exclusively(async () => (deps.pageStore.read(page.id) === undefined ? 0 : dropFromPage(deps, page, isGone)));
    await deps.disk.yield();
  }
  return dropped;
}

function dropFromPage(deps: RetainDeps, page: PageHead, isGone: (ref: number) => boolean): number {
  const { head, pageStore, pages, changed, droppedBefore } = deps;
  const refs = pages.refsOf(page);
  const gone = refs.filter((ref) => !head.index.isLive(ref) || isGone(ref));
  if (gone.length === 0) return 0;
  droppedBefore(page.resolutionMs, page.windowMs + (page.resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS));
  if (gone.length === refs.length) {
    pageStore.commit({ removePages: [page.id], keepsRollups: true });
    pages.forget(page.id);
    changed();
    return page.samples;
  }
  const goes = new Set(gone);
  if (page.resolutionMs > 0) {
    const edit = (ref: number, buckets: Parameters<Parameters<typeof rewriteRollupPage>[2]['edit']>[1]): number => {
      if (!goes.has(ref)) return 0;
      const { length } = buckets.first;
      buckets.first.clear();
      return length;
    };
    return rewriteRollupPage(deps, page, { edit, keepsRollups: true });
  }
  return rewritePage(deps, page, { refs: goes, fromMs: page.fromMs, toMs: page.toMs, keepsRollups: true });
}

/** Drops what lies before the newest points of each series, of rules that keep a number of them. Returns how many samples went. */
export async function dropByPoints(deps: RetainDeps): Promise<number> {
  const { head, rules, pageStore, pages, disk } = deps;
  if (rules.policy.rules.every(({ points }) => points === undefined)) return 0;
  const rolledMs = rolledUpToMs(deps);
  /** Points found so far, from the newest window on. */
  const counts = new Map<number, number>();
  const limitOf = (ref: number): number => (head.index.isLive(ref) ? (rules.ruleOf(ref).points ?? Number.POSITIVE_INFINITY) : 0);
  for (let ref = 0; ref < head.index.nextRef; ref++)
    if (head.hasSamples(ref) && limitOf(ref) < Infinity) counts.set(ref, inMemory(deps, ref));
  let dropped = 0;
  for (const { windowMs } of pageStore.windows(0).toReversed()) {
    const full = new Set<number>();
    for (const [ref, count] of counts) if (count >= limitOf(ref)) full.add(ref);
    for (const page of pageStore.find({ fromMs: windowMs, toMs: windowMs + WINDOW_MS - 1 })) {
      const decoded = pages.refsOf(page).some((ref) => limitOf(ref) < Number.POSITIVE_INFINITY) ? pages.open(page) : undefined;
      decoded?.refs.forEach((ref, place) => {
        if (limitOf(ref) < Number.POSITIVE_INFINITY) counts.set(ref, (counts.get(ref) ?? 0) + decoded.timesOf(place).length);
      });
      await disk.yield();
    }
    const isGone = (ref: number): boolean => full.has(ref) && (!rollsUp(rules.ruleOf(ref)) || windowMs + WINDOW_MS <= rolledMs);
    if (full.size > 0) dropped += await dropFromWindow(deps, { resolutionMs: 0, windowMs }, isGone);
  }
  return dropped;
}

function inMemory({ head }: RetainDeps, ref: number): number {
  const columns = new Columns();
  head.read(ref, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, columns);
  return columns.length;
}

/** The instant before which samples must go for the whole to fit; and what then is still too much. */
export function sizeCut(deps: RetainDeps, nowMs: number): { readonly cutMs: number; readonly excessBytes: number } {
  const { rules, pageStore } = deps;
  const excessBytes = excessOf(deps);
  if (excessBytes <= 0) return { cutMs: Number.NEGATIVE_INFINITY, excessBytes: 0 };
  const upToMs = Math.min(rules.policy.rules.some(rollsUp) ? rolledUpToMs(deps) : Number.POSITIVE_INFINITY, nowMs);
  const { cutMs, freedBytes } = sizeCutMs(pageStore.windows(0), excessBytes, upToMs);
  return { cutMs, excessBytes: Math.max(0, excessBytes - freedBytes) };
}

export function excessOf({ rules, pageStore }: Pick<RetainDeps, 'rules' | 'pageStore'>): number {
  const { sizeBytes } = rules.policy;
  if (sizeBytes === undefined) return 0;
  return pageStore.totals(0).bytes + pageStore.totals(300_000).bytes + pageStore.totals(3_600_000).bytes - sizeBytes;
}

/** Drops the oldest rollups beyond the size, the finer ones first. Returns how many buckets went. */
export async function dropRollupsBySize(deps: RetainDeps): Promise<number> {
  let dropped = 0;
  for (const resolutionMs of ROLLUP_RESOLUTIONS) {
    for (const { windowMs } of deps.pageStore.windows(resolutionMs)) {
      if (excessOf(deps) <= 0) return dropped;
      dropped += await dropFromWindow(deps, { resolutionMs, windowMs }, () => true);
    }
  }
  return dropped;
}
