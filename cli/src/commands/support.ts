import { writeFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { type RemoteOptions, askBytes } from '../remote.ts';

type BundleFlags = RemoteOptions & { readonly output: string; readonly data?: string; readonly config?: string };

export function supportCommand(program: Command): void {
  program
    .command('support')
    .description('what helps others to help')
    .command('bundle')
    .description(
      'version, configuration without secrets and people, health, findings of the doctor, sizes; no samples; from the running server, or with --data from a directory',
    )
    .requiredOption('--output <file>', 'the file to make, a .tar.gz')
    .option('--data <dir>', 'data directory, whether or not a server runs on it')
    .option('--config <file>', 'with --data: its configuration file')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<BundleFlags>();
      const bundle =
        flags.data === undefined
          ? await askBytes(flags, '/api/support-bundle', { method: 'POST', body: {} })
          : await offline(flags.data, flags.config);
      try {
        writeFileSync(flags.output, bundle, { flag: 'wx', mode: 0o600 });
      } catch (thrown) {
        throw new CliFailure(EXIT.badInput, `cannot make ${flags.output}: ${messageOf(thrown)}`);
      }
      process.stderr.write(`${flags.output} is made. README.txt in it says what it holds; look through it before you pass it on.\n`);
    });
}

async function offline(dataDir: string, config: string | undefined): Promise<Uint8Array> {
  const [{ supportBundle }, { examined }, { configOf }, { realClock }, { VERSION }] = await Promise.all([
    import('@nines/server/ops/support.ts'),
    import('./doctor.ts'),
    import('../state.ts'),
    import('@nines/server/platform/clock.ts'),
    import('@nines/server/version.ts'),
  ]);
  const doctor = await examined(dataDir, config);
  return supportBundle({ version: VERSION, nowMs: realClock.now(), config: configOf(config), dataDir, doctor });
}
