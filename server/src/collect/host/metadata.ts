import type { MetricMetadata } from '@nines/model/metadata.ts';

/** What the host's figures mean. Families that are not listed are described by the file that they come from. */
const HELP: Readonly<Record<string, string>> = {
  node_cpu_seconds_total: 'Seconds the CPUs spent in each mode.',
  node_cpu_guest_seconds_total: 'Seconds the CPUs spent in guests.',
  node_load1: 'Load average over 1 minute.',
  node_load5: 'Load average over 5 minutes.',
  node_load15: 'Load average over 15 minutes.',
  node_memory_MemTotal_bytes: 'Usable memory.',
  node_memory_MemAvailable_bytes: 'Memory that new work can have without swapping.',
  node_filesystem_size_bytes: 'Size of the file system.',
  node_filesystem_free_bytes: 'Free space of the file system.',
  node_filesystem_avail_bytes: 'Space of the file system that users without privileges can have.',
  node_filesystem_device_error: 'Whether the file system failed to tell its size.',
  node_network_receive_bytes_total: 'Bytes received.',
  node_network_transmit_bytes_total: 'Bytes sent.',
  node_network_up: 'Whether the link is up.',
  node_network_speed_bytes: 'Speed of the link in bytes per second.',
  node_boot_time_seconds: 'When the host started, Unix time.',
  node_time_seconds: 'Time of the host, Unix time.',
  node_filefd_allocated: 'Open file descriptors of the host.',
  node_tcp_connection_states: 'TCP connections by state.',
  node_processes_state: 'Processes by state, as the letters of the kernel.',
  node_processes_pids: 'Processes.',
  node_hwmon_temp_celsius: 'Temperature of a sensor.',
  node_thermal_zone_temp: 'Temperature of a zone in degrees Celsius.',
  node_uname_info: 'Always 1; the labels tell what the host is.',
  node_os_info: 'Always 1; the labels tell the operating system.',
  node_cpu_info: 'Always 1; the labels tell the processor, of the first core.',
  node_scrape_collector_success: 'Whether the collector succeeded.',
  node_scrape_collector_duration_seconds: 'How long the collector took.',
};

const SOURCES: readonly (readonly [prefix: string, help: string])[] = [
  ['node_memory_', 'Memory, from /proc/meminfo.'],
  ['node_vmstat_', 'Paging, from /proc/vmstat.'],
  ['node_disk_', 'Disk input and output, from /proc/diskstats.'],
  ['node_filesystem_', 'File systems, from statfs.'],
  ['node_network_', 'Network interfaces, from /proc/net/dev and /sys/class/net.'],
  ['node_sockstat_', 'Sockets, from /proc/net/sockstat.'],
  ['node_netstat_', 'Network protocols, from /proc/net/snmp and netstat.'],
  ['node_pressure_', 'Time that tasks waited, from /proc/pressure.'],
];

/** Counters of the kernel keep their names there, so their type does not show in them. */
const UNTYPED = /^node_(vmstat|netstat)_/;

export function hostMetadata(name: string): MetricMetadata {
  const help = HELP[name] ?? SOURCES.find(([prefix]) => name.startsWith(prefix))?.[1] ?? '';
  const type = name.endsWith('_total') ? 'counter' : UNTYPED.test(name) ? 'unknown' : 'gauge';
  return { type, help, unit: '' };
}
