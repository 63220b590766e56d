import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { BackupRunView } from '@nines/server/backups/contract.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';
import { Progress } from '../progress.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type BackupFlags = RemoteOptions & { readonly to?: string; readonly data?: string; readonly config?: string };

/** How often a running server is asked how far it is. */
const POLL_MS = 500;

export function backupCommand(program: Command): void {
  const backup = program
    .command('backup')
    .description('back up everything: by the running server, or with --data when none runs; prints the directory of the backup')
    .option('--to <dir>', 'new or empty directory on the machine of the server; without it a folder in its backups.to')
    .option('--data <dir>', 'data directory that no server has open')
    .option('--config <file>', 'with --data: configuration file, when the state lies in PostgreSQL')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<BackupFlags>();
      await (flags.data === undefined ? byServer(flags) : atRest(flags, flags.data));
    });
  backup
    .command('verify <dir>')
    .description('compare every hash, open every page, frame and database; 0 when sound, 1 when damaged, 2 when it is no backup')
    .option('--config <file>', 'configuration file that names the key of an encrypted one')
    .option('--json', 'print the whole report')
    .action(async (dir: string, _flags: unknown, command: Command) => {
      // `--config` also is an option of `backup`, which takes it before this command sees it.
      const flags = command.optsWithGlobals<{ readonly json?: boolean; readonly config?: string }>();
      const [{ verifyBackup }, { examinationOf }, { report }, { keysOf }] = await Promise.all([
        import('@nines/server/backups/verify.ts'),
        import('@nines/server/backups/faults.ts'),
        import('../examination.ts'),
        import('../state.ts'),
      ]);
      using progress = new Progress('verifying');
      const found = await verifyBackup({
        dir,
        keys: await keysOf(dir, flags.config),
        onProgress: ({ doneBytes, totalBytes }) => progress.show(doneBytes, totalBytes),
      }).catch(refused);
      const until = new Date(found.manifest.complete_until_ms).toISOString();
      const sentence = `${found.manifest.files.length} files, ${found.bytes} bytes, complete until ${until}`;
      report(examinationOf(found.dir, found.findings, found.contents), { json: flags.json === true, sentence });
    });
}

/** What cannot be verified is bad input, not damage. */
function refused(thrown: unknown): never {
  const { code, message } = thrown as { readonly code?: unknown; readonly message?: string };
  if (code === 'not_a_backup' || code === 'backup_damaged')
    throw new CliFailure(code === 'backup_damaged' ? EXIT.failed : EXIT.badInput, message ?? '');
  throw thrown;
}

async function byServer(flags: BackupFlags): Promise<void> {
  const { sleepAwake } = await import('@nines/server/platform/clock.ts');
  const body = flags.to === undefined ? {} : { to: resolve(flags.to) };
  let run = JSON.parse(await ask(flags, '/api/backups', { method: 'POST', body })) as BackupRunView;
  using progress = new Progress('backing up');
  while (run.finished_at_ms === null) {
    progress.show(run.done_bytes, run.total_bytes);
    await sleepAwake(POLL_MS);
    run = JSON.parse(await ask(flags, `/api/backups/${run.id}`)) as BackupRunView;
  }
  if (run.status === 'failed') throw new CliFailure(EXIT.failed, run.error ?? 'the backup failed');
  writeData(run.dir);
}

async function atRest(flags: BackupFlags, dataDir: string): Promise<void> {
  const { to } = flags;
  if (to === undefined) throw new CliFailure(EXIT.badInput, 'backup --data needs --to DIR');
  const [{ createBackup }, { restingSources }, { realClock }, { VERSION }, { stateKind }] = await Promise.all([
    import('@nines/server/backups/create.ts'),
    import('@nines/server/backups/sources.ts'),
    import('@nines/server/platform/clock.ts'),
    import('@nines/server/version.ts'),
    import('../state.ts'),
  ]);
  using sources = opened(() => restingSources(dataDir, stateKind(flags.config)));
  using progress = new Progress('backing up');
  const report = await createBackup(
    { clock: realClock, version: VERSION, dataDir, sources },
    { to, onProgress: ({ doneBytes, totalBytes }) => progress.show(doneBytes, totalBytes) },
  );
  writeData(report.dir);
}

function opened<T>(open: () => T): T {
  try {
    return open();
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'StoreLocked')
      throw new CliFailure(EXIT.failed, `${thrown.message} Leave out --data: the running server makes the backup.`);
    throw thrown;
  }
}
