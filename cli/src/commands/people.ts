import { AppError } from '@nines/base/errors.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';

/** `url`: where people reach the server, for links, unless `server.base_url` says so. */
type StateFlags = { readonly data: string; readonly config?: string; readonly url?: string | undefined };

/** People, for whoever may write the data directory: also when the only administrator is lost. Works beside a running server. */
export function peopleCommands(program: Command): void {
  const user = program.commands.find((command) => command.name() === 'user') ?? program.command('user').description('people who sign in');
  const onState = (name: string, description: string): Command =>
    user
      .command(name)
      .description(description)
      .requiredOption('--data <dir>', 'data directory of the server')
      .option('--config <file>', 'configuration file, when the state lies in PostgreSQL or the data are encrypted');
  onState('list', 'everybody who may sign in')
    .addOption(new Option('--format <format>', 'how to print them').choices([...FORMATS]).default('table'))
    .action(list);
  onState('create <name>', 'invite somebody; prints the one-time link, which works for 48 hours')
    .requiredOption('--role <role>', 'what they may do: the id of a role, such as administrator or read-only')
    .action((name: string, _flags: unknown, command: Command) => {
      const { role, ...state } = command.optsWithGlobals<StateFlags & { readonly role: string }>();
      return create(state, name, role);
    });
  onState('reset <name>', 'print a one-time link to a new password')
    .option('--enable', 'let a disabled person sign in again')
    .action((name: string, _flags: unknown, command: Command) => {
      const { enable, ...state } = command.optsWithGlobals<StateFlags & { readonly enable?: true }>();
      return reset(state, name, enable === true);
    });
  onState('disable <name>', 'end the sessions of a person and let them sign in no more').action((name: string, state: StateFlags) =>
    change(state, name, { disabled: true }),
  );
  onState('role <name> <role>', 'give a person another role and end their sessions').action(
    (name: string, role: string, state: StateFlags) => change(state, name, { role }),
  );
}

async function list({ format, ...state }: StateFlags & { readonly format: Format }): Promise<void> {
  await withPeople(state, async ({ directory }) => {
    const items = await directory.list();
    const instant = (atMs: number | null): string => (atMs === null ? 'never' : new Date(atMs).toISOString());
    const rows = items.map(({ name, role, state: is, signed_in_at_ms, sessions }) => [
      name,
      role,
      is,
      instant(signed_in_at_ms),
      `${sessions}`,
    ]);
    writeData(formatted(format, { columns: ['name', 'role', 'state', 'last sign-in', 'sessions'], rows }, items));
  });
}

async function create(state: StateFlags, name: string, role: string): Promise<void> {
  await withPeople(state, async ({ directory, by, contract, url }) => {
    const parsed = contract.newPersonBody.safeParse({ name, role });
    if (!parsed.success) throw new CliFailure(EXIT.badInput, parsed.error.issues[0]?.message ?? 'bad input');
    writeData(contract.joinUrl(url, (await directory.invite(by, parsed.data)).secret));
  });
}

async function reset(state: StateFlags, name: string, enable: boolean): Promise<void> {
  await withPeople(state, async ({ directory, by, contract, url }) => {
    const { id, revision, disabled_at_ms } = await directory.find(name);
    if (disabled_at_ms !== null && !enable) {
      throw new CliFailure(EXIT.failed, `${name} is disabled; --enable lets them sign in again with the new password`);
    }
    if (disabled_at_ms !== null) await directory.change(by, id, { revision, disabled: false });
    writeData(contract.joinUrl(url, (await directory.reset(by, id)).secret));
  });
}

async function change(state: StateFlags, name: string, asked: { readonly disabled?: boolean; readonly role?: string }): Promise<void> {
  await withPeople(state, async ({ directory, by }) => {
    const { id, revision } = await directory.find(name);
    const now = await directory.change(by, id, { revision, ...asked });
    writeData(`${now.name}: ${now.role}, ${now.state}`);
  });
}

async function withPeople(flags: StateFlags, use: (opened: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  const opened = await open(flags);
  try {
    await use(opened);
  } catch (thrown) {
    if (thrown instanceof AppError) {
      const code = thrown.kind === 'bad_input' ? EXIT.badInput : EXIT.failed;
      const hint =
        thrown.code === opened.contract.PEOPLE_CODES.personNotFound ? `; nines user list --data ${flags.data} names everybody` : '';
      throw new CliFailure(code, thrown.message + hint);
    }
    throw thrown;
  } finally {
    await opened.db.close();
  }
}

async function open({ data, config, url: given }: StateFlags) {
  const [state, { realClock }, { createIds }, { openDirectory }, contract, { COMMAND_LINE }, { listenUrl }, audit, keyBook, sealing] =
    await Promise.all([
      import('../state.ts'),
      import('@nines/server/platform/clock.ts'),
      import('@nines/server/platform/ids.ts'),
      import('@nines/server/open-directory.ts'),
      import('@nines/server/people/contract.ts'),
      import('@nines/server/access/contract.ts'),
      import('@nines/server/config.ts'),
      import('@nines/server/audit/service.ts'),
      import('@nines/server/audit/keys.ts'),
      import('@nines/server/platform/signing/audit-key.ts'),
    ]);
  const clock = realClock;
  const db = await state.openState({ data, config }, clock.now());
  const keys = await state.keysOf(data, config);
  const key = await keyBook.openKeyBook({ db, clock, dataDir: data, sealing: keys?.cipher.key(sealing.AUDIT_SEALING_KEY) });
  const settings = state.configOf(config);
  const url = settings.server.base_url ?? (given ?? process.env['NINES_URL'])?.replace(/\/+$/, '') ?? listenUrl(settings.server);
  const { roles } = settings.access;
  const shared = { db, clock, ids: createIds(clock), record: audit.createRecorder({ keys: key, clock }) };
  const directory = await openDirectory({ ...shared, url, roles: roles.map((spec) => ({ spec, place: config ?? '' })) });
  return { db, directory, contract, url, by: COMMAND_LINE };
}
