/**
 * What the tests need beyond npm, and how it gets here: Debian's packages, installed when we are root or may use sudo
 * without a password. Where neither holds, says what is missing and how to get it; the affected tests then fail by name.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';

type Need = { readonly what: string; readonly debian: string; readonly present: () => boolean };

const NEEDS: readonly Need[] = [
  { what: 'PostgreSQL server', debian: 'postgresql', present: () => globSync('/usr/lib/postgresql/*/bin/initdb').length > 0 },
  { what: 'Chromium', debian: 'chromium', present: () => existsSync('/usr/bin/chromium') },
  { what: 'Redis server', debian: 'redis-server', present: () => existsSync('/usr/bin/redis-server') },
  { what: 'MariaDB server', debian: 'mariadb-server-core', present: () => existsSync('/usr/sbin/mariadbd') },
  { what: 'Prometheus', debian: 'prometheus', present: () => existsSync('/usr/bin/prometheus') },
  { what: 'node_exporter', debian: 'prometheus-node-exporter', present: () => existsSync('/usr/bin/prometheus-node-exporter') },
  { what: 'Alertmanager', debian: 'prometheus-alertmanager', present: () => existsSync('/usr/bin/prometheus-alertmanager') },
  { what: 'Pushgateway', debian: 'prometheus-pushgateway', present: () => existsSync('/usr/bin/prometheus-pushgateway') },
  { what: 'dnsmasq', debian: 'dnsmasq-base', present: () => existsSync('/usr/sbin/dnsmasq') },
  { what: 'ping', debian: 'iputils-ping', present: () => existsSync('/usr/bin/ping') },
  { what: 'snmpd', debian: 'snmpd', present: () => existsSync('/usr/sbin/snmpd') },
  { what: 'VictoriaMetrics', debian: 'victoria-metrics', present: () => existsSync('/usr/bin/victoria-metrics') },
];

/** Installs what is missing; returns what is still missing afterwards. */
export function ensureNeeds(): readonly string[] {
  const missing = NEEDS.filter((need) => !need.present());
  if (missing.length === 0) return [];
  const packages = missing.map((need) => need.debian);
  const prefix = process.getuid?.() === 0 ? [] : ['sudo', '-n'];
  const apt = (...args: readonly string[]): number | null => {
    const [command = '', ...rest] = [...prefix, 'apt-get', ...args];
    return spawnSync(command, rest, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
      .status;
  };
  console.log(`tests need ${missing.map((need) => need.what).join(', ')}: installing ${packages.join(' ')}`);
  if (apt('install', '-y', '--no-install-recommends', ...packages) !== 0) {
    apt('update');
    apt('install', '-y', '--no-install-recommends', ...packages);
  }
  const still = missing.filter((need) => !need.present());
  for (const need of still) console.log(`missing: ${need.what}. Install it with: sudo apt-get install ${need.debian}`);
  return still.map((need) => need.what);
}
