import { type ChildProcess, spawn } from 'node:child_process';
import { type AttemptDeps, type AttemptRun, untilAborted } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';
import { figuresFrom } from './perfdata.ts';

/** Bytes of output that are read; a program that says more is stopped. */
const MAX_OUTPUT_BYTES = 65_536;
const MAX_DETAIL_CHARS = 500;
const MAX_EXCERPT_CHARS = 1_024;

/** Runs the program once, without a shell and with an empty environment. It and all it started are killed when the attempt ends. */
export async function askScript(spec: SpecOf<'script'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const [program, ...args] = spec.command;
  if (!deps.commands.includes(program)) return notAsked('refused_command', `${program} is not listed under checks.commands`);
  run.enter('processing');
  const child = spawn(program, args, { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], detached: true, shell: false });
  try {
    const ended = await untilAborted(endOf(child), run.signal);
    run.leave();
    return judgeEnd(spec, run, ended);
  } catch (thrown) {
    run.signal.throwIfAborted();
    return notAsked('not_started', (thrown as Error).message);
  } finally {
    killGroup(child);
  }
}

type End = { readonly output: string; readonly tooMuch: boolean; readonly exitCode: number | null; readonly signal: string | null };

function endOf(child: ChildProcess): Promise<End> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk);
      else killGroup(child);
    };
    child.stdout?.on('data', take);
    child.stderr?.on('data', take);
    child.once('error', reject);
    // A program of its own that the plugin left behind may hold the pipes open: its output is not the plugin's.
    child.once('exit', () => killGroup(child));
    child.once('close', (exitCode, signal) =>
      resolve({ output: Buffer.concat(chunks).toString('utf8'), tooMuch: size > MAX_OUTPUT_BYTES, exitCode, signal }),
    );
  });
}

/** The child leads a group of its own (`detached`), so this reaches everything it started and did not send away. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    globalThis.process.kill(-child.pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

/** Exit codes: Monitoring Plugins guidelines, "Plugin Return Codes". */
function judgeEnd(spec: SpecOf<'script'>, run: AttemptRun, { output, tooMuch, exitCode, signal }: End): Outcome {
  if (tooMuch) return notAsked('output', `the program said more than ${MAX_OUTPUT_BYTES} bytes and was stopped`);
  const first = output.split(/[|\n]/, 1)[0]?.trim() ?? '';
  const detail = first === '' ? `${spec.target} ended with code ${exitCode}` : first.slice(0, MAX_DETAIL_CHARS);
  run.figures.push(...figuresFrom(output));
  switch (exitCode) {
    case 0:
      return judgeLength(spec.degraded_after, run.durationMs());
    case 1:
      return { kind: 'degraded', code: 'warning', detail };
    case 2:
      run.seen = { ...run.seen, excerpt: output.slice(0, MAX_EXCERPT_CHARS) };
      return down('critical', detail);
    case 3:
      return notAsked('unknown', detail);
    default:
      return notAsked(
        'exit_code',
        exitCode === null ? `${spec.target} was ended by ${signal}` : `${detail} (code ${exitCode}, expected 0 to 3)`,
      );
  }
}
