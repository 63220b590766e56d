import { availableParallelism } from 'node:os';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import type { Answer } from '@nines/maths/stats/refusal.ts';
import type { Appender } from '@nines/model/storage.ts';
import type { Kysely } from 'kysely';
import type { Ingest, SelfMetrics } from '../collect/contract.ts';
import type { Breath } from '../platform/breath.ts';
import type { Database } from '../platform/db/schema.ts';
import { ThreadPool } from '../platform/threads.ts';
import { CapacityTableService } from './capacity-table.ts';
import type { AnalyticsConfig } from './config.ts';
import { LoadTests, type LoadTestsDeps } from './load-tests.ts';
import { type QueryDeps, createQuery, isCounter } from './query.ts';
import { openWatching } from './watching.ts';
import { createStoredLoad } from './stored-load.ts';
import type { QUESTIONS, QuestionName } from './evaluate.ts';
import type { Job } from './thread.ts';

/** Calculations at a time: at most half of the cores, the rest is for samples and people. */
const MAX_THREADS = 4;
const MAX_WAITING = 64;
const MAX_WAITING_OF_ONE = 16;
const TIME_LIMIT_MS = 30 * SECOND_MS;
const IDLE_MS = MINUTE_MS;

type Body<N extends QuestionName> = Parameters<(typeof QUESTIONS)[N]>[0];
export type Found<N extends QuestionName> = Extract<ReturnType<(typeof QUESTIONS)[N]>, { readonly ok: true }>['value'];

export type AnalyticsDeps = Omit<QueryDeps, 'ask' | 'queryable'> &
  Pick<LoadTestsDeps, 'audit' | 'checks' | 'outbound'> & {
    readonly store: QueryDeps['queryable'] & Pick<Appender, 'labelsOfRef'>;
    readonly ingest: Ingest;
    readonly sql: Kysely<Database>;
    readonly ids: Ids;
    readonly logger: Logger;
    readonly metrics: SelfMetrics;
    readonly yieldNow: Breath;
  };

/** Analytics over what is stored: questions, the capacity table, and what is watched. Nothing is scored or forecast before `run`. */
export async function openAnalytics(deps: AnalyticsDeps) {
  const calculations = openCalculations(deps);
  const { ask } = calculations;
  const { store } = deps;
  const labelsOfRef = (ref: number) => store.labelsOfRef(ref);
  const watching = await openWatching({ ...deps, ask, labelsOfRef, isCounter: (metric) => isCounter(deps, metric) });
  const capacity = new CapacityTableService({ ...deps, ask, watches: () => watching.specs() });
  const loadTests = new LoadTests({ ...deps, ask });
  return {
    ask,
    loadTests,
    query: createQuery({ ...deps, ask, queryable: store }),
    storedLoad: createStoredLoad({ ...deps, ask }),
    capacity,
    watching,
    committed: watching.committed,
    async configure(next: AnalyticsConfig): Promise<void> {
      loadTests.configure(next.load_test);
      await watching.configure(next.watch);
      capacity.forget();
    },
    run: () => watching.run(),
    async [Symbol.asyncDispose]() {
      await loadTests[Symbol.asyncDispose]();
      await calculations[Symbol.asyncDispose]();
    },
  };
}

/** Who asks what the server asks itself. */
const SERVER = '';
/** Asks a question in a thread for the actor with that id; those who ask are served in turn. What cannot be told is an `AppError` of status 422 whose `details.reason` is a word for programs. */
export type AskAnalytics = <N extends QuestionName>(question: N, body: Body<N>, actorId?: string) => Promise<Found<N>>;

/** The threads that calculate. */
export function openCalculations({ clock }: { readonly clock: Clock }): AsyncDisposable & { readonly ask: AskAnalytics } {
  const threads = new ThreadPool<Job, Answer<unknown>>({
    program: programOf(import.meta.url),
    clock,
    most: Math.max(1, Math.min(MAX_THREADS, Math.floor(availableParallelism() / 2))),
    maxWaiting: MAX_WAITING,
    maxWaitingOfOne: MAX_WAITING_OF_ONE,
    timeLimitMs: TIME_LIMIT_MS,
    idleMs: IDLE_MS,
  });
  return {
    ask: async <N extends QuestionName>(question: N, body: Body<N>, actorId = SERVER): Promise<Found<N>> => {
      const answer = await threads.run({ question, body }, actorId);
      if (answer.ok) return answer.value as Found<N>;
      throw new AppError('bad_input', 'unprocessable', answer.error.message, { details: { reason: answer.error.reason } });
    },
    [Symbol.asyncDispose]: () => threads[Symbol.asyncDispose](),
  };
}

/** Beside this file in the sources, beside the program in a build. */
function programOf(here: string): URL {
  if (here.endsWith('.ts')) return new URL('thread.ts', here);
  return new URL(here.includes('/chunks/') ? '../analytics-thread.js' : 'analytics-thread.js', here);
}
