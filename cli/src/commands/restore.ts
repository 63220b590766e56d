import type { Command } from 'commander';
import { Progress } from '../progress.ts';

type RestoreFlags = { readonly from: string; readonly data: string; readonly force?: boolean };

export function restoreCommand(program: Command): void {
  program
    .command('restore')
    .description('make a data directory from a backup; every file is compared with its hash')
    .requiredOption('--from <dir>', 'the backup')
    .requiredOption('--data <dir>', 'new or empty data directory')
    .option('--force', 'move what is in the data directory aside, into before-restore-… within it')
    .action(async ({ from, data, force }: RestoreFlags) => {
      const [{ restoreBackup }, { realClock }] = await Promise.all([
        import('@nines/server/backups/restore.ts'),
        import('@nines/server/platform/clock.ts'),
      ]);
      using progress = new Progress('restoring');
      const { manifest, bytes, aside } = await restoreBackup({
        from,
        to: data,
        force: force === true,
        clock: realClock,
        onProgress: ({ doneBytes, totalBytes }) => progress.show(doneBytes, totalBytes),
      });
      const until = new Date(manifest.complete_until_ms).toISOString();
      process.stderr.write(`${data}: ${manifest.files.length} files, ${bytes} bytes, complete until ${until}\n`);
      if (aside !== undefined) process.stderr.write(`What was there before is in ${aside}\n`);
      if (manifest.state === 'postgresql')
        process.stderr.write('The state lies in PostgreSQL and is not part of this backup: restore it there, from about the same time.\n');
    });
}
