import { parseDuration } from '@nines/base/duration.ts';
import { formatMatcher, parseMatchers } from '@nines/base/matcher-text.ts';
import type { SilenceView } from '@nines/server/silences/contract.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { instantOption } from '../times.ts';

type Options = RemoteOptions & { readonly format: Format };
type ListOptions = Options & { readonly state: 'open' | 'pending' | 'active' | 'expired' | 'all' };
type AddOptions = Options & { readonly comment: string; readonly duration?: string; readonly start?: string; readonly end?: string };
type Preview = {
  readonly total: number;
  readonly items: readonly {
    readonly id: string;
    readonly alertname: string;
    readonly severity: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
};
type Written = SilenceView['matchers'];

/** How long a silence lasts when nobody says it. Source: amtool silence add. */
const DEFAULT_DURATION = '1h';

/** `nines silences`: what is told to nobody for a while. */
export function silencesCommand(program: Command): void {
  const command = program.command('silences').description('silences: what is told to nobody for a while');
  printed(command.command('list').description('silences in force and to come, the one that ends first at the top'))
    .addOption(new Option('--state <state>', 'which').choices(['open', 'pending', 'active', 'expired', 'all']).default('open'))
    .action((_options: unknown, self: Command) => list(self.optsWithGlobals<ListOptions>()));
  printed(
    command
      .command('add <matchers...>')
      .description('make one and print its id: nines silences add service=shop instance=~"db.*" --duration 2h --comment "new disk"'),
  )
    .requiredOption('--comment <text>', 'why')
    .option('--duration <duration>', `how long (${DEFAULT_DURATION} when there is no --end)`)
    .option('--start <instant>', 'RFC 3339 or Unix seconds; now when left out')
    .option('--end <instant>', 'instead of --duration')
    .action((matchers: readonly string[], _options: unknown, self: Command) => add(matchers, self.optsWithGlobals<AddOptions>()));
  command
    .command('expire <silences...>')
    .description('end them now; what they were stays')
    .action((ids: readonly string[], _options: unknown, self: Command) => expire(ids, self.optsWithGlobals<RemoteOptions>()));
  printed(command.command('preview <matchers...>').description('which alerts a silence with these matchers would hold back now')).action(
    (matchers: readonly string[], _options: unknown, self: Command) => preview(matchers, self.optsWithGlobals<Options>()),
  );
}

const printed = (command: Command): Command =>
  command
    .addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'))
    .addOption(new Option('--json', 'the same as --format json').implies({ format: 'json' }));

const instant = (atMs: number): string => new Date(atMs).toISOString();

function matchersOf(written: readonly string[]): Written {
  return written.flatMap((text) => {
    const parsed = parseMatchers(text);
    if (!parsed.ok) throw new CliFailure(EXIT.badInput, parsed.error);
    return parsed.value.map(({ name, op, value }) => ({ name, op, value }));
  });
}

async function list(options: ListOptions): Promise<void> {
  const { state } = options;
  const query = state === 'open' || state === 'all' ? '' : `?state=${state}`;
  const answer = JSON.parse(await ask(options, `/api/silences${query}`)) as { readonly items: readonly SilenceView[] };
  const items = answer.items.filter((silence) => state !== 'open' || silence.state !== 'expired');
  const rows = items.map((one) => [
    one.id,
    one.state,
    instant(one.starts_at_ms),
    instant(one.ends_at_ms),
    one.created_by,
    one.matchers.map(formatMatcher).join(','),
    one.comment,
  ]);
  writeData(formatted(options.format, { columns: ['id', 'state', 'from', 'to', 'by', 'matches', 'comment'], rows }, { items }));
}

async function add(written: readonly string[], options: AddOptions): Promise<void> {
  const matchers = matchersOf(written);
  const { realClock } = await import('@nines/server/platform/clock.ts');
  const nowMs = realClock.now();
  const startsAtMs = options.start === undefined ? undefined : instantOption(options.start, 'start', nowMs);
  const endsAtMs = endOf(options, { startsAtMs: startsAtMs ?? nowMs, nowMs });
  const body = {
    matchers,
    ...(startsAtMs === undefined ? {} : { starts_at_ms: startsAtMs }),
    ends_at_ms: endsAtMs,
    comment: options.comment,
  };
  const made = JSON.parse(await ask(options, '/api/silences', { method: 'POST', body })) as SilenceView;
  writeData(options.format === 'json' ? JSON.stringify(made, null, 2) : made.id);
  const { total } = await previewOf(options, matchers);
  const hold = made.state === 'active' ? 'holds back' : 'would now hold back';
  process.stderr.write(`${hold} ${total} firing ${total === 1 ? 'alert' : 'alerts'}, until ${instant(made.ends_at_ms)}\n`);
}

function endOf({ duration, end }: AddOptions, { startsAtMs, nowMs }: { readonly startsAtMs: number; readonly nowMs: number }): number {
  if (duration !== undefined && end !== undefined) throw new CliFailure(EXIT.badInput, 'give --duration or --end, not both');
  if (end !== undefined) return instantOption(end, 'end', nowMs);
  const length = parseDuration(duration ?? DEFAULT_DURATION);
  if (!length.ok) throw new CliFailure(EXIT.badInput, `--duration: ${length.error}`);
  return startsAtMs + length.value;
}

async function expire(ids: readonly string[], options: RemoteOptions): Promise<void> {
  for (const id of ids) {
    await ask(options, `/api/silences/${encodeURIComponent(id)}`, { method: 'DELETE' });
    process.stderr.write(`${id} has ended\n`);
  }
}

async function previewOf(options: RemoteOptions, matchers: Written): Promise<Preview> {
  return JSON.parse(await ask(options, '/api/silences/preview', { method: 'POST', body: { matchers } })) as Preview;
}

async function preview(written: readonly string[], options: Options): Promise<void> {
  const found = await previewOf(options, matchersOf(written));
  const rows = found.items.map(({ id, severity, alertname, labels }) => [
    id,
    severity,
    alertname,
    Object.entries(labels)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(' '),
  ]);
  writeData(formatted(options.format, { columns: ['id', 'severity', 'alert', 'labels'], rows }, found));
  if (found.total > found.items.length) process.stderr.write(`${found.total} in all\n`);
}
