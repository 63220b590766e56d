import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

/** A private PostgreSQL of this test process, reached through a socket in its temporary directory. */
type Cluster = { readonly directory: string; readonly server: ChildProcess; readonly port?: number; databases: number };

let cluster: Promise<Cluster> | undefined;

/**
 * Runs the server until this process is gone, however it went: the pipe on standard input then ends. Removes the
 * directory (`$0`) afterwards.
 */
const GUARD = `exec 3<&0
"$@" & server=$!
(cat <&3 >/dev/null; kill -QUIT $server) &
wait $server
cd / && rm -rf "$0"`;

/** How long the server may take to accept its first connection on a busy machine. */
const START_DEADLINE_MS = 60_000;

/**
 * Makes an empty database on the process' private server, which starts at the first call and is removed when the process
 * ends, and returns its URL. Throws with what to install when PostgreSQL is missing.
 */
export async function freshPostgres(): Promise<string> {
  cluster ??= startCluster();
  const running = await cluster;
  const name = `t${++running.databases}`;
  await onAdmin(running, `create database ${name}`);
  return urlOf(running, name);
}

export type PostgresServer = { readonly port: number; readonly process: ChildProcess; run(statement: string): Promise<void> };

/** A server of the test's own on a TCP port; `files` lie in its directory, where `settings` may name them as `{directory}/name`. */
export async function startPostgres(
  port: number,
  { settings, files }: { readonly settings: readonly string[]; readonly files: Readonly<Record<string, string>> },
): Promise<PostgresServer> {
  const tcp = ['listen_addresses=127.0.0.1', `port=${port}`];
  const made = await startCluster({ settings: [...tcp, ...settings], files, port });
  return { port, process: made.server, run: (statement) => onAdmin(made, statement) };
}

type Own = { readonly settings: readonly string[]; readonly files: Readonly<Record<string, string>>; readonly port: number };

async function startCluster(own?: Own): Promise<Cluster> {
  const bin = findBinaries();
  const directory = mkdtempSync(join(tmpdir(), 'nines-pg-'));
  const account = unprivileged();
  if (account !== undefined) {
    chmodSync(directory, 0o755);
    chownSync(directory, account.uid, account.gid);
  }
  const data = join(directory, 'data');
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
  execFileSync(join(bin, 'initdb'), ['-D', data, '-U', 'nines', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-instructions'], {
    ...account,
    env,
    cwd: directory,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const flags = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'listen_addresses=',
    `unix_socket_directories=${directory}`,
    ...(own?.settings ?? []).map((setting) => setting.replaceAll('{directory}', directory)),
  ];
  for (const [name, text] of Object.entries(own?.files ?? {})) {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    if (account !== undefined) chownSync(path, account.uid, account.gid);
  }
  const options = ['-D', data, ...flags.flatMap((flag) => ['-c', flag])];
  const server = spawn('sh', ['-c', GUARD, directory, join(bin, 'postgres'), ...options], {
    ...account,
    env,
    cwd: directory,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  server.unref();
  // The pipe lives as long as this process, and does not keep it alive.
  (server.stdin as Socket).unref();
  const made: Cluster = { directory, server, databases: 0, ...(own === undefined ? {} : { port: own.port }) };
  await untilReady(made);
  return made;
}

async function untilReady(running: Cluster): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS;
  for (;;) {
    try {
      return await onAdmin(running, 'select 1');
    } catch (thrown) {
      if (running.server.exitCode !== null) throw new Error(`PostgreSQL ended with code ${running.server.exitCode}`, { cause: thrown });
      if (performance.now() > deadline) throw new Error('PostgreSQL did not start in time', { cause: thrown });
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function onAdmin(running: Cluster, statement: string): Promise<void> {
  const client = new pg.Client({
    connectionString: urlOf(running, 'postgres'),
    ...(running.port === undefined ? {} : { port: running.port }),
  });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const urlOf = (running: Cluster, database: string): string =>
  `postgresql://nines@/${database}?host=${encodeURIComponent(running.directory)}${running.port === undefined ? '' : `&port=${running.port}`}`;

function findBinaries(): string {
  const root = '/usr/lib/postgresql';
  const versions = existsSync(root) ? readdirSync(root).sort((a, b) => Number(b) - Number(a)) : [];
  const found = versions.map((version) => join(root, version, 'bin')).find((bin) => existsSync(join(bin, 'initdb')));
  if (found === undefined) throw new Error('this test needs PostgreSQL: apt-get install postgresql');
  return found;
}

/** PostgreSQL refuses root, so as root it runs under the account of the package, else under `nobody`. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    try {
      const number = (flag: string): number => Number(execFileSync('id', [flag, name], { stdio: ['ignore', 'pipe', 'ignore'] }).toString());
      return { uid: number('-u'), gid: number('-g') };
    } catch {
      // The next account is tried.
    }
  }
  throw new Error('this test needs an account other than root for PostgreSQL: apt-get install postgresql');
}
