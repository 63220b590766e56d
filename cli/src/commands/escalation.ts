import type { PolicyView, StandingView } from '@nines/server/escalation/contract.ts';
import { formatDuration } from '@nines/base/duration.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';

type Options = RemoteOptions & { readonly format: Format; readonly alert?: string };

/** `nines escalation`: who is told next while nobody takes an alert. */
export function escalationCommand(program: Command): void {
  const command = program.command('escalation').description('who is told next while nobody takes an alert');
  command
    .command('show [policy]')
    .description('policies with whom each level would tell now; --alert: where an alert stands')
    .option('--alert <id>', 'where this alert stands, and what comes next')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action((policy: string | undefined, _options: unknown, self: Command) => show(policy, self.optsWithGlobals<Options>()));
}

async function show(policy: string | undefined, options: Options): Promise<void> {
  if (options.alert !== undefined) return showAlert(options.alert, options);
  const answer = JSON.parse(await ask(options, '/api/escalation/policies')) as { readonly items: readonly PolicyView[] };
  const items =
    policy === undefined
      ? answer.items
      : [JSON.parse(await ask(options, `/api/escalation/policies/${encodeURIComponent(policy)}`)) as PolicyView];
  const rows = items.flatMap(({ id, levels, severities }) =>
    levels.map(({ after_ms: afterMs, reaches, notes }, index) => [
      id,
      severities.join(', ') || '-',
      String(index + 1),
      formatDuration(afterMs),
      reaches.length === 0 ? 'nobody' : reaches.map(({ who }) => who).join(', '),
      notes.join('; '),
    ]),
  );
  writeData(formatted(options.format, { columns: ['policy', 'severities', 'level', 'after', 'tells now', 'notes'], rows }, { items }));
}

async function showAlert(id: string, options: Options): Promise<void> {
  const answer = JSON.parse(await ask(options, `/api/alerts/${encodeURIComponent(id)}/escalation`)) as StandingView;
  const rows = answer.ladders.map((one) => [
    one.name,
    one.status,
    one.next_level === null ? '-' : `${one.next_level} of ${one.levels}`,
    one.next_at_ms === null ? '-' : new Date(one.next_at_ms).toISOString(),
    one.told.map(({ who }) => who).join(', '),
    one.why,
  ]);
  writeData(formatted(options.format, { columns: ['policy', 'status', 'next level', 'at', 'told', 'because'], rows }, answer));
}
