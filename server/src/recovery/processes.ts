import type { Clock } from '@nines/base/clock.ts';
import { messageOf } from '@nines/base/errors.ts';
import { compileRegex } from '@nines/base/regex.ts';
import { machineUptimeMs, processIds, readProcess, type SystemProcess } from '../platform/processes.ts';
import type { ActionOf, ProcessSpec } from './contract.ts';

/** Between two looks whether a process has ended. */
const LOOK_MS = 100;

/** The processes that are meant. Never this one, nor the first of the machine. */
export async function processesOf({ name, command_matches: matches }: ProcessSpec): Promise<readonly SystemProcess[]> {
  const uptimeMs = await machineUptimeMs();
  if (uptimeMs === undefined) throw new Error('this system shows no processes under /proc');
  const compiled = matches === undefined ? undefined : compileRegex(matches);
  const found: SystemProcess[] = [];
  for (const pid of await processIds()) {
    if (pid === process.pid || pid === 1) continue;
    const one = await readProcess(pid, uptimeMs);
    if (one === undefined || (name !== undefined && !one.names.includes(name))) continue;
    if (compiled === undefined || (compiled.ok && compiled.value.matchesPart(one.command))) found.push(one);
  }
  return found;
}

export type Ending = {
  readonly ok: boolean;
  /** What happened, in words. */
  readonly did: string;
};

/** Ends the processes that are meant: asks them to, and after the grace kills those that are still there. */
export async function endProcesses(
  { process: meant, max_processes: most, signal, grace }: ActionOf<'restart_process'>,
  { clock, stopping, dryRun }: { readonly clock: Clock; readonly stopping: AbortSignal; readonly dryRun: boolean },
): Promise<Ending> {
  const found = await processesOf(meant);
  const pids = found.map(({ pid }) => pid).join(', ');
  if (found.length > most)
    return { ok: false, did: `${found.length} processes fit (${pids}), more than max_processes ${most}: none was ended` };
  if (found.length === 0) return { ok: true, did: 'no such process runs' };
  if (dryRun) return { ok: true, did: `process ${pids} would be sent ${signal}` };
  try {
    await Promise.all(found.map((one) => signalOne(one, signal)));
    const endMs = clock.monotonic() + grace;
    while (clock.monotonic() < endMs) {
      if ((await stillThere(found)).length === 0) return { ok: true, did: `process ${pids} ended after ${signal}` };
      await clock.sleep(LOOK_MS, { signal: stopping });
    }
    await Promise.all(found.map((one) => signalOne(one, 'SIGKILL')));
    return { ok: true, did: `process ${pids} did not end after ${signal} and was killed` };
  } catch (thrown) {
    stopping.throwIfAborted();
    return { ok: false, did: `process ${pids} was not ended: ${messageOf(thrown)}` };
  }
}

async function stillThere(found: readonly SystemProcess[]): Promise<readonly SystemProcess[]> {
  const now = await Promise.all(found.map(({ pid }) => readProcess(pid, 0)));
  return found.filter(({ startedTicks }, index) => now[index]?.startedTicks === startedTicks);
}

/** Looks again right before: the number may belong to another process by now. */
async function signalOne(one: SystemProcess, signal: NodeJS.Signals): Promise<void> {
  if ((await stillThere([one])).length === 0) return;
  try {
    process.kill(one.pid, signal);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}
