import { AppError, messageOf } from '@nines/base/errors.ts';
import { scrub } from '@nines/server/platform/scrub.ts';
import { VERSION } from '@nines/server/version.ts';
import { Command, CommanderError } from 'commander';
import { agentCommand } from './commands/agent.ts';
import { alertsCommand } from './commands/alerts.ts';
import { auditCommand } from './commands/audit.ts';
import { backupCommand } from './commands/backup.ts';
import { cardinalityCommand } from './commands/cardinality.ts';
import { checkCommand } from './commands/check.ts';
import { configCommand } from './commands/config.ts';
import { dashboardsCommand } from './commands/dashboards.ts';
import { deleteCommand } from './commands/delete.ts';
import { demoCommand } from './commands/demo.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downtimeCommand } from './commands/downtime.ts';
import { exportCommand } from './commands/export.ts';
import { healthCommand } from './commands/health.ts';
import { importCommand } from './commands/import.ts';
import { keyCommand } from './commands/key.ts';
import { escalationCommand } from './commands/escalation.ts';
import { oncallCommand } from './commands/oncall.ts';
import { pauseCommands } from './commands/pause.ts';
import { queryCommand } from './commands/query.ts';
import { incidentsCommand } from './commands/incidents.ts';
import { recoveryCommand } from './commands/recovery.ts';
import { restoreCommand } from './commands/restore.ts';
import { routesCommand } from './commands/routing.ts';
import { rulesCommand } from './commands/rules.ts';
import { serveCommand } from './commands/serve.ts';
import { silencesCommand } from './commands/silences.ts';
import { slaCommand } from './commands/sla.ts';
import { statusPageCommand } from './commands/status-page.ts';
import { supportCommand } from './commands/support.ts';
import { testCommand } from './commands/test.ts';
import { tokenCommand } from './commands/token.ts';
import { userCommand } from './commands/user.ts';
import { CliFailure, EXIT, type ExitCode } from './failure.ts';

/**
 * The `nines` command. Thin: each command talks to a server over HTTP, opens the state database, or runs the server itself.
 * Standard output carries data alone; everything for people goes to standard error. What a command needs is loaded when it
 * runs, so that `nines query` does not pay for the server.
 */
function createProgram(): Command {
  const program = new Command('nines')
    .description('measures services, keeps the samples, decides whether the promise was kept, tells someone, proves every number')
    .version(VERSION, '--version')
    .option('--url <url>', 'server to talk to (default: NINES_URL, else http://127.0.0.1:7070)')
    .option('--token-file <file>', 'file that holds an API token (default: the token in NINES_TOKEN)')
    .showHelpAfterError('(nines --help lists every command)')
    .exitOverride();
  for (const add of [
    serveCommand,
    keyCommand,
    demoCommand,
    checkCommand,
    configCommand,
    testCommand,
    rulesCommand,
    tokenCommand,
    userCommand,
    queryCommand,
    cardinalityCommand,
    deleteCommand,
    healthCommand,
    pauseCommands,
    importCommand,
    exportCommand,
    dashboardsCommand,
    slaCommand,
    statusPageCommand,
    downtimeCommand,
    alertsCommand,
    silencesCommand,
    incidentsCommand,
    recoveryCommand,
    routesCommand,
    oncallCommand,
    escalationCommand,
    backupCommand,
    restoreCommand,
    doctorCommand,
    supportCommand,
    auditCommand,
    agentCommand,
  ])
    add(program);
  inherit(program);
  return program;
}

/** Commander copies these only to commands made after they were set on the parent; ours are made by their own files. */
function inherit(command: Command): void {
  for (const child of command.commands) {
    child.copyInheritedSettings(command);
    inherit(child);
  }
}

async function run(argv: readonly string[]): Promise<ExitCode> {
  try {
    await createProgram().parseAsync([...argv], { from: 'user' });
    return (process.exitCode as ExitCode | undefined) ?? EXIT.ok;
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    process.stderr.write(`${scrub(wordsOf(thrown))}\n`);
    return thrown instanceof CliFailure ? thrown.code : EXIT.failed;
  }
}

/** Expected failures in a sentence, faults with their stack. */
function wordsOf(thrown: unknown): string {
  if (thrown instanceof CliFailure || thrown instanceof AppError) return thrown.message;
  return thrown instanceof Error ? (thrown.stack ?? thrown.message) : messageOf(thrown);
}

process.exitCode = await run(process.argv.slice(2));
