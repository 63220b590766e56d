import { parseMatchers } from '@nines/base/matcher-text.ts';
import type { AlertView } from '@nines/server/alerting/contract.ts';
import type { NotificationView } from '@nines/server/notify/contract.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT, type ExitCode } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';

type Filters = {
  readonly severity?: string;
  readonly service?: string;
  readonly source?: string;
  readonly assigned?: string;
  readonly problem?: string;
  readonly search?: string;
  readonly all?: boolean;
};
type ListOptions = RemoteOptions & Filters & { readonly format: Format; readonly status: string; readonly limit: string };
type ActionOptions = RemoteOptions &
  Filters & {
    readonly format: Format;
    readonly comment?: string;
    readonly for?: string;
    readonly until?: string;
    readonly to?: string;
    readonly policy?: string;
  };
type Page = { readonly items: readonly AlertView[]; readonly next: string | null };
type Step = { readonly at_ms: number; readonly kind: string; readonly reason: string; readonly actor: string };
type Detail = AlertView & {
  readonly kept_by: string | null;
  readonly transitions: readonly Step[];
  readonly deliveries: readonly NotificationView[];
};
type Acted = {
  readonly id: string;
  readonly ok: boolean;
  readonly changed?: boolean;
  readonly alert?: AlertView;
  readonly error?: string;
  readonly code?: string;
};

/** Most alerts of one request, as the server takes them. */
const MAX_PAGE = 1_000;

/** Each action: its name, and what it does. */
const ACTIONS = [
  ['acknowledge', 'say that somebody has them: escalation stops'],
  ['unacknowledge', 'take that back'],
  ['snooze', 'quiet until an instant, or until they are resolved'],
  ['unsnooze', 'tell of them again'],
  ['suppress', 'quiet until somebody takes that back'],
  ['unsuppress', 'tell of them again'],
  ['assign', 'give them to somebody'],
  ['comment', 'write into their history'],
  ['escalate', 'tell the next level now'],
  ['resolve', 'end them by hand; they fire again when their condition still holds'],
] as const;
type ActionName = (typeof ACTIONS)[number][0];

/** `nines alerts`: what is open, one with its history, and what people do to them. */
export function alertsCommand(program: Command): void {
  const command = program.command('alerts').description('alerts: what is open, one with its history, and what people do to them');
  filtered(
    command
      .command('list [matchers...]')
      .description('open alerts, the most urgent first: nines alerts list severity=critical instance=~"db.*"'),
  )
    .addOption(new Option('--status <status>', 'open, all, or a state').default('open'))
    .option('--limit <n>', 'most alerts to print', '100')
    .action((matchers: readonly string[], _options: unknown, self: Command) => list(matchers, self.optsWithGlobals<ListOptions>()));
  command
    .command('show <alert>')
    .description('one alert with everything that happened to it')
    .addOption(format())
    .addOption(json())
    .action((alert: string, _options: unknown, self: Command) => show(alert, self.optsWithGlobals<ListOptions>()));
  for (const [name, description] of ACTIONS) {
    const added = filtered(command.command(`${name} [alerts...]`).description(`${description}; by id, or those that match`))
      .option('--all', 'every open alert')
      .action((alerts: readonly string[], _options: unknown, self: Command) => act(name, alerts, self.optsWithGlobals<ActionOptions>()));
    if (name === 'comment') added.requiredOption('--comment <text>', 'what to write');
    else added.option('--comment <text>', 'why; stands in the history');
    if (name === 'snooze')
      added.option('--for <duration>', 'such as 2h').option('--until <instant>', 'RFC 3339, Unix seconds, or resolved');
    if (name === 'assign') added.requiredOption('--to <person>', 'a name, or nobody');
    if (name === 'escalate') added.option('--policy <id>', 'by this policy where none applies');
  }
}

const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');
const json = (): Option => new Option('--json', 'the same as --format json').implies({ format: 'json' });

const filtered = (command: Command): Command =>
  command
    .option('--severity <severities>', 'info, warning, critical, emergency; several with commas')
    .option('--service <id>', 'of one service')
    .option('--source <rule>', 'of one rule, or of a kind (rule, sla, service, alertmanager)')
    .option('--assigned <person>', 'a name, me, or nobody')
    .option('--problem <id>', 'of one problem')
    .option('--search <text>', 'a text in the name, the rule, a label or the summary')
    .addOption(format())
    .addOption(json());

/** What the server is asked for; written matchers are read here first, so that a bad one is named. */
function questionOf(matchers: readonly string[], { severity, service, source, assigned, problem, search }: Filters): URLSearchParams {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ severity, service, source, assigned, problem, q: search }))
    if (value !== undefined) query.set(name, value);
  for (const written of matchers) {
    const parsed = parseMatchers(written);
    if (!parsed.ok) throw new CliFailure(EXIT.badInput, parsed.error);
    query.append('label', written);
  }
  return query;
}

async function list(matchers: readonly string[], options: ListOptions): Promise<void> {
  const limit = Number(options.limit);
  if (!Number.isInteger(limit) || limit < 1) throw new CliFailure(EXIT.badInput, `--limit: not a whole number from 1: "${options.limit}"`);
  const query = questionOf(matchers, options);
  query.set('status', options.status);
  // What is over has no urgency: the server lists it by time alone.
  if (options.status !== 'all' && options.status !== 'resolved') query.set('order', 'urgency');
  const { items, more } = await alertsOf(options, query, limit);
  writeData(formatted(options.format, { columns: COLUMNS, rows: items.map(rowOf) }, { items }));
  if (more) process.stderr.write(`there are more; --limit is ${limit}\n`);
}

