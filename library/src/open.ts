import { resolve } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { StoreUnavailable } from '@nines/model/storage.ts';
import { StoreLocked } from '@nines/tsdb/contract.ts';
import { type Configuration, configPath } from '@nines/server/config.ts';
import { openParts } from '@nines/server/parts.ts';
import { holdAwake, realClock } from '@nines/server/platform/clock.ts';
import { formatProblem } from '@nines/server/platform/config/load.ts';
import { type MasterKey, readMasterKey } from '@nines/server/platform/encryption/master-key.ts';
import { createIds } from '@nines/server/platform/ids.ts';
import { LOG_LEVELS, createLogger } from '@nines/server/platform/log.ts';
import { closeToOthers } from '@nines/server/platform/private.ts';
import { PROGRAM } from './actor.ts';
import { NOTHING_ADDED, configured } from './configured.ts';
import type { OpenMetrics, OpenOptions } from './contract.ts';
import { refused } from './given.ts';
import { EmbeddedMetrics } from './metrics.ts';

const STORES = ['sqlite', 'postgresql'];

/**
 * Opens a data directory in this process, makes it when it is missing, and starts everything but the collection of this host. Nothing
 * listens. `AppError` `data_directory_in_use`, `bad_configuration`, `store_unavailable`, `bad_option`.
 */
export const openMetrics: OpenMetrics = async (options) => {
  judge(options);
  const path = resolve(options.path);
  const loaded = configured(options, NOTHING_ADDED);
  const logger = loggerOf(options);
  for (const warning of loaded.warnings) logger.warn(formatProblem(warning));
  for (const sentence of closeToOthers(path)) logger.warn(sentence);
  const stack = new AsyncDisposableStack();
  try {
    stack.use(holdAwake());
    const parts = await openParts(
      {
        loaded,
        read: () => configured(options, NOTHING_ADDED),
        dataDir: path,
        configFile: options.config,
        key: masterKey(loaded, options.config, logger),
        open: false,
        embedded: true,
        clock: realClock,
        ids: createIds(realClock),
        logger,
      },
      stack,
    );
    await parts.audit.append({ actor: PROGRAM, action: 'library.opened', object: { kind: 'library', id: null }, phase: 'done' });
    return new EmbeddedMetrics({ options, path, parts, stack });
  } catch (thrown) {
    await stack.disposeAsync();
    throw said(thrown, path);
  }
};

/** What types say, said to those who have none. */
function judge({ store, path, log }: OpenOptions): void {
  const kind = typeof store === 'string' ? store : store?.kind;
  if (!STORES.includes(kind) || store === ('postgresql' as string))
    throw refused('bad_option', 'store', `expected 'sqlite' or { kind: 'postgresql', url }, found ${JSON.stringify(store)}`);
  if (typeof path !== 'string' || path === '') throw refused('bad_option', 'path', 'name a directory for the data, such as ./data');
  const levels: readonly string[] = [...LOG_LEVELS, 'silent'];
  if (log !== undefined && !levels.includes(log))
    throw refused('bad_option', 'log', `expected one of ${levels.join(', ')}, found "${log}"`);
}

const SILENT: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => SILENT };

const loggerOf = ({ log = 'warn' }: OpenOptions): Logger => (log === 'silent' ? SILENT : createLogger({ level: log, format: 'text' }));

function masterKey({ config: { encryption } }: Configuration, file: string | undefined, logger: Logger): MasterKey | undefined {
  if (encryption === undefined) return undefined;
  const { key, warnings } = readMasterKey(encryption, { env: process.env, resolve: (path) => configPath(file, path) });
  for (const warning of warnings) logger.warn(warning);
  return key;
}

function said(thrown: unknown, path: string): unknown {
  if (thrown instanceof StoreLocked)
    return new AppError(
      'conflict',
      'data_directory_in_use',
      `${path} is open already, in another process (a Nines server, or a program with this library) or in this one. A data directory ` +
        'belongs to one process: end the other, ask the server over HTTP instead, or open another directory.',
      { cause: thrown, field: 'path' },
    );
  if (thrown instanceof StoreUnavailable) return new AppError('unavailable', 'store_unavailable', thrown.message, { cause: thrown });
  return thrown;
}
