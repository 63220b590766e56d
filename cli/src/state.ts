import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, configPath, readConfig, stateSource } from '@nines/server/config.ts';
import type { EpochMs } from '@nines/base/units.ts';
import { formatProblem } from '@nines/server/platform/config/load.ts';
import { migrate } from '@nines/server/platform/db/migrate.ts';
import { type Db, openDb } from '@nines/server/platform/db/open.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { ENVELOPE_FILE } from '@nines/server/platform/encryption/envelope.ts';
import { type DataKeys, openKeys } from '@nines/server/platform/encryption/keys.ts';
import { type KeyPlaces, readMasterKey } from '@nines/server/platform/encryption/master-key.ts';
import { CliFailure, EXIT } from './failure.ts';

/** Opens the state database of a data directory, made or brought up to date when needed. The caller closes it. */
export async function openState(where: { readonly data: string; readonly config?: string | undefined }, nowMs: EpochMs): Promise<Db> {
  const { encryption } = configOf(where.config);
  const master = encryption === undefined ? undefined : readMasterKey(encryption, placesOf(where.config)).key;
  return openStateWith(where, { keys: await openKeys(where.data, master, nowMs), nowMs });
}

/** The same with keys that were opened before. */
export async function openStateWith(
  where: { readonly data: string; readonly config?: string | undefined },
  { keys, nowMs }: { readonly keys: DataKeys | undefined; readonly nowMs: EpochMs },
): Promise<Db> {
  const db = await openDb(stateSource(configOf(where.config).state, where.data, keys));
  await migrate(db, nowMs);
  return db;
}

export const placesOf = (config: string | undefined): KeyPlaces => ({ env: process.env, resolve: (path) => configPath(config, path) });

export function configOf(file: string | undefined): Config {
  const loaded = readConfig({ file, env: process.env });
  if (!loaded.ok) throw new CliFailure(EXIT.badInput, loaded.problems.map(formatProblem).join('\n'));
  return loaded.config;
}

/** The keys of an encrypted data directory or backup, when the configuration names the key that unlocks them. Nothing is made. */
export async function keysOf(dir: string, config: string | undefined): Promise<DataKeys | undefined> {
  if (config === undefined || !existsSync(join(dir, ENVELOPE_FILE))) return undefined;
  const { encryption } = configOf(config);
  if (encryption === undefined) return undefined;
  return openKeys(dir, readMasterKey(encryption, placesOf(config)).key, realClock.now());
}

/** Where the configuration puts the state. */
export const stateKind = (config: string | undefined): 'sqlite' | 'postgresql' => configOf(config).state.kind;
