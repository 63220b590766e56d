import type { Command } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';

type Flags = { readonly data: string; readonly config?: string };

export function userCommand(program: Command): void {
  const user = program.commands.find((command) => command.name() === 'user') ?? program.command('user').description('people who sign in');
  user
    .command('reset-factors <name>')
    .description('take away second factors that a person has lost and end their sessions, whether or not the server runs')
    .requiredOption('--data <dir>', 'data directory of the server')
    .option('--config <file>', 'configuration file, when the state lies in PostgreSQL or the data are encrypted')
    .action(reset);
}

/** Opens the state database itself, as `token create` does: whoever may write it needs no credential. */
async function reset(name: string, { data, config }: Flags): Promise<void> {
  const [{ openState, keysOf }, { realClock }, { createIds }, { Sessions }, { COMMAND_LINE }, audit, people, { resetFactors }] =
    await Promise.all([
      import('../state.ts'),
      import('@nines/server/platform/clock.ts'),
      import('@nines/server/platform/ids.ts'),
      import('@nines/server/sessions/service.ts'),
      import('@nines/server/access/contract.ts'),
      auditParts(),
      import('@nines/server/people/examine.ts'),
      import('@nines/server/factors/reset.ts'),
    ]);
  const clock = realClock;
  const db = await openState({ data, config }, clock.now());
  try {
    const sealing = (await keysOf(data, config))?.cipher.key(audit.AUDIT_SEALING_KEY);
    const keys = await audit.openKeyBook({ db, clock, dataDir: data, sealing });
    const shared = { db, clock, ids: createIds(clock), record: audit.createRecorder({ keys, clock }) };
    const person = await people.personNamed(db.kysely, name);
    if (person === undefined) throw new CliFailure(EXIT.notFound, `nobody who may sign in is called ${JSON.stringify(name)}`);
    const sessions = new Sessions({ ...shared, onEnded: () => {} });
    await resetFactors({ ...shared, sessions }, { by: COMMAND_LINE, userId: person.id });
    writeData(`${person.name} signs in with the password alone now; their sessions have ended`);
  } finally {
    await db.close();
  }
}

async function auditParts() {
  const [service, keys, sealing] = await Promise.all([
    import('@nines/server/audit/service.ts'),
    import('@nines/server/audit/keys.ts'),
    import('@nines/server/platform/signing/audit-key.ts'),
  ]);
  return { createRecorder: service.createRecorder, openKeyBook: keys.openKeyBook, AUDIT_SEALING_KEY: sealing.AUDIT_SEALING_KEY };
}
