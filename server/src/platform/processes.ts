import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { SECOND_MS } from '@nines/base/units.ts';

/** Processes of this machine, as /proc shows them (proc(5)). */

/** The kernel counts a process' start in these, whatever its own clock ticks in (`starttime`; USER_HZ). */
const TICKS_PER_SECOND = 100;
const NUMBER = /^\d+$/;

export type SystemProcess = {
  readonly pid: number;
  /** Together with the number it names a process for ever: numbers are given out again. */
  readonly startedTicks: number;
  readonly ageMs: number;
  /** What the kernel calls it, and the file of the program without its path. */
  readonly names: readonly string[];
  /** Its words joined by spaces. */
  readonly command: string;
};

/** How long the machine has been up; undefined where the system shows no processes. */
export async function machineUptimeMs(): Promise<number | undefined> {
  const text = await readFile('/proc/uptime', 'utf8').catch(() => undefined);
  return text === undefined ? undefined : Number(text.split(' ', 1)[0]) * SECOND_MS;
}

/** The numbers of all processes. */
export async function processIds(): Promise<readonly number[]> {
  return (await readdir('/proc')).filter((name) => NUMBER.test(name)).map(Number);
}

/** Undefined when there is no such process (any more): a zombie has ended. */
export async function readProcess(pid: number, uptimeMs: number): Promise<SystemProcess | undefined> {
  const [stat, words] = await Promise.all([read(`/proc/${pid}/stat`), read(`/proc/${pid}/cmdline`)]);
  // `pid (name) state …`; the name may hold anything, so the fields begin after its last parenthesis.
  const parts = /^\d+ \((.*)\) (.*)$/s.exec(stat);
  const fields = parts?.[2]?.split(' ') ?? [];
  if (parts === null || fields[0] === 'Z' || fields[0] === 'X') return undefined;
  const command = words.replace(/\0+$/, '').split('\0');
  const startedTicks = Number(fields[19]);
  return {
    pid,
    startedTicks,
    ageMs: Math.max(0, uptimeMs - (startedTicks / TICKS_PER_SECOND) * SECOND_MS),
    names: [parts[1] ?? '', basename(command[0] ?? '')],
    command: command.join(' '),
  };
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

export type ProcessUsage = {
  readonly pid: number;
  readonly name: string;
  /** Since it started, all processors together. */
  readonly cpuMs: number;
  readonly rssBytes: number;
};

/** Of all architectures that Node runs on with few exceptions; the figure is for reading, not for deciding. */
const PAGE_BYTES = 4_096;

/** What a process has used; undefined when there is none (any more). */
export async function usageOf(pid: number): Promise<ProcessUsage | undefined> {
  const parts = /^\d+ \((.*)\) (.*)$/s.exec(await read(`/proc/${pid}/stat`));
  if (parts === null) return undefined;
  const fields = parts[2]?.split(' ') ?? [];
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { pid, name: parts[1] ?? '', cpuMs: (ticks / TICKS_PER_SECOND) * SECOND_MS, rssBytes: Number(fields[21]) * PAGE_BYTES };
}
