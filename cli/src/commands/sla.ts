import { realClock } from '@nines/server/platform/clock.ts';
import type { SlaView } from '@nines/server/sla/contract.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { instantOption, toSeconds } from '../times.ts';

type ReportOptions = RemoteOptions & {
  readonly from?: string;
  readonly to?: string;
  readonly format: 'json' | 'html' | 'csv';
  readonly output?: string;
};

export function slaCommand(program: Command): void {
  const sla = program.command('sla').description('status and statements of SLAs');
  sla
    .command('list')
    .description('every SLA with its status and budget')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action(async (_options: unknown, command: Command) => {
      await list(command.optsWithGlobals<RemoteOptions & { readonly format: Format }>());
    });
  sla
    .command('report <id>')
    .description('the statement of a period; without one, of the window that ends now')
    .option('--from <time>', 'start: RFC 3339, Unix seconds, now-24h')
    .option('--to <time>', 'end, not included')
    .addOption(new Option('--format <format>', 'form of the statement').choices(['json', 'html', 'csv']).default('json'))
    .option('--output <file>', 'write to a file instead of standard output')
    .action(async (id: string, _options: unknown, command: Command) => {
      await report(id, command.optsWithGlobals<ReportOptions>(), realClock.now());
    });
}

async function list(options: RemoteOptions & { readonly format: Format }): Promise<void> {
  const { items } = JSON.parse(await ask(options, '/api/slas')) as { readonly items: readonly SlaView[] };
  const rows = items.map((item) => [
    item.id,
    item.service,
    item.status,
    item.attained === null ? '-' : String(item.attained),
    String(item.target),
    String(item.budget.spent_ms),
    String(item.budget.total_ms),
    item.young ? 'yes' : 'no',
  ]);
  writeData(
    formatted(options.format, { columns: ['id', 'service', 'status', 'attained', 'target', 'spent_ms', 'total_ms', 'young'], rows }, items),
  );
}

async function report(id: string, options: ReportOptions, nowMs: number): Promise<void> {
  const params = new URLSearchParams({ format: options.format });
  if (options.from !== undefined) params.set('from', toSeconds(instantOption(options.from, 'from', nowMs)));
  if (options.to !== undefined) params.set('to', toSeconds(instantOption(options.to, 'to', nowMs)));
  writeData(await ask(options, `/api/slas/${encodeURIComponent(id)}/report?${params.toString()}`), options.output);
}
