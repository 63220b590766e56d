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
  /** Jobs that may wait for a thread; more are refused as `limited`. */
  readonly maxWaiting: number;
  /** A job that takes longer is given up with its thread. */
  readonly timeLimitMs: number;
  /** A thread without work ends after this and gives its memory back. */
  readonly idleMs: number;
};

type Waiting<Job, Result> = { readonly job: Job; readonly resolve: (result: Result) => void; readonly reject: (reason: Error) => void };
type Thread<Job, Result> = { readonly worker: Worker; current: Waiting<Job, Result> | undefined; timer: Disposable | undefined };

/** Runs jobs off the thread that ingests and answers. A job and its result are copied, not shared. */
export class ThreadPool<Job, Result> implements AsyncDisposable {
  readonly #options: ThreadOptions;
  readonly #threads = new Set<Thread<Job, Result>>();
  readonly #waiting: Waiting<Job, Result>[] = [];
  #closed = false;

  constructor(options: ThreadOptions) {
    this.#options = options;
  }

  /** Rejects with `AppError` when too many wait, when it took too long, and when the server stops. */
  run(job: Job): Promise<Result> {
    if (this.#closed) return Promise.reject(new AppError('unavailable', 'stopping', 'the server is stopping'));
    if (this.#waiting.length >= this.#options.maxWaiting)
      return Promise.reject(new AppError('limited', 'too_busy', `${this.#waiting.length} calculations wait already: ask again later`));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
      this.#assign();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const stopped = new AppError('unavailable', 'stopping', 'the server is stopping');
    for (const { reject } of this.#waiting.splice(0)) reject(stopped);
    for (const { current } of this.#threads) current?.reject(stopped);
    await Promise.all([...this.#threads].map((thread) => this.#end(thread)));
  }

  #assign(): void {
    let thread = [...this.#threads].find(({ current }) => current === undefined);
    if (thread === undefined && this.#threads.size < this.#options.most) thread = this.#start();
    const next = thread === undefined ? undefined : this.#waiting.shift();
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

  #start(): Thread<Job, Result> {
    const worker = new Worker(this.#options.program);
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
    worker.on('error', (error) => {
      const { current } = thread;
      this.#threads.delete(thread);
      thread.timer?.[Symbol.dispose]();
      current?.reject(error instanceof Error ? error : new Error(String(error)));
      this.#assign();
    });
    return thread;
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
