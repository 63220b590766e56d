import { readFileSync } from 'node:fs';
import { readFile, readdir, statfs } from 'node:fs/promises';
import { arch, cpus, hostname, release, type as osType, version } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { MINUTE_MS } from '@nines/base/units.ts';
import { parseLoadavg, parsePressure, parseStat } from './cpu.ts';
import { type FilesystemSize, filesystemSamples, parseDiskstats, parseMounts } from './disk.ts';
import { parseFileNr, parseMeminfo, parseVmstat } from './memory.ts';
import { LINK_FILES, linkSamples, parseNetDev, parseNetstat, parseSockstat, parseTcpStates } from './network.ts';
import { type HostSample, numberOf, sample } from './sample.ts';
import { parseTask, taskSamples } from './tasks.ts';

/**
 * The readers of a Linux host. Files of /proc are read synchronously: they come from memory, and a turn through the thread
 * pool costs more than the read. What may wait for hardware or a server (statfs, sensors), and what the kernel must count
 * first (connections, processes), is read asynchronously.
 */
export type HostReader = { readonly name: string; readonly read: () => readonly HostSample[] | Promise<readonly HostSample[]> };

/** Processes whose state is looked up; a host with more gets their number only. */
const MAX_TASKS = 4_096;
/** Files of processes that are read at a time, so that the thread pool stays free for others. */
const TASKS_AT_ONCE = 8;
/** A table of connections longer than this is not counted: reading it would take megabytes (150 bytes each). */
const MAX_TCP_SOCKETS = 20_000;
/**
 * Least time between two counts of connections, and of processes by state. The kernel walks its whole hash table for the
 * connections: 36 ms of CPU on a host with 24 GB of memory and hardly a connection.
 */
const COUNT_EVERY_MS = MINUTE_MS;

export type LinuxHost = { readonly proc: string; readonly sys: string; readonly clock: Pick<Clock, 'monotonic'> };

export function linuxReaders({ proc, sys, clock }: LinuxHost): readonly HostReader[] {
  const text = (path: string): string => readFileSync(join(proc, path), 'utf8');
  return [
    { name: 'stat', read: () => parseStat(text('stat')) },
    { name: 'loadavg', read: () => parseLoadavg(text('loadavg')) },
    {
      name: 'pressure',
      read: () =>
        (['cpu', 'memory', 'io'] as const).flatMap((one) =>
          parsePressure(
            one,
            orEmpty(() => text(`pressure/${one}`)),
          ),
        ),
    },
    { name: 'meminfo', read: () => parseMeminfo(text('meminfo')) },
    { name: 'vmstat', read: () => parseVmstat(text('vmstat')) },
    { name: 'filefd', read: () => parseFileNr(text('sys/fs/file-nr')) },
    { name: 'diskstats', read: () => parseDiskstats(text('diskstats')) },
    filesystemReader(() => text('self/mounts')),
    { name: 'netdev', read: () => parseNetDev(text('net/dev')) },
    { name: 'netclass', read: () => readLinks(sys) },
    { name: 'sockstat', read: () => [...parseSockstat(text('net/sockstat')), ...parseSockstat(orEmpty(() => text('net/sockstat6')))] },
    { name: 'netstat', read: () => [...parseNetstat(text('net/snmp')), ...parseNetstat(text('net/netstat'))] },
    { name: 'tcpstat', read: seldom(clock, () => readTcpStates(proc, text('net/sockstat'))) },
    processReader(proc, clock),
    { name: 'hwmon', read: () => readHwmon(sys) },
    { name: 'thermal_zone', read: () => readThermalZones(sys) },
    { name: 'uname', read: unameSamples },
    { name: 'os', read: async () => parseOsRelease((await textOrNothing('/etc/os-release')) ?? '') },
  ];
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}

/** Asks each file system for its size. One that has not answered the last question is not asked again: it would hold a thread. */
function filesystemReader(mounts: () => string): HostReader {
  const asked = new Set<string>();
  return {
    name: 'filesystem',
    read: async () => {
      const parts = parseMounts(mounts()).map(async (mount) => {
        if (asked.has(mount.mountpoint)) return filesystemSamples(mount, undefined);
        asked.add(mount.mountpoint);
        try {
          const size: FilesystemSize = await statfs(mount.mountpoint);
          // A pseudo file system holds nothing.
          return size.blocks === 0 ? [] : filesystemSamples(mount, size);
        } catch {
          return filesystemSamples(mount, undefined);
        } finally {
          asked.delete(mount.mountpoint);
        }
      });
      return (await Promise.all(parts)).flat();
    },
  };
}

async function readLinks(sys: string): Promise<readonly HostSample[]> {
  const devices = await readdir(join(sys, 'class/net'));
  const parts = devices.map(async (device) => {
    const files = await Promise.all(
      LINK_FILES.map(async (file) => [file, await textOrNothing(join(sys, 'class/net', device, file))] as const),
    );
    // A file instead of a folder (`bonding_masters`) is no device.
    if (files.every(([, found]) => found === undefined)) return [];
    return linkSamples(device, Object.fromEntries(files.filter(([, found]) => found !== undefined)));
  });
  return (await Promise.all(parts)).flat();
}

