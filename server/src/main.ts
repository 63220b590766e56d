import type { Readable, Writable } from 'node:stream';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { createApp } from './app.ts';
import { type Config, configPath, DEFAULT_DATA_DIR, readConfig } from './config.ts';
import { realClock } from './platform/clock.ts';
import { type MasterKey, readMasterKey } from './platform/encryption/master-key.ts';
import { formatProblem } from './platform/config/load.ts';
import { onCrash } from './platform/crash.ts';
import { isOverheard } from './platform/http/server-config.ts';
import { createIds } from './platform/ids.ts';
import { createLogger } from './platform/log.ts';
import { closeToOthers, makePrivately } from './platform/private.ts';
import { scrub } from './platform/scrub.ts';
import { VERSION } from './version.ts';

/** What the command line says; everything else is configuration. */
export type ServeOptions = {
  /** Path of the configuration file. */
  readonly config?: string | undefined;
  /** The data directory; `./data` by default. */
  readonly data?: string | undefined;
  /** `HOST:PORT`. */
  readonly listen?: string | undefined;
  /** Everyone is an administrator; only on loopback. */
  readonly insecureNoAuth?: boolean | undefined;
};

const EXIT = { ok: 0, cannotStart: 1, badConfiguration: 2, crashed: 70 } as const;
/** The store's errors that say all there is to say. */
const PLAIN_ERRORS: ReadonlySet<string> = new Set(['StoreLocked', 'StoreUnavailable']);
const LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1', 'localhost', '::1', '[::1]']);

/** From command line to signals. Resolves with the exit code when the server has ended. */
export async function serve(
  options: ServeOptions,
  io: { readonly stdout: Writable; readonly stderr: Writable & { readonly isTTY?: boolean }; readonly stdin?: Readable } = process,
): Promise<number> {
  const say = (text: string): void => void io.stdout.write(`${text}\n`);
  const complain = (text: string): void => void io.stderr.write(`${scrub(text)}\n`);
  using _crash = onCrash({ version: VERSION, exitCode: EXIT.crashed, complain });
  const flags = options.listen === undefined ? [] : [{ path: ['server', 'listen'], value: options.listen, source: '--listen' }];
  const read = (text?: string) => readConfig({ file: options.config, text, dataDir: options.data, env: process.env, flags });
  const loaded = read();
  if (!loaded.ok) {
    for (const problem of loaded.problems) complain(formatProblem(problem));
    return EXIT.badConfiguration;
  }
  if (options.data === '') {
    complain('--data: write a directory, for example --data ./data');
    return EXIT.badConfiguration;
  }
  const { config } = loaded;
  const open = options.insecureNoAuth === true;
  if (open && !LOOPBACK.has(config.server.listen.host)) {
    complain(`--insecure-no-auth makes everyone an administrator, so it needs a loopback address; ${config.server.listen.host} is none.`);
    return EXIT.badConfiguration;
  }
  const logger = createLogger({ level: config.log.level, format: logFormat(config, io.stderr.isTTY === true) });
  for (const warning of loaded.warnings) logger.warn(formatProblem(warning));
  const clock = realClock;
  const dataDir = options.data ?? (config.data === undefined ? DEFAULT_DATA_DIR : configPath(options.config, config.data));
  makePrivately();
  for (const sentence of closeToOthers(dataDir)) logger.warn(sentence);
  try {
    const key = masterKeyOf(config, options.config, logger);
    await using app = await createApp({
      loaded,
      read,
      dataDir,
      configFile: options.config,
      key,
      open,
      clock,
      ids: createIds(clock),
      logger,
    });
    say(`Nines ${VERSION} is ready at ${app.url}  (data in ${dataDir})`);
    if (isOverheard(config.server)) {
      logger.warn('passwords and tokens travel unencrypted; set server.tls, or server.base_url to the https address of a proxy in front', {
        listen: app.url,
      });
    }
    if (open) say('Authentication is off: everyone who reaches this address is an administrator.');
    if (app.setupUrl !== undefined) say(`Create the administrator within the hour: ${app.setupUrl}`);
    await untilSignal(() => app.reload());
    logger.info('stopping');
  } catch (thrown) {
    complain(`nines: ${plainly(thrown, config)}`);
    return EXIT.cannotStart;
  }
  return EXIT.ok;
}

function masterKeyOf({ encryption }: Config, file: string | undefined, logger: Logger): MasterKey | undefined {
  if (encryption === undefined) return undefined;
  const { key, warnings } = readMasterKey(encryption, { env: process.env, resolve: (path) => configPath(file, path) });
  for (const warning of warnings) logger.warn(warning);
  return key;
}

/** Resolves at SIGTERM or SIGINT; a second one ends the process at once. SIGHUP reads the configuration again. */
function untilSignal(reload: () => Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const stop = (): void => {
      process.once('SIGTERM', () => process.exit(EXIT.cannotStart)).once('SIGINT', () => process.exit(EXIT.cannotStart));
      resolve();
    };
    process.once('SIGTERM', stop).once('SIGINT', stop);
    // A bad configuration is logged by the reload itself; the old one stays.
    process.on('SIGHUP', () => void reload().catch(() => undefined));
  });
}

const logFormat = (config: Config, isTerminal: boolean): 'json' | 'text' =>
  config.log.format === 'auto' ? (isTerminal ? 'text' : 'json') : config.log.format;

/** One plain sentence for what commonly keeps a server from starting; the error itself for the rest. */
function plainly(thrown: unknown, config: Config): string {
  const { host, port } = config.server.listen;
  const code = (thrown as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') return `${host}:${port} is in use by another program. Stop it, or choose another address with --listen.`;
  if (code === 'EACCES' && (thrown as NodeJS.ErrnoException).syscall === 'listen')
    return `${host}:${port} may not be opened by this user. Choose a port above 1023 with --listen.`;
  if (code === 'EADDRNOTAVAIL') return `${host} is not an address of this machine. Choose one with --listen.`;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${host} is not a known name. Choose an address with --listen.`;
  if (thrown instanceof AppError || (thrown instanceof Error && PLAIN_ERRORS.has(thrown.name))) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
}
