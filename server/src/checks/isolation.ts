import { once } from 'node:events';
import { isIP } from 'node:net';
import type { Clock } from '@nines/base/clock.ts';
import { SECOND_MS } from '@nines/base/units.ts';
import { openSocket } from '../platform/fetch/dial.ts';
import type { AttemptDeps } from './attempt.ts';
import type { CheckResult } from './contract.ts';
import { notAsked } from './evaluate.ts';
import { splitAddress } from './written.ts';

/** How long a reference may take to answer. */
const REFERENCE_TIMEOUT_MS = 2 * SECOND_MS;
/** Failures this close together ask the references once. */
const ASKED_AGAIN_AFTER_MS = SECOND_MS;
/** Failures that a cut cable looks like. A refused connection, a status or a certificate came from somebody. */
const UNHEARD: ReadonlySet<string> = new Set(['timeout', 'host_unreachable', 'name_server', 'name_not_found']);

export type IsolationDeps = {
  readonly clock: Clock;
  /** `host:port` of what answers whenever our network does; without any the guard never acts. */
  readonly references: readonly string[];
  readonly reaches: (address: string) => Promise<boolean>;
};

type Answer = { readonly host: string; readonly atMs: number };

/**
 * Tells an outage of a service from one of our own network. A failure in which nobody was heard is void, `probe_isolated`, when no
 * reference answers now and no other host has answered since the attempt began: then nobody can be heard, and we know nothing.
 */
export class IsolationGuard {
  readonly #deps: IsolationDeps;
  /** The last two hosts that answered, newest first; instants are monotonic. */
  #answers: readonly Answer[] = [];
  #asked: { readonly atMs: number; readonly anyone: Promise<boolean> } | undefined;

  constructor(deps: IsolationDeps) {
    this.#deps = deps;
  }

  /** `host` undefined: the check asks nobody over the network, and neither proves nor suffers an isolation. */
  async judge(result: CheckResult, host: string | undefined): Promise<CheckResult> {
    const { clock, references } = this.#deps;
    const { outcome } = result;
    if (references.length === 0 || host === undefined || isLoopback(host)) return result;
    const endedMs = clock.monotonic();
    if (outcome.kind !== 'down' || !UNHEARD.has(outcome.code)) {
      if (outcome.kind !== 'void')
        this.#answers = [{ host, atMs: endedMs }, ...this.#answers.filter((one) => one.host !== host)].slice(0, 2);
      return result;
    }
    const beganMs = endedMs - result.durationMs;
    const heard = (): boolean => this.#answers.some((one) => one.host !== host && one.atMs >= beganMs);
    if (heard() || (await this.#anyone()) || heard()) return result;
    return {
      ...result,
      outcome: notAsked(
        'probe_isolated',
        `${outcome.detail}; not counted, because no reference can be reached either (${references.join(', ')})`,
      ),
    };
  }

  #anyone(): Promise<boolean> {
    const nowMs = this.#deps.clock.monotonic();
    if (this.#asked === undefined || nowMs - this.#asked.atMs >= ASKED_AGAIN_AFTER_MS) {
      const { references, reaches } = this.#deps;
      const anyone = Promise.all(references.map(reaches)).then((answers) => answers.includes(true));
      this.#asked = { atMs: nowMs, anyone };
    }
    return this.#asked.anyone;
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host.endsWith('.localhost') || (isIP(host) === 4 && host.startsWith('127.')) || host === '::1';

/** Whether somebody answers there: a refusal is an answer too. */
export const reachOver =
  ({ clock, resolve, judge }: Pick<AttemptDeps, 'clock' | 'resolve' | 'judge'>): IsolationDeps['reaches'] =>
  async (address) => {
    const to = splitAddress(address);
    if (to === undefined) return false;
    const ending = new AbortController();
    using _timer = clock.after(REFERENCE_TIMEOUT_MS, () => ending.abort(new Error('the time is over')));
    const { signal } = ending;
    const found = isIP(to.host) === 0 ? await resolve(to.host, { ipVersion: undefined, signal }).catch(() => undefined) : to.host;
    const judgement = found === undefined ? undefined : judge(found, 'trusted', to.host);
    if (judgement?.allowed !== true) return false;
    const socket = openSocket({ address: judgement.address, port: to.port });
    try {
      await once(socket, 'connect', { signal });
      return true;
    } catch (thrown) {
      return (thrown as NodeJS.ErrnoException).code === 'ECONNREFUSED';
    } finally {
      socket.on('error', () => {}).destroy();
    }
  };
