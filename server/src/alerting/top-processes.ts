import type { Clock } from '@nines/base/clock.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { type ProcessUsage, processIds, usageOf } from '../platform/processes.ts';

/** Between the two looks whose difference is the share of a processor. */
const BETWEEN_MS = 500;
/** A machine with more is not looked through: that would cost more than it tells. */
const MAX_PROCESSES = 4_096;
const SHOWN = 5;
/** Alerts that fire together share one look. */
const KEPT_MS = MINUTE_MS / 6;

export type TopProcess = { readonly pid: number; readonly name: string; readonly cpu_ratio: number; readonly rss_bytes: number };
export type TopProcesses = (signal: AbortSignal) => Promise<readonly TopProcess[]>;

/** The busiest processes of this machine; none where the system does not show them. */
export function createTopProcesses(clock: Clock): TopProcesses {
  let last: { readonly atMs: number; readonly found: Promise<readonly TopProcess[]> } | undefined;
  const look = async (signal: AbortSignal): Promise<readonly TopProcess[]> => {
    const before = await usages();
    if (before.size === 0) return [];
    await new Promise<void>((resolve) => {
      const timer = clock.after(BETWEEN_MS, resolve);
      signal.addEventListener('abort', () => {
        timer[Symbol.dispose]();
        resolve();
      });
    });
    const after = await usages();
    return [...after.values()]
      .map(({ pid, name, cpuMs, rssBytes }) => {
        const spentMs = cpuMs - (before.get(pid)?.cpuMs ?? cpuMs);
        return { pid, name, cpu_ratio: Math.max(0, spentMs / BETWEEN_MS), rss_bytes: rssBytes };
      })
      .sort((a, b) => b.cpu_ratio - a.cpu_ratio || b.rss_bytes - a.rss_bytes)
      .slice(0, SHOWN);
  };
  return (signal) => {
    if (last === undefined || clock.now() - last.atMs >= KEPT_MS) last = { atMs: clock.now(), found: look(signal) };
    return last.found;
  };
}

async function usages(): Promise<ReadonlyMap<number, ProcessUsage>> {
  const pids = await processIds().catch(() => []);
  if (pids.length > MAX_PROCESSES) return new Map();
  const found = await Promise.all(pids.map((pid) => usageOf(pid)));
  return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.pid, one] as const])));
}
