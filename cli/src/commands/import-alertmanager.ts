import { formatProblem } from '@nines/server/platform/config/load.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';

/** `nines import alertmanager FILE`: the sections `channels` and `routing` that say the same, to go on with without that file. */
export function importAlertmanagerCommand(command: Command): void {
  command
    .command('alertmanager <file>')
    .description(
      'print the channels and the routing of an alertmanager.yml as a nines.yml has them, secrets included; losses go to standard error',
    )
    .action(async (file: string) => print(file));
}

async function print(file: string): Promise<void> {
  const [{ loadAlertmanagerFile }, { stringify }] = await Promise.all([
    import('@nines/server/notify/alertmanager-file/load.ts'),
    import('yaml'),
  ]);
  const read = loadAlertmanagerFile(file, new Set());
  const problems = 'routing' in read ? read.problems : read;
  if (!('routing' in read) || problems.length > 0) throw new CliFailure(EXIT.badInput, problems.map(formatProblem).join('\n'));
  for (const warning of read.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
  writeData(stringify(read.written, { lineWidth: 0 }));
}
