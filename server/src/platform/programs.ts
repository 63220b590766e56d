import { type ChildProcess, spawn } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { formatDuration } from '@nines/base/duration.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';
import { Gate } from './gate.ts';

/**
 * The only place that runs programs of others: named by a list of the configuration file, by their whole path, with arguments that no
 * shell reads, for a bounded time, with bounded output, as a user without rights where one is named, and each run is told.
 */

const MAX_WORDS = 100;
const MAX_WORD_CHARS = 4_096;

const word = z
  .string()
  .max(MAX_WORD_CHARS)
  .refine((text) => !text.includes('\0'), 'a word of a command cannot hold the character 0');

/** A program by its absolute path. */
export const programPath = word.regex(/^\//, 'write the absolute path of the program');

/** A program and its arguments, as they are passed. */
export const command = z.tuple([programPath], word).refine((words) => words.length <= MAX_WORDS, `at most ${MAX_WORDS} words`);
export type Argv = readonly [program: string, ...args: string[]];

/** What may be run, by absolute path. Nothing else is. */
export const programList = z.array(z.string().regex(/^\//, 'write the absolute path of a program')).max(100).default([]);

export type SystemUser = { readonly name: string; readonly uid: number; readonly gid: number; readonly home: string };

const USERS_FILE = '/etc/passwd';

/** A user of this machine, from `/etc/passwd` (passwd(5)); undefined when there is none of that name. */
export function systemUser(name: string, file = USERS_FILE): SystemUser | undefined {
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [login, , uid, gid, , home] = line.split(':');
    if (login === name && uid !== undefined && gid !== undefined) return { name, uid: Number(uid), gid: Number(gid), home: home ?? '/' };
  }
  return undefined;
}

/** What a run is for; it stands in the audit log. */
export type Cause = {
  readonly kind: 'check' | 'channel' | 'recovery';
  readonly id: string;
  /** Comes again and again by itself: runs that end alike are told together. */
  readonly isRoutine: boolean;
};

export type Program = {
  readonly argv: Argv;
  /** The list that must name it. */
  readonly listed: readonly string[];
  readonly cause: Cause;
  /** Whom it runs as; default: `programs.run_as`, else whoever the server runs as. */
  readonly user?: string | undefined;
  /** Names of the variables that it inherits; PATH, LANG, TZ and HOME unless said otherwise. */
  readonly inherits?: readonly string[];
  /** Variables besides. */
  readonly env?: Readonly<Record<string, string>>;
  /** What it reads on its standard input; nothing by default. */
  readonly input?: string;
  /** An empty directory of its own to work in, gone afterwards; the root directory by default. */
  readonly ownDirectory?: boolean;
};

/** Why a program would not be run at all; undefined when it would. */
export function whyNotRun({ argv: [program, ...words], listed, user }: Pick<Program, 'argv' | 'listed' | 'user'>): string | undefined {
  if (!listed.includes(program)) return `${program} is not on the list of programs that may run`;
  if ([program, ...words].some((one) => one.includes('\0'))) return 'a word of a command cannot hold the character 0';
  const stat = statSync(program, { throwIfNoEntry: false });
  if (stat === undefined || !stat.isFile()) return `there is no program ${program}`;
  if ((stat.mode & 0o111) === 0) return `${program} cannot be executed`;
  if ((stat.mode & 0o002) !== 0) return `anyone may write to ${program}`;
  if (user === undefined) return undefined;
  const found = systemUser(user);
  if (found === undefined) return `there is no user "${user}" on this machine`;
  const own = process.getuid?.();
  return own === 0 || own === found.uid ? undefined : `the server may not run programs as "${user}": it is not root itself`;
}

export type ProgramEnd =
  /** It did not run. `code` is the system's, where it was the system that refused. */
  | { readonly kind: 'refused'; readonly why: string; readonly code?: string | undefined }
  | {
      readonly kind: 'exited';
      readonly code: number | null;
      readonly signal: string | null;
      readonly output: string;
      readonly cut: boolean;
    }
  | { readonly kind: 'stopped'; readonly why: string; readonly output: string; readonly cut: boolean };

export type RunLimits = {
  readonly timeoutMs: number;
  /** Bytes of output that are kept. */
  readonly maxOutputBytes: number;
  /** What becomes of a program that writes more: what it writes is dropped, or it is stopped. Default: dropped. */
  readonly onMore?: 'drop' | 'stop';
  /** Between the request to end and the end; default 2 s. */
  readonly graceMs?: number;
  /** Whether what it started and left behind ends with it; default: it does. */
  readonly leftovers?: 'end' | 'keep';
  readonly clock: Clock;
  readonly signal: AbortSignal;
};
export type RunProgram = (program: Program, limits: RunLimits) => Promise<ProgramEnd>;
/** Starts a program that goes on by itself, in a session of its own. Resolves with why it did not start, or undefined. */
export type StartProgram = (program: Program) => Promise<string | undefined>;

/** Between the request to end and the end. */
const GRACE_MS = 2 * SECOND_MS;
/** What was written before the end is read for this long; a background process may hold the pipes open for ever. */
const DRAIN_MS = 500;
/** A killed process that the kernel does not let go is waited for no longer. */
const STUCK_MS = 5 * SECOND_MS;

/** Runs a program once. After its time limit, or when the signal aborts, it ends with all it started. */
export const runProgram: RunProgram = async (program, limits) => {
  const refusal = whyNotRun(program);
  if (refusal !== undefined) return { kind: 'refused', why: refusal };
  const { clock, signal, timeoutMs, graceMs = GRACE_MS, leftovers = 'end' } = limits;
  using place = workplaceOf(program);
  let child: ChildProcess;
  try {
    child = launch(program, place.path, [program.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']);
  } catch (thrown) {
    return refusedBy(thrown);
  }
  using stops = new DisposableStack();
  const stuck = Promise.withResolvers<Ended>();
  let stopped: string | undefined;
  const kill = (): void => {
    signalGroup(child, 'SIGKILL');
    stops.use(clock.after(STUCK_MS, () => stuck.resolve({ code: null, signal: 'SIGKILL' })));
  };
  const stop = (why: string): void => {
    if (stopped !== undefined) return;
    stopped = why;
    if (graceMs === 0) return kill();
    signalGroup(child, 'SIGTERM');
    stops.use(clock.after(graceMs, kill));
  };
  const output = collectOutput(child, limits, stop);
  stops.use(clock.after(timeoutMs, () => stop(`it did not end within ${formatDuration(timeoutMs)}`)));
  const onAbort = (): void => stop('it was stopped');
  signal.addEventListener('abort', onAbort, { once: true });
  stops.defer(() => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
  // A program that reads nothing closes its end; that is its right.
  child.stdin?.on('error', () => {});
  child.stdin?.end(program.input);
  try {
    const { code, signal: by } = await Promise.race([endOf(child, limits), stuck.promise]);
    if (stopped !== undefined || leftovers === 'end') signalGroup(child, 'SIGKILL');
    return stopped === undefined ? { kind: 'exited', code, signal: by, ...output() } : { kind: 'stopped', why: stopped, ...output() };
  } catch (thrown) {
    return refusedBy(thrown);
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
};

const refusedBy = (thrown: unknown): ProgramEnd => ({
  kind: 'refused',
  why: messageOf(thrown),
  code: (thrown as NodeJS.ErrnoException).code,
});

export const startProgram: StartProgram = async (program) => {
  const refusal = whyNotRun(program);
  if (refusal !== undefined) return refusal;
  const child = launch(program, '/', ['ignore', 'ignore', 'ignore']);
  return new Promise((resolve) => {
    child.once('error', (thrown) => resolve(messageOf(thrown)));
    child.once('spawn', () => {
      child.unref();
      resolve(undefined);
    });
  });
};

const INHERITED = ['PATH', 'LANG', 'TZ', 'HOME'];

function launch(
  { argv: [program, ...args], user, env, inherits = INHERITED }: Program,
  cwd: string,
  stdio: ('ignore' | 'pipe')[],
): ChildProcess {
  const inherited = inherits.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  const who = user === undefined ? undefined : systemUser(user);
  // Becoming whom we are already needs no right; libuv drops the supplementary groups when it changes the user.
  const become = who === undefined || who.uid === process.getuid?.() ? {} : { uid: who.uid, gid: who.gid };
  const home = who === undefined || !inherits.includes('HOME') ? {} : { HOME: who.home };
  return spawn(program, args, {
    shell: false,
    detached: true,
    cwd,
    stdio,
    env: { ...Object.fromEntries(inherited), ...home, ...env },
    ...become,
  });
}

/** Where it works. */
function workplaceOf({ ownDirectory, user }: Program): Disposable & { readonly path: string } {
  if (ownDirectory !== true) return { path: '/', [Symbol.dispose]: () => {} };
  // Readable by its owner alone, as `mkdtemp` makes it.
  const path = mkdtempSync(join(tmpdir(), 'nines-run-'));
  const who = user === undefined ? undefined : systemUser(user);
  if (who !== undefined && process.getuid?.() === 0) chownSync(path, who.uid, who.gid);
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

function collectOutput(
  child: ChildProcess,
  { maxOutputBytes, onMore }: Pick<RunLimits, 'maxOutputBytes' | 'onMore'>,
  stop: (why: string) => void,
): () => { readonly output: string; readonly cut: boolean } {
  const chunks: Buffer[] = [];
  let kept = 0;
  let cut = false;
  const take = (chunk: Buffer): void => {
    const room = maxOutputBytes - kept;
    if (chunk.length > room) cut = true;
    if (cut && onMore === 'stop') stop(`it wrote more than ${maxOutputBytes} bytes`);
    if (room <= 0) return;
    chunks.push(chunk.subarray(0, room));
    kept += Math.min(room, chunk.length);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => ({ output: Buffer.concat(chunks).toString('utf8'), cut });
}

type Ended = { readonly code: number | null; readonly signal: string | null };

function endOf(child: ChildProcess, { clock, leftovers }: Pick<RunLimits, 'clock' | 'leftovers'>): Promise<Ended> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      // What it left behind would hold the pipes open.
      if (leftovers !== 'keep') signalGroup(child, 'SIGKILL');
      const drained = clock.after(DRAIN_MS, () => resolve({ code, signal }));
      child.once('close', () => {
        drained[Symbol.dispose]();
        resolve({ code, signal });
      });
    });
  });
}

/** The child leads a group of its own (`detached`), so this reaches everything it started and did not send away. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It is gone already.
  }
}

/** The section `programs`. Takes effect at the next start. */
export const programsConfig = z
  .strictObject({
    /** Whom programs run as when nothing else is said; the server must be root for it, or that user itself. */
    run_as: z.string().min(1).max(64).optional(),
    /** How many run at a time; others wait. */
    concurrency: z.number().int().min(1).max(1_000).default(200),
  })
  .prefault({});
export type ProgramsConfig = z.output<typeof programsConfig>;

/** A run that is over, or was refused. */
export type ProgramRun = {
  readonly program: Program;
  readonly end: ProgramEnd | { readonly kind: 'started' };
  readonly durationMs: number;
};

/** Runs that wait for their turn, at most. */
const MAX_WAITING = 10_000;

/** Programs as this installation runs them: with its user, so many at a time, and each told to `told`. */
export type Programs = AsyncDisposable & { readonly run: RunProgram; readonly start: StartProgram };

export function createPrograms({
  clock,
  config,
  told = () => {},
}: {
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly config: ProgramsConfig;
  readonly told?: (run: ProgramRun) => void;
}): Programs {
  const gate = new Gate(config.concurrency, MAX_WAITING);
  const stopping = new AbortController();
  const running = new Set<Promise<unknown>>();
  const asUser = (program: Program): Program => ({ ...program, user: program.user ?? config.run_as });
  const timed = async <T extends ProgramRun['end']>(program: Program, run: () => Promise<T>): Promise<T> => {
    const fromMs = clock.monotonic();
    const end = await run();
    told({ program, end, durationMs: clock.monotonic() - fromMs });
    return end;
  };
  const run: RunProgram = async (written, limits) => {
    const program = asUser(written);
    const signal = AbortSignal.any([limits.signal, stopping.signal]);
    const place = await gate.enter(signal).catch(() => undefined);
    if (place === undefined) return { kind: 'refused', why: `${config.concurrency} programs run already, and none ended in time` };
    using _place = place;
    return timed(program, () => runProgram(program, { ...limits, signal }));
  };
  return {
    run(program, limits) {
      const ended = run(program, limits);
      running.add(ended);
      void ended.finally(() => running.delete(ended)).catch(() => {});
      return ended;
    },
    async start(written) {
      const program = asUser(written);
      const end = await timed(program, async () => {
        const why = await startProgram(program);
        return why === undefined ? ({ kind: 'started' } as const) : ({ kind: 'refused', why } as const);
      });
      return end.kind === 'refused' ? end.why : undefined;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort(new Error('the server is stopping'));
      await Promise.allSettled(running);
    },
  };
}
