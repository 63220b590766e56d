import { X509Certificate } from 'node:crypto';
import { hostname } from 'node:os';
import type { Clock } from '@nines/base/clock.ts';
import { AppError, messageOf } from '@nines/base/errors.ts';
import type { Logger } from '@nines/base/logger.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import {
  AGENT_CODES,
  AGENT_LIMITS,
  type AgentStatus,
  certificateAnswer,
  checksAnswer,
  type ChecksAnswer,
  resultsAnswer,
} from '../contract.ts';
import type { ResultBuffer } from './buffer.ts';
import { type Identity, makeKey } from './identity.ts';
import type { Link } from './link.ts';
import type { ServerTime } from './server-time.ts';

export type CourierDeps = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly link: Link;
  readonly buffer: ResultBuffer;
  readonly time: ServerTime;
  readonly identity: Identity;
  readonly version: string;
  /** Puts checks in force; returns those that this agent does not run. */
  readonly configure: (answer: ChecksAnswer) => Promise<AgentStatus['refused']>;
  /** Keeps an identity with a new key, durable, before it is used. */
  readonly keep: (identity: Identity) => Promise<void>;
};

/** Waits between tries while the server is away: longer each time, up to the last. */
const RETRY_MS = [1, 2, 4, 8, 15].map((seconds) => seconds * SECOND_MS);
/** Results of the same slot travel together. */
const COALESCE_MS = 50;
/** Of a certificate's life, the last part in which it is renewed. */
const RENEW_SHARE = 1 / 3;

/** Refusals that no other try will change: the agent ends. */
const FINAL: ReadonlySet<string> = new Set([AGENT_CODES.revoked, AGENT_CODES.unknownCertificate]);

/** Carries results to the server and brings checks from it, for as long as the agent runs. */
export class Courier {
  readonly #deps: CourierDeps;
  readonly #startedAtMs: number;
  #identity: Identity;
  #refused: AgentStatus['refused'] = [];
  #wake: (() => void) | undefined;
  #isAway = false;
  /** Of the checks in force. */
  #version = '';

  constructor(deps: CourierDeps) {
    this.#deps = deps;
    this.#identity = deps.identity;
    this.#startedAtMs = deps.time.now();
  }

  /** A result was kept. */
  poke(): void {
    this.#wake?.();
  }

  /** The checks that this agent was told before and does not run. */
  refuse(refused: AgentStatus['refused']): void {
    this.#refused = refused;
  }

  /** Runs until `signal` aborts, then resolves, or until the server refuses for good: rejects with that `AppError`. */
  async run(signal: AbortSignal): Promise<void> {
    const ended = new AbortController();
    const both = AbortSignal.any([signal, ended.signal]);
    try {
      await Promise.all([this.#repeat(both, () => this.#carry(both)), this.#repeat(both, () => this.#fetch(both))]);
    } finally {
      ended.abort(new Error('the agent ends'));
    }
  }

  /** Hands in what is left, once; for the end of the process. What does not arrive stays on disk. */
  async flush(): Promise<void> {
    const { buffer, logger } = this.#deps;
    try {
      while (buffer.waiting > 0) await this.#send(AbortSignal.timeout(5 * SECOND_MS));
    } catch (thrown) {
      logger.info('results stay on disk until the next start', { waiting: buffer.waiting, error: messageOf(thrown) });
    }
  }

  async #repeat(signal: AbortSignal, step: () => Promise<void>): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      try {
        await step();
        failures = 0;
      } catch (thrown) {
        if (signal.aborted) return;
        if (thrown instanceof AppError && FINAL.has(thrown.code)) throw thrown;
        this.#away(thrown);
        await this.#pause(RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)] ?? SECOND_MS, signal);
      }
    }
  }

  async #carry(signal: AbortSignal): Promise<void> {
    await this.#send(signal);
    if (this.#deps.buffer.waiting > 0) return;
    await Promise.race([
      new Promise<void>((resolve) => {
        this.#wake = resolve;
      }),
      this.#pause(AGENT_LIMITS.signOfLifeMs, signal),
    ]);
    this.#wake = undefined;
    await this.#pause(COALESCE_MS, signal);
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { buffer, link, clock, time } = this.#deps;
    const results = buffer.batch(AGENT_LIMITS.batch);
    const body = { results, status: this.#status(buffer.waiting - results.length) };
    const sentMs = clock.monotonic();
    const answer = await link.ask({ method: 'POST', path: '/agent/v1/results', body, answer: resultsAnswer, signal });
    const heardMs = clock.monotonic();
    if (answer === undefined) return;
    time.observe({ sentMs, heardMs, receivedAtMs: answer.received_at_ms, answeredAtMs: answer.answered_at_ms });
    buffer.taken(answer.taken);
    this.#back();
  }

  async #fetch(signal: AbortSignal): Promise<void> {
    const { link, configure } = this.#deps;
    const path = `/agent/v1/checks?have=${encodeURIComponent(this.#version)}`;
    const answer = await link.ask({ method: 'GET', path, answer: checksAnswer, signal });
    if (answer !== undefined) {
      this.#refused = await configure(answer);
      this.#version = answer.version;
    }
    if (answer?.rotate === true || this.#isEnding()) await this.#renew(signal);
  }

  #isEnding(): boolean {
    const { validFromDate, validToDate } = new X509Certificate(this.#identity.certificate);
    const untilMs = validToDate.getTime();
    return untilMs - this.#deps.time.now() < (untilMs - validFromDate.getTime()) * RENEW_SHARE;
  }

  /** A new key, signed over the connection that the key in use secures. The server ends the one before when it sees the new one. */
  async #renew(signal: AbortSignal): Promise<void> {
    const { link, keep, logger } = this.#deps;
    const { privateKey, publicKey } = makeKey();
    const body = { public_key: publicKey };
    const answer = await link.ask({ method: 'POST', path: '/agent/v1/renew', body, answer: certificateAnswer, signal });
    if (answer === undefined) return;
    const next: Identity = { ...this.#identity, certificate: answer.certificate, private_key: privateKey };
    await keep(next);
    this.#identity = next;
    link.trust(next);
    logger.info('the agent has a new key', { until: new X509Certificate(answer.certificate).validTo });
  }

  #status(waiting: number): AgentStatus {
    const { buffer, time, version } = this.#deps;
    const skewMs = time.skewMs();
    return {
      version,
      host: hostname(),
      started_at_ms: this.#startedAtMs,
      skew_ms: skewMs ?? null,
      uncertainty_ms: skewMs === undefined ? null : time.uncertaintyMs(),
      buffered: waiting,
      lost: buffer.lost,
      refused: [...this.#refused],
    };
  }

  #away(thrown: unknown): void {
    if (!this.#isAway) this.#deps.logger.warn('the server is away; results are kept on disk', { error: messageOf(thrown) });
    this.#isAway = true;
  }

  #back(): void {
    if (this.#isAway) this.#deps.logger.info('the server is there again', { waiting: this.#deps.buffer.waiting });
    this.#isAway = false;
  }

  #pause(forMs: number, signal: AbortSignal): Promise<void> {
    // Only the signal ends a pause early, and who paused looks at it next.
    return this.#deps.clock.sleep(forMs, { signal }).catch(() => undefined);
  }
}
