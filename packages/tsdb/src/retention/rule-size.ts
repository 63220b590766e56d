import { sharesOf } from '../codec/page.ts';
import {
  CorruptData,
  type PageHead,
  type PageWindow,
  RESOLUTIONS,
  type Resolution,
  ROLLUP_WINDOW_MS,
  type RuleExcess,
  WINDOW_MS,
} from '../contract.ts';
import { ROLLUP_RESOLUTIONS, type RetentionRule, rollsUp, sizeCutMs } from './policy.ts';
import { type RetainDeps, dropFromWindow, rolledUpToMs } from './retain.ts';

/**
 * What the series of each rule take on pages, and what of it goes beyond a rule's size. Series share pages: a page's packed bytes are divided among its
 * series by what their columns take unpacked, so all rules together take what all pages take.
 */
type Sized = { readonly windowMs: number; readonly bytes: number };
type Known = { readonly seen: PageWindow; readonly byRule: Float64Array };

/** The figures of windows whose pages have not changed are kept from one run to the next. */
export class RuleSizes {
  readonly #known = new Map<Resolution, ReadonlyMap<number, Known>>();

  /** The windows of a resolution, ascending, with what each rule's series take there. Others get a turn between pages. */
  async measure(
    deps: RetainDeps,
    resolutionMs: Resolution,
  ): Promise<readonly { readonly windowMs: number; readonly byRule: Float64Array }[]> {
    const before = this.#known.get(resolutionMs);
    const measured = new Map<number, Known>();
    for (const seen of deps.pageStore.windows(resolutionMs)) {
      const known = before?.get(seen.windowMs);
      const isKnown = known !== undefined && isSame(known.seen, seen);
      measured.set(seen.windowMs, isKnown ? known : { seen, byRule: await measureWindow(deps, resolutionMs, seen.windowMs) });
    }
    this.#known.set(resolutionMs, measured);
    return Array.from(measured, ([windowMs, { byRule }]) => ({ windowMs, byRule }));
  }
}

/** A page is never written over without another length, or it gets a higher id. */
const isSame = (a: PageWindow, b: PageWindow): boolean => a.pages === b.pages && a.bytes === b.bytes && a.lastId === b.lastId;

async function measureWindow(deps: RetainDeps, resolutionMs: Resolution, windowMs: number): Promise<Float64Array> {
  const byRule = new Float64Array(deps.rules.policy.rules.length);
  const lengthMs = resolutionMs === 0 ? WINDOW_MS : ROLLUP_WINDOW_MS;
  for (const page of deps.pageStore.find({ resolutionMs, fromMs: windowMs, toMs: windowMs + lengthMs })) {
    if (page.windowMs !== windowMs) continue;
    measurePage(deps, page, byRule);
    await deps.disk.yield();
  }
  return byRule;
}

function measurePage({ head, rules, pages }: RetainDeps, page: PageHead, byRule: Float64Array): void {
  const add = (rule: number, bytes: number): void => {
    byRule[rule] = (byRule[rule] ?? 0) + bytes;
  };
  const ruleOf = (ref: number): number | undefined => (head.index.isLive(ref) ? rules.numberOf(ref) : undefined);
  const refs = pages.refsOf(page);
  const first = ruleOf(refs[0] ?? -1);
  // Pages hold neighbours, which mostly have one rule: no need to unpack them.
  if (first !== undefined && refs.every((ref) => ruleOf(ref) === first)) return add(first, page.bytes);
  const decoded = pages.open(page);
  if (decoded === undefined) return;
  try {
    sharesOf(decoded).forEach((share, place) => {
      const rule = ruleOf(decoded.refs[place] ?? -1);
      if (rule !== undefined) add(rule, share * page.bytes);
    });
  } catch (thrown) {
    if (!(thrown instanceof CorruptData)) throw thrown;
    pages.report(page, thrown);
  }
}

/**
 * Drops the oldest samples, and when these are not enough the oldest rollups, of every rule whose series take more than its size. `buckets` and
 * `samples` are how many went.
 */
export async function dropByRuleSize(
  deps: RetainDeps,
  { nowMs, sizes }: { readonly nowMs: number; readonly sizes: RuleSizes },
): Promise<{ readonly samples: number; readonly buckets: number; readonly excess: readonly RuleExcess[] }> {
  const total = { samples: 0, buckets: 0 };
  const excess: RuleExcess[] = [];
  const limited = [...deps.rules.policy.rules.entries()].filter(([, rule]) => rule.sizeBytes !== undefined);
  if (limited.length === 0) return { ...total, excess };
  const taken = new Map<Resolution, Awaited<ReturnType<RuleSizes['measure']>>>();
  for (const resolutionMs of RESOLUTIONS) taken.set(resolutionMs, await sizes.measure(deps, resolutionMs));
  for (const [number, rule] of limited) {
    const windowsOf = (resolutionMs: Resolution): readonly Sized[] =>
      (taken.get(resolutionMs) ?? []).flatMap(({ windowMs, byRule }) =>
        (byRule[number] ?? 0) > 0 ? [{ windowMs, bytes: byRule[number] ?? 0 }] : [],
      );
    const gone = await dropOfRule(deps, { rule, number, windowsOf, nowMs });
    total.samples += gone.samples;
    total.buckets += gone.buckets;
    if (gone.excessBytes > 0) excess.push({ rule: number, bytes: Math.ceil(gone.excessBytes) });
  }
  return { ...total, excess };
}

type OfRule = {
  readonly rule: RetentionRule;
  readonly number: number;
  readonly windowsOf: (resolutionMs: Resolution) => readonly Sized[];
  readonly nowMs: number;
};

async function dropOfRule(
  deps: RetainDeps,
  { rule, number, windowsOf, nowMs }: OfRule,
): Promise<{ readonly samples: number; readonly buckets: number; readonly excessBytes: number }> {
  const isOfRule = (ref: number): boolean => deps.rules.numberOf(ref) === number;
  let samples = 0;
  let buckets = 0;
  let excessBytes =
    RESOLUTIONS.flatMap(windowsOf).reduce((sum, { bytes }) => sum + bytes, 0) - (rule.sizeBytes ?? Number.POSITIVE_INFINITY);
  if (excessBytes <= 0) return { samples, buckets, excessBytes: 0 };
  const upToMs = Math.min(rollsUp(rule) ? rolledUpToMs(deps) : Number.POSITIVE_INFINITY, nowMs);
  const { cutMs, freedBytes } = sizeCutMs(windowsOf(0), excessBytes, upToMs);
  for (const { windowMs } of windowsOf(0))
    if (windowMs < cutMs) samples += await dropFromWindow(deps, { resolutionMs: 0, windowMs }, isOfRule);
  excessBytes -= freedBytes;
  for (const resolutionMs of ROLLUP_RESOLUTIONS) {
    for (const { windowMs, bytes } of windowsOf(resolutionMs)) {
      if (excessBytes <= 0) break;
      buckets += await dropFromWindow(deps, { resolutionMs, windowMs }, isOfRule);
      excessBytes -= bytes;
    }
  }
  return { samples, buckets, excessBytes: Math.max(0, excessBytes) };
}
