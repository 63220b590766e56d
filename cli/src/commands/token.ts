import { AppError } from '@nines/base/errors.ts';
import { parseDuration } from '@nines/base/duration.ts';
import { type Command, Option } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { FORMATS, type Format, formatted, writeData } from '../output.ts';
import { type StateFlags, onState } from '../state-flags.ts';

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
  onState(token, 'create', 'make a token, whether or not the server runs; prints it once')
    .requiredOption('--name <name>', 'what the token is for')
    .requiredOption('--role <role>', 'what it may do: the id of a role, such as read-only or ingest')
    .option('--expires <length>', 'how long it lives: 90d; without it as long as access.tokens.max_life allows')
    .option('--team <team...>', 'sees only what is of these teams')
    .option('--scope <matchers>', 'sees only what these matchers select: env=~"prod|stage"')
    .option('--permit <area:verb...>', 'of what the role may do only this: alerts:operate')
    .option('--action <action...>', 'of all that changes something only these actions on alerts: acknowledge')
    .option('--from <network...>', 'is taken from these networks only: 10.0.0.0/8')
    .action(create);
  onState(token, 'list', 'tokens that were not revoked')
    .addOption(new Option('--format <format>', 'how to print them').choices([...FORMATS]).default('table'))
    .action(list);
  onState(token, 'revoke', 'revoke a token; a running server on the same database refuses it within 5 seconds')
    .argument('<id>', 'its id, as list prints it')
    .action((id: string, flags: StateFlags) => revoke(id, flags));
}

async function create({ name, role, expires, team, scope, permit, action, from, ...state }: CreateFlags): Promise<void> {
  await withTokens(state, async ({ tokens, contract, nowMs, by }) => {
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
    writeData((await tokens.create(by, parsed.data)).token);
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
  await withTokens(state, async ({ tokens, by }) => {
    await tokens.revoke(by, id);
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

async function withTokens(where: StateFlags, use: (opened: Awaited<ReturnType<typeof open>>) => Promise<void>): Promise<void> {
  const opened = await open(where);
  try {
    await use(opened);
  } catch (thrown) {
    if (thrown instanceof AppError) throw new CliFailure(thrown.kind === 'bad_input' ? EXIT.badInput : EXIT.failed, thrown.message);
    throw thrown;
  } finally {
    await opened.db.close();
  }
}

async function open(where: StateFlags) {
  const [{ openRecorded }, { configOf }, { Tokens }, contract, { Roles }] = await Promise.all([
    import('../recorded.ts'),
    import('../state.ts'),
    import('@nines/server/tokens/service.ts'),
    import('@nines/server/tokens/contract.ts'),
    import('@nines/server/roles/service.ts'),
  ]);
  const recorded = await openRecorded(where);
  const { access: settings } = configOf(where.config);
  const roles = new Roles({ ...recorded, holders: async () => [] });
  await roles.declare(settings.roles.map((spec) => ({ spec, place: where.config ?? '' })));
  const tokens = new Tokens({
    ...recorded,
    judgeRole: (by, id) => roles.judgeGift(by, id),
    permitsOfRole: (role) => roles.permitsOf(role),
    limits: () => ({ maxLifeMs: settings.tokens.max_life }),
  });
  return { db: recorded.db, tokens, contract, nowMs: recorded.clock.now(), by: recorded.by };
}
