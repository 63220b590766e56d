import { readFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import type { ConfigurationChange, ConfigurationView } from '@nines/server/configuration/contract.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask, askBytes } from '../remote.ts';

type Options = RemoteOptions & { readonly format: Format };
type Reloaded = { readonly version: number; readonly warnings: readonly string[] };

/** `nines config`: what was applied, what a file would change, and the way back. */
export function configCommand(program: Command): void {
  const command = program.command('config').description('configurations that were applied, and what a file would change');
  printed(command.command('history').description('every configuration that was applied, newest first'))
    .option('--limit <n>', 'how many', '50')
    .action((_options: unknown, self: Command) => history(self.optsWithGlobals<Options & { readonly limit: string }>()));
  printed(
    command
      .command('diff <from> [to]')
      .description(
        'what the file <from> would change now, or what version [to] (the last one when left out) says differently from version <from>',
      ),
  ).action((from: string, to: string | undefined, _options: unknown, self: Command) => diff(from, to, self.optsWithGlobals<Options>()));
  command
    .command('show [version]')
    .description('the configuration in force, or a version as it was written; secrets are redacted')
    .action((version: string | undefined, _options: unknown, self: Command) => show(version, self.optsWithGlobals<RemoteOptions>()));
  command
    .command('restore <version>')
    .description('write a version back into the configuration file of the server and take it over')
    .action((version: string, _options: unknown, self: Command) => restore(version, self.optsWithGlobals<RemoteOptions>()));
}

const printed = (command: Command): Command =>
  command
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .addOption(new Option('--json', 'the same as --format json').implies({ format: 'json' }));

function versionOf(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new CliFailure(EXIT.badInput, `not a version: ${text} (nines config history lists them)`);
}

const historyOf = async (options: RemoteOptions, limit: string) =>
  JSON.parse(await ask(options, `/api/config/history?limit=${encodeURIComponent(limit)}`)) as {
    readonly items: readonly ConfigurationView[];
  };

async function history(options: Options & { readonly limit: string }): Promise<void> {
  const { items } = await historyOf(options, options.limit);
  const rows = items.map((one) => [
    String(one.version),
    new Date(one.at_ms).toISOString(),
    one.cause,
    one.by.id,
    one.digest.slice(0, 12),
    one.pending.join(' '),
  ]);
  writeData(formatted(options.format, { columns: ['version', 'at', 'cause', 'by', 'digest', 'at next start'], rows }, { items }));
}

async function diff(from: string, to: string | undefined, options: Options): Promise<void> {
  const isVersion = to !== undefined || /^\d+$/.test(from);
  const found = isVersion ? await ofVersions(from, to, options) : await ofFile(from, options);
  const rows = found.changes.map(({ path, kind, before, after }) => [
    kind,
    path,
    textOf(kind === 'added' ? '' : before),
    textOf(kind === 'removed' ? '' : after),
  ]);
  writeData(formatted(options.format, { columns: ['change', 'key', 'before', 'after'], rows }, found));
  if (found.pending.length > 0) process.stderr.write(`takes effect at the next start: ${found.pending.join(', ')}\n`);
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

type Diff = { readonly changes: readonly ConfigurationChange[]; readonly pending: readonly string[] };

async function ofVersions(from: string, to: string | undefined, options: RemoteOptions): Promise<Diff> {
  const last = to === undefined ? (await historyOf(options, '1')).items[0]?.version : versionOf(to);
  const path = `/api/config/diff?from=${versionOf(from)}&to=${last}`;
  return { ...(JSON.parse(await ask(options, path)) as Pick<Diff, 'changes'>), pending: [] };
}

async function ofFile(file: string, options: RemoteOptions): Promise<Diff> {
  let yaml: string;
  try {
    yaml = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read ${file}: ${messageOf(thrown)}`);
  }
  return JSON.parse(new TextDecoder().decode(await askBytes(options, '/api/config/diff', { method: 'POST', yaml }))) as Diff;
}

async function show(version: string | undefined, options: RemoteOptions): Promise<void> {
  if (version === undefined) return writeData(await ask(options, '/api/config/yaml'));
  const { yaml } = JSON.parse(await ask(options, `/api/config/history/${versionOf(version)}`)) as { readonly yaml: string };
  return writeData(yaml);
}

async function restore(version: string, options: RemoteOptions): Promise<void> {
  const body = { version: versionOf(version) };
  const done = JSON.parse(await ask(options, '/api/config/restore', { method: 'POST', body })) as Reloaded;
  writeData(`version ${version} is in force again, as version ${done.version}`);
  for (const warning of done.warnings) process.stderr.write(`warning: ${warning}\n`);
}
