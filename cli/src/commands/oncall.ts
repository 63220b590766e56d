import type { WhoView } from '@nines/server/oncall/contract.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { type Command, Option } from 'commander';
import { EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';
import { instantOption, toSeconds } from '../times.ts';

type Options = RemoteOptions & { readonly format: Format; readonly at?: string };

/** `nines oncall`: who is to be woken. */
export function oncallCommand(program: Command): void {
  const command = program.command('oncall').description('people on call');
  command
    .command('who [schedule]')
    .description('who is on call, of one schedule or of all, and why; exits 1 when in one of them nobody is')
    .option('--at <time>', 'instant: RFC 3339, Unix seconds, now, now-1h (default: now)')
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .action((schedule: string | undefined, _options: unknown, self: Command) => who(schedule, self.optsWithGlobals<Options>()));
}

async function who(schedule: string | undefined, options: Options): Promise<void> {
  const asked = [
    ...(schedule === undefined ? [] : [`schedule=${encodeURIComponent(schedule)}`]),
    ...(options.at === undefined ? [] : [`at=${toSeconds(instantOption(options.at, 'at', realClock.now()))}`]),
  ];
  const path = `/api/oncall/who${asked.length === 0 ? '' : `?${asked.join('&')}`}`;
  const answer = JSON.parse(await ask(options, path)) as { readonly items: readonly WhoView[] };
  const names = (people: WhoView['people']): string => people.map(({ name }) => name).join(', ');
  const time = (atMs: number | null): string => (atMs === null ? '-' : new Date(atMs).toISOString());
  const rows = answer.items.map(({ schedule: id, people, until_at_ms, next, reason }) => [
    id,
    people.length === 0 ? 'nobody' : names(people),
    time(until_at_ms),
    next === null ? '-' : names(next.people),
    reason,
  ]);
  writeData(formatted(options.format, { columns: ['schedule', 'on call', 'until', 'next', 'because'], rows }, answer));
  if (answer.items.some(({ people }) => people.length === 0)) process.exitCode = EXIT.failed;
}
