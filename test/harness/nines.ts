/** A whole server as users run it: the built program in a child process, with a data directory of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { poll } from './poll.ts';

export const HOUSE = dirname(dirname(import.meta.dirname));
export const NINES = join(HOUSE, 'cli/bin/nines');

export type Answer<T = unknown> = { readonly status: number; readonly headers: Headers; readonly text: string; readonly json: T };

export type StartOptions = {
  readonly config?: string;
  /** Further files beside the configuration, by relative path. */
  readonly files?: Readonly<Record<string, string>>;
  /** Another process' folder, to start again on its data. */
  readonly folder?: string;
  readonly port?: number;
  readonly args?: readonly string[];
};

export type Nines = AsyncDisposable & {
  readonly base: string;
  readonly port: number;
  readonly folder: string;
  readonly dataDir: string;
  readonly child: ChildProcess;
  /** What the process wrote so far, both streams. */
  output(): string;
  get<T = unknown>(path: string, headers?: Record<string, string>): Promise<Answer<T>>;
  send<T = unknown>(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer<T>>;
  /** SIGTERM, waits for the end, returns the exit code. */
  stop(): Promise<number | null>;
  /** SIGKILL, waits for the end. */
  kill(): Promise<void>;
};

export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answer<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, headers: response.headers, text, json: (isJson && text !== '' ? JSON.parse(text) : undefined) as T };
}

/** Starts the server and waits until it is ready; throws with its output when it ends before. */
export async function startNines(options: StartOptions = {}): Promise<Nines> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'nines-'));
  const port = options.port ?? (await freePort());
  const base = `http://127.0.0.1:${port}`;
  const dataDir = join(folder, 'data');
  for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), text);
  if (options.config !== undefined) writeFileSync(join(folder, 'nines.yml'), options.config);
  const config = existsSync(join(folder, 'nines.yml')) ? ['--config', join(folder, 'nines.yml')] : [];
  const args = ['serve', '--data', dataDir, '--listen', `127.0.0.1:${port}`, ...config, ...(options.args ?? ['--insecure-no-auth'])];
  const child = spawn(NINES, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    output += String(chunk);
  });
  const ended = once(child, 'exit');
  await poll(`the server to be ready at ${base}`, async () => {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}:\n${output}`);
    const ready = await fetch(`${base}/-/ready`).catch(() => undefined);
    return ready?.ok === true;
  }).catch((thrown: unknown) => {
    // Nobody could end it afterwards, and a test's process waits for its children.
    child.kill('SIGKILL');
    throw thrown;
  });
  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  };
  return {
    base,
    port,
    folder,
    dataDir,
    child,
    output: () => output,
    get: async (path, headers = {}) => answer(await fetch(base + path, { headers })),
    send: async (method, path, body, headers = {}) => {
      const raw = body instanceof Uint8Array || typeof body === 'string';
      const init: RequestInit = {
        method,
        headers: raw || body === undefined ? headers : { 'content-type': 'application/json', ...headers },
      };
      if (body !== undefined) init.body = raw ? (body as Uint8Array<ArrayBuffer> | string) : JSON.stringify(body);
      return answer(await fetch(base + path, init));
    },
    stop: () => end('SIGTERM'),
    kill: async () => {
      await end('SIGKILL');
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
