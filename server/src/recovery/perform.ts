import { statfs, writeFile } from 'node:fs/promises';
import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { type Argv, type Cause, type ProgramEnd, type Programs, whyNotRun } from '../platform/programs.ts';
import { cleanFiles } from './clean.ts';
import type { ActionOf, Expectation, RecoveryAction } from './contract.ts';
import { endProcesses, processesOf } from './processes.ts';

/** What an action did, before anybody looked whether it helped. */
export type Performed = {
  readonly ok: boolean;
  /** In words. */
  readonly did: string;
  readonly output: string;
  readonly outputCut: boolean;
  readonly freedBytes?: number;
};

export type PerformContext = {
  readonly clock: Clock;
  readonly nowMs: EpochMs;
  /** `recovery.commands`. */
  readonly commands: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
};
type Running = PerformContext & { readonly programs: Pick<Programs, 'run' | 'start'> };
export type Perform = (action: RecoveryAction, context: PerformContext) => Promise<Performed>;

/** What a program may write when it is asked whether a service runs. */
const MAX_ASKED_BYTES = 4_096;
const ASK_TIMEOUT_MS = 10_000;
const DROP_CACHES = '/proc/sys/vm/drop_caches';
/** Source: Documentation/admin-guide/sysctl/vm.rst, "drop_caches". */
const DROPPED = { pages: '1', objects: '2', all: '3' } as const;

const said = (ok: boolean, did: string, output = ''): Performed => ({ ok, did, output, outputCut: false });

/** What an action does, in words. */
export function describe(action: RecoveryAction): string {
  switch (action.kind) {
    case 'restart_service':
    case 'restart_network':
      return `restarts ${action.unit}`;
    case 'restart_process': {
      const meant = action.process.name ?? `"${action.process.command_matches ?? ''}"`;
      return `ends the process ${meant}${action.start === undefined ? '' : ` and starts ${action.start[0]}`}`;
    }
    case 'clear_caches':
      return action.command === undefined ? `drops the kernel's caches (${action.memory ?? ''})` : `runs ${action.command.join(' ')}`;
    case 'clean_files':
      return `removes old files (${action.pattern}) of ${action.folder}`;
    case 'command':
      return `runs ${action.command.join(' ')}`;
  }
}

/** Does what the action says, or in a dry run says what it would do. Rejects only when the signal aborts. */
export const performWith =
  (programs: Running['programs']): Perform =>
  async (action, asked) => {
    const context = { ...asked, programs };
    try {
      switch (action.kind) {
        case 'restart_service':
        case 'restart_network':
          return await runOne([action.systemctl, 'restart', '--', action.unit], action, context);
        case 'restart_process':
          return await restartProcess(action, context);
        case 'clear_caches':
          return action.command === undefined ? await dropCaches(action, context) : await runOne(action.command, action, context);
        case 'clean_files':
          return await clean(action, context);
        case 'command':
          return await runOne(action.command, action, context);
      }
    } catch (thrown) {
      context.signal.throwIfAborted();
      return said(false, messageOf(thrown));
    }
  };

type RunsOne = Exclude<RecoveryAction, ActionOf<'clean_files' | 'restart_process'>>;

const causeOf = ({ id }: Pick<RecoveryAction, 'id'>): Cause => ({ kind: 'recovery', id, isRoutine: false });

async function runOne(argv: Argv, action: RunsOne, context: Running): Promise<Performed> {
  const { clock, commands, env, dryRun, signal, programs } = context;
  const program = { argv, listed: commands, user: action.user, env, cause: causeOf(action) };
  if (dryRun) {
    const refusal = whyNotRun(program);
    return refusal === undefined ? said(true, `would run ${argv.join(' ')}`) : said(false, `would be refused: ${refusal}`);
  }
  const ended = await programs.run(program, {
    clock,
    signal,
    timeoutMs: action.timeout,
    maxOutputBytes: action.max_output,
    // A service that it started goes on.
    leftovers: 'keep',
  });
  signal.throwIfAborted();
  return performedOf(argv, ended);
}

function performedOf([program]: Argv, ended: ProgramEnd): Performed {
  switch (ended.kind) {
    case 'refused':
      return said(false, `${program} was not run: ${ended.why}`);
    case 'stopped':
      return { ok: false, did: `${program}: ${ended.why}`, output: ended.output, outputCut: ended.cut };
    case 'exited': {
      const how = ended.code === null ? `was ended by ${ended.signal}` : `ended with code ${ended.code}`;
      return { ok: ended.code === 0, did: `${program} ${how}`, output: ended.output, outputCut: ended.cut };
    }
  }
}

