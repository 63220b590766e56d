import type { Logger } from '@nines/base/logger.ts';
import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';

export function testCommand(program: Command): void {
  program
    .command('test')
    .description('test configuration before it is in force')
    .command('rules <file...>')
    .description("unit tests of rule files in promtool's format: 0 when all pass, 1 when one fails, 2 when a file cannot be read")
    .action(async (files: readonly string[]) => testRules(files));
}

async function testRules(files: readonly string[]): Promise<void> {
  const [{ readUnitTestFile }, { runUnitTests }, { createMemoryAlerting }, { formatProblem }] = await Promise.all([
    import('@nines/server/rules/unit-test-file.ts'),
    import('@nines/server/rules/unit-test.ts'),
    import('@nines/server/alerting/memory.ts'),
    import('@nines/server/platform/config/load.ts'),
  ]);
  let worst: 0 | 1 | 2 = EXIT.ok;
  for (const file of files) {
    const read = readUnitTestFile(file);
    const { failures, warnings } = read.ok
      ? await runUnitTests(read.config, file, { createAlerting: createMemoryAlerting, logger: QUIET })
      : { failures: read.problems.map(formatProblem), warnings: [] };
    for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
    writeData(`${failures.length === 0 ? 'passed' : 'FAILED'}  ${file}`);
    for (const failure of failures) process.stderr.write(`  ${failure.replaceAll('\n', '\n  ')}\n`);
    if (!read.ok) worst = EXIT.badInput;
    else if (failures.length > 0 && worst === EXIT.ok) worst = EXIT.failed;
  }
  if (worst !== EXIT.ok) throw new CliFailure(worst, 'not all tests passed');
}

/** What a rule would log stands in the failures. */
const QUIET: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => QUIET };
