import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';

export function checkCommand(program: Command): void {
  program
    .command('check')
    .description('check files without running anything')
    .command('config <file>')
    .description('0 when the configuration is valid, 2 with file:line:column: message when it is not')
    .option('--data <dir>', 'the data directory that serve is given, when the file does not name it')
    .action(async (file: string, { data }: { readonly data?: string }) => {
      const { readConfig } = await import('@nines/server/config.ts');
      const { formatProblem } = await import('@nines/server/platform/config/load.ts');
      const loaded = readConfig({ file, dataDir: data, env: process.env });
      if (!loaded.ok) throw new CliFailure(EXIT.badInput, loaded.problems.map(formatProblem).join('\n'));
      for (const { path, source } of loaded.overrides) process.stderr.write(`from environment: ${path.join('.')} (${source})\n`);
      for (const warning of loaded.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
    });
}
