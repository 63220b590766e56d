import { readFileSync } from 'node:fs';

/** The state `LISTEN` in the kernel's table. */
const LISTENING = '0A';

/** Programs that are known to tell metrics, by the port that they listen on unless told otherwise. */
export const KNOWN_PROGRAMS: ReadonlyMap<number, { readonly program: string; readonly path?: string }> = new Map([
  [9100, { program: 'node_exporter' }],
  [9182, { program: 'windows_exporter' }],
  [9256, { program: 'process-exporter' }],
  [9104, { program: 'mysqld_exporter' }],
  [9187, { program: 'postgres_exporter' }],
  [9121, { program: 'redis_exporter' }],
  [9113, { program: 'nginx-prometheus-exporter' }],
  [9216, { program: 'mongodb_exporter' }],
  [9308, { program: 'kafka_exporter' }],
  [9419, { program: 'rabbitmq_exporter' }],
  [15_692, { program: 'rabbitmq' }],
  [9115, { program: 'blackbox_exporter' }],
  [9116, { program: 'snmp_exporter' }],
  [9090, { program: 'prometheus' }],
  [9091, { program: 'pushgateway' }],
  [9093, { program: 'alertmanager' }],
  [8428, { program: 'victoriametrics' }],
  [3100, { program: 'loki' }],
  [2019, { program: 'caddy' }],
  [2112, { program: 'go-application' }],
  [9153, { program: 'coredns' }],
  [9253, { program: 'php-fpm_exporter' }],
]);

/**
 * The ports of `/proc/net/tcp` and `tcp6` on which something listens that this host itself reaches: at any address, or at the loopback
 * one. The local address is hexadecimal, `0100007F:238C` is 127.0.0.1:9100. Source: proc(5).
 */
export function listeningPorts(...tables: readonly string[]): ReadonlySet<number> {
  const ports = new Set<number>();
  for (const line of tables.flatMap((table) => table.split('\n').slice(1))) {
    const [, local = '', , state] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state === LISTENING && (/^0+$/.test(address) || address.endsWith('0100007F'))) ports.add(Number.parseInt(port, 16));
  }
  return ports;
}

/** Nothing where there is no such table. */
export function readListeningPorts(): ReadonlySet<number> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((path) => {
    try {
      return [readFileSync(path, 'utf8')];
    } catch {
      return [];
    }
  });
  return listeningPorts(...tables);
}
