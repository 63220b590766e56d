/** Debian's Prometheus in a child process, taking remote write, as the oracle beside which our answers are held. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './nines.ts';
import { poll } from './poll.ts';

const BINARY = '/usr/bin/prometheus';

export type Prometheus = AsyncDisposable & {
  readonly base: string;
  readonly dataDir: string;
  /** SIGTERM, waits for the end; the data stay until disposal. */
  stop(): Promise<void>;
};
export type PrometheusOptions = {
  readonly config?: string;
  readonly args?: readonly string[];
  /** Another's blocks to begin with; stays when this one is gone. */
  readonly dataDir?: string;
};

export async function startPrometheus({
  config: text = 'global: { scrape_interval: 1h }\n',
  args: more = [],
  ...given
}: PrometheusOptions = {}): Promise<Prometheus> {
  if (!existsSync(BINARY)) throw new Error('Prometheus is missing. Install it with: sudo apt-get install prometheus');
  const folder = mkdtempSync(join(tmpdir(), 'prometheus-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, text);
  const dataDir = given.dataDir ?? join(folder, 'data');
  const args = [`--config.file=${config}`, `--storage.tsdb.path=${dataDir}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn(BINARY, [...args, '--web.enable-remote-write-receiver', ...more], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await poll(`Prometheus at ${base}`, async () => (await fetch(`${base}/-/ready`).catch(() => undefined))?.ok);
  return {
    base,
    dataDir,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
