import { startLoop } from '../platform/loop.ts';
import { type CandidateSources, candidatesOf } from './candidates.ts';
import { Examiner, type ExaminerDeps } from './examiner.ts';
import { FIRST_AFTER_MS, InsightService, type InsightDeps, RUN_EVERY_MS } from './service.ts';

export type InsightsDeps = Omit<InsightDeps, 'examiner'> & Omit<ExaminerDeps, 'candidates'> & CandidateSources;

/** Looks for insights once an hour from now on. */
export function openInsights(deps: InsightsDeps): AsyncDisposable & { readonly insights: InsightService; readonly runSoon: () => void } {
  const { clock, logger } = deps;
  const examiner = new Examiner({ ...deps, candidates: () => candidatesOf(deps) });
  const insights = new InsightService({ ...deps, examiner });
  const loop = startLoop({
    clock,
    logger,
    name: 'insights',
    everyMs: RUN_EVERY_MS,
    firstAfterMs: FIRST_AFTER_MS,
    step: (_nowMs, signal) => insights.run(signal),
  });
  return { insights, runSoon: () => loop.poke(), [Symbol.asyncDispose]: () => loop[Symbol.asyncDispose]() };
}
