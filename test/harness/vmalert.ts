/** Debian's vmalert in a child process: rules over a Prometheus query API, alerts to an Alertmanager API. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { freePort } from './nines.ts';
import { poll } from './poll.ts';

const BINARY = '/usr/bin/vmalert';

export async function startVmalert({
  rules,
  datasource,
  notifier,
}: {
  /** A rule file. */
  readonly rules: string;
  readonly datasource: string;
  readonly notifier: string;
}): Promise<AsyncDisposable> {
  if (!existsSync(BINARY)) throw new Error('vmalert is missing. Install it with: sudo apt-get install victoria-metrics');
  const address = `127.0.0.1:${await freePort()}`;
  const args = [`-rule=${rules}`, `-datasource.url=${datasource}`, `-notifier.url=${notifier}`, `-httpListenAddr=${address}`];
  const child = spawn(BINARY, [...args, '-evaluationInterval=1s', '-datasource.queryTimeAlignment=false'], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await poll(`vmalert at ${address}`, async () => (await fetch(`http://${address}/health`).catch(() => undefined))?.ok);
  return {
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
