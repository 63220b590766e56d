import { statSync } from 'node:fs';
import type { ExaminationView } from '@nines/server/backups/contract.ts';
import { messageOf } from '@nines/base/errors.ts';
import { CliFailure, EXIT } from './failure.ts';
import { writeData } from './output.ts';

/** Prints a report and sets the exit code: 0 when there is no damage, 1 when there is. */
export function report(view: ExaminationView, { json, sentence }: { readonly json: boolean; readonly sentence: string }): void {
  process.exitCode = view.sound ? EXIT.ok : EXIT.failed;
  if (json) {
    writeData(JSON.stringify(view, null, 2));
    return;
  }
  const lines = view.findings.flatMap(({ severity, place, problem, advice }) => [`${severity}: ${place}: ${problem}`, `  ${advice}`]);
  const opened =
    view.encrypted && view.series === 0
      ? 'encrypted, contents not opened'
      : `${view.series} series, ${view.pages} pages, ${view.samples} samples`;
  const damage = view.findings.filter(({ severity }) => severity === 'damage').length;
  writeData([...lines, `${view.sound ? 'sound' : `${damage} damaged`}: ${sentence} (${opened})`].join('\n'));
}

/** A command whose exit code 1 says that something is broken: whatever keeps it from looking ends it with 2 instead. */
export async function examining<T>(look: () => Promise<T>): Promise<T> {
  try {
    return await look();
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, messageOf(thrown));
  }
}

export function notADirectory(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new CliFailure(EXIT.badInput, `${path} is no directory. Name a data directory with --data.`);
}
