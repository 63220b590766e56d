import type { Command } from 'commander';
import type { ExaminationView, Finding } from '@nines/server/backups/contract.ts';
import { Progress } from '../progress.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type DoctorFlags = RemoteOptions & { readonly data?: string; readonly config?: string; readonly json?: boolean };

export function doctorCommand(program: Command): void {
  program
    .command('doctor')
    .description(
      'examine a data directory and change nothing: 0 sound, 1 damage, 2 cannot be examined; without --data the running server examines its own',
    )
    .option('--data <dir>', 'data directory, whether or not a server runs on it')
    .option('--config <file>', 'configuration file, to check it too and for the key of encrypted data')
    .option('--json', 'print the whole report')
    .action(async (_flags: unknown, command: Command) => {
      const flags = command.optsWithGlobals<DoctorFlags>();
      const { data, config: file } = flags;
      const { examining, report } = await import('../examination.ts');
      const found = await examining(async () =>
        data === undefined
          ? (JSON.parse(await ask(flags, '/api/doctor', { method: 'POST', body: {} })) as ExaminationView)
          : examined(data, file),
      );
      const config = file === undefined ? [] : await configFindings(file);
      const findings = [...config, ...found.findings];
      report({ ...found, findings, sound: found.sound && config.length === 0 }, { json: flags.json === true, sentence: found.dir });
    });
}

export async function examined(dataDir: string, config: string | undefined): Promise<ExaminationView> {
  const [{ examine }, { examinationOf }, { realClock }, { notADirectory }, { keysOf }] = await Promise.all([
    import('@nines/server/backups/doctor.ts'),
    import('@nines/server/backups/faults.ts'),
    import('@nines/server/platform/clock.ts'),
    import('../examination.ts'),
    import('../state.ts'),
  ]);
  notADirectory(dataDir);
  using progress = new Progress('examining');
  const found = await examine({
    dataDir,
    clock: realClock,
    keys: await keysOf(dataDir, config),
    onProgress: (done, of) => progress.show(done, of),
  });
  return examinationOf(found.dir, found.findings, found.contents);
}

async function configFindings(file: string): Promise<readonly Finding[]> {
  const [{ readConfig }, { formatProblem }] = await Promise.all([
    import('@nines/server/config.ts'),
    import('@nines/server/platform/config/load.ts'),
  ]);
  const loaded = readConfig({ file, env: process.env });
  if (loaded.ok) return [];
  const advice = 'Correct it; nines check config FILE tells whether it is right.';
  return loaded.problems.map((problem) => ({ severity: 'damage', place: file, problem: formatProblem(problem), advice }));
}
