import type { DowntimeRevisionView, DowntimeView } from '@nines/server/availability/contract.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';
import { instantOption } from '../times.ts';

type Options = RemoteOptions & {
  readonly format: Format;
  readonly service?: string;
  readonly from?: string;
  readonly to?: string;
  readonly at?: string;
  readonly with?: string;
  readonly reason?: string;
  readonly note?: string;
};
type Action = (id: string, options: Options) => Promise<void>;

/** `nines downtime`: what people say and do of downtimes. */
export function downtimeCommand(program: Command): void {
  const command = program.command('downtime').description('downtimes: listed, described, split, merged, and all of it taken back');
  const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');
  command
    .command('list')
    .description('downtimes, newest first')
    .option('--service <id>', 'of one service')
    .option('--from <time>', 'that end after this')
    .option('--to <time>', 'that begin before this')
    .addOption(format())
    .action((_options: unknown, self: Command) => list(self.optsWithGlobals<Options>()));
  const of = (name: string, description: string, act: Action): Command =>
    command
      .command(`${name} <id>`)
      .description(description)
      .addOption(format())
      .action((id: string, _options: unknown, self: Command) => act(id, self.optsWithGlobals<Options>()));
  const described = (one: Command): Command =>
    one.option('--reason <reason>', 'why it was, such as software_bug').option('--note <text>', 'what people should know');
  of('history', 'what people said and did of a downtime, the original first', history);
  described(of('edit', 'give a downtime its reason or a note', (id, options) => change(`${id}`, 'PATCH', { options, body: {} })));
  described(of('split', 'split a downtime in two outages; the ledger stays as it is', split)).requiredOption(
    '--at <time>',
    'where the second part begins',
  );
  described(of('merge', 'merge a downtime with the one before or after it', merge)).requiredOption('--with <id>', 'the other downtime');
  of('undo', 'take the last change back; again: bring it back', (id, options) => change(`${id}/undo`, 'POST', { options }));
}

const COLUMNS = ['id', 'service', 'from', 'to', 'reason', 'revision', 'note'] as const;
const instant = (atMs: number | null): string => (atMs === null ? '-' : new Date(atMs).toISOString());

function print(format: Format, downtimes: readonly DowntimeView[], json: unknown): void {
  const rows = downtimes.map((one) => [
    one.id,
    one.service,
    instant(one.from_at_ms),
    one.to_at_ms === null ? 'lasts' : instant(one.to_at_ms),
    one.reason,
    String(one.revision),
    one.note,
  ]);
  writeData(formatted(format, { columns: COLUMNS, rows }, json));
}

async function list(options: Options): Promise<void> {
  const query = new URLSearchParams(options.service === undefined ? {} : { service: options.service });
  for (const name of ['from', 'to'] as const) {
    const written = options[name];
    if (written !== undefined) query.set(name, String(instantOption(written, name, realClock.now()) / 1000));
  }
  const answer = JSON.parse(await ask(options, `/api/downtime?${query.toString()}`)) as { readonly items: readonly DowntimeView[] };
  print(options.format, answer.items, answer);
}

async function history(id: string, options: Options): Promise<void> {
  const path = `/api/downtime/${encodeURIComponent(id)}/revisions`;
  const answer = JSON.parse(await ask(options, path)) as { readonly items: readonly DowntimeRevisionView[] };
  const rows = answer.items.map((one) => [
    String(one.revision),
    instant(one.at_ms),
    one.by ?? '-',
    one.change ?? 'opened',
    one.other ?? '-',
    one.reason,
    one.note,
  ]);
  writeData(formatted(options.format, { columns: ['revision', 'at', 'by', 'change', 'other', 'reason', 'note'], rows }, answer));
}

const split: Action = (id, options) => {
  const atMs = instantOption(options.at ?? '', 'at', realClock.now());
  return change(`${id}/split`, 'POST', { options, body: { at: atMs / 1000 } });
};
const merge: Action = (id, options) => change(`${id}/merge`, 'POST', { options, body: { with: options.with } });

type Said = { readonly options: Options; readonly body?: Readonly<Record<string, unknown>> };

async function change(path: string, method: 'POST' | 'PATCH', { options, body }: Said): Promise<void> {
  const { reason, note } = options;
  const said = { ...(reason === undefined ? {} : { reason }), ...(note === undefined ? {} : { note }) };
  const [id, ...verb] = path.split('/');
  const place = ['/api/downtime', encodeURIComponent(id ?? ''), ...verb].join('/');
  const answer = await ask(options, place, { method, ...(body === undefined ? {} : { body: { ...body, ...said } }) });
  const changed = JSON.parse(answer) as DowntimeView;
  print(options.format, [changed], changed);
}
