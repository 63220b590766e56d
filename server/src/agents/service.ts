import { createHash } from 'node:crypto';
import type { Clock } from '@nines/base/clock.ts';
import { AppError } from '@nines/base/errors.ts';
import type { Ids } from '@nines/base/ids.ts';
import type { Logger } from '@nines/base/logger.ts';
import type { CheckResult, CheckSpec } from '../checks/contract.ts';
import { SERVER_LOCATION } from '../checks/contract.ts';
import type { Counter, Gauge, SelfMetrics } from '../collect/contract.ts';
import type { Bus } from '../platform/bus.ts';
import type { Sql } from '../platform/records/contract.ts';
import { SECRET_BYTES, digestOf } from '../platform/secret-digest.ts';
import { createTurns, type Turns } from '../platform/turns.ts';
import { fingerprintOf } from '../platform/x509/certificate.ts';
import { addressOf } from './address.ts';
import type { Authority } from './authority.ts';
import {
  AGENT_CODES,
  AGENT_LIMITS,
  type AgentsConfig,
  type AgentStatus,
  type AgentsView,
  type AgentView,
  type CertificateAnswer,
  type ChecksAnswer,
  formatJoinToken,
  JOIN_TOKEN_LIFE_MS,
  type JoinTokenView,
  type MadeJoinToken,
  resultFromWire,
  type ResultsRequest,
} from './contract.ts';
import { type AgentJoinTokenRow, type AgentRow, deleteToken, insertToken, loadAgents, openTokens, saveAgent, useToken } from './store.ts';

export type AgentsDeps = {
  readonly sql: Sql;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly bus: Bus;
  readonly metrics: SelfMetrics;
  readonly config: AgentsConfig;
  /** Undefined: the server takes no agents. */
  readonly authority: Authority | undefined;
  /** Stores results, in their order, and hands them to the vote. */
  readonly report: (results: readonly CheckResult[]) => Promise<void>;
  /** The check as it is written, secrets revealed. */
  readonly written: (spec: CheckSpec) => Readonly<Record<string, unknown>> | undefined;
};

/** How often what agents say of themselves is saved. */
export const AGENTS_SAVE_MS = 5_000;

/** One agent that is known, and what it said since the process started. */
export type Known = {
  row: AgentRow;
  status: AgentStatus | null;
  isUnsaved: boolean;
  /** Its results are taken in one request after the other: the same ones sent twice at once are taken once. */
  readonly inTurn: Turns;
};
type Waiter = { readonly location: string; readonly answer: () => void };

/** The agents: who they are, what they are to ask, and what they saw. */
export class Agents {
  readonly #deps: AgentsDeps;
  readonly #known = new Map<string, Known>();
  readonly #alone = createTurns();
  readonly #waiting = new Set<Waiter>();
  #specs: readonly CheckSpec[] = [];
  #outbound: ChecksAnswer['outbound'];
  #answers = new Map<string, ChecksAnswer>();
  readonly #results: Counter;
  readonly #refused: Counter;
  readonly #lost: Counter;
  readonly #buffered: Gauge;
  readonly #skew: Gauge;
  /** Called with the id of an agent that is not to be answered any more. */
  onRevoked: (agent: string) => void = () => {};

