import { readFileSync } from 'node:fs';
import type { AnnouncementState, AnnouncementView, StatusPageView } from '@nines/server/status-pages/contract.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import { type Command, Option } from 'commander';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { instantOption } from '../times.ts';

type ListOptions = RemoteOptions & { readonly format: Format };
type MatterOptions = ListOptions & { readonly page?: string; readonly open?: boolean };
type SayOptions = RemoteOptions & {
  readonly page: readonly string[];
  readonly service: readonly string[];
  readonly title: string;
  readonly text: string;
  readonly state: string;
  readonly at?: string;
  /** `--no-notify`: subscribers are not told. */
  readonly notify: boolean;
};

const STATES: readonly AnnouncementState[] = ['notice', 'investigating', 'identified', 'monitoring', 'resolved'];
const STANDARD_INPUT = 0;

export function statusPageCommand(program: Command): void {
  const group = program.command('status-page').description('status pages, and what is announced on them');
  withFormat(group.command('list').description('every status page with its address and state')).action(
    async (_options: unknown, command: Command) => {
      await listPages(command.optsWithGlobals<ListOptions>());
    },
  );
  withFormat(group.command('announcements').description('what was announced, newest first'))
    .option('--page <id>', 'on this page alone')
    .option('--open', 'only what is not resolved')
    .action(async (_options: unknown, command: Command) => {
      await listAnnouncements(command.optsWithGlobals<MatterOptions>());
    });
  sayCommands(group);
  group
    .command('withdraw <id>')
    .description('take an announcement off the pages; what it said is kept')
    .action(async (id: string, _options: unknown, command: Command) => {
      await ask(command.optsWithGlobals<RemoteOptions>(), `/api/announcements/${encodeURIComponent(id)}`, { method: 'DELETE' });
    });
}

const withFormat = (command: Command): Command =>
  command.addOption(new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table'));

/** Both print the id of the announcement. */
function sayCommands(group: Command): void {
  saying(group.command('announce').description('announce something; prints the id that updates are made with'), 'investigating')
    .requiredOption('--title <title>', 'what it is about, in a few words')
    .requiredOption('--page <id...>', 'the pages it stands on')
    .option('--service <id...>', 'the services it is about', [])
    .action(async (_options: unknown, command: Command) => {
      const options = command.optsWithGlobals<SayOptions>();
      const { title, page: pages, service: services } = options;
      await say(options, '/api/announcements', { title, pages, services });
    });
  saying(group.command('update <id>').description('say more about what was announced, or that it is resolved'), undefined).action(
    async (id: string, _options: unknown, command: Command) => {
      await say(command.optsWithGlobals<SayOptions>(), `/api/announcements/${encodeURIComponent(id)}/updates`, {});
    },
  );
}

function saying(command: Command, state: string | undefined): Command {
  const states = new Option('--state <state>', 'how it stands').choices([...STATES]);
  return command
    .requiredOption('--text <text>', 'what is said; - reads it from standard input')
    .addOption(state === undefined ? states.makeOptionMandatory() : states.default(state))
    .option('--at <time>', 'since when it holds: RFC 3339, Unix seconds, now-10m (default: now)')
    .option('--no-notify', 'do not tell subscribers');
}

async function say(options: SayOptions, path: string, more: Readonly<Record<string, unknown>>): Promise<void> {
  const text = options.text === '-' ? readFileSync(STANDARD_INPUT, 'utf8') : options.text;
  const at = options.at === undefined ? {} : { at_ms: instantOption(options.at, 'at', realClock.now()) };
  const body = { ...more, state: options.state, text, notify: options.notify, ...at };
  const said = JSON.parse(await ask(options, path, { method: 'POST', body })) as AnnouncementView;
  writeData(said.id);
}

async function listPages(options: ListOptions): Promise<void> {
  const { items } = JSON.parse(await ask(options, '/api/status-pages')) as { readonly items: readonly StatusPageView[] };
  const rows = items.map((page) => [
    page.id,
    page.state,
    page.private ? 'private' : 'public',
    String(page.open_announcements),
    String(page.subscribers.email + page.subscribers.webhook),
    page.url,
  ]);
  writeData(formatted(options.format, { columns: ['id', 'state', 'access', 'open', 'subscribers', 'url'], rows }, items));
}

async function listAnnouncements(options: MatterOptions): Promise<void> {
  const params = new URLSearchParams({
    state: options.open === true ? 'open' : 'all',
    ...(options.page === undefined ? {} : { page: options.page }),
  });
  const { items } = JSON.parse(await ask(options, `/api/announcements?${params.toString()}`)) as {
    readonly items: readonly AnnouncementView[];
  };
  const rows = items.map((one) => [one.id, one.state, new Date(one.began_at_ms).toISOString(), one.pages.join(' '), one.title]);
  writeData(formatted(options.format, { columns: ['id', 'state', 'began', 'pages', 'title'], rows }, items));
}
