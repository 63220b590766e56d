import type { ProgramEnd } from '../../../platform/programs.ts';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';
import { figuresFrom } from './perfdata.ts';

/** Bytes of output that are read; a program that says more is stopped. */
const MAX_OUTPUT_BYTES = 65_536;
const MAX_DETAIL_CHARS = 500;
const MAX_EXCERPT_CHARS = 1_024;

/** Runs the program once, without a shell and with an empty environment. It and all it started are killed when the attempt ends. */
export async function askScript(spec: SpecOf<'script'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const [program] = spec.command;
  if (!deps.commands.includes(program)) return notAsked('refused_command', `${program} is not listed under checks.commands`);
  run.enter('processing');
  const end = await deps.run(
    {
      argv: spec.command,
      listed: deps.commands,
      cause: { kind: 'check', id: spec.check, isRoutine: true },
      inherits: [],
      ownDirectory: true,
    },
    // The attempt's own deadline comes first, and names the phase.
    { clock: deps.clock, signal: run.signal, timeoutMs: 2 * spec.timeoutMs, graceMs: 0, maxOutputBytes: MAX_OUTPUT_BYTES, onMore: 'stop' },
  );
  if (end.kind === 'refused') throw new AttemptEnded(notAsked('not_started', end.why));
  run.signal.throwIfAborted();
  run.leave();
  return judgeEnd(spec, run, end);
}

type End = Exclude<ProgramEnd, { kind: 'refused' }>;

/** Exit codes: Monitoring Plugins guidelines, "Plugin Return Codes". */
function judgeEnd(spec: SpecOf<'script'>, run: AttemptRun, end: End): Outcome {
  const { output } = end;
  if (end.kind === 'stopped') return notAsked('output', `the program said more than ${MAX_OUTPUT_BYTES} bytes and was stopped`);
  const { code: exitCode, signal } = end;
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
