import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { formatDuration } from '@nines/base/duration.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { z } from 'zod';

/** Programs that the product runs: named by a list, by their whole path, with arguments that no shell reads. */

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

export type Program = {
  readonly argv: Argv;
  /** The list that must name it. */
  readonly listed: readonly string[];
  /** Whom it runs as; default: whoever the server runs as. */
  readonly user?: string | undefined;
  /** Variables besides PATH, LANG, TZ and HOME. */
  readonly env?: Readonly<Record<string, string>>;
};

/** Why a program would not be run at all; undefined when it would. */
export function whyNotRun({ argv: [program], listed, user }: Program): string | undefined {
  if (!listed.includes(program)) return `${program} is not on the list of programs that may run`;
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
  | { readonly kind: 'refused'; readonly why: string }
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
  /** Bytes of output that are kept; the rest is read and dropped. */
  readonly maxOutputBytes: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** Between the request to end and the end. */
const GRACE_MS = 2 * SECOND_MS;
/** What was written before the end is read for this long; a background process may hold the pipes open for ever. */
const DRAIN_MS = 500;

/**
 * Runs a program once. After its time limit, or when the signal aborts, it ends with all it started; what it leaves behind when it ends
 * by itself goes on (a service that it started).
 */
export async function runProgram(program: Program, limits: RunLimits): Promise<ProgramEnd> {
  const refusal = whyNotRun(program);
  if (refusal !== undefined) return { kind: 'refused', why: refusal };
  const { clock, signal, timeoutMs, maxOutputBytes } = limits;
  const child = launch(program, ['ignore', 'pipe', 'pipe']);
  const output = collectOutput(child, maxOutputBytes);
  using stops = new DisposableStack();
  let stopped: string | undefined;
  const stop = (why: string): void => {
    if (stopped !== undefined) return;
    stopped = why;
    signalGroup(child, 'SIGTERM');
    stops.use(clock.after(GRACE_MS, () => signalGroup(child, 'SIGKILL')));
  };
  stops.use(clock.after(timeoutMs, () => stop(`it did not end within ${formatDuration(timeoutMs)}`)));
  const onAbort = (): void => stop('it was stopped');
  signal.addEventListener('abort', onAbort, { once: true });
  stops.defer(() => signal.removeEventListener('abort', onAbort));
  if (signal.aborted) onAbort();
  try {
    const { code, signal: by } = await endOf(child, clock);
    if (stopped !== undefined) {
      signalGroup(child, 'SIGKILL');
      return { kind: 'stopped', why: stopped, ...output() };
    }
    return { kind: 'exited', code, signal: by, ...output() };
  } catch (thrown) {
    return { kind: 'refused', why: messageOf(thrown) };
  } finally {
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

/** Starts a program that goes on by itself, in a session of its own. Resolves with why it did not start, or undefined. */
export async function startProgram(program: Program): Promise<string | undefined> {
  const refusal = whyNotRun(program);
  if (refusal !== undefined) return refusal;
  const child = launch(program, ['ignore', 'ignore', 'ignore']);
  return new Promise((resolve) => {
    child.once('error', (thrown) => resolve(messageOf(thrown)));
    child.once('spawn', () => {
      child.unref();
      resolve(undefined);
    });
  });
}

const INHERITED = ['PATH', 'LANG', 'TZ', 'HOME'];

function launch({ argv: [program, ...args], user, env }: Program, stdio: ('ignore' | 'pipe')[]): ChildProcess {
  const inherited = INHERITED.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]] as const]));
  const who = user === undefined ? undefined : systemUser(user);
  // Becoming whom we are already needs no right; libuv drops the supplementary groups when it changes the user.
  const become = who === undefined || who.uid === process.getuid?.() ? {} : { uid: who.uid, gid: who.gid };
  return spawn(program, args, {
    shell: false,
    detached: true,
    cwd: '/',
    stdio,
    env: { ...Object.fromEntries(inherited), ...(who === undefined ? {} : { HOME: who.home }), ...env },
    ...become,
  });
}

function collectOutput(child: ChildProcess, maxBytes: number): () => { readonly output: string; readonly cut: boolean } {
  const chunks: Buffer[] = [];
  let kept = 0;
  let cut = false;
  const take = (chunk: Buffer): void => {
    const room = maxBytes - kept;
    if (chunk.length > room) cut = true;
    if (room <= 0) return;
    chunks.push(chunk.subarray(0, room));
    kept += Math.min(room, chunk.length);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  return () => ({ output: Buffer.concat(chunks).toString('utf8'), cut });
}

function endOf(child: ChildProcess, clock: Clock): Promise<{ readonly code: number | null; readonly signal: string | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => {
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
