import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { manualClock } from '../../../../test/harness/manual-clock.ts';
import { createHostCollector } from './collector.ts';
import { parseLoadavg, parsePressure, parseStat } from './cpu.ts';
import { filesystemSamples, parseDiskstats, parseMounts } from './disk.ts';
import { silentLogger } from '../../../../test/harness/logs.ts';
import { type HostReader, linuxReaders, parseOsRelease } from './linux.ts';
import { parseFileNr, parseMeminfo, parseVmstat } from './memory.ts';
import { linkSamples, parseNetDev, parseNetstat, parseSockstat, parseTcpStates } from './network.ts';
import { portableReaders } from './portable.ts';
import type { HostSample } from './sample.ts';
import { parseTask, taskSamples } from './tasks.ts';

/** `name{a=b}` → value, for short expectations. */
function shown(samples: readonly HostSample[]): Record<string, number> {
  const entries = samples.map(({ name, labels, value }) => {
    const pairs = Array.from({ length: labels.length / 2 }, (_, i) => `${labels[2 * i]}=${labels[2 * i + 1]}`);
    return [pairs.length === 0 ? name : `${name}{${pairs.join(',')}}`, value];
  });
  return Object.fromEntries(entries);
}

test('/proc/stat gives seconds per core and mode, not the sum of the cores', () => {
  const text =
    'cpu  300 0 0 0 0 0 0 0 0 0\ncpu0 100 1 250 4000 50 2 3 4 5 6\ncpu12 7 0 0 0 0 0 0 0 0 0\nintr 669054 0 0 0\nctxt 1275413\nbtime 1795224583\nprocesses 14191\nprocs_running 2\nprocs_blocked 0\nsoftirq 9 9\n';
  const found = shown(parseStat(text));
  assert.equal(found['node_cpu_seconds_total{cpu=0,mode=user}'], 1);
  assert.equal(found['node_cpu_seconds_total{cpu=0,mode=system}'], 2.5);
  assert.equal(found['node_cpu_seconds_total{cpu=0,mode=steal}'], 0.04);
  assert.equal(found['node_cpu_guest_seconds_total{cpu=0,mode=nice}'], 0.06);
  assert.equal(found['node_cpu_seconds_total{cpu=12,mode=user}'], 0.07);
  assert.equal(Object.keys(found).filter((name) => name.startsWith('node_cpu_seconds_total')).length, 16);
  assert.equal(found['node_intr_total'], 669054);
  assert.equal(found['node_context_switches_total'], 1275413);
  assert.equal(found['node_boot_time_seconds'], 1795224583);
  assert.equal(found['node_procs_running'], 2);
  assert.equal(found['node_procs_blocked'], 0);
});

test('load, pressure, memory, paging and file descriptors keep node_exporter’s names and units', () => {
  assert.deepEqual(shown(parseLoadavg('1.14 0.99 0.80 2/120 14198\n')), { node_load1: 1.14, node_load5: 0.99, node_load15: 0.8 });
  const pressure = 'some avg10=4.90 avg60=3.85 avg300=2.06 total=43010351\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=1500000\n';
  assert.deepEqual(shown(parsePressure('cpu', pressure)), { node_pressure_cpu_waiting_seconds_total: 43.010351 });
  assert.equal(shown(parsePressure('io', pressure))['node_pressure_io_stalled_seconds_total'], 1.5);
  assert.deepEqual(shown(parseMeminfo('MemTotal:       24684100 kB\nActive(anon):      12 kB\nHugePages_Total:       3\nodd\n')), {
    node_memory_MemTotal_bytes: 24684100 * 1024,
    node_memory_Active_anon_bytes: 12288,
    node_memory_HugePages_Total: 3,
  });
  assert.deepEqual(shown(parseVmstat('nr_free_pages 4\npgfault 9\noom_kill 1\npswpin 2\n')), {
    node_vmstat_pgfault: 9,
    node_vmstat_oom_kill: 1,
    node_vmstat_pswpin: 2,
  });
  assert.deepEqual(shown(parseFileNr('750\t0\t2466190\n')), { node_filefd_allocated: 750, node_filefd_maximum: 2466190 });
});

