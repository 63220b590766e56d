import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { MINUTE_MS, SECOND_MS } from '@nines/base/units.ts';
import { openDisk } from '@nines/tsdb/disk.ts';
import { certificateAnswer, checksAnswer, type AgentStatus, type ChecksAnswer, parseJoinToken } from './agents/contract.ts';
import { ResultBuffer } from './agents/probe/buffer.ts';
import { Courier } from './agents/probe/courier.ts';
import { type Identity, makeKey, readIdentity, writeIdentity } from './agents/probe/identity.ts';
import { fetchAuthority, Link } from './agents/probe/link.ts';
import { type AgentJudge, judgeUnder, type Policy, refusalUnder } from './agents/probe/policy.ts';
import { ServerTime } from './agents/probe/server-time.ts';
import { checkSchema, type CheckSpec, toSpec } from './checks/contract.ts';
import { Browsers } from './checks/kinds/browser/browsers.ts';
import { browserConfig } from './checks/kinds/browser/config.ts';
import { createResolve } from './checks/resolve.ts';
import { CheckService } from './checks/service.ts';
import { createBus } from './platform/bus.ts';
import { requestError } from './platform/http/schemas.ts';
import { makeDirectory } from './platform/directory.ts';
import { startLoop } from './platform/loop.ts';
import { createPrograms, programsConfig } from './platform/programs.ts';
import { replaceFile } from './platform/replace-file.ts';

/** What the command line says. */
export type AgentOptions = {
  /** `https://host:port` of the server's listener for agents, and a join token: needed the first time only. */
  readonly server: string | undefined;
  readonly token: string | undefined;
  readonly dataDir: string;
  readonly bufferBytes: number;
  readonly policy: Policy;
  /** Programs that checks of kind `script` may run. */
  readonly commands: readonly string[];
  /** The user that programs run as. */
  readonly runAs?: string | undefined;
  /** `host:port` of what answers whenever this place has a network. */
  readonly references: readonly string[];
  /** A Chromium for journeys; without one the usual places are looked at. */
  readonly browser: string | undefined;
  readonly version: string;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** Checks and clock as they were last known, for a start without the server. Checks hold secrets: readable by the owner alone. */
const CHECKS_FILE = 'checks.json';
const CLOCK_FILE = 'clock.json';
const BUFFER_DIR = 'results';

/** An agent: the checks of one location, run beside the server and handed in. The other root of the house, small beside `app.ts`. */
export class ProbeAgent implements AsyncDisposable {
  readonly #options: AgentOptions;
  readonly #identity: Identity;
  readonly #stack: AsyncDisposableStack;
  readonly #checks: CheckService;
  readonly #courier: Courier;
  readonly #judge: AgentJudge;

  private constructor(options: AgentOptions, identity: Identity, stack: AsyncDisposableStack) {
    this.#options = options;
    this.#identity = identity;
    this.#stack = stack;
    this.#judge = judgeUnder(options.policy);
    const { clock, logger, dataDir, version } = options;
    const buffer = new ResultBuffer(join(dataDir, BUFFER_DIR), options.bufferBytes);
    stack.defer(() => buffer.close());
    const time = new ServerTime(clock, lastSkew(dataDir));
    const link = stack.use(Link.of(identity, clock));
    const browsers = stack.use(
      new Browsers(browserConfig.parse(options.browser === undefined ? {} : { executable: options.browser }), clock),
    );
    this.#checks = new CheckService({
      browsers,
      clock: { ...clock, now: () => time.now(), sleep: (delayMs, at) => clock.sleep(delayMs, at) },
      logger,
      bus: createBus(() => {}),
      resolve: createResolve(),
      judge: this.#judge.judge,
      query: () => Promise.reject(new Error('samples are at the server')),
      run: stack.use(createPrograms({ clock, config: programsConfig.parse({ run_as: options.runAs }) })).run,
      commands: options.commands,
      references: options.references,
      location: identity.location,
      clockUncertaintyMs: () => time.uncertaintyMs(),
      sink: async (result) => {
        buffer.append(result);
        this.#courier.poke();
      },
    });
    const keepClock = async (): Promise<void> => {
      buffer.sync();
      const skewMs = time.skewMs();
      if (skewMs !== undefined) await keep(dataDir, CLOCK_FILE, { skewMs, uncertaintyMs: time.uncertaintyMs() });
    };
    this.#courier = new Courier({
      clock,
      logger,
      link,
      buffer,
      time,
      identity,
      version,
      configure: (answer) => this.#configure(answer),
      keep: (next) => writeIdentity(dataDir, next),
    });
    stack.use(startLoop({ clock, logger, name: 'clock', everyMs: MINUTE_MS, firstAfterMs: 5 * SECOND_MS, step: keepClock }));
    stack.use(startLoop({ clock, logger, name: 'buffer', everyMs: SECOND_MS, step: async () => buffer.sync() }));
    stack.defer(() => this.#courier.flush());
    stack.defer(() => this.#checks.stop());
  }

  /** Joins when it has not yet, and takes up the checks that were last known. `AppError` when it may not join or its directory is unusable. */
  static async open(options: AgentOptions): Promise<ProbeAgent> {
    const stack = new AsyncDisposableStack();
    try {
      makeDirectory(options.dataDir);
      const disk = openDisk(options.dataDir);
      disk.lock();
      stack.defer(() => disk.close());
      const agent = new ProbeAgent(options, await identify(options), stack);
      await agent.#restore();
      return agent;
    } catch (thrown) {
      await stack.disposeAsync();
      throw thrown;
    }
  }

  get location(): string {
    return this.#identity.location;
  }

  get server(): string {
    return this.#identity.server;
  }

  /** Until `signal` aborts. `AppError` when the server refuses this agent for good. */
  run(signal: AbortSignal): Promise<void> {
    return this.#courier.run(signal);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync();
  }

  async #restore(): Promise<void> {
    const path = join(this.#options.dataDir, CHECKS_FILE);
    if (!existsSync(path)) return;
    try {
      this.#courier.refuse(this.#apply(checksAnswer.parse(JSON.parse(readFileSync(path, 'utf8')))));
    } catch (thrown) {
      this.#options.logger.warn('the checks that were kept cannot be read; waiting for the server', { error: messageOf(thrown) });
    }
  }

  async #configure(answer: ChecksAnswer): Promise<AgentStatus['refused']> {
    const refused = this.#apply(answer);
    await keep(this.#options.dataDir, CHECKS_FILE, answer);
    return refused;
  }

  /** One check that cannot be run stops no other: it has no voice, and the server shows why. */
  #apply({ checks, outbound }: ChecksAnswer): AgentStatus['refused'] {
    this.#judge.tell(outbound);
    const { logger, policy } = this.#options;
    const specs: CheckSpec[] = [];
    const refused: AgentStatus['refused'] = [];
    for (const { check, service, trust } of checks) {
      const parsed = checkSchema.safeParse(check);
      const spec = parsed.success ? toSpec(parsed.data, { service, trust }) : undefined;
      const reason = parsed.success
        ? spec && refusalUnder(policy, spec)
        : `this agent does not understand it (${requestError(parsed.error, 'check').message})`;
      if (spec !== undefined && reason === undefined) specs.push(spec);
      else refused.push({ check: String(check['id']), reason: reason ?? '' });
    }
    this.#checks.configure(specs);
    logger.info('checks are in force', { checks: specs.length, refused: refused.length });
    return refused;
  }
}