  constructor(deps: AgentsDeps) {
    this.#deps = deps;
    const { metrics } = deps;
    this.#results = metrics.counter('nines_agent_results_total', 'Results that agents handed in, by location and by what became of them.');
    this.#refused = metrics.counter('nines_agent_refused_total', 'Requests of agents that were refused, by reason.');
    this.#lost = metrics.counter(
      'nines_agent_lost_results_total',
      'Results that agents dropped because their buffer was full, by location.',
    );
    this.#buffered = metrics.gauge('nines_agent_buffered_results', 'Results that an agent still has to hand in, by location.');
    this.#skew = metrics.gauge('nines_agent_clock_skew_seconds', 'The clock of an agent less that of the server, by location.');
    metrics.watch('nines_agents', 'Agents that may connect.', () => this.#standing().length);
    metrics.watch('nines_agents_connected', 'Agents that are there.', () => this.#standing().filter((one) => this.#isHere(one)).length);
  }

  async load(): Promise<void> {
    for (const row of await loadAgents(this.#deps.sql))
      this.#known.set(row.id, {
        row,
        status: row.status === null ? null : (JSON.parse(row.status) as AgentStatus),
        isUnsaved: false,
        inTurn: createTurns(),
      });
  }

  // What checks need of agents.

  /** Whether somebody is at a location to answer. */
  isPresent(location: string): boolean {
    if (location === SERVER_LOCATION) return true;
    const agent = this.#at(location);
    return agent !== undefined && this.#isHere(agent);
  }

  /** Puts these checks in force; agents whose checks changed hear of it at once. */
  configure(specs: readonly CheckSpec[], outbound?: ChecksAnswer['outbound']): void {
    this.#outbound = outbound;
    this.#specs = specs.filter(({ vote, paused }) => vote !== undefined && !paused);
    const before = this.#answers;
    this.#answers = new Map();
    for (const waiter of this.#waiting) {
      if (this.#answerFor(waiter.location).version !== before.get(waiter.location)?.version) waiter.answer();
    }
  }

  // What agents ask. Every method but `join` takes an agent that `authenticate` returned.

  /** The agent that shows this certificate. The first use of a renewed one ends the one before. `AppError` when it may not be answered. */
  async authenticate(certificate: Buffer): Promise<Known> {
    const shown = createHash('sha256').update(certificate).digest('base64url');
    const agent = [...this.#known.values()].find(({ row }) => row.certificate === shown || row.next_certificate === shown);
    if (agent === undefined) {
      this.#refused.add(1, { reason: 'unknown_certificate' });
      throw new AppError(
        'forbidden',
        AGENT_CODES.unknownCertificate,
        'this certificate is not the one in force; join again with a new token',
      );
    }
    if (agent.row.revoked_at_ms !== null) {
      this.#refused.add(1, { reason: 'revoked' });
      throw new AppError('forbidden', AGENT_CODES.revoked, `the agent at ${agent.row.location} was revoked`);
    }
    if (agent.row.next_certificate === shown) await this.#change(agent, { certificate: shown, next_certificate: null, rotate: 0 });
    return agent;
  }

  /** Makes an agent out of a join token, which is used up, and out of the public key that it will be known by. */
  async join(input: { readonly secret: string; readonly publicKey: string }): Promise<CertificateAnswer> {
    const authority = this.#authority();
    const { sql, clock, ids, logger, config } = this.#deps;
    return this.#alone(async () => {
      const nowMs = clock.now();
      const id = ids.uuid();
      // Before the token is used: a key that is none must not cost it.
      const issued = authority.issueForAgent(id, input.publicKey, { nowMs, lifeMs: config.certificate_life });
      const token = await useToken(sql, digestOf(input.secret), nowMs);
      if (token === undefined) {
        this.#refused.add(1, { reason: 'join_token' });
        throw new AppError(
          'forbidden',
          AGENT_CODES.tokenRefused,
          'this join token is unknown, was used before, or has expired; make a new one',
        );
      }
      const before = this.#at(token.location);
      if (before !== undefined) await this.#revoke(before, `joining anew by ${token.created_by}`);
      const row: AgentRow = {
        id,
        location: token.location,
        certificate: fingerprintOf(issued.certificate),
        next_certificate: null,
        certificate_until_ms: issued.untilMs,
        rotate: 0,
        created_by: token.created_by,
        created_at_ms: nowMs,
        last_seen_at_ms: null,
        revoked_at_ms: null,
        revoked_by: null,
        taken: 0,
        status: null,
      };
      await saveAgent(sql, row);
      this.#known.set(id, { row, status: null, isUnsaved: false, inTurn: createTurns() });
      logger.info('an agent joined', { agent: id, location: row.location });
      this.#publish();
      return { certificate: issued.certificate, agent: id, location: row.location };
    });
  }

  /** A certificate for the agent's next key. It takes effect when it is shown. */
  async renew(agent: Known, publicKey: string): Promise<CertificateAnswer> {
    const { id, location } = agent.row;
    const lifeMs = this.#deps.config.certificate_life;
    const issued = this.#authority().issueForAgent(id, publicKey, { nowMs: this.#deps.clock.now(), lifeMs });
    await this.#change(agent, { next_certificate: fingerprintOf(issued.certificate), certificate_until_ms: issued.untilMs });
    return { certificate: issued.certificate, agent: id, location };
  }

  /** The agent's checks as soon as they are other ones than `have`, or undefined after a while without a change. */
  async checksFor(agent: Known, have: string, signal: AbortSignal): Promise<ChecksAnswer | undefined> {
    const { location } = agent.row;
    this.#seen(agent);
    const now = (): ChecksAnswer => {
      const answer = this.#answerFor(location);
      return agent.row.rotate === 1 ? { ...answer, version: `${answer.version}+rotate`, rotate: true } : answer;
    };
    if (now().version !== have) return now();
    await new Promise<void>((resolve) => {
      const waiter: Waiter = { location, answer: () => end() };
      const end = (): void => {
        this.#waiting.delete(waiter);
        timer[Symbol.dispose]();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#deps.clock.after(AGENT_LIMITS.pollMs, end);
      signal.addEventListener('abort', end, { once: true });
      this.#waiting.add(waiter);
    });
    return now().version === have ? undefined : now();
  }

  /** Takes results in; returns the newest number that is durable. What was taken before is passed over. */
  take(agent: Known, request: ResultsRequest): Promise<number> {
    return agent.inTurn(() => this.#take(agent, request));
  }

  async #take(agent: Known, { results, status }: ResultsRequest): Promise<number> {
    const { location } = agent.row;
    const nowMs = this.#deps.clock.now();
    const specs = new Map(this.#specs.map((spec) => [spec.id, spec]));
    const fresh: CheckResult[] = [];
    let newest = agent.row.taken;
    for (const result of results) {
      const spec = specs.get(result.check);
      const judged =
        result.seq <= newest
          ? 'repeated'
          : spec?.vote?.locations.includes(location) !== true
            ? 'unasked'
            : result.at_ms > nowMs + AGENT_LIMITS.aheadMs
              ? 'ahead'
              : 'taken';
      this.#results.add(1, { location, judged });
      newest = Math.max(newest, result.seq);
      if (judged === 'taken' && spec !== undefined)
        fresh.push(resultFromWire(result, { service: spec.service, checkKind: spec.kind, target: spec.target, location }));
    }
    if (fresh.length > 0) await this.#deps.report(fresh);
    const lostBefore = agent.status?.lost?.count ?? 0;
    if ((status.lost?.count ?? 0) > lostBefore) {
      this.#lost.add((status.lost?.count ?? 0) - lostBefore, { location });
      this.#deps.logger.warn('an agent dropped results because its buffer was full', { location, ...status.lost });
    }
    agent.row = { ...agent.row, taken: Math.max(newest, agent.row.taken) };
    agent.status = status;
    this.#buffered.set(status.buffered, { location });
    if (status.skew_ms !== null) this.#skew.set(status.skew_ms / 1000, { location });
    this.#seen(agent);
    return agent.row.taken;
  }

  // What people ask.

  async view(): Promise<AgentsView> {
    const { sql, clock, config } = this.#deps;
    return {
      items: [...this.#known.values()].map((agent) => this.#viewOf(agent)),
      join_tokens: (await openTokens(sql, clock.now())).map(viewToken),
      address: this.#deps.authority === undefined ? null : addressOf(config),
      missing: this.#missing(),
    };
  }

  /** A token that one agent can join with, once, within the hour. */
  async createJoinToken(location: string, by: string): Promise<MadeJoinToken> {
    const authority = this.#authority();
    const { sql, clock, ids, config } = this.#deps;
    const nowMs = clock.now();
    const open = await openTokens(sql, nowMs);
    if (open.length >= AGENT_LIMITS.joinTokens || this.#standing().length >= AGENT_LIMITS.agents)
      throw new AppError(
        'conflict',
        AGENT_CODES.tooMany,
        `at most ${AGENT_LIMITS.agents} agents and ${AGENT_LIMITS.joinTokens} open join tokens`,
      );
    const secret = ids.secret(SECRET_BYTES);
    const row: AgentJoinTokenRow = {
      id: ids.uuid(),
      location,
      secret_hash: digestOf(secret),
      created_by: by,
      created_at_ms: nowMs,
      expires_at_ms: nowMs + JOIN_TOKEN_LIFE_MS,
      used_at_ms: null,
    };
    await insertToken(sql, row);
    this.#publish();
    const token = formatJoinToken(authority.fingerprint, secret);
    return { ...viewToken(row), token, command: `nines agent --server ${addressOf(config)} --token ${token} --data ./agent` };
  }

  async withdrawJoinToken(id: string): Promise<void> {
    if (!(await deleteToken(this.#deps.sql, id)))
      throw new AppError('not_found', AGENT_CODES.notFound, 'there is no such join token, or it was used before');
    this.#publish();
  }

  /** The agent is refused from now on; its connections end, and its location falls silent. */
  revoke(id: string, by: string): Promise<AgentView> {
    return this.#alone(async () => {
      const agent = this.#find(id);
      if (agent.row.revoked_at_ms === null) await this.#revoke(agent, by);
      this.#publish();
      return this.#viewOf(agent);
    });
  }

  /** The agent takes a new key and certificate as soon as it hears of it; the one before ends when the new one is shown. */
  async rotate(id: string): Promise<AgentView> {
    const agent = this.#find(id);
    if (agent.row.revoked_at_ms !== null) throw new AppError('conflict', AGENT_CODES.revoked, 'this agent was revoked');
    await this.#change(agent, { rotate: 1 });
    for (const waiter of this.#waiting) if (waiter.location === agent.row.location) waiter.answer();
    return this.#viewOf(agent);
  }

  health(): { readonly status: 'ok' | 'degraded'; readonly detail: string } {
    const standing = this.#standing();
    const away = standing.filter((agent) => !this.#isHere(agent) && agent.row.last_seen_at_ms !== null).map(({ row }) => row.location);
    const missing = this.#missing();
    if (missing.length > 0) return { status: 'degraded', detail: `checks ask at ${missing.join(', ')}, where no agent is` };
    if (away.length > 0) return { status: 'degraded', detail: `${away.length} of ${standing.length} away: ${away.join(', ')}` };
    return { status: 'ok', detail: `${standing.length} agents` };
  }

  /** Saves what agents said of themselves. A crash loses seconds of it, which they say again. */
  async save(): Promise<void> {
    for (const agent of this.#known.values()) {
      if (!agent.isUnsaved) continue;
      agent.isUnsaved = false;
      await saveAgent(this.#deps.sql, { ...agent.row, status: JSON.stringify(agent.status) });
    }
  }

  /** Locations that checks name and no agent is. */
  #missing(): string[] {
    const asked = new Set(this.#specs.flatMap(({ vote }) => vote?.locations ?? []));
    return [...asked].filter((location) => location !== SERVER_LOCATION && this.#at(location) === undefined).sort();
  }

  #authority(): Authority {
    const { authority } = this.#deps;
    if (authority !== undefined) return authority;
    throw new AppError(
      'conflict',
      AGENT_CODES.off,
      'this server takes no agents: set agents.listen in the configuration and start it again',
    );
  }

  #find(id: string): Known {
    const agent = this.#known.get(id);
    if (agent === undefined) throw new AppError('not_found', AGENT_CODES.notFound, `there is no agent ${id}`);
    return agent;
  }

  #standing(): readonly Known[] {
    return [...this.#known.values()].filter(({ row }) => row.revoked_at_ms === null);
  }

  #at(location: string): Known | undefined {
    return this.#standing().find(({ row }) => row.location === location);
  }

  #isHere({ row }: Known): boolean {
    return row.last_seen_at_ms !== null && this.#deps.clock.now() - row.last_seen_at_ms < AGENT_LIMITS.awayAfterMs;
  }

  #seen(agent: Known): void {
    const wasHere = this.#isHere(agent);
    agent.row = { ...agent.row, last_seen_at_ms: this.#deps.clock.now() };
    agent.isUnsaved = true;
    if (!wasHere) this.#publish();
  }

  async #change(agent: Known, change: Partial<AgentRow>): Promise<void> {
    agent.row = { ...agent.row, ...change };
    await saveAgent(this.#deps.sql, { ...agent.row, status: JSON.stringify(agent.status) });
    this.#publish();
  }

  async #revoke(agent: Known, by: string): Promise<void> {
    await this.#change(agent, { revoked_at_ms: this.#deps.clock.now(), revoked_by: by });
    this.#deps.logger.info('an agent was revoked', { agent: agent.row.id, location: agent.row.location, by });
    this.onRevoked(agent.row.id);
  }

  #answerFor(location: string): ChecksAnswer {
    const known = this.#answers.get(location);
    if (known !== undefined) return known;
    const checks = this.#specs
      .filter(({ vote }) => vote?.locations.includes(location) === true)
      .flatMap((spec) => {
        const check = this.#deps.written(spec);
        return check === undefined
          ? []
          : [
              {
                service: spec.service,
                trust: spec.trust === 'trusted' ? ('trusted' as const) : ('untrusted' as const),
                check: { ...check },
              },
            ];
      });
    const outbound = this.#outbound;
    const version = createHash('sha256')
      .update(JSON.stringify([checks, outbound]))
      .digest('base64url');
    const answer: ChecksAnswer = { version, rotate: false, checks, ...(outbound === undefined ? {} : { outbound }) };
    this.#answers.set(location, answer);
    return answer;
  }

  #viewOf(agent: Known): AgentView {
    const { row, status } = agent;
    const here = this.#isHere(agent) ? 'connected' : row.last_seen_at_ms === null ? 'never_seen' : 'away';
    return {
      id: row.id,
      location: row.location,
      state: row.revoked_at_ms !== null ? 'revoked' : here,
      created_by: row.created_by,
      created_at_ms: row.created_at_ms,
      last_seen_at_ms: row.last_seen_at_ms,
      revoked_at_ms: row.revoked_at_ms,
      revoked_by: row.revoked_by,
      certificate_until_at_ms: row.certificate_until_ms,
      rotating: row.rotate === 1 || row.next_certificate !== null,
      checks: row.revoked_at_ms === null ? this.#answerFor(row.location).checks.length : 0,
      taken: row.taken,
      status,
    };
  }

  #publish(): void {
    this.#deps.bus.publish({ topic: 'config', type: 'agents.changed', atMs: this.#deps.clock.now(), data: null });
  }
}

const viewToken = ({ id, location, created_by, created_at_ms, expires_at_ms }: AgentJoinTokenRow): JoinTokenView => ({
  id,
  location,
  created_by,
  created_at_ms,
  expires_at_ms,
});
