import { availableParallelism, cpus, loadavg, uptime } from 'node:os';
import type { Clock } from '@nines/base/clock.ts';
import { type HostReader, unameSamples } from './linux.ts';
import { sample } from './sample.ts';

/** Loaded when first asked, so that a Linux host never holds it. Used for reading alone: nothing that anyone sent reaches its commands. */
const library = async () => (await import('systeminformation')).default;

/** Hosts other than Linux, under the same names: what Node tells of any system, the rest through a library that knows them. */
export function portableReaders(clock: Pick<Clock, 'now'>): readonly HostReader[] {
  return [
    {
      name: 'cpu',
      read: () =>
        cpus().flatMap(({ times }, cpu) =>
          Object.entries({ user: times.user, nice: times.nice, system: times.sys, idle: times.idle, irq: times.irq }).map(([mode, ms]) =>
            sample('node_cpu_seconds_total', ms / 1000, 'cpu', String(cpu), 'mode', mode),
          ),
        ),
    },
    {
      name: 'loadavg',
      read: () => {
        const [one = 0, five = 0, fifteen = 0] = loadavg();
        return [sample('node_load1', one), sample('node_load5', five), sample('node_load15', fifteen)];
      },
    },
    {
      name: 'meminfo',
      read: async () => {
        const { total, available, swaptotal, swapfree } = await (await library()).mem();
        return [
          sample('node_memory_MemTotal_bytes', total),
          sample('node_memory_MemAvailable_bytes', available),
          sample('node_memory_SwapTotal_bytes', swaptotal),
          sample('node_memory_SwapFree_bytes', swapfree),
        ];
      },
    },
    {
      name: 'filesystem',
      read: async () =>
        (await (await library()).fsSize()).flatMap(({ fs, type, mount, size, available }) => {
          const labels = ['device', fs, 'fstype', type, 'mountpoint', mount];
          return [
            sample('node_filesystem_size_bytes', size, ...labels),
            sample('node_filesystem_avail_bytes', available, ...labels),
            sample('node_filesystem_free_bytes', available, ...labels),
          ];
        }),
    },
    {
      name: 'netdev',
      read: async () =>
        (await (await library()).networkStats('*')).flatMap(({ iface, operstate, ...counts }) => [
          sample('node_network_receive_bytes_total', counts.rx_bytes, 'device', iface),
          sample('node_network_transmit_bytes_total', counts.tx_bytes, 'device', iface),
          sample('node_network_receive_errs_total', counts.rx_errors, 'device', iface),
          sample('node_network_transmit_errs_total', counts.tx_errors, 'device', iface),
          sample('node_network_up', operstate === 'up' ? 1 : 0, 'device', iface),
        ]),
    },
    {
      name: 'boot',
      read: () => [
        sample('node_boot_time_seconds', Math.round(clock.now() / 1000 - uptime())),
        sample('node_cpus_online', availableParallelism()),
      ],
    },
    { name: 'uname', read: unameSamples },
  ];
}
