import { AppError } from '@nines/base/errors.ts';
import type { MasterKey } from '@nines/server/platform/encryption/master-key.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { Progress } from '../progress.ts';

type KeyFlags = { readonly keyFile?: string; readonly keyEnv?: string; readonly config?: string };
type DataFlags = KeyFlags & { readonly data: string };

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
  named(key.command('rotate').description('replace the key of an encrypted data directory; the server must be stopped'), 'the old key')
    .requiredOption('--new-key-file <file>', 'file that holds the new key')
    .action((flags: DataFlags & { readonly newKeyFile: string }) => offline(() => rotate(flags)));
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

async function rotate(flags: DataFlags & { readonly newKeyFile: string }): Promise<void> {
  const [{ rotateKey }, { realClock }] = await Promise.all([
    import('@nines/server/platform/encryption/rotate.ts'),
    import('@nines/server/platform/clock.ts'),
  ]);
  const [from, to] = [await masterKey(flags), await masterKey({ keyFile: flags.newKeyFile })];
  await rotateKey(flags.data, { from, to }, realClock.now());
  say(`${flags.data} is opened by the key ${to.id} from now on, and by ${from.id} no more. Backups made before need the old one.`);
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
