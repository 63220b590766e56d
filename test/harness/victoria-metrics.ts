/** Debian's VictoriaMetrics in a child process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './nines.ts';
import { poll } from './poll.ts';

const BINARY = '/usr/bin/victoria-metrics';

export type VictoriaMetrics = AsyncDisposable & { readonly base: string };

export async function startVictoriaMetrics(): Promise<VictoriaMetrics> {
  if (!existsSync(BINARY)) throw new Error('VictoriaMetrics is missing. Install it with: sudo apt-get install victoria-metrics');
  const folder = mkdtempSync(join(tmpdir(), 'victoria-metrics-'));
  const port = await freePort();
  const base = `http://127.0.0.1:${port}`;
  const args = [`-storageDataPath=${folder}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=1y'];
  const child = spawn(BINARY, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await poll(`VictoriaMetrics at ${base}`, async () => (await fetch(`${base}/health`).catch(() => undefined))?.ok);
  return {
    base,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
