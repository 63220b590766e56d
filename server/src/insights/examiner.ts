import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { Examination, PairQuestion } from '@nines/maths/insights/examine.ts';
import { type Examined, HOUR_MS, type Outcome } from '@nines/maths/insights/examined.ts';
import type { TogetherFinding } from '@nines/maths/insights/together.ts';
import { labelsToRecord } from '@nines/model/labels.ts';
import type { SampleQuery } from '../collect/contract.ts';
import type { Candidate } from './candidates.ts';
import { hourly, LOOKBACK_MS, READ_STEP_MS } from './history.ts';
import { narrowed } from './narrow.ts';
import { pairsOf } from './pairs.ts';
import type { Found, Tests } from './rank.ts';
import { aheadSaid, exhaustionSaid, rhythmSaid, type Said, type Series, togetherSaid, trendSaid, unusualSaid } from './words.ts';

/** Expressions, series of one of them and of all together, pairs, and time of one run. */
export const RUN_LIMITS = { expressions: 200, seriesOfOne: 100, series: 400, pairs: 300, sliceMs: 120 * SECOND_MS };
/** Pairs of one question to the threads. */
const PAIRS_TOGETHER = 25;

/** How this domain has its values examined: in threads, one question at a time. */
export type AskExaminations = {
  (question: 'examination', series: Examined): Promise<Examination>;
  (question: 'relations', pairs: PairQuestion): Promise<readonly Outcome<TogetherFinding>[]>;
};

export type ExaminerDeps = {
  readonly clock: Clock;
  readonly samples: SampleQuery;
  readonly ask: AskExaminations;
  readonly candidates: () => readonly Candidate[];
  readonly limits?: Partial<typeof RUN_LIMITS>;
};

export type FoundHere = Found & { readonly series: readonly Series[] };
export type RunResult = {
  readonly found: readonly FoundHere[];
  readonly tests: Tests;
  readonly expressions: number;
  readonly series: number;
  readonly refused: Readonly<Record<string, number>>;
  readonly left: number;
  /** Whether what a fingerprint stands for was looked at in this run. */
  readonly looked: (fingerprint: string) => boolean;
};

/** Reads and examines in turn what there is, for as long as one run may take; the next one goes on where it stopped. */
export class Examiner {
  readonly #deps: ExaminerDeps;
  readonly #limits: typeof RUN_LIMITS;
  #next = 0;

  constructor(deps: ExaminerDeps) {
    this.#deps = deps;
    this.#limits = { ...RUN_LIMITS, ...deps.limits };
  }