/** Who this agent is: from its directory, or by joining. */
async function identify({ server, token, dataDir, clock, version, logger }: AgentOptions): Promise<Identity> {
  const known = readIdentity(dataDir);
  if (known !== undefined && token === undefined) return server === undefined ? known : { ...known, server };
  if (server === undefined || token === undefined)
    throw new AppError(
      'bad_input',
      'agent_not_joined',
      'this agent has not joined: give it --server and --token (nines agent-token makes one)',
    );
  const parsed = parseJoinToken(token);
  if (parsed === undefined) throw new AppError('bad_input', 'join_token_refused', 'this is no join token; it begins with njoin_');
  const authority = await fetchAuthority(server, parsed.fingerprint, clock);
  using link = new Link(server, clock, { authority });
  const { privateKey, publicKey } = makeKey();
  const body = { secret: parsed.secret, public_key: publicKey, version };
  const answer = await link.ask({ method: 'POST', path: '/agent/v1/join', body, answer: certificateAnswer }).catch((thrown: unknown) => {
    // The same command again, after a restart: the token is used up because this agent is who joined with it.
    if (known !== undefined && thrown instanceof AppError && thrown.code === 'join_token_refused') return undefined;
    throw thrown;
  });
  if (answer === undefined && known !== undefined) return { ...known, server };
  if (answer === undefined) throw new AppError('unavailable', 'agent_answer_unknown', `${server} did not answer`);
  const { agent, certificate, location } = answer;
  const identity: Identity = { format: 1, server, agent, location, authority, certificate, private_key: privateKey };
  await writeIdentity(dataDir, identity);
  logger.info('joined', { server, location });
  return identity;
}

function lastSkew(dataDir: string): { readonly skewMs: number; readonly uncertaintyMs: number } | undefined {
  try {
    const { skewMs, uncertaintyMs } = JSON.parse(readFileSync(join(dataDir, CLOCK_FILE), 'utf8')) as Record<string, unknown>;
    return typeof skewMs === 'number' && typeof uncertaintyMs === 'number' ? { skewMs, uncertaintyMs } : undefined;
  } catch {
    // Never measured.
    return undefined;
  }
}

const keep = (dir: string, file: string, value: unknown): Promise<void> => replaceFile(openDisk(dir), file, JSON.stringify(value));
