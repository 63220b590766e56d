import { AppError } from '@nines/base/errors.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';

type StateFlags = { readonly data: string; readonly config?: string };
type CreateFlags = StateFlags & {
  readonly name: string;
  readonly role: string;
  readonly expires?: string;
  readonly team?: readonly string[];
  readonly scope?: string;
  readonly permit?: readonly string[];
  readonly action?: readonly string[];
  readonly from?: readonly string[];
};

export function tokenCommand(program: Command): void {
  const token = program.command('token').description('API tokens');
  const onState = (name: string, description: string): Command =>
    token
      .command(name)
      .description(description)
      .requiredOption('--data <dir>', 'data directory of the server')
      .option('--config <file>', 'configuration file, when the state lies in PostgreSQL or the data are encrypted');
  onState('create', 'make a token, whether or not the server runs; prints it once')
    .requiredOption('--name <name>', 'what the token is for')
    .requiredOption('--role <role>', 'what it may do: the id of a role, such as read-only or ingest')
    .option('--expires <length>', 'how long it lives: 90d; without it as long as access.tokens.max_life allows')
    .option('--team <team...>', 'sees only what is of these teams')
    .option('--scope <matchers>', 'sees only what these matchers select: env=~"prod|stage"')
    .option('--permit <area:verb...>', 'of what the role may do only this: alerts:operate')
    .option('--action <action...>', 'of all that changes something only these actions on alerts: acknowledge')
    .option('--from <network...>', 'is taken from these networks only: 10.0.0.0/8')
    .action(create);
  onState('list', 'tokens that were not revoked')
    .addOption(new Option('--format <format>', 'how to print them').choices([...FORMATS]).default('table'))
    .action(list);
  onState('revoke', 'revoke a token; a running server on the same database refuses it within 5 seconds')
    .argument('<id>', 'its id, as list prints it')
    .action((id: string, flags: StateFlags) => revoke(id, flags));
}

async function create({ name, role, expires, team, scope, permit, action, from, ...state }: CreateFlags): Promise<void> {
  await withTokens(state, async ({ tokens, contract, nowMs, commandLine }) => {
    const input = {
      name,
      role,
      ...(expires !== undefined && { expires_at_ms: nowMs + lengthOf(expires) }),
      ...(team !== undefined && { teams: team }),
      ...(scope !== undefined && { scope }),
      ...(permit !== undefined && { permits: permitsOf(permit) }),
      ...(action !== undefined && { actions: action }),
      ...(from !== undefined && { addresses: from }),
    };
    const parsed = contract.tokenBody.safeParse(input);
    if (!parsed.success) {
      const [issue] = parsed.error.issues;
      throw new CliFailure(EXIT.badInput, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'bad input'}`);
    }
    writeData((await tokens.create(commandLine, parsed.data)).token);
  });
}

async function list({ format, ...state }: StateFlags & { readonly format: Format }): Promise<void> {
  await withTokens(state, async ({ tokens }) => {
    const items = await tokens.list();
    const instant = (atMs: number | null): string => (atMs === null ? 'never' : new Date(atMs).toISOString());
    const rows = items.map((token) => [
      token.id,
      token.name,
      token.role,
      `${token.hint}…`,
      instant(token.expires_at_ms),
      instant(token.last_used_at_ms),
      token.last_used_address ?? '',
    ]);
    writeData(formatted(format, { columns: ['id', 'name', 'role', 'token', 'expires', 'last used', 'from'], rows }, items));
  });
}

async function revoke(id: string, state: StateFlags): Promise<void> {
  await withTokens(state, async ({ tokens, commandLine }) => {
    await tokens.revoke(commandLine, id);
    writeData(`the token ${id} is revoked`);
  });
}

function lengthOf(text: string): number {
  const parsed = parseDuration(text);
  if (!parsed.ok) throw new CliFailure(EXIT.badInput, `--expires: ${parsed.error}`);
  return parsed.value;
}

/** `alerts:operate checks:read` as the API writes it. */
function permitsOf(written: readonly string[]): Record<string, string[]> {
  const permits: Record<string, string[]> = {};
  for (const permit of written) {
    const [area = '', verb = '', ...rest] = permit.split(':');
    if (area === '' || verb === '' || rest.length > 0) throw new CliFailure(EXIT.badInput, `--permit: write area:verb, not ${permit}`);
    (permits[area] ??= []).push(verb);
  }
  return permits;
}

/** Opens the state database itself: SQLite and PostgreSQL both take a second writer beside a running server. */
async function withTokens({ data, config }: StateFlags, use: (opened: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  const opened = await open(data, config);
  try {
    await use(opened);
  } catch (thrown) {
    if (thrown instanceof AppError) throw new CliFailure(thrown.kind === 'bad_input' ? EXIT.badInput : EXIT.failed, thrown.message);
    throw thrown;
  } finally {
    await opened.db.close();
  }
}

async function open(data: string, config: string | undefined) {
  const [state, { realClock }, { createIds }, { Tokens }, contract, { Roles }, access, { createRecorder }, { openKeyBook }, sealing] =
    await Promise.all([
      import('../state.ts'),
      import('@nines/server/platform/clock.ts'),
      import('@nines/server/platform/ids.ts'),
      import('@nines/server/tokens/service.ts'),
      import('@nines/server/tokens/contract.ts'),
      import('@nines/server/roles/service.ts'),
      import('@nines/server/access/contract.ts'),
      import('@nines/server/audit/service.ts'),
      import('@nines/server/audit/keys.ts'),
      import('@nines/server/platform/signing/audit-key.ts'),
    ]);
  const clock = realClock;
  const nowMs = clock.now();
  const db = await state.openState({ data, config }, nowMs);
  const keys = await state.keysOf(data, config);
  const keyBook = await openKeyBook({ db, clock, dataDir: data, sealing: keys?.cipher.key(sealing.AUDIT_SEALING_KEY) });
  const shared = { db, clock, ids: createIds(clock), record: createRecorder({ keys: keyBook, clock }) };
  const settings = state.configOf(config).access;
  const roles = new Roles({ ...shared, holders: async () => [] });
  await roles.declare(settings.roles.map((spec) => ({ spec, place: config ?? '' })));
  const tokens = new Tokens({
    ...shared,
    judgeRole: (by, id) => roles.judgeGift(by, id),
    permitsOfRole: (role) => roles.permitsOf(role),
    limits: () => ({ maxLifeMs: settings.tokens.max_life }),
  });
  return { db, tokens, contract, nowMs, commandLine: access.COMMAND_LINE };
}
