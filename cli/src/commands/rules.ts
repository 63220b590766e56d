import { readFileSync } from 'node:fs';
import { formatDuration } from '@nines/base/duration.ts';
import { messageOf } from '@nines/base/errors.ts';
import { ms } from '@nines/base/units.ts';
import type { BacktestView } from '@nines/server/rules/contract.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { instantOption, toSeconds } from '../times.ts';

type Options = RemoteOptions & { readonly format: Format };
type BacktestOptions = Options & { readonly rule?: string; readonly from: string; readonly to: string; readonly step?: string };
type Listed = {
  readonly items: readonly {
    readonly id: string;
    readonly kind: string;
    readonly query: string;
    readonly health: string;
    readonly last_error: string;
    readonly evaluated_at_ms: number | null;
    readonly alerts_open: number;
  }[];
};

const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');

export function rulesCommand(program: Command): void {
  const rules = program.command('rules').description('rules: which there are, and what one would have done');
  rules
    .command('list')
    .description('every rule with its health')
    .addOption(format())
    .action(async (_options: unknown, command: Command) => list(command.optsWithGlobals<Options>()));
  rules
    .command('backtest [id]')
    .description('what a rule would have done over the stored past: one that is there by its id, one that is not yet by its file')
    .option(
      '--rule <file>',
      'a file with one rule in YAML or JSON: as in rules.thresholds and the other lists with its kind, or as in a rule file',
    )
    .option('--from <time>', 'RFC 3339, Unix seconds or now-1h', 'now-1d')
    .option('--to <time>', 'exclusive', 'now')
    .option('--step <duration>', 'between two evaluations; by the length of the span when left out')
    .addOption(format())
    .action(async (id: string | undefined, _options: unknown, command: Command) =>
      backtest(id, command.optsWithGlobals<BacktestOptions>()),
    );
}

async function list(options: Options): Promise<void> {
  const found = JSON.parse(await ask(options, '/api/rules')) as Listed;
  const rows = found.items.map(({ id, kind, health, evaluated_at_ms: atMs, alerts_open: open, query, last_error: error }) => [
    id,
    kind,
    health,
    atMs === null ? '-' : new Date(atMs).toISOString(),
    String(open),
    error === '' ? query : error,
  ]);
  writeData(formatted(options.format, { columns: ['id', 'kind', 'health', 'evaluated', 'open', 'query'], rows }, found));
}

async function backtest(id: string | undefined, options: BacktestOptions): Promise<void> {
  const { realClock } = await import('@nines/server/platform/clock.ts');
  const nowMs = realClock.now();
  const body = {
    ...(id === undefined ? {} : { id }),
    ...(options.rule === undefined ? {} : { rule: await ruleIn(options.rule) }),
    from: toSeconds(instantOption(options.from, 'from', nowMs)),
    to: toSeconds(instantOption(options.to, 'to', nowMs)),
    ...(options.step === undefined ? {} : { step: options.step }),
  };
  const report = JSON.parse(await ask(options, '/api/rules/backtest', { method: 'POST', body })) as BacktestView;
  const rows = report.items.map(({ labels, severity, from_ms: from, to_ms: to, peak_value: peak }) => [
    new Date(from).toISOString(),
    to === null ? '-' : new Date(to).toISOString(),
    severity,
    String(peak),
    Object.entries(labels)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(' '),
  ]);
  writeData(formatted(options.format, { columns: ['from', 'to', 'severity', 'peak', 'labels'], rows }, report));
  process.stderr.write(`${summaryOf(report)}\n`);
  if (report.error !== null) throw new CliFailure(EXIT.failed, `the rule fails: ${report.error}`);
}

function summaryOf({
  fired_total: fired,
  firing_ms: firingMs,
  evaluations,
  tried_until_ms: untilMs,
  to_ms: toMs,
  undecided,
}: BacktestView): string {
  const until = untilMs < toMs ? `, tried until ${new Date(untilMs).toISOString()} only` : '';
  const left = undecided === null ? '' : `; ${undecided.evaluations} of them undecided, the last as ${undecided.reason}`;
  return `would have fired ${fired} times, for ${formatDuration(ms(firingMs))} in all (${evaluations} evaluations${until}${left})`;
}

/** JSON is YAML. */
async function ruleIn(file: string): Promise<unknown> {
  const [{ parseYaml }, { formatProblem }] = await Promise.all([
    import('@nines/server/platform/config/source.ts'),
    import('@nines/server/platform/config/load.ts'),
  ]);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read ${file}: ${messageOf(thrown)}`);
  }
  const { value, problems } = parseYaml(file, text);
  if (problems.length > 0) throw new CliFailure(EXIT.badInput, problems.map(formatProblem).join('\n'));
  return value;
}