const COLUMNS = ['id', 'state', 'severity', 'since', 'service', 'assigned', 'alert'];
const instant = (atMs: number): string => new Date(atMs).toISOString();

function rowOf({ id, state, severity, starts_at_ms: atMs, service, assigned_to: assigned, ...alert }: AlertView): readonly string[] {
  return [id, state, severity, instant(atMs), service ?? '-', assigned ?? '-', titleOf(alert)];
}

const titleOf = ({ alertname, annotations }: Pick<AlertView, 'alertname' | 'annotations'>): string => {
  const { summary } = annotations;
  return summary === undefined || summary === '' ? alertname : `${alertname}: ${summary}`;
};

/** At most `limit` alerts, page by page. */
async function alertsOf(
  options: RemoteOptions,
  query: URLSearchParams,
  limit: number,
): Promise<{ readonly items: readonly AlertView[]; readonly more: boolean }> {
  const items: AlertView[] = [];
  for (;;) {
    query.set('limit', String(Math.min(MAX_PAGE, limit - items.length)));
    const page = JSON.parse(await ask(options, `/api/alerts?${query.toString()}`)) as Page;
    items.push(...page.items);
    if (page.next === null || items.length >= limit) return { items, more: page.next !== null };
    query.set('cursor', page.next);
  }
}

async function show(id: string, options: ListOptions): Promise<void> {
  const found = JSON.parse(await ask(options, `/api/alerts/${encodeURIComponent(id)}`)) as Detail;
  const steps = found.transitions.map(({ at_ms: atMs, actor, kind, reason }) => ({ atMs, row: [actor, kind, reason] }));
  const told = found.deliveries.map((one) => ({
    atMs: one.created_at_ms,
    row: [one.channel === '' ? '-' : one.channel, `${one.reason} ${one.status}`, one.cause ?? one.last_error ?? ''],
  }));
  const rows = [...steps, ...told].sort((a, b) => a.atMs - b.atMs).map(({ atMs, row }) => [instant(atMs), ...row]);
  // The table alone is data for other programs; the head is for eyes.
  if (options.format === 'table') process.stderr.write(headOf(found));
  writeData(formatted(options.format, { columns: ['at', 'by', 'what', 'why'], rows }, found));
}

function headOf(alert: Detail): string {
  const labels = Object.entries(alert.labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const kept = alert.kept_by === null ? '' : `told to nobody: ${alert.kept_by}\n`;
  const text = `${titleOf(alert)}\n${alert.severity}, ${alert.state} since ${instant(alert.starts_at_ms)}; rule ${alert.rule}\n${labels.join(' ')}\n${kept}`;
  return text.replace(/(?!\n)\p{Cc}/gu, '\ufffd');
}

async function act(name: ActionName, alerts: readonly string[], options: ActionOptions): Promise<void> {
  const fields = fieldsOf(name, options);
  const ids = await idsOf(alerts, options);
  const items: Acted[] = [];
  for (let from = 0; from < ids.length; from += MAX_PAGE) {
    const body = { ...fields, ids: ids.slice(from, from + MAX_PAGE) };
    const answer = JSON.parse(await ask(options, `/api/alerts/${name}`, { method: 'POST', body })) as { readonly items: readonly Acted[] };
    items.push(...answer.items);
  }
  const rows = items.map(({ id, ok, changed, alert, error }) => [
    id,
    ok ? (changed === false ? 'was so' : 'done') : 'refused',
    alert?.state ?? '-',
    ok && alert !== undefined ? titleOf(alert) : (error ?? ''),
  ]);
  writeData(formatted(options.format, { columns: ['id', 'result', 'state', 'alert'], rows }, { items }));
  const refused = items.filter(({ ok }) => !ok);
  if (refused.length > 0) throw new CliFailure(codeOf(refused), `${refused.length} of ${items.length} refused`);
}

const codeOf = (refused: readonly Acted[]): ExitCode =>
  refused.every(({ code }) => code === 'alert_not_found') ? EXIT.notFound : EXIT.failed;

function fieldsOf(name: ActionName, { comment, for: length, until, to, policy }: ActionOptions): object {
  if (name === 'snooze' && (length === undefined) === (until === undefined))
    throw new CliFailure(EXIT.badInput, 'snooze needs --for (a length such as 2h) or --until (an instant, or resolved), and not both');
  const assignee = to === 'nobody' ? null : to;
  return {
    ...(comment === undefined ? {} : { comment }),
    ...(length === undefined ? {} : { for: length }),
    ...(until === undefined ? {} : { until }),
    ...(assignee === undefined ? {} : { assignee }),
    ...(policy === undefined ? {} : { policy }),
  };
}

/** The ids as they are given, or those of the open alerts that match. An action without either is a slip, not a wish for all. */
async function idsOf(alerts: readonly string[], options: ActionOptions): Promise<readonly string[]> {
  const matchers = alerts.filter((text) => /[=~]/.test(text));
  const ids = alerts.filter((text) => !matchers.includes(text));
  const query = questionOf(matchers, options);
  const filtering = query.size > 0;
  if (ids.length > 0) {
    if (!filtering && options.all !== true) return [...new Set(ids)];
    throw new CliFailure(EXIT.badInput, 'name alerts by their ids, or by what they match, not by both');
  }
  if (!filtering && options.all !== true)
    throw new CliFailure(EXIT.badInput, 'which alerts? Name ids, matchers (service=shop), filters, or --all for every open one');
  query.set('status', 'open');
  const { items } = await alertsOf(options, query, Number.MAX_SAFE_INTEGER);
  if (items.length === 0) throw new CliFailure(EXIT.notFound, 'no open alert matches');
  return items.map(({ id }) => id);
}