async function restartProcess(
  action: ActionOf<'restart_process'>,
  { clock, commands, env, dryRun, signal, programs }: Running,
): Promise<Performed> {
  const program = action.start && { argv: action.start, listed: commands, user: action.user, env, cause: causeOf(action) };
  const refusal = program && whyNotRun(program);
  // Nothing is ended that could not be started again.
  if (refusal !== undefined) return said(false, refusal);
  const ending = await endProcesses(action, { clock, stopping: signal, dryRun });
  if (!ending.ok || program === undefined) return said(ending.ok, ending.did);
  if (dryRun) return said(true, `${ending.did}; ${program.argv.join(' ')} would be started`);
  const fault = await programs.start(program);
  return fault === undefined
    ? said(true, `${ending.did}; ${program.argv[0]} was started`)
    : said(false, `${ending.did}; ${program.argv[0]} did not start: ${fault}`);
}

async function dropCaches({ memory = 'pages' }: ActionOf<'clear_caches'>, { dryRun }: PerformContext): Promise<Performed> {
  if (dryRun) return said(true, `would write ${DROPPED[memory]} to ${DROP_CACHES}`);
  await writeFile(DROP_CACHES, DROPPED[memory]);
  return said(true, `wrote ${DROPPED[memory]} to ${DROP_CACHES}`);
}

async function clean(action: ActionOf<'clean_files'>, { clock, nowMs, dryRun, signal }: PerformContext): Promise<Performed> {
  const late = new AbortController();
  using _timer = clock.after(action.timeout, () => late.abort(new Error('the time limit of the action was reached')));
  const cleaned = await cleanFiles(action, { nowMs, dryRun, signal: AbortSignal.any([signal, late.signal]) });
  const { files, bytes, names, faults, isLimited } = cleaned;
  const removed = `${files === 1 ? '1 file' : `${files} files`} with ${bytes} bytes`;
  const more = isLimited ? '; there are more than one run may remove' : '';
  return {
    ok: faults.length === 0,
    did: `${dryRun ? 'would remove' : 'removed'} ${removed} of ${action.folder}${more}`,
    output: [...names, ...(files > names.length ? ['…'] : []), ...faults].join('\n'),
    outputCut: files > names.length,
    freedBytes: bytes,
  };
}

/** What is asked of other parts to see whether a post-condition holds. */
export type ProveContext = Pick<PerformContext, 'clock' | 'commands' | 'signal'> & {
  readonly freedBytes: number;
  readonly isUp: (check: string) => boolean;
};

/** Why a post-condition does not hold (yet); undefined when it does. */
export const unmetWith =
  (programs: Running['programs']) =>
  async (expected: Expectation, context: ProveContext): Promise<string | undefined> => {
    const { clock, commands, signal, freedBytes, isUp } = context;
    switch (expected.kind) {
      case 'service': {
        const argv: Argv = [expected.systemctl, 'is-active', '--', expected.unit];
        const limits = { clock, signal, timeoutMs: ASK_TIMEOUT_MS, maxOutputBytes: MAX_ASKED_BYTES };
        const ended = await programs.run(
          { argv, listed: commands, cause: { kind: 'recovery', id: expected.unit, isRoutine: false } },
          limits,
        );
        if (ended.kind === 'exited' && ended.code === 0) return undefined;
        return `${expected.unit} is ${ended.kind === 'exited' ? ended.output.trim() || 'not active' : `unknown: ${ended.why}`}`;
      }
      case 'process':
        return (await processesOf(expected)).length > 0 ? undefined : 'the process does not run';
      case 'freed':
        return freedBytes >= expected.bytes ? undefined : `${freedBytes} bytes were freed, expected ${expected.bytes}`;
      case 'free_space': {
        const { bavail, bsize } = await statfs(expected.path);
        return bavail * bsize >= expected.bytes
          ? undefined
          : `${bavail * bsize} bytes are free at ${expected.path}, expected ${expected.bytes}`;
      }
      case 'check':
        return isUp(expected.check) ? undefined : `the check ${expected.check} is not up`;
    }
  };
