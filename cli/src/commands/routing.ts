import { realClock } from '@nines/server/platform/clock.ts';
import type { RoutingTestView, RoutingView } from '@nines/server/notify/contract.ts';
import { parseMatchers } from '@nines/base/matcher-text.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';
import { instantOption } from '../times.ts';

type Options = RemoteOptions & { readonly format: Format; readonly at?: string; readonly explain?: boolean };

/** `nines routes`: where alerts go. */
export function routesCommand(program: Command): void {
  const command = program.command('routes').description('where alerts go');
  const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');
  command
    .command('show')
    .description('the tree of routes with their receivers')
    .addOption(format())
    .action((_options: unknown, self: Command) => show(self.optsWithGlobals<Options>()));
  command
    .command('test [labels...]')
    .description('where an alert with these labels would go: nines routes test alertname=High service=shop')
    .option('--at <instant>', 'then, not now: time intervals and silences may differ')
    .option('--explain', 'every route with what came of it')
    .addOption(format())
    .action((labels: readonly string[], _options: unknown, self: Command) => test(labels, self.optsWithGlobals<Options>()));
}

async function show(options: Options): Promise<void> {
  const routing = JSON.parse(await ask(options, '/api/routing')) as RoutingView;
  const channels = (receiver: string): string =>
    routing.receivers
      .find(({ name }) => name === receiver)
      ?.channels.map(({ id }) => id)
      .join(', ') ?? '';
  const rows =
    routing.routes.length === 0
      ? [['every alert', routing.default_channels.join(', '), '', '']]
      : routing.routes.map((route) => [
          `${'  '.repeat(route.depth)}${route.matchers.length === 0 ? 'everything' : route.matchers.join(', ')}${route.continues ? ' (continues)' : ''}`,
          route.receiver,
          channels(route.receiver),
          route.group_by.join(', '),
        ]);
  writeData(formatted(options.format, { columns: ['matches', 'receiver', 'channels', 'group by'], rows }, routing));
}

async function test(written: readonly string[], options: Options): Promise<void> {
  const labels = Object.fromEntries(written.map(labelOf));
  const at = options.at === undefined ? {} : { at_ms: instantOption(options.at, 'at', realClock.now()) };
  const answer = JSON.parse(await ask(options, '/api/routing/test', { method: 'POST', body: { labels, ...at } })) as RoutingTestView;
  const matches = {
    columns: ['receiver', 'channels', 'group', 'quiet'],
    rows: answer.matches.map((match) => [match.receiver, match.channels.join(', ') || 'nobody', match.group_key, match.resting ?? 'no']),
  };
  const steps = {
    columns: ['route', 'outcome', 'reason'],
    rows: answer.steps.map(({ route, outcome, reason }) => [route === '' ? 'root' : route, outcome.replace('_', ' '), reason]),
  };
  writeData(formatted(options.format, options.explain === true ? steps : matches, answer));
  for (const { cause } of answer.held) process.stderr.write(`but nobody is told: ${cause}\n`);
}

/** `name=value`; the value may be in quotes. */
function labelOf(written: string): readonly [name: string, value: string] {
  const parsed = parseMatchers(written);
  const [label, ...more] = parsed.ok ? parsed.value : [];
  if (label === undefined || more.length > 0 || label.op !== '=')
    throw new CliFailure(EXIT.badInput, `not a label: "${written}" (write name=value)`);
  return [label.name, label.value];
}
