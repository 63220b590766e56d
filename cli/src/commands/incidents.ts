import type { IncidentDetail, IncidentView } from '@nines/server/incidents/contract.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';

type Options = RemoteOptions & {
  readonly format: Format;
  readonly status?: string;
  readonly service?: string;
  readonly postMortem?: boolean;
};

/** `nines incidents`: what people work on. */
export function incidentsCommand(program: Command): void {
  const command = program.command('incidents').description('incidents: what is open, and one with its time line or post-mortem');
  const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');
  command
    .command('list')
    .description('open incidents, newest first')
    .addOption(new Option('--status <status>', 'which').choices(['open', 'resolved', 'all']).default('open'))
    .option('--service <id>', 'of one service')
    .addOption(format())
    .action((_options: unknown, self: Command) => list(self.optsWithGlobals<Options>()));
  command
    .command('show <incident>')
    .description('one incident by its number (12 or INC-12) with its time line')
    .option('--post-mortem', 'its post-mortem in Markdown, or a draft')
    .addOption(format())
    .action((incident: string, _options: unknown, self: Command) => show(incident, self.optsWithGlobals<Options>()));
}

const instant = (atMs: number): string => new Date(atMs).toISOString();

async function list(options: Options): Promise<void> {
  const query = new URLSearchParams({
    status: options.status ?? 'open',
    ...(options.service === undefined ? {} : { service: options.service }),
  });
  const answer = JSON.parse(await ask(options, `/api/incidents?${query.toString()}`)) as { readonly items: readonly IncidentView[] };
  const rows = answer.items.map((one) => [
    `INC-${one.number}`,
    one.state,
    one.severity,
    one.category,
    instant(one.started_at_ms),
    one.roles.commander ?? '-',
    one.services.join(' ') || '-',
    one.title,
  ]);
  writeData(
    formatted(
      options.format,
      { columns: ['incident', 'state', 'severity', 'category', 'since', 'commander', 'services', 'title'], rows },
      answer,
    ),
  );
}

async function show(incident: string, options: Options): Promise<void> {
  const path = `/api/incidents/${encodeURIComponent(incident)}`;
  if (options.postMortem === true) {
    const document = JSON.parse(await ask(options, `${path}/post-mortem`)) as { readonly markdown: string };
    writeData(options.format === 'json' ? JSON.stringify(document, null, 2) : document.markdown);
    return;
  }
  const found = JSON.parse(await ask(options, path)) as IncidentDetail;
  const head = `INC-${found.number} ${found.title}\n${found.severity}, ${found.state}, ${found.category}; commander ${found.roles.commander ?? 'nobody'}\n`;
  // The table alone is data for other programs; the head is for eyes.
  if (options.format === 'table') process.stderr.write(head);
  const rows = found.timeline.map(({ at_ms: atMs, actor, kind, text }) => [instant(atMs), actor, kind, text]);
  writeData(formatted(options.format, { columns: ['at', 'by', 'what', 'text'], rows }, found));
}
