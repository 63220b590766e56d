import { AppError } from '@nines/base/errors.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type StateFlags, onState } from '../state-flags.ts';

/** `url`: where people reach the server, for links, unless `server.base_url` says so. */
type UserFlags = StateFlags & { readonly url?: string | undefined };

/** People, for whoever may write the data directory: also when the only administrator is lost. Works beside a running server. */
export function userCommand(program: Command): void {
  const user = program.command('user').description('people who sign in');
  onState(user, 'list', 'everybody who may sign in')
    .addOption(new Option('--format <format>', 'how to print them').choices([...FORMATS]).default('table'))
    .action(list);
  onState(user, 'create <name>', 'invite somebody; prints the one-time link, which works for 48 hours')
    .requiredOption('--role <role>', 'what they may do: the id of a role, such as administrator or read-only')
    .action((name: string, _flags: unknown, command: Command) => {
      const { role, ...state } = command.optsWithGlobals<UserFlags & { readonly role: string }>();
      return create(state, name, role);
    });
  onState(user, 'reset <name>', 'print a one-time link to a new password')
    .option('--enable', 'let a disabled person sign in again')
    .action((name: string, _flags: unknown, command: Command) => {
      const { enable, ...state } = command.optsWithGlobals<UserFlags & { readonly enable?: true }>();
      return reset(state, name, enable === true);
    });
  onState(user, 'disable <name>', 'end the sessions of a person and let them sign in no more').action((name: string, state: UserFlags) =>
    change(state, name, { disabled: true }),
  );
  onState(user, 'role <name> <role>', 'give a person another role and end their sessions').action(
    (name: string, role: string, state: UserFlags) => change(state, name, { role }),
  );
  onState(
    user,
    'reset-factors <name>',
    'take away second factors that a person has lost and end their sessions, whether or not the server runs',
  ).action(resetFactorsOf);
}

async function list({ format, ...state }: UserFlags & { readonly format: Format }): Promise<void> {
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

async function create(state: UserFlags, name: string, role: string): Promise<void> {
  await withPeople(state, async ({ directory, by, contract, url }) => {
    const parsed = contract.newPersonBody.safeParse({ name, role });
    if (!parsed.success) throw new CliFailure(EXIT.badInput, parsed.error.issues[0]?.message ?? 'bad input');
    writeData(contract.joinUrl(url, (await directory.invite(by, parsed.data)).secret));
  });
}

async function reset(state: UserFlags, name: string, enable: boolean): Promise<void> {
  await withPeople(state, async ({ directory, by, contract, url }) => {
    const { id, revision, disabled_at_ms } = await directory.find(name);
    if (disabled_at_ms !== null && !enable) {
      throw new CliFailure(EXIT.failed, `${name} is disabled; --enable lets them sign in again with the new password`);
    }
    if (disabled_at_ms !== null) await directory.change(by, id, { revision, disabled: false });
    writeData(contract.joinUrl(url, (await directory.reset(by, id)).secret));
  });
}

async function change(state: UserFlags, name: string, asked: { readonly disabled?: boolean; readonly role?: string }): Promise<void> {
  await withPeople(state, async ({ directory, by }) => {
    const { id, revision } = await directory.find(name);
    const now = await directory.change(by, id, { revision, ...asked });
    writeData(`${now.name}: ${now.role}, ${now.state}`);
  });
}

async function withPeople(flags: UserFlags, use: (opened: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
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

async function open({ url: given, ...where }: UserFlags) {
  const [{ openRecorded }, { configOf }, { openDirectory }, contract, { listenUrl }] = await Promise.all([
    import('../recorded.ts'),
    import('../state.ts'),
    import('@nines/server/open-directory.ts'),
    import('@nines/server/people/contract.ts'),
    import('@nines/server/config.ts'),
  ]);
  const recorded = await openRecorded(where);
  const { server, access } = configOf(where.config);
  const url = server.base_url ?? (given ?? process.env['NINES_URL'])?.replace(/\/+$/, '') ?? listenUrl(server);
  const roles = access.roles.map((spec) => ({ spec, place: where.config ?? '' }));
  return { db: recorded.db, directory: await openDirectory({ ...recorded, url, roles }), contract, url, by: recorded.by };
}

async function resetFactorsOf(name: string, where: StateFlags): Promise<void> {
  const [{ openRecorded }, { Sessions }, people, { resetFactors }] = await Promise.all([
    import('../recorded.ts'),
    import('@nines/server/sessions/service.ts'),
    import('@nines/server/people/examine.ts'),
    import('@nines/server/factors/reset.ts'),
  ]);
  const recorded = await openRecorded(where);
  try {
    const person = await people.personNamed(recorded.db.kysely, name);
    if (person === undefined) throw new CliFailure(EXIT.notFound, `nobody who may sign in is called ${JSON.stringify(name)}`);
    const sessions = new Sessions({ ...recorded, onEnded: () => {} });
    await resetFactors({ ...recorded, sessions }, { by: recorded.by, userId: person.id });
    writeData(`${person.name} signs in with the password alone now; their sessions have ended`);
  } finally {
    await recorded.db.close();
  }
}