test('disks are whole disks in bytes and seconds; parts and loops are left out', () => {
  const text =
    '   7       0 loop0 1 0 1 0 0 0 0 0 0 0 0\n 254       0 vda 63397 11398 4688514 41819 11730 38138 3847424 13445 2 8208 55759 4681 29 104400 435 1204 58\n 254 1 vda1 1 1 1 1 1 1 1 1 1 1 1\n 259 0 nvme0n1 5 0 8 0 0 0 0 0 0 0 0\n';
  const found = shown(parseDiskstats(text));
  assert.equal(found['node_disk_read_bytes_total{device=vda}'], 4688514 * 512);
  assert.equal(found['node_disk_io_time_seconds_total{device=vda}'], 8.208);
  assert.equal(found['node_disk_io_now{device=vda}'], 2);
  assert.equal(found['node_disk_flush_requests_time_seconds_total{device=vda}'], 0.058);
  assert.equal(found['node_disk_reads_completed_total{device=nvme0n1}'], 5);
  assert.ok(!Object.keys(found).some((name) => /loop0|vda1/.test(name)));
});

test('mounts without files are left out, a container’s overlay root is kept, odd paths are unescaped', () => {
  const text =
    'overlay / overlay rw,relatime 0 0\nproc /proc proc rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n/dev/sdb1 /mnt/my\\040disk ext4 ro,noatime 0 0\noverlay /var/lib/docker/overlay2/x overlay rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n/dev/a /data ext4 rw 0 0\n/dev/b /data xfs rw 0 0\n';
  assert.deepEqual(parseMounts(text), [
    { device: 'overlay', mountpoint: '/', fstype: 'overlay', readonly: false },
    { device: '/dev/sdb1', mountpoint: '/mnt/my disk', fstype: 'ext4', readonly: true },
    { device: '/dev/b', mountpoint: '/data', fstype: 'xfs', readonly: false },
  ]);
});

test('a file system that does not answer is an error, not an empty disk', () => {
  const mount = { device: '/dev/b', mountpoint: '/data', fstype: 'xfs', readonly: false };
  const size = { bsize: 4096, blocks: 100, bfree: 40, bavail: 35, files: 10, ffree: 9 };
  assert.equal(shown(filesystemSamples(mount, size))['node_filesystem_avail_bytes{device=/dev/b,fstype=xfs,mountpoint=/data}'], 35 * 4096);
  const failed = filesystemSamples(mount, undefined);
  assert.deepEqual(
    failed.map(({ name, value }) => [name, value]),
    [
      ['node_filesystem_device_error', 1],
      ['node_filesystem_readonly', 0],
    ],
  );
});

test('interfaces, links, sockets and protocol counters are read', () => {
  const dev =
    'Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n  eth0:    3193      29    1    0    0     0          0         0     4444      30    0    2    0     0       0          0\nwlan0:9 1 0 0 0 0 0 0 8 1 0 0 0 0 0 0\n';
  const found = shown(parseNetDev(dev));
  assert.equal(found['node_network_receive_bytes_total{device=eth0}'], 3193);
  assert.equal(found['node_network_receive_errs_total{device=eth0}'], 1);
  assert.equal(found['node_network_transmit_drop_total{device=eth0}'], 2);
  assert.equal(found['node_network_transmit_bytes_total{device=wlan0}'], 8);
  const link = shown(linkSamples('eth0', { operstate: 'up\n', speed: '1000\n', mtu: '1500\n', carrier: '1\n' }));
  assert.equal(link['node_network_up{device=eth0}'], 1);
  assert.equal(link['node_network_speed_bytes{device=eth0}'], 125_000_000);
  assert.equal(shown(linkSamples('eth0', { operstate: 'down', speed: '-1' }))['node_network_speed_bytes{device=eth0}'], undefined);
  assert.deepEqual(shown(parseSockstat('sockets: used 25\nTCP: inuse 1 orphan 0\n')), {
    node_sockstat_sockets_used: 25,
    node_sockstat_TCP_inuse: 1,
    node_sockstat_TCP_orphan: 0,
  });
  const snmp = 'Tcp: RtoAlgorithm ActiveOpens RetransSegs\nTcp: 1 20 3\nUdp: InDatagrams InErrors\nUdp: 7 0\n';
  assert.deepEqual(shown(parseNetstat(snmp)), {
    node_netstat_Tcp_ActiveOpens: 20,
    node_netstat_Tcp_RetransSegs: 3,
    node_netstat_Udp_InDatagrams: 7,
    node_netstat_Udp_InErrors: 0,
  });
});

