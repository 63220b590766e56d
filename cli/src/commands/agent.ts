import { readFileSync } from 'node:fs';
import { messageOf } from '@nines/base/errors.ts';
import { type Command, InvalidArgumentError } from 'commander';
import { CliFailure, EXIT } from '../failure.ts';
import { writeData } from '../output.ts';
import { ask, type RemoteOptions } from '../remote.ts';

type AgentFlags = {
  readonly server?: string;
  readonly token?: string;
  readonly join?: string;
  readonly data: string;
  readonly buffer: number;
  readonly only: readonly string[];
  readonly never: readonly string[];
  readonly reference: readonly string[];
  readonly command: readonly string[];
  readonly local?: boolean;
  readonly runAs?: string;
  readonly browser?: string;
};

const DEFAULT_BUFFER = '256MiB';

export function agentCommand(program: Command): void {
  program
    .command('agent')
    .description('run checks from here for a server elsewhere (the first time with --server and --token, or --join)')
    .option('--server <url>', 'https://host:port where the server takes agents')
    .option('--token <token>', 'a join token, good for one agent (nines agent-token)')
    .option('--join <file>', 'a file with "server" and "token" in JSON, instead of both')
    .requiredOption('--data <dir>', 'directory of this agent: its key, its checks, results that wait')
    .option('--buffer <size>', 'most that results may take up on disk while the server is away', parseSize, parseSize(DEFAULT_BUFFER))
    .option('--only <subnet>', 'ask nothing outside of these subnets; may be repeated', collect, [])
    .option('--never <subnet>', 'ask nothing inside of these subnets; may be repeated', collect, [])
    .option('--reference <host:port>', 'what answers whenever this place has a network; may be repeated', collect, [])
    .option('--local', 'checks may look into this machine (files, processes, containers)')
    .option('--command <path>', 'a program that checks of kind script may run, with --local; may be repeated', collect, [])
    .option('--run-as <user>', 'the user without rights that programs run as; the agent must be root for it')
    .option('--browser <path>', 'a Chromium for checks of kind browser (default: where distributions put it)')
    .action(run);
  program
    .command('agent-token')
    .description('make a token that one agent can join with, once, within the hour; prints it')
    .requiredOption('--location <name>', 'the name of the place, as checks write it under locations')
    .option('--json', 'print what --join reads')
    .action(async (flags: { readonly location: string; readonly json?: boolean }, command: Command) => {
      const options = command.optsWithGlobals<RemoteOptions>();
      const body = { location: flags.location };
      const made = JSON.parse(await ask(options, '/api/agents/join-tokens', { method: 'POST', body })) as {
        readonly token: string;
        readonly command: string;
      };
      const server = / --server (\S+)/.exec(made.command)?.[1];
      writeData(flags.json === true ? JSON.stringify({ server, token: made.token }) : made.token);
      process.stderr.write(`on the machine at ${flags.location}: ${made.command}\n`);
    });
}

async function run(flags: AgentFlags): Promise<void> {
  const [{ ProbeAgent }, { realClock }, { createLogger }, { VERSION }] = await Promise.all([
    import('@nines/server/agent.ts'),
    import('@nines/server/platform/clock.ts'),
    import('@nines/server/platform/log.ts'),
    import('@nines/server/version.ts'),
  ]);
  const given = flags.join === undefined ? {} : readJoin(flags.join);
  const stop = new AbortController();
  // Signals alone end the process in good order; the timers of the agent do not keep it alive.
  const alive = setInterval(() => {}, 2 ** 30);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(new Error(`got ${signal}`)));
  try {
    await using agent = await ProbeAgent.open({
      server: flags.server ?? given.server,
      token: flags.token ?? given.token,
      dataDir: flags.data,
      bufferBytes: flags.buffer,
      policy: { only: flags.only, never: flags.never, local: flags.local === true },
      commands: flags.command,
      runAs: flags.runAs,
      references: flags.reference,
      browser: flags.browser,
      version: VERSION,
      clock: realClock,
      logger: createLogger({ level: 'info', format: process.stderr.isTTY ? 'text' : 'json' }),
    });
    writeData(`Nines ${VERSION} runs checks at ${agent.location} for ${agent.server}  (data in ${flags.data})`);
    await agent.run(stop.signal);
  } finally {
    clearInterval(alive);
  }
}

function readJoin(file: string): { readonly server?: string; readonly token?: string } {
  try {
    const { server, token } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;
    if (typeof server === 'string' && typeof token === 'string') return { server, token };
  } catch (thrown) {
    throw new CliFailure(EXIT.badInput, `cannot read ${file}: ${messageOf(thrown)}`);
  }
  throw new CliFailure(EXIT.badInput, `${file}: write {"server": "https://host:port", "token": "njoin_…"}`);
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const UNITS: Readonly<Record<string, number>> = { KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 };

function parseSize(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)(KiB|MiB|GiB)$/.exec(text) ?? [];
  const bytes = Number(digits) * (UNITS[unit] ?? 0);
  if (bytes > 0) return bytes;
  throw new InvalidArgumentError(`write a size such as ${DEFAULT_BUFFER}`);
}
