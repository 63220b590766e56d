import { createInterface } from 'node:readline/promises';
import type { DeletionView } from '@nines/server/series/contract.ts';
import { realClock } from '@nines/server/platform/clock.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { type RemoteOptions, ask } from '../remote.ts';
import { instantOption, toSeconds } from '../times.ts';

type Options = RemoteOptions & { readonly from?: string; readonly to?: string; readonly yes?: boolean; readonly all?: boolean };

export function deleteCommand(program: Command): void {
  program
    .command('delete <selector>')
    .description('delete the samples of the series that a selector selects, for good; says how many and asks first')
    .option('--from <time>', 'first instant: RFC 3339, Unix seconds, now, now-1h (default: the beginning)')
    .option('--to <time>', 'last instant, included (default: the end)')
    .option('--yes', 'do not ask')
    .option('--all', 'allow a selector that selects every series')
    .action(async (selector: string, _options: unknown, command: Command) => {
      await remove(selector, command.optsWithGlobals<Options>(), realClock.now());
    });
}

async function remove(selector: string, options: Options, nowMs: number): Promise<void> {
  const params = new URLSearchParams({ match: selector });
  if (options.from !== undefined) params.set('from', toSeconds(instantOption(options.from, 'from', nowMs)));
  if (options.to !== undefined) params.set('to', toSeconds(instantOption(options.to, 'to', nowMs)));
  if (options.all === true) params.set('all', 'true');
  const send = async (more: Readonly<Record<string, string>>): Promise<DeletionView> =>
    JSON.parse(
      await ask(options, `/api/series?${new URLSearchParams([...params, ...Object.entries(more)]).toString()}`, { method: 'DELETE' }),
    ) as DeletionView;
  const counted = await send({ dry_run: 'true' });
  const what = `${counted.complete ? '' : 'at least '}${counted.samples} samples of ${counted.series} series`;
  if (counted.samples === 0) {
    process.stderr.write('nothing to delete: no series that is selected has samples there\n');
    return;
  }
  if (options.yes !== true && !(await isAgreed(`Delete ${what} for good?`))) throw new CliFailure(EXIT.failed, 'nothing was deleted');
  const removed = await send({});
  process.stderr.write(`deleted ${removed.samples} samples of ${removed.series} series\n`);
}

/** Asks on the terminal; without one there is nobody to ask, so the answer must have been given before. */
async function isAgreed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CliFailure(EXIT.badInput, `${question} Nobody is there to answer: repeat the command with --yes`);
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