test('connections are counted by state over both tables', () => {
  const table = (states: readonly string[]): string =>
    `  sl  local_address rem_address   st\n${states.map((state, i) => `  ${i}: 00000000:07E8 00000000:0000 ${state} 0:0 0\n`).join('')}`;
  assert.deepEqual(shown(parseTcpStates(table(['0A', '01', '01']), table(['01', '06']))), {
    'node_tcp_connection_states{state=listen}': 1,
    'node_tcp_connection_states{state=established}': 3,
    'node_tcp_connection_states{state=time_wait}': 1,
  });
});

test('a task’s name may hold brackets and blanks', () => {
  const line = '42 (a) R (b) S 1 42 42 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 7 0 100 200 300';
  assert.deepEqual(parseTask(line), { state: 'S', threads: 7 });
  assert.equal(parseTask(''), undefined);
  assert.deepEqual(
    shown(
      taskSamples([
        { state: 'S', threads: 7 },
        { state: 'R', threads: 1 },
      ]),
    ),
    {
      node_processes_threads: 8,
      'node_processes_state{state=S}': 1,
      'node_processes_state{state=R}': 1,
    },
  );
});

test('sensors are read from sysfs and absent ones are no failure', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-sys-'));
  const file = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  };
  try {
    file('class/hwmon/hwmon0/name', 'coretemp\n');
    file('class/hwmon/hwmon0/temp1_input', '41500\n');
    file('class/hwmon/hwmon0/temp1_max', '99000\n');
    file('class/thermal/thermal_zone0/temp', '38000\n');
    file('class/thermal/thermal_zone0/type', 'soc\n');
    file('class/net/bonding_masters', 'bond0\n');
    file('class/net/eth0/operstate', 'up\n');
    const readers = linuxReaders({ proc: '/proc', sys: folder, clock: manualClock() }).filter(({ name }) =>
      ['hwmon', 'thermal_zone', 'netclass'].includes(name),
    );
    const found = shown((await Promise.all(readers.map(async ({ read }) => read()))).flat());
    assert.equal(found['node_hwmon_temp_celsius{chip=coretemp_hwmon0,sensor=temp1}'], 41.5);
    assert.equal(found['node_thermal_zone_temp{type=soc,zone=0}'], 38);
    assert.equal(found['node_network_up{device=eth0}'], 1);
    assert.ok(!Object.keys(found).some((name) => name.includes('bonding_masters')));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('a reader that fails or hangs shows so and harms no other', async () => {
  const clock = manualClock();
  const hangs = new Promise<readonly HostSample[]>(() => undefined);
  const readers = [
    { name: 'good', read: () => parseLoadavg('1 2 3') },
    {
      name: 'broken',
      read: (): readonly HostSample[] => {
        throw new Error('gone');
      },
    },
    { name: 'hanging', read: () => hangs },
  ];
  const collector = createHostCollector({ clock, logger: silentLogger, readers });
  const collecting = collector.collect();
  await clock.advance(5_000);
  const found = shown(await collecting);
  assert.equal(found['node_load1'], 1);
  assert.equal(found['node_scrape_collector_success{collector=good}'], 1);
  assert.equal(found['node_scrape_collector_success{collector=broken}'], 0);
  assert.equal(found['node_scrape_collector_success{collector=hanging}'], 0);
  const again = shown(await collector.collect());
  assert.equal(again['node_scrape_collector_success{collector=hanging}'], 0, 'it is not asked again while it hangs');
});

test('connections and states of processes are counted at most once a minute, the number of processes each time', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nines-proc-'));
  const clock = manualClock();
  try {
    for (const [path, text] of [
      ['7/stat', '7 (a) S 1 42 42 0 -1 4194560 1 0 0 0 1 2 0 0 20 0 3 0 100 200 300'],
      ['net/sockstat', 'TCP: inuse 1 orphan 0 tw 0 alloc 1 mem 298\n'],
      ['net/tcp', '  sl\n   0: 00000000:07E8 00000000:0000 0A 0:0 0\n'],
    ] as const) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const readers = linuxReaders({ proc: folder, sys: folder, clock }).filter(({ name }) => name === 'tcpstat' || name === 'processes');
    const names = async (): Promise<readonly string[]> =>
      (await Promise.all(readers.map(async ({ read }) => read())))
        .flat()
        .map(({ name }) => name)
        .sort();
    const all = ['node_processes_pids', 'node_processes_state', 'node_processes_threads', 'node_tcp_connection_states'];
    assert.deepEqual(await names(), all);
    await clock.advance(59_000);
    assert.deepEqual(await names(), ['node_processes_pids']);
    await clock.advance(1_000);
    assert.deepEqual(await names(), all);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test('both kinds of readers see the same machine', {
  skip: process.platform === 'linux' ? false : 'only Linux has both kinds',
}, async () => {
  const clock = manualClock();
  const figure = async (readers: readonly HostReader[], name: string): Promise<number> => {
    const found = (await createHostCollector({ clock, logger: silentLogger, readers }).collect()).find((one) => one.name === name);
    assert.ok(found !== undefined, name);
    return found.value;
  };
  const [linux, portable] = [linuxReaders({ proc: '/proc', sys: '/sys', clock }), portableReaders(clock)];
  assert.equal(await figure(portable, 'node_memory_MemTotal_bytes'), await figure(linux, 'node_memory_MemTotal_bytes'));
  const [a, b] = [await figure(portable, 'node_memory_MemAvailable_bytes'), await figure(linux, 'node_memory_MemAvailable_bytes')];
  assert.ok(Math.abs(a - b) < 0.2 * b, `${a} against ${b}`);
});

test('this machine gives the figures of the overview, whichever readers serve it', async () => {
  const clock = manualClock();
  for (const readers of [process.platform === 'linux' ? linuxReaders({ proc: '/proc', sys: '/sys', clock }) : [], portableReaders(clock)]) {
    if (readers.length === 0) continue;
    const names = new Set((await createHostCollector({ clock, logger: silentLogger, readers }).collect()).map(({ name }) => name));
    for (const name of [
      'node_cpu_seconds_total',
      'node_load1',
      'node_memory_MemTotal_bytes',
      'node_memory_MemAvailable_bytes',
      'node_filesystem_size_bytes',
      'node_network_receive_bytes_total',
      'node_boot_time_seconds',
      'node_uname_info',
    ]) {
      assert.ok(names.has(name), name);
    }
  }
});

test('the operating system is what os-release says, and nothing where it says nothing', () => {
  const [told] = parseOsRelease(
    'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nNAME="Debian GNU/Linux"\nVERSION_ID="13"\nID=debian\n# comment\n',
  );
  assert.deepEqual(
    [told?.name, told?.labels],
    ['node_os_info', ['id', 'debian', 'name', 'Debian GNU/Linux', 'pretty_name', 'Debian GNU/Linux 13 (trixie)', 'version_id', '13']],
  );
  assert.deepEqual(parseOsRelease(''), []);
});
