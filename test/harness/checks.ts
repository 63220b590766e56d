/** Attempts of checks against servers that a test starts, and certificates for those servers. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect as connectTcp, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type CheckResult, checkSchema, type CheckSpec, toSpec, type WrittenCheck } from '@nines/server/checks/contract.ts';
import { createResolve } from '@nines/server/checks/resolve.ts';
import { type ChecksDeps, CheckService } from '@nines/server/checks/service.ts';
import { createBus } from '@nines/server/platform/bus.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { judgeAddress } from '@nines/server/platform/fetch/judge.ts';
import { runProgram } from '@nines/server/platform/programs.ts';
import { poll } from './poll.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };

/** An id whose first start comes 2 ms after it is configured. */
const FIRST = 'c17';

const PACE = { interval: '10s', timeout: '5s' };

type Kind = WrittenCheck['kind'];
export type AnyCheck = { [K in Kind]: Partial<Extract<WrittenCheck, { kind: K }>> & { kind: K } }[Kind];

export const specOf = (written: AnyCheck, trust: CheckSpec['trust'] = 'trusted', labels: CheckSpec['labels'] = {}): CheckSpec =>
  toSpec(checkSchema.parse({ id: FIRST, ...(written.kind === 'heartbeat' ? {} : PACE), ...written }), {
    service: 'shop',
    trust,
    labels,
  });

/** Runs one attempt of the whole service and returns its result. Another one when this busy machine was late and voided the first. */
export async function attempt(written: AnyCheck, trust: CheckSpec['trust'] = 'trusted', here: Here = {}): Promise<CheckResult> {
  for (;;) {
    const result = await attemptOnce(specOf(written, trust, here.labels), here);
    if (result.outcome.kind !== 'void' || result.outcome.code !== 'loop_delay') return result;
  }
}

/** What only some kinds need: samples to ask, programs to run. */
type Here = Partial<Pick<ChecksDeps, 'query' | 'commands' | 'browsers' | 'resolve' | 'judge'>> & { readonly labels?: CheckSpec['labels'] };

async function attemptOnce(spec: CheckSpec, here: Here): Promise<CheckResult> {
  const results: CheckResult[] = [];
  const service = new CheckService({
    clock: realClock,
    logger: quiet,
    bus: createBus(() => {}),
    resolve: here.resolve ?? createResolve(),
    judge: here.judge ?? judgeAddress,
    run: runProgram,
    query: here.query ?? (async () => []),
    commands: here.commands ?? [],
    ...(here.browsers === undefined ? {} : { browsers: here.browsers }),
    sink: async (result) => void results.push(result),
  });
  service.configure([spec]);
  const result = await poll('a result', () => results[0]);
  await service.stop();
  return result;
}

/** `up`, or `down status: status 503, expected 2xx`. */
export const said = ({ outcome }: CheckResult): string =>
  outcome.kind === 'up' ? 'up' : `${outcome.kind} ${outcome.code}: ${outcome.detail}`;

/** The kind's own figures by name; labels as `name{key=value}`. */
export const figuresOf = (result: CheckResult): Readonly<Record<string, number>> =>
  Object.fromEntries(
    (result.figures ?? []).map(({ name, value, labels = {} }) => {
      const written = Object.entries(labels).map(([key, label]) => `${key}=${label}`);
      return [written.length === 0 ? name : `${name}{${written.join(',')}}`, value];
    }),
  );

/** What is wrong with a check as it is written: `interval: …; url: …`, or `fits`. */
export function faultsOf(written: Readonly<Record<string, unknown>>): string {
  const parsed = checkSchema.safeParse({ id: 'c', ...written });
  return parsed.success ? 'fits' : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; ');
}

interface Closable extends Server {
  closeAllConnections?: () => void;
}

/** The port that the server listens on until the test ends. */
export async function listen(t: TestContext, server: Closable): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections?.();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server that says nothing, whatever it is told. */
export const silent = (t: TestContext): Promise<number> =>
  listen(
    t,
    createTcpServer((socket) => void socket.on('error', () => {})),
  );

/** A server that says `text` to everyone who connects, and hangs up. */
export const babbler = (t: TestContext, text: string): Promise<number> =>
  listen(
    t,
    createTcpServer((socket) => void socket.on('error', () => {}).end(text)),
  );

/** How long what comes through `slowly` takes at least. */
const SLOW_MS = 60;
/** The limit of a check that finds what comes through `slowly` slow. */
export const TOO_SLOW = { degraded_after: '50ms' } as const;

/** A way to the port on which every answer takes its time. */
export const slowly = (t: TestContext, port: number): Promise<number> =>
  listen(
    t,
    createTcpServer((socket) => {
      const upstream = connectTcp(port, '127.0.0.1');
      socket.on('error', () => upstream.destroy());
      upstream.on('error', () => socket.destroy());
      socket.pipe(upstream);
      upstream.on('data', (chunk) => void setTimeout(() => socket.write(chunk), SLOW_MS));
      upstream.on('end', () => void setTimeout(() => socket.end(), SLOW_MS));
    }),
  );

/** A port that nobody listens on. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export type Certificate = { readonly key: string; readonly cert: string };

/** A certificate authority that signs for `localhost` and 127.0.0.1, made anew with openssl. */
export class Authority implements Disposable {
  readonly #folder = mkdtempSync(join(tmpdir(), 'nines-ca-'));
  readonly cert: string;

  constructor() {
    this.#openssl('req', '-x509', ...NEW_KEY, '-days', '365', '-subj', '/CN=Nines test authority', '-keyout', 'ca.key', '-out', 'ca.pem');
    this.cert = this.#read('ca.pem');
  }

  /** `days` below 0: it has expired. */
  issue({ days = 90, host = 'localhost' }: { readonly days?: number; readonly host?: string } = {}): Certificate {
    const names = `subjectAltName=DNS:${host}${host === 'localhost' ? ',IP:127.0.0.1' : ''}`;
    this.#openssl('req', ...NEW_KEY, '-subj', `/CN=${host}`, '-addext', names, '-keyout', 'key.pem', '-out', 'request.pem');
    const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copyall'];
    this.#openssl('x509', '-req', '-in', 'request.pem', ...by, '-days', String(days), '-out', 'cert.pem');
    return { key: this.#read('key.pem'), cert: this.#read('cert.pem') };
  }

  [Symbol.dispose](): void {
    rmSync(this.#folder, { recursive: true });
  }

  #read(name: string): string {
    return readFileSync(join(this.#folder, name), 'utf8');
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.#folder, stdio: 'ignore' });
  }
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