  async run(nowMs: number, signal?: AbortSignal): Promise<RunResult> {
    const { clock } = this.#deps;
    const all = this.#deps.candidates();
    const own = all.slice(0, this.#limits.expressions);
    const run = new Run();
    run.refuse('too_many_expressions', all.length - own.length);
    const untilMs = clock.monotonic() + this.#limits.sliceMs;
    const endMs = Math.floor(nowMs / HOUR_MS) * HOUR_MS;
    const start = own.length === 0 ? 0 : this.#next % own.length;
    let done = 0;
    for (; done < own.length && clock.monotonic() < untilMs && run.series.length < this.#limits.series; done++) {
      signal?.throwIfAborted();
      const candidate = own[(start + done) % own.length];
      if (candidate !== undefined) await this.#examine(run, candidate, endMs);
    }
    this.#next = start + done;
    await this.#relate(run, untilMs);
    return {
      found: run.found,
      tests: run.tests,
      expressions: done,
      series: run.series.length,
      refused: Object.fromEntries(run.refused),
      left: own.length - done,
      looked: (fingerprint) => run.looked.has(sourceOf(fingerprint)) || (done === own.length && run.series.length < this.#limits.series),
    };
  }

  async #examine(run: Run, candidate: Candidate, endMs: number): Promise<void> {
    for (const series of await this.#read(run, candidate, endMs)) {
      if (run.series.length >= this.#limits.series) {
        run.refuse('too_many_series');
        continue;
      }
      run.series.push(series);
      run.looked.add(sourceOf(fingerprintOf(series)));
      try {
        run.take(series, await this.#deps.ask('examination', series.examined));
      } catch {
        run.refuse('not_calculated');
      }
    }
  }

  async #read(run: Run, candidate: Candidate, endMs: number): Promise<readonly Series[]> {
    const { samples } = this.#deps;
    try {
      const counted = await samples.instant(`count(${candidate.expr})`, endMs);
      const count = counted[0]?.value ?? 0;
      if (count > this.#limits.seriesOfOne) {
        run.refuse('too_many_series', count);
        return [];
      }
      const span = { fromMs: endMs - LOOKBACK_MS, toMs: endMs, stepMs: READ_STEP_MS };
      const found = await samples.range(candidate.expr, span, { wholeSteps: true });
      if (found.length === 0) run.refuse('no_series');
      return found.flatMap((series): Series[] => {
        const history = hourly(series, endMs);
        if ('reason' in history) {
          run.refuse(history.reason);
          return [];
        }
        return [seriesOf(candidate, labelsToRecord(series.labels), history)];
      });
    } catch (thrown) {
      run.refuse('not_readable');
      run.faults.push(messageOf(thrown));
      return [];
    }
  }

  async #relate(run: Run, untilMs: number): Promise<void> {
    const { clock, ask } = this.#deps;
    const pairs = pairsOf(run.series.map(({ candidate, subject }) => ({ ...candidate, subjectKey: subject.key })));
    run.refuse('too_many_pairs', Math.max(0, pairs.length - this.#limits.pairs));
    for (let from = 0; from < Math.min(pairs.length, this.#limits.pairs); from += PAIRS_TOGETHER) {
      if (clock.monotonic() >= untilMs) return;
      const some = pairs.slice(from, Math.min(from + PAIRS_TOGETHER, this.#limits.pairs));
      const used = [...new Set(some.flat())];
      const place = new Map(used.map((index, k) => [index, k]));
      const question = {
        series: used.flatMap((index) => run.series[index]?.examined ?? []),
        pairs: some.map(([i, j]): [number, number] => [place.get(i) ?? -1, place.get(j) ?? -1]),
      };
      try {
        const outcomes = await ask('relations', question);
        some.forEach(([i, j], k) => run.takePair(run.series[i], run.series[j], outcomes[k]));
      } catch {
        run.refuse('not_calculated', some.length);
      }
    }
  }
}

function seriesOf(candidate: Candidate, labels: Readonly<Record<string, string>>, history: Pick<Examined, 'values' | 'startMs'>): Series {
  const { role, leastChange, limit, side } = candidate;
  return {
    candidate,
    labels,
    subject: candidate.subjectOf(labels),
    expr: narrowed(candidate.expr, labels),
    examined: {
      ...history,
      role,
      leastChange,
      ...(limit === undefined ? {} : { limit }),
      ...(side === undefined ? {} : { side }),
    },
  };
}

/** The same for a series in every run. */
const fingerprintOf = ({ candidate, labels }: Series): string =>
  `${candidate.expr}${JSON.stringify(Object.entries(labels).sort(([one], [other]) => (one < other ? -1 : 1)))}`;
/** Without the kind that stands in front; of a pair, its first series. */
const sourceOf = (fingerprint: string): string => fingerprint.replace(/^[a-z_]+\n/, '').split('\n')[0] ?? '';

/** What one run gathers. */
class Run {
  readonly series: Series[] = [];
  readonly found: FoundHere[] = [];
  readonly looked = new Set<string>();
  readonly refused = new Map<string, number>();
  readonly faults: string[] = [];
  readonly tests = { forecasts: 0, others: 0 };

  refuse(reason: string, count = 1): void {
    if (count > 0) this.refused.set(reason, (this.refused.get(reason) ?? 0) + count);
  }

  take(series: Series, said: Examination): void {
    const trend = this.#tested(said.trend);
    const exhaustion = this.#tested(said.exhaustion);
    const unusual = this.#tested(said.unusual);
    const rhythm = this.#tested(said.rhythm);
    const ahead = this.#tested(said.ahead, 'forecasts');
    if (unusual !== undefined) this.#add([series], unusualSaid(series, unusual.found), { p: unusual.p });
    if (rhythm !== undefined) this.#add([series], rhythmSaid(series, rhythm.found), { p: rhythm.p });
    if (ahead !== undefined) this.#add([series], aheadSaid(series, ahead.found), { p: ahead.p, dueMs: ahead.found.crossesAtMs });
    if (exhaustion !== undefined) {
      const { days, toMs } = exhaustion.found;
      const dueMs = days === null ? Number.MAX_SAFE_INTEGER : toMs + days.expected * 24 * HOUR_MS;
      this.#add([series], exhaustionSaid(series, exhaustion.found), { p: exhaustion.p, dueMs });
    }
    if (trend !== undefined) this.#add([series], trendSaid(series, trend.found), { p: trend.p, dueMs: Number.POSITIVE_INFINITY });
  }

  takePair(first: Series | undefined, second: Series | undefined, outcome: Outcome<TogetherFinding> | undefined): void {
    if (first === undefined || second === undefined || outcome === undefined) return;
    const found = this.#tested(outcome);
    if (found !== undefined) this.#add([first, second], togetherSaid(first, second, found.found), { p: found.p });
  }

  #tested<F>(outcome: Outcome<F>, family: keyof Tests = 'others'): { readonly found: F; readonly p: number } | undefined {
    if ('reason' in outcome) {
      this.refuse(outcome.reason);
      if (outcome.tested) this.tests[family]++;
      return undefined;
    }
    this.tests[family]++;
    return outcome;
  }

  #add(series: readonly Series[], said: Said, { p, dueMs }: { readonly p: number; readonly dueMs?: number }): void {
    const sources = series.map(fingerprintOf);
    this.found.push({
      series,
      said,
      p,
      subjectKey: series.map(({ subject }) => subject.key).join(' + '),
      fingerprint: [said.kind, ...sources].join('\n'),
      ...(dueMs === undefined ? {} : { movement: { key: sources.join('\n'), dueMs } }),
    });
  }
}
