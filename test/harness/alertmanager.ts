/** Debian's Alertmanager in a child process, below a path of its own, telling nobody. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './nines.ts';
import { poll } from './poll.ts';

const BINARY = '/usr/bin/prometheus-alertmanager';

/** An alert as `GET /api/v2/alerts` shows it. */
export type ShownAlert = {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL: string;
  readonly status: { readonly state: string; readonly inhibitedBy: readonly string[] };
};
export type Alertmanager = AsyncDisposable & {
  readonly address: string;
  readonly prefix: string;
  /** What is active there now. */
  alerts(): Promise<readonly ShownAlert[]>;
  /** A figure of its `/metrics`, without labels; 0 when it has none. */
  figure(start: string): Promise<number>;
};

const NOBODY = 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n';

export async function startAlertmanager(written: string = NOBODY): Promise<Alertmanager> {
  if (!existsSync(BINARY)) throw new Error('Alertmanager is missing. Install it with: sudo apt-get install prometheus-alertmanager');
  const folder = mkdtempSync(join(tmpdir(), 'alertmanager-'));
  const address = `127.0.0.1:${await freePort()}`;
  const prefix = '/am';
  const config = join(folder, 'alertmanager.yml');
  writeFileSync(config, written);
  const args = [
    `--config.file=${config}`,
    `--storage.path=${folder}/data`,
    `--web.listen-address=${address}`,
    `--web.route-prefix=${prefix}`,
  ];
  const child = spawn(BINARY, [...args, '--cluster.listen-address='], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const base = `http://${address}${prefix}`;
  await poll(`Alertmanager at ${base}`, async () => (await fetch(`${base}/-/ready`).catch(() => undefined))?.ok);
  return {
    address,
    prefix,
    alerts: async () => (await (await fetch(`${base}/api/v2/alerts`)).json()) as readonly ShownAlert[],
    figure: async (start) => {
      const text = await (await fetch(`${base}/metrics`)).text();
      return Number(/ (\S+)$/.exec(text.split('\n').find((line) => line.startsWith(start)) ?? ' 0')?.[1]);
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
