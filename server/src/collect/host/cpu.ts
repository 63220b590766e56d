import { type HostSample, numberOf, sample, wordsOf } from './sample.ts';

/** The kernel counts CPU time in these per second towards user space, on every architecture that Node runs on. */
const USER_HZ = 100;
const MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'];
const COUNTERS: ReadonlyMap<string, string> = new Map([
  ['intr', 'node_intr_total'],
  ['ctxt', 'node_context_switches_total'],
  ['processes', 'node_forks_total'],
  ['btime', 'node_boot_time_seconds'],
  ['procs_running', 'node_procs_running'],
  ['procs_blocked', 'node_procs_blocked'],
]);

/** `/proc/stat`: time per core and mode, boot time, switches, forks, runnable and blocked tasks. */
export function parseStat(text: string): readonly HostSample[] {
  const samples: HostSample[] = [];
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    const key = line.slice(0, space);
    if (/^cpu\d+$/.test(key)) samples.push(...coreSamples(key.slice(3), wordsOf(line).slice(1)));
    const name = COUNTERS.get(key);
    if (name === undefined) continue;
    // The line of interrupts is long; its first number is the total.
    const end = line.indexOf(' ', space + 1);
    const value = numberOf(line.slice(space + 1, end < 0 ? undefined : end));
    if (value !== undefined) samples.push(sample(name, value));
  }
  return samples;
}

function coreSamples(cpu: string, ticks: readonly string[]): readonly HostSample[] {
  const seconds = (index: number): number => (numberOf(ticks[index]) ?? 0) / USER_HZ;
  return [
    ...MODES.map((mode, i) => sample('node_cpu_seconds_total', seconds(i), 'cpu', cpu, 'mode', mode)),
    sample('node_cpu_guest_seconds_total', seconds(8), 'cpu', cpu, 'mode', 'user'),
    sample('node_cpu_guest_seconds_total', seconds(9), 'cpu', cpu, 'mode', 'nice'),
  ];
}

/** `/proc/loadavg`. */
export function parseLoadavg(text: string): readonly HostSample[] {
  const [one, five, fifteen] = wordsOf(text).map(numberOf);
  if (one === undefined || five === undefined || fifteen === undefined) return [];
  return [sample('node_load1', one), sample('node_load5', five), sample('node_load15', fifteen)];
}

/** `/proc/pressure/{cpu,memory,io}`: time that tasks waited for the resource, some of them and all of them. */
export function parsePressure(resource: 'cpu' | 'memory' | 'io', text: string): readonly HostSample[] {
  return text.split('\n').flatMap((line) => {
    const [kind = ''] = line.split(' ', 1);
    const total = numberOf(/total=(\d+)/.exec(line)?.[1]);
    if (total === undefined || (kind === 'full' && resource === 'cpu')) return [];
    const word = kind === 'full' ? 'stalled' : 'waiting';
    return [sample(`node_pressure_${resource}_${word}_seconds_total`, total / 1e6)];
  });
}
