import { Worker } from 'node:worker_threads';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';

/** The code of the refusal when a job took too long. */
export const TOO_SLOW = 'too_slow';

export type ThreadOptions = {
  /** The file a thread runs: it answers each message `{ job }` with `{ result }` or `{ error }`, one at a time. */
  readonly program: URL;
  readonly clock: Clock;
  /** Threads at a time; they start when they are needed. */
  readonly most: number;
  /** Jobs that may wait for a thread; more are refused as `limited`. Of somebody of whom none waits one is taken beyond, up to twice as many. */
  readonly maxWaiting: number;
  /** Of these the jobs that one may have waiting. */
  readonly maxWaitingOfOne: number;
  /** A job that takes longer is given up with its thread. */
  readonly timeLimitMs: number;
  /** A thread without work ends after this and gives its memory back. */
  readonly idleMs: number;
};

/** Memory of one thread; a job that needs more is given up. */
const MAX_MEMORY_MB = 512;

type Waiting<Job, Result> = { readonly job: Job; readonly resolve: (result: Result) => void; readonly reject: (reason: Error) => void };
type Thread<Job, Result> = { readonly worker: Worker; current: Waiting<Job, Result> | undefined; timer: Disposable | undefined };

/**
 * Runs jobs off the thread that ingests and answers. A job and its result are copied, not shared. Whoever waits is served in turn,
 * one job each: many jobs of one hold up another by one job.
 */
export class ThreadPool<Job, Result> implements AsyncDisposable {
  readonly #options: ThreadOptions;
  readonly #threads = new Set<Thread<Job, Result>>();
  /** By whose they are; the next to be served first. */
  readonly #waiting = new Map<string, Waiting<Job, Result>[]>();
  #count = 0;
  #closed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Rejects with `AppError` when too many wait, when it took too long, when its thread ended, and when the server stops. */
  run(job: Job, whose: string): Promise<Result> {
    if (this.#closed) return Promise.reject(new AppError('unavailable', 'stopping', 'the server is stopping'));
    const own = this.#waiting.get(whose) ?? [];
    const { maxWaiting, maxWaitingOfOne } = this.#options;
    if (own.length >= maxWaitingOfOne)
      return Promise.reject(new AppError('limited', 'too_busy', `${own.length} calculations of yours wait already: ask again later`));
    if (this.#count >= (own.length > 0 ? maxWaiting : 2 * maxWaiting))
      return Promise.reject(new AppError('limited', 'too_busy', `${this.#count} calculations wait already: ask again later`));
    return new Promise((resolve, reject) => {
      own.push({ job, resolve, reject });
      this.#waiting.set(whose, own);
      this.#count += 1;
      this.#assign();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const stopped = new AppError('unavailable', 'stopping', 'the server is stopping');
    for (const own of this.#waiting.values()) for (const { reject } of own) reject(stopped);
    this.#waiting.clear();
    this.#count = 0;
    for (const { current } of this.#threads) current?.reject(stopped);
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  #assign(): void {
    let thread = [...this.#threads].find(({ current }) => current === undefined);
    if (thread === undefined && this.#threads.size < this.#options.most) thread = this.#start();
    const next = thread === undefined ? undefined : this.#next();
    if (thread === undefined || next === undefined) return;
    const { clock, timeLimitMs } = this.#options;
    thread.timer?.[Symbol.dispose]();
    thread.current = next;
    thread.worker.ref();
    thread.timer = clock.after(timeLimitMs, () => {
      const seconds = timeLimitMs / 1000;
      next.reject(new AppError('unavailable', TOO_SLOW, `it was given up after ${seconds} s: ask with fewer points`));
      void this.#end(thread).then(() => this.#assign());
    });
    thread.worker.postMessage({ job: next.job });
  }

  /** The oldest job of whoever is served next; they go to the end of the line. */
  #next(): Waiting<Job, Result> | undefined {
    const first = this.#waiting.entries().next().value;
    if (first === undefined) return undefined;
    const [whose, own] = first;
    const next = own.shift();
    this.#waiting.delete(whose);
    if (own.length > 0) this.#waiting.set(whose, own);
    this.#count -= 1;
    return next;
  }

  #start(): Thread<Job, Result> {
    const worker = new Worker(this.#options.program, { resourceLimits: { maxOldGenerationSizeMb: MAX_MEMORY_MB } });
    worker.unref();
    const thread: Thread<Job, Result> = { worker, current: undefined, timer: undefined };
    this.#threads.add(thread);
    worker.on('message', (answer: { readonly result: Result } | { readonly error: string }) => {
      const { current } = thread;
      this.#rest(thread);
      if ('error' in answer) current?.reject(new Error(answer.error));
      else current?.resolve(answer.result);
      this.#assign();
    });
    worker.on('error', (error) => this.#lost(thread, error instanceof Error ? error.message : String(error)));
    worker.on('exit', () => this.#lost(thread, 'its thread ended'));
    return thread;
  }

  /** A thread that ended by itself: out of memory, or killed. */
  #lost(thread: Thread<Job, Result>, why: string): void {
    if (!this.#threads.delete(thread)) return;
    thread.timer?.[Symbol.dispose]();
    thread.current?.reject(new AppError('unavailable', 'broke_off', `the calculation broke off: ${why}; ask with fewer points`));
    this.#assign();
  }

  #rest(thread: Thread<Job, Result>): void {
    thread.timer?.[Symbol.dispose]();
    thread.current = undefined;
    thread.worker.unref();
    thread.timer = this.#options.clock.after(this.#options.idleMs, () => void this.#end(thread));
  }

  async #end(thread: Thread<Job, Result>): Promise<void> {
    this.#threads.delete(thread);
    thread.timer?.[Symbol.dispose]();
    await thread.worker.terminate();
  }
}
