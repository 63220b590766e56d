import { readFileSync } from 'node:fs';
import type { Definitions } from '@nines/server/sla/definitions/generated.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

/** Definitions of OpenSLO, Sloth and Pyrra in and out. */
export function definitionCommands(sla: Command): void {
  sla
    .command('import <files...>')
    .description('make SLAs of definitions of OpenSLO v1, Sloth or Pyrra; their services must be there')
    .option('--dry-run', 'print the declarations and change nothing')
    .action(async (files: readonly string[], { dryRun }: { readonly dryRun?: boolean }, command: Command) => {
      const { parseDefined } = await import('@nines/server/sla/definitions/load.ts');
      const slas = (await readAll(files)).flatMap((found) => found.slas);
      const faults = slas.map(parseDefined).filter((parsed) => typeof parsed === 'string');
      if (faults.length > 0) throw new CliFailure(EXIT.badInput, faults.join('\n'));
      if (dryRun === true) return writeData(JSON.stringify({ slas }, null, 2));
      for (const declared of slas) {
        await ask(command.optsWithGlobals<RemoteOptions>(), '/api/slas', { method: 'POST', body: declared });
        writeData(declared.id);
      }
    });
  sla
    .command('export [ids...]')
    .description('SLAs as OpenSLO v1; all of them without ids')
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (ids: readonly string[], { output }: { readonly output?: string }, command: Command) => {
      const query = new URLSearchParams(ids.map((id): [string, string] => ['id', id]));
      writeData(await ask(command.optsWithGlobals<RemoteOptions>(), `/api/openslo?${query.toString()}`), output);
    });
  sla
    .command('rules <files...>')
    .description('the recording and alerting rules that Sloth or Pyrra would generate from their definitions')
    .option('--extra-labels <name=value...>', 'labels of every rule of Sloth', [])
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (files: readonly string[], options: { readonly extraLabels: readonly string[]; readonly output?: string }) => {
      const { ruleFileText } = await import('@nines/server/sla/definitions/generated.ts');
      const extraLabels = Object.fromEntries(options.extraLabels.map(pairOf));
      writeData(ruleFileText((await readAll(files, extraLabels)).flatMap(({ groups }) => groups)), options.output);
    });
}

function pairOf(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  if (at < 1) throw new CliFailure(EXIT.badInput, `--extra-labels: write name=value, found "${text}"`);
  return [text.slice(0, at), text.slice(at + 1)];
}

/** Warnings go to standard error; a file that cannot be read is bad input. */
async function readAll(files: readonly string[], extraLabels: Readonly<Record<string, string>> = {}): Promise<readonly Definitions[]> {
  const { parseDefinitions } = await import('@nines/server/sla/definitions/read.ts');
  const { formatProblem } = await import('@nines/server/platform/config/load.ts');
  return files.flatMap((file) => {
    const read = parseDefinitions(readText(file), { file, sloth: { extraLabels } });
    if (read.problems.length > 0) throw new CliFailure(EXIT.badInput, read.problems.map(formatProblem).join('\n'));
    for (const warning of read.warnings) process.stderr.write(`warning: ${formatProblem(warning)}\n`);
    return read.found;
  });
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new CliFailure(EXIT.badInput, `cannot read ${file}`);
  }
}