/** Some files refuse to be read while the link is down. */
const textOrNothing = (path: string): Promise<string | undefined> => readFile(path, 'utf8').catch(() => undefined);

/** Reads at most once in `COUNT_EVERY_MS`; nothing in between. */
function seldom(clock: Pick<Clock, 'monotonic'>, read: () => Promise<readonly HostSample[]>): HostReader['read'] {
  let lastMs = Number.NEGATIVE_INFINITY;
  return () => {
    const nowMs = clock.monotonic();
    if (nowMs - lastMs < COUNT_EVERY_MS) return [];
    lastMs = nowMs;
    return read();
  };
}

async function readTcpStates(proc: string, sockstat: string): Promise<readonly HostSample[]> {
  const found = /^TCP: inuse (\d+).* tw (\d+)/m.exec(sockstat);
  if (Number(found?.[1] ?? 0) + Number(found?.[2] ?? 0) > MAX_TCP_SOCKETS) return [];
  return parseTcpStates(await readFile(join(proc, 'net/tcp'), 'utf8'), (await textOrNothing(join(proc, 'net/tcp6'))) ?? '');
}

/** The number of processes each time, their states seldom. */
function processReader(proc: string, clock: Pick<Clock, 'monotonic'>): HostReader {
  let pids: readonly string[] = [];
  const states = seldom(clock, () => readTasks(proc, pids));
  return {
    name: 'processes',
    read: async () => {
      pids = (await readdir(proc)).filter((name) => /^\d+$/.test(name));
      return [sample('node_processes_pids', pids.length), ...(pids.length > MAX_TASKS ? [] : await states())];
    },
  };
}

async function readTasks(proc: string, pids: readonly string[]): Promise<readonly HostSample[]> {
  const tasks: NonNullable<ReturnType<typeof parseTask>>[] = [];
  const rest = pids[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const pid of rest) {
      // A process may end between the listing and the look.
      const task = parseTask((await textOrNothing(join(proc, pid, 'stat'))) ?? '');
      if (task !== undefined) tasks.push(task);
    }
  };
  await Promise.all(Array.from({ length: TASKS_AT_ONCE }, work));
  return taskSamples(tasks);
}

/** Sensors of boards and disks: `temp<N>_input` in thousandths of a degree. */
async function readHwmon(sys: string): Promise<readonly HostSample[]> {
  const base = join(sys, 'class/hwmon');
  const chips = await readdir(base).catch(() => []);
  const parts = chips.map(async (chip) => {
    const name = (await textOrNothing(join(base, chip, 'name')))?.trim() ?? chip;
    const files = (await readdir(join(base, chip)).catch(() => [])).filter((file) => /^temp\d+_input$/.test(file));
    const temperatures = await Promise.all(
      files.map(async (file) => {
        const value = numberOf(await textOrNothing(join(base, chip, file)));
        return value === undefined
          ? []
          : [sample('node_hwmon_temp_celsius', value / 1000, 'chip', `${name}_${chip}`, 'sensor', file.replace('_input', ''))];
      }),
    );
    return temperatures.flat();
  });
  return (await Promise.all(parts)).flat();
}

async function readThermalZones(sys: string): Promise<readonly HostSample[]> {
  const base = join(sys, 'class/thermal');
  const zones = (await readdir(base).catch(() => [])).filter((name) => /^thermal_zone\d+$/.test(name));
  const parts = zones.map(async (zone) => {
    const value = numberOf(await textOrNothing(join(base, zone, 'temp')));
    const type = (await textOrNothing(join(base, zone, 'type')))?.trim() ?? '';
    return value === undefined
      ? []
      : [sample('node_thermal_zone_temp', value / 1000, 'type', type, 'zone', zone.slice('thermal_zone'.length))];
  });
  return (await Promise.all(parts)).flat();
}

/** What the machine is; the same on every system. */
export function unameSamples(): readonly HostSample[] {
  const labels = ['machine', arch(), 'nodename', hostname(), 'release', release(), 'sysname', osType(), 'version', version()];
  return [sample('node_uname_info', 1, ...labels), ...cpuModel];
}

/** Of the first core; it does not change while the host runs. */
const model = cpus()[0]?.model ?? '';
const cpuModel: readonly HostSample[] = model === '' ? [] : [sample('node_cpu_info', 1, 'cpu', '0', 'model_name', model)];

/** The fields of /etc/os-release that tell which system it is. Source: os-release(5), node_exporter's collector `os`. */
export function parseOsRelease(text: string): readonly HostSample[] {
  const fields = new Map([...text.matchAll(/^([A-Z_]+)=["']?(.*?)["']?$/gm)].map(([, name = '', value = '']) => [name, value]));
  const labels = OS_FIELDS.flatMap(([label, field]) => [label, fields.get(field) ?? '']);
  return fields.has('ID') ? [sample('node_os_info', 1, ...labels)] : [];
}
const OS_FIELDS = [
  ['id', 'ID'],
  ['name', 'NAME'],
  ['pretty_name', 'PRETTY_NAME'],
  ['version_id', 'VERSION_ID'],
] as const;
