import type { RecoveryActionView, RecoveryRunView } from '@nines/server/recovery/contract.ts';
import { sleepAwake } from '@nines/server/platform/clock.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';

type Options = RemoteOptions & {
  readonly format: Format;
  readonly check?: string;
  readonly runs?: boolean;
  readonly dryRun?: boolean;
  readonly reason?: string;
};

/** Between two looks whether a run has ended. */
const LOOK_MS = 300;

/** `nines recovery`: what is done about checks that are down. */
export function recoveryCommand(program: Command): void {
  const command = program.command('recovery').description('recovery actions: what they do, what they did, and running one');
  const format = (): Option => new Option('--format <format>', 'how to print').choices([...FORMATS]).default('table');
  command
    .command('list')
    .description('actions with what would be decided now; --runs: what they did, newest first')
    .option('--check <id>', 'of one check')
    .option('--runs', 'list runs instead')
    .addOption(format())
    .action((_options: unknown, self: Command) => list(self.optsWithGlobals<Options>()));
  command
    .command('run <action>')
    .description('run an action now and wait for what comes of it; exits 1 when it did not help')
    .option('--dry-run', 'say what it would do and do nothing')
    .option('--reason <text>', 'why, for the record')
    .addOption(format())
    .action((action: string, _options: unknown, self: Command) => run(action, self.optsWithGlobals<Options>()));
}

async function list(options: Options): Promise<void> {
  const query = options.check === undefined ? '' : `?check=${encodeURIComponent(options.check)}`;
  if (options.runs === true) {
    const answer = JSON.parse(await ask(options, `/api/recovery/runs${query}`)) as { readonly items: readonly RecoveryRunView[] };
    print(options.format, answer.items, answer);
    return;
  }
  const answer = JSON.parse(await ask(options, `/api/recovery/actions${query}`)) as { readonly items: readonly RecoveryActionView[] };
  const rows = answer.items.map((one) => [one.id, one.check, one.does, one.decision.reason, one.decision.detail, one.last?.status ?? '-']);
  writeData(formatted(options.format, { columns: ['id', 'check', 'does', 'now', 'because', 'last'], rows }, answer));
}

async function run(action: string, options: Options): Promise<void> {
  const body = { dry_run: options.dryRun ?? false, reason: options.reason ?? '' };
  const begun = await ask(options, `/api/recovery/actions/${encodeURIComponent(action)}/run`, { method: 'POST', body });
  let found = JSON.parse(begun) as RecoveryRunView;
  while (found.ended_at_ms === null) {
    await sleepAwake(LOOK_MS);
    found = JSON.parse(await ask(options, `/api/recovery/runs/${encodeURIComponent(found.id)}`)) as RecoveryRunView;
  }
  print(options.format, [found], found);
  if (found.output !== '') process.stderr.write(`${found.output.trimEnd()}\n`);
  if (found.status !== 'helped' && found.status !== 'dry_run') {
    throw new CliFailure(EXIT.failed, `the action "${action}" ended as ${found.status}: ${found.detail}`);
  }
}

function print(format: Format, runs: readonly RecoveryRunView[], json: unknown): void {
  const rows = runs.map((one) => [
    new Date(one.started_at_ms).toISOString(),
    one.action,
    one.check,
    one.by ?? '-',
    String(one.try),
    one.status,
    one.detail,
  ]);
  writeData(formatted(format, { columns: ['at', 'action', 'check', 'by', 'try', 'status', 'detail'], rows }, json));
}
