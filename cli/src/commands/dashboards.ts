import { readFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import type { DashboardSummary, ImportView } from '@nines/server/dashboards/contract.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type Options = RemoteOptions & { readonly format: Format };
type ImportOptions = Options & { readonly dryRun?: boolean; readonly id?: string };
type ExportOptions = RemoteOptions & { readonly as: 'yaml' | 'grafana'; readonly output?: string };

const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');

export function dashboardsCommand(program: Command): void {
  const dashboards = program.command('dashboards').description('dashboards: which there are, and those of Grafana in and out');
  dashboards
    .command('list')
    .description('every dashboard by title')
    .addOption(format())
    .action((_options: unknown, self: Command) => list(self.optsWithGlobals<Options>()));
  dashboards
    .command('import <file>')
    .description('bring a dashboard of Grafana (Classic, V1, V2) and print what is lost; - is standard input')
    .option('--dry-run', 'only tell what it would become')
    .option('--id <id>', 'its id here; made of its title when left out')
    .addOption(format())
    .action((file: string, _options: unknown, self: Command) => importFile(file, self.optsWithGlobals<ImportOptions>()));
  dashboards
    .command('export <id>')
    .description('a dashboard as a file')
    .addOption(new Option('--as <kind>', 'for dashboards.files, or for Grafana').choices(['yaml', 'grafana']).default('yaml'))
    .option('--output <file>', 'where to; standard output when left out')
    .action((id: string, _options: unknown, self: Command) => exportOne(id, self.optsWithGlobals<ExportOptions>()));
}

async function list(options: Options): Promise<void> {
  const found = JSON.parse(await ask(options, '/api/dashboards')) as { readonly items: readonly DashboardSummary[] };
  const rows = found.items.map(({ id, title, panels, origin, tags }) => [id, title, String(panels), origin, tags.join(',')]);
  writeData(formatted(options.format, { columns: ['id', 'title', 'panels', 'origin', 'tags'], rows }, found));
}

async function importFile(file: string, options: ImportOptions): Promise<void> {
  const query = new URLSearchParams({
    ...(options.dryRun === true ? { dry_run: 'true' } : {}),
    ...(options.id === undefined ? {} : { id: options.id }),
  });
  const answer = await ask(options, `/api/dashboards/import?${query.toString()}`, { method: 'POST', body: jsonOf(file) });
  const { dashboard, losses, panels, saved } = JSON.parse(answer) as ImportView;
  const rows = losses.map(({ panel, what, why }) => [panel === '' ? '-' : panel, what, why]);
  writeData(formatted(options.format, { columns: ['panel', 'lost', 'why'], rows }, JSON.parse(answer)));
  const done = saved ? `is imported as ${dashboard.id}` : `would be imported as ${dashboard.id}`;
  process.stderr.write(`${dashboard.title} ${done}: ${panels.converted} of ${panels.found} panels, ${losses.length} losses\n`);
}

function jsonOf(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read ${file}: ${messageOf(thrown)}`);
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `${file} is not JSON: ${messageOf(thrown)}`);
  }
}

async function exportOne(id: string, options: ExportOptions): Promise<void> {
  writeData((await ask(options, `/api/dashboards/${encodeURIComponent(id)}?format=${options.as}`)).replace(/\n$/, ''), options.output);
}
