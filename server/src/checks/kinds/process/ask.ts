import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { formatDuration } from '@nines/base/duration.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import type { AttemptDeps, AttemptRun } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, matchesPart, notAsked, UP } from '../../evaluate.ts';

/** The kernel counts a process' start in these, whatever its own clock ticks in (proc(5), `starttime`; USER_HZ). */
const TICKS_PER_SECOND = 100;
const NUMBER = /^\d+$/;

type Process = { readonly pid: number; readonly ageMs: number };

/** Up when as many processes run as should. Counts only what runs: a zombie has ended. */
export async function askProcess(spec: SpecOf<'process'>, run: AttemptRun, _deps: AttemptDeps): Promise<Outcome> {
  run.enter('processing');
  const uptime = await readFile('/proc/uptime', 'utf8').catch(() => undefined);
  if (uptime === undefined) return notAsked('unsupported', 'this system shows no processes under /proc');
  const upMs = Number(uptime.split(' ', 1)[0]) * SECOND_MS;
  const listed = spec.pid_file === undefined ? await readdir('/proc') : await pidsIn(spec.pid_file);
  if ('kind' in listed) return listed;
  const found: Process[] = [];
  for (const name of listed) {
    run.signal.throwIfAborted();
    const one = NUMBER.test(name) ? await look(spec, Number(name), upMs) : undefined;
    if (one !== undefined) found.push(one);
  }
  run.leave();
  return judgeProcesses(spec, run, found);
}

async function pidsIn(path: string): Promise<readonly string[] | Outcome> {
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => thrown);
  if (text instanceof Error) return down('pid_file', text.code === 'ENOENT' ? `there is no file ${path}` : text.message);
  const pid = text.trim();
  return NUMBER.test(pid) ? [pid] : down('pid_file', `${path} does not hold the number of a process`);
}

/** Undefined when there is no such process (any more) or it is not one of those meant. */
async function look(spec: SpecOf<'process'>, pid: number, upMs: number): Promise<Process | undefined> {
  const [stat, words] = await Promise.all([read(`/proc/${pid}/stat`), read(`/proc/${pid}/cmdline`)]);
  // `pid (name) state …`; the name may hold anything, so the fields begin after its last parenthesis.
  const parts = /^\d+ \((.*)\) (.*)$/s.exec(stat);
  const fields = parts?.[2]?.split(' ') ?? [];
  if (parts === null || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const command = words.replace(/\0+$/, '').split('\0');
  const names = [parts[1], basename(command[0] ?? '')];
  if (spec.name !== undefined && !names.includes(spec.name)) return undefined;
  if (spec.command_matches !== undefined && !matchesPart(spec.command_matches, command.join(' '))) return undefined;
  return { pid, ageMs: Math.max(0, upMs - (Number(fields[19]) / TICKS_PER_SECOND) * SECOND_MS) };
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

function judgeProcesses(spec: SpecOf<'process'>, run: AttemptRun, found: readonly Process[]): Outcome {
  run.figures.push({ name: 'probe_process_count', value: found.length });
  const { min, max } = spec.count;
  const running = found.length === 1 ? '1 process runs' : `${found.length} processes run`;
  if (found.length < min) return down('count', `${running}, expected at least ${min}`);
  if (max !== undefined && found.length > max) return down('count', `${running}, expected at most ${max}`);
  if (found.length === 0) return UP;
  const youngestMs = Math.min(...found.map(({ ageMs }) => ageMs));
  run.figures.push({ name: 'probe_process_youngest_age_seconds', value: youngestMs / SECOND_MS });
  if (spec.running_for === undefined || youngestMs >= spec.running_for) return UP;
  const detail = `the youngest process has been running for ${Math.round(youngestMs / SECOND_MS)}s, expected ${formatDuration(spec.running_for)}`;
  return { kind: 'degraded', code: 'restarted', detail };
}
