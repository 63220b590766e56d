import { type HostSample, numberOf, sample, wordsOf } from './sample.ts';

const RECEIVE = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'frame', 'compressed', 'multicast'];
const TRANSMIT = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'colls', 'carrier', 'compressed'];

/** `/proc/net/dev`: bytes, packets and errors per interface and direction. */
export function parseNetDev(text: string): readonly HostSample[] {
  return text.split('\n').flatMap((line) => {
    const found = /^\s*([^\s:|]+):\s*(.+)$/.exec(line);
    if (found === null) return [];
    const device = found[1] ?? '';
    const figures = wordsOf(found[2] ?? '').map(numberOf);
    const direction = (word: string, columns: readonly string[], from: number): readonly HostSample[] =>
      columns.map((column, i) => sample(`node_network_${word}_${column}_total`, figures[from + i] ?? 0, 'device', device));
    return [...direction('receive', RECEIVE, 0), ...direction('transmit', TRANSMIT, RECEIVE.length)];
  });
}

/** The files of `/sys/class/net/<device>` that say what the link is; absent ones are left out. */
export type LinkFiles = Readonly<Partial<Record<(typeof LINK_FILES)[number], string>>>;
export const LINK_FILES = ['operstate', 'carrier', 'speed', 'mtu', 'carrier_changes', 'address', 'duplex'] as const;

export function linkSamples(device: string, files: LinkFiles): readonly HostSample[] {
  const operstate = files.operstate?.trim() ?? 'unknown';
  const samples = [
    sample('node_network_up', operstate === 'up' ? 1 : 0, 'device', device),
    sample(
      'node_network_info',
      1,
      'address',
      files.address?.trim() ?? '',
      'device',
      device,
      'duplex',
      files.duplex?.trim() ?? '',
      'operstate',
      operstate,
    ),
  ];
  const add = (name: string, text: string | undefined, scale = 1): void => {
    const value = numberOf(text);
    // A link without a known speed says -1.
    if (value !== undefined && value >= 0) samples.push(sample(name, value * scale, 'device', device));
  };
  add('node_network_carrier', files.carrier);
  add('node_network_mtu_bytes', files.mtu);
  add('node_network_carrier_changes_total', files.carrier_changes);
  // Megabits per second there, bytes per second here.
  add('node_network_speed_bytes', files.speed, 125_000);
  return samples;
}

/** `/proc/net/sockstat` and `sockstat6`: sockets in use by protocol. */
export function parseSockstat(text: string): readonly HostSample[] {
  return text.split('\n').flatMap((line) => {
    const [protocol = '', ...pairs] = wordsOf(line.replace(':', ''));
    const samples: HostSample[] = [];
    for (let i = 0; i + 1 < pairs.length; i += 2) {
      const value = numberOf(pairs[i + 1]);
      if (value !== undefined) samples.push(sample(`node_sockstat_${protocol}_${pairs[i] ?? ''}`, value));
    }
    return samples;
  });
}

/** Sockets of the kernel's table of states, in the order of their numbers from 1. */
const TCP_STATES = [
  'established',
  'syn_sent',
  'syn_recv',
  'fin_wait1',
  'fin_wait2',
  'time_wait',
  'close',
  'close_wait',
  'last_ack',
  'listen',
  'closing',
  'new_syn_recv',
];

/** `/proc/net/tcp` and `tcp6` together: connections by state, states without any left out. */
export function parseTcpStates(...tables: readonly string[]): readonly HostSample[] {
  const counts = new Map<string, number>();
  for (const table of tables) {
    for (const found of table.matchAll(/^\s*\d+: \S+ \S+ ([0-9A-F]{2}) /gm)) {
      const state = TCP_STATES[Number.parseInt(found[1] ?? '', 16) - 1];
      if (state !== undefined) counts.set(state, (counts.get(state) ?? 0) + 1);
    }
  }
  return [...counts].map(([state, count]) => sample('node_tcp_connection_states', count, 'state', state));
}

/** The figures that node_exporter keeps of the several hundred there are. */
const NETSTAT =
  /^(.*_(InErrors|InErrs)|Ip_Forwarding|Ip(6|Ext)_(InOctets|OutOctets)|Icmp6?_(InMsgs|OutMsgs)|TcpExt_(Listen.*|Syncookies.*|TCPSynRetrans|TCPTimeouts|TCPOFOQueue|TCPRcvQDrop)|Tcp_(ActiveOpens|InSegs|OutSegs|OutRsts|PassiveOpens|RetransSegs|CurrEstab)|Udp6?_(InDatagrams|OutDatagrams|NoPorts|RcvbufErrors|SndbufErrors))$/;

/** `/proc/net/snmp` and `/proc/net/netstat`: pairs of lines, names above values. */
export function parseNetstat(text: string): readonly HostSample[] {
  const lines = text.split('\n');
  const samples: HostSample[] = [];
  for (let i = 0; i + 1 < lines.length; i += 2) {
    const [protocol = '', ...names] = wordsOf(lines[i] ?? '');
    const [same, ...values] = wordsOf(lines[i + 1] ?? '');
    if (same !== protocol) continue;
    names.forEach((name, column) => {
      const key = `${protocol.replace(':', '')}_${name}`;
      const value = numberOf(values[column]);
      if (value !== undefined && NETSTAT.test(key)) samples.push(sample(`node_netstat_${key}`, value));
    });
  }
  return samples;
}
