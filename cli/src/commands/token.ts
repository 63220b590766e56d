import type { Command } from 'commander';
import { AppError } from '@nines/base/errors.ts';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';

type TokenFlags = { readonly data: string; readonly name: string; readonly role: string; readonly config?: string };

export function tokenCommand(program: Command): void {
  program
    .command('token')
    .description('API tokens')
    .command('create')
    .description('make a token, whether or not the server runs; prints it once')
    .requiredOption('--data <dir>', 'data directory of the server')
    .requiredOption('--name <name>', 'what the token is for')
    .requiredOption('--role <role>', 'what it may do: the id of a role, such as read-only or ingest')
    .option('--config <file>', 'configuration file, when the state lies in PostgreSQL or the data are encrypted')
    .action(create);
}

/** Opens the state database itself: SQLite and PostgreSQL both take a second writer beside a running server. */
async function create(flags: TokenFlags): Promise<void> {
  const [
    { configOf, openState, keysOf },
    { realClock },
    { createIds },
    { Tokens },
    { Roles },
    { COMMAND_LINE },
    { createRecorder },
    { openKeyBook },
    sealing,
  ] = await Promise.all([
    import('../state.ts'),
    import('@nines/server/platform/clock.ts'),
    import('@nines/server/platform/ids.ts'),
    import('@nines/server/tokens/service.ts'),
    import('@nines/server/roles/service.ts'),
    import('@nines/server/access/contract.ts'),
    import('@nines/server/audit/service.ts'),
    import('@nines/server/audit/keys.ts'),
    import('@nines/server/platform/signing/audit-key.ts'),
  ]);
  const { data, config, name, role } = flags;
  const clock = realClock;
  const db = await openState({ data, config }, clock.now());
  try {
    const keys = await keysOf(data, config);
    const keyBook = await openKeyBook({ db, clock, dataDir: data, sealing: keys?.cipher.key(sealing.AUDIT_SEALING_KEY) });
    const shared = { db, clock, ids: createIds(clock), record: createRecorder({ keys: keyBook, clock }) };
    const roles = new Roles({ ...shared, holders: async () => [] });
    await roles.declare(configOf(config).access.roles.map((spec) => ({ spec, place: config ?? '' })));
    const tokens = new Tokens({ ...shared, judgeRole: (by, id) => roles.judgeGift(by, id) });
    const made = await tokens.create(COMMAND_LINE, { name, role }).catch((thrown: unknown) => {
      throw thrown instanceof AppError && thrown.kind === 'bad_input' ? new CliFailure(EXIT.badInput, thrown.message) : thrown;
    });
    writeData(made.token);
  } finally {
    await db.close();
  }
}
