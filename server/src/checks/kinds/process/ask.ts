import { readFile } from 'node:fs/promises';
import { formatDuration } from '@nines/base/duration.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { machineUptimeMs, processIds, readProcess, type SystemProcess } from '../../../platform/processes.ts';
import type { AttemptDeps, AttemptRun } from '../../attempt.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, matchesPart, notAsked, UP } from '../../evaluate.ts';

const NUMBER = /^\d+$/;

/** Up when as many processes run as should. Counts only what runs: a zombie has ended. */
export async function askProcess(spec: SpecOf<'process'>, run: AttemptRun, _deps: AttemptDeps): Promise<Outcome> {
  run.enter('processing');
  const uptimeMs = await machineUptimeMs();
  if (uptimeMs === undefined) return notAsked('unsupported', 'this system shows no processes under /proc');
  const listed = spec.pid_file === undefined ? await processIds() : await pidsIn(spec.pid_file);
  if ('kind' in listed) return listed;
  const found: SystemProcess[] = [];
  for (const pid of listed) {
    run.signal.throwIfAborted();
    const one = await readProcess(pid, uptimeMs);
    if (one !== undefined && isMeant(spec, one)) found.push(one);
  }
  run.leave();
  return judgeProcesses(spec, run, found);
}

async function pidsIn(path: string): Promise<readonly number[] | Outcome> {
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => thrown);
  if (text instanceof Error) return down('pid_file', text.code === 'ENOENT' ? `there is no file ${path}` : text.message);
  const pid = text.trim();
  return NUMBER.test(pid) ? [Number(pid)] : down('pid_file', `${path} does not hold the number of a process`);
}

function isMeant(spec: SpecOf<'process'>, { names, command }: SystemProcess): boolean {
  if (spec.name !== undefined && !names.includes(spec.name)) return false;
  return spec.command_matches === undefined || matchesPart(spec.command_matches, command);
}

function judgeProcesses(spec: SpecOf<'process'>, run: AttemptRun, found: readonly SystemProcess[]): Outcome {
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
