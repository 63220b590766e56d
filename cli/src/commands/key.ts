import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@nines/base/errors.ts';
import type { MasterKey } from '@nines/server/platform/encryption/master-key.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { Progress } from '../progress.ts';

type KeyFlags = { readonly keyFile?: string; readonly keyEnv?: string; readonly config?: string | undefined };
type DataFlags = KeyFlags & { readonly data: string };

type RotateFlags = DataFlags & { readonly newKeyFile?: string };

const say = (text: string): void => void process.stderr.write(`${text}\n`);

export function keyCommand(program: Command): void {
  const key = program.command('key').description('encryption of the data directory');
  key
    .command('create <file>')
    .description('make a key file; it is not written over if it exists')
    .action(async (file: string) => {
      const { createKeyFile } = await import('@nines/server/platform/encryption/rotate.ts');
      createKeyFile(file);
      const { id } = await masterKey({ keyFile: file });
      say(`${file} holds the key ${id}. Keep a copy elsewhere: without it the data are lost.`);
    });
  named(
    key
      .command('rotate')
      .description('replace the key of kept secrets and, with a new one, that of an encrypted data directory; the server must be stopped'),
    'the key of the data directory',
  )
    .option('--new-key-file <file>', 'file that holds the new key of the data directory')
    .action((flags: RotateFlags) => offline(() => rotate(flags)));
  named(key.command('encrypt').description('encrypt a data directory that is not; the server must be stopped'), 'the key').action(
    (flags: DataFlags) => offline(() => encrypt(flags)),
  );
}

const named = (command: Command, which: string): Command =>
  command
    .requiredOption('--data <dir>', 'data directory of the server')
    .option('--key-file <file>', `file that holds ${which}`)
    .option('--key-env <name>', `variable that holds ${which}`)
    .option('--config <file>', `configuration file that names ${which} under "encryption"`);

async function rotate(flags: RotateFlags): Promise<void> {
  const [{ rotateKey }, { realClock }] = await Promise.all([
    import('@nines/server/platform/encryption/rotate.ts'),
    import('@nines/server/platform/clock.ts'),
  ]);
  const named = flags.keyFile !== undefined || flags.keyEnv !== undefined;
  const { configOf } = await import('../state.ts');
  const has = named || (flags.config !== undefined && configOf(flags.config).encryption !== undefined);
  const from = has ? await masterKey(named ? { ...flags, config: undefined } : flags) : undefined;
  const to = flags.newKeyFile === undefined ? undefined : await masterKey({ keyFile: flags.newKeyFile });
  await rotateSecrets(flags, from);
  if (to === undefined) return;
  if (from === undefined) throw new CliFailure(EXIT.badInput, 'name the old key with one of --key-file, --key-env and --config');
  await rotateKey(flags.data, { from, to }, realClock.now());
  say(`${flags.data} is opened by the key ${to.id} from now on, and by ${from.id} no more. Backups made before need the old one.`);
}

/** Another key for the secrets in the state database. */
async function rotateSecrets({ data, config }: RotateFlags, key: MasterKey | undefined): Promise<void> {
  const [{ rotateSecretKey }, { SECRET_KEYS_FILE, SECRETS_SEALING_KEY }, { lockDirectory, openKeys }, { STATE_FILE, STORE_DIR }, state] =
    await Promise.all([
      import('@nines/server/platform/secrets/rotate.ts'),
      import('@nines/server/platform/secrets/key-file.ts'),
      import('@nines/server/platform/encryption/keys.ts'),
      import('@nines/server/platform/directory.ts'),
      import('../state.ts'),
    ]);
  const { realClock } = await import('@nines/server/platform/clock.ts');
  if (!existsSync(join(data, SECRET_KEYS_FILE))) {
    say(`There is no ${SECRET_KEYS_FILE} in ${data}, so no secret was sealed there yet.`);
    return;
  }
  if (config === undefined && !existsSync(join(data, STATE_FILE)))
    throw new CliFailure(
      EXIT.badInput,
      `The state database is not in ${data}: name the configuration that says where it is with --config.`,
    );
  const nowMs = realClock.now();
  const keys = await openKeys(data, key, nowMs);
  using _lock = lockDirectory(join(data, STORE_DIR));
  const db = await state.openStateWith({ data, config }, { keys, nowMs });
  try {
    const rotation = await rotateSecretKey({ db: db.kysely, dataDir: data, sealing: keys?.cipher.key(SECRETS_SEALING_KEY) }, nowMs);
    if (rotation === undefined) return;
    for (const { table, id, column } of rotation.lost)
      say(`The secret in ${table} ${id} ${column} could not be read before either; write it anew.`);
    say(`Secrets are sealed with the key ${rotation.keyId} from now on; the one before is gone. Backups made before hold their own.`);
  } finally {
    await db.close();
  }
}

async function encrypt(flags: DataFlags): Promise<void> {
  const [{ encryptData }, { realClock }] = await Promise.all([
    import('@nines/server/platform/encryption/encrypt.ts'),
    import('@nines/server/platform/clock.ts'),
  ]);
  const key = await masterKey(flags);
  say(`Encrypting ${flags.data}; this needs as much free space again as it holds.`);
  const { lost } = await withProgress('encrypting', (onProgress) => encryptData(flags.data, key, realClock.now(), { onProgress }));
  for (const place of lost) say(`${place} was damaged before and could not be taken along.`);
  say(`${flags.data} is encrypted with the key ${key.id}. Name the key under "encryption" in the configuration, and keep a copy of it.`);
}

async function withProgress<T>(what: string, run: (onProgress: (done: number, of: number) => void) => Promise<T>): Promise<T> {
  using progress = new Progress(what);
  return await run((done, of) => progress.show(done, of));
}

/** The one key that the flags name. */
async function masterKey({ keyFile, keyEnv, config }: KeyFlags): Promise<MasterKey> {
  const [{ readMasterKey }, { configOf, placesOf }] = await Promise.all([
    import('@nines/server/platform/encryption/master-key.ts'),
    import('../state.ts'),
  ]);
  if ([keyFile, keyEnv, config].filter((flag) => flag !== undefined).length !== 1)
    throw new CliFailure(EXIT.badInput, 'name the key with one of --key-file, --key-env and --config');
  const source = keyFile !== undefined ? { key_file: keyFile } : keyEnv !== undefined ? { key_env: keyEnv } : configOf(config).encryption;
  if (source === undefined) throw new CliFailure(EXIT.badInput, `${config} names no key under "encryption"`);
  const { key, warnings } = readMasterKey(source, placesOf(config));
  for (const warning of warnings) say(warning);
  return key;
}

async function offline(run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'StoreLocked')
      throw new CliFailure(EXIT.failed, `${thrown.message} Stop the server first.`);
    if (thrown instanceof AppError || !(thrown instanceof Error) || thrown.name !== 'StoreUnavailable') throw thrown;
    throw new CliFailure(EXIT.failed, thrown.message);
  }
}
