import { compileRegex } from '@nines/base/regex.ts';
import { formatDuration } from '@nines/base/duration.ts';
import type { EpochMs } from '@nines/base/units.ts';
import type { Outcome } from './contract.ts';

export const UP: Outcome = { kind: 'up' };
export const down = (code: string, detail: string): Outcome => ({ kind: 'down', code, detail });
export const notAsked = (code: string, detail: string): Outcome => ({ kind: 'void', code, detail });

/** Degraded when the certificate ends sooner than it should; undefined when it does not, or nothing was asked of it. */
export function judgeCertificate(
  validForMs: number | undefined,
  { nowMs, untilMs }: { readonly nowMs: EpochMs; readonly untilMs: EpochMs | undefined },
): Outcome | undefined {
  if (validForMs === undefined || untilMs === undefined || untilMs - nowMs >= validForMs) return undefined;
  const left = untilMs <= nowMs ? 'has expired' : `expires in ${formatDuration(untilMs - nowMs)}`;
  return { kind: 'degraded', code: 'certificate_expiry', detail: `the certificate ${left}, expected ${formatDuration(validForMs)}` };
}

/** Degraded when it took longer than the check's own limit. */
export function judgeLength(limitMs: number | undefined, durationMs: number): Outcome {
  if (limitMs === undefined || durationMs <= limitMs) return UP;
  return { kind: 'degraded', code: 'slow', detail: `took ${Math.round(durationMs)} ms, more than ${formatDuration(limitMs)}` };
}

/** Whether `source`, in RE2's syntax, matches some part of `text`. */
export const matchesPart = (source: string, text: string): boolean => {
  const compiled = compileRegex(source);
  return compiled.ok && compiled.value.matchesPart(text);
};

/** The event loop may be this late before it can have decided an outcome that hangs on time; less is within what a network varies by. */
const LOOP_DELAY_BOUND_MS = 100;
/** A longer timeout bears a longer delay: only a delay of this share of it can have made it. */
const LOOP_DELAY_SHARE = 0.2;

/** The code of an attempt that this process itself spoilt. */
export const LOOP_DELAY = 'loop_delay';

/**
 * An outcome that hangs on time (`timeout`, `slow`) says nothing when the event loop was late while it was measured: the answer may
 * have lain in the socket. Any other outcome stands however late it was read.
 */
export function voidWhenLate(outcome: Outcome, at: { readonly loopDelayMs: number; readonly limitMs: number }): Outcome {
  const boundMs = Math.max(LOOP_DELAY_BOUND_MS, at.limitMs * LOOP_DELAY_SHARE);
  const timed = (outcome.kind === 'down' || outcome.kind === 'degraded') && (outcome.code === 'timeout' || outcome.code === 'slow');
  if (!timed || at.loopDelayMs <= boundMs) return outcome;
  return {
    kind: 'void',
    code: LOOP_DELAY,
    detail: `${outcome.detail}; not counted, because the monitor itself was ${Math.round(at.loopDelayMs)} ms late`,
  };
}

/** Faults of this host, not of the target: they say nothing about the service. */
const OWN_FAULTS: Readonly<Record<string, string>> = {
  EMFILE: 'local_resource',
  ENFILE: 'local_resource',
  ENOMEM: 'local_resource',
  ENOBUFS: 'local_resource',
  EADDRNOTAVAIL: 'local_resource',
  ENETUNREACH: 'probe_isolated',
  ENETDOWN: 'probe_isolated',
};

const FAULTS: Readonly<Record<string, readonly [code: string, words: string]>> = {
  ECONNREFUSED: ['connection_refused', 'connection refused'],
  ECONNRESET: ['connection_reset', 'connection reset'],
  EPIPE: ['connection_reset', 'connection closed'],
  EHOSTUNREACH: ['host_unreachable', 'host unreachable'],
  ETIMEDOUT: ['timeout', 'connection timed out'],
  ENOTFOUND: ['name_not_found', 'name not found'],
  ENODATA: ['name_not_found', 'name has no address'],
  ESERVFAIL: ['name_server', 'name server failed'],
  EAI_AGAIN: ['name_server', 'name server did not answer'],
  EPROTO: ['tls', 'TLS handshake failed'],
};

/** A fault of the system or the protocol as an outcome. `peer` is what was spoken to: `127.0.0.1:9999`. */
export function faultOutcome(fault: { readonly code?: string; readonly message: string }, peer: string): Outcome {
  const code = fault.code ?? '';
  const own = OWN_FAULTS[code];
  if (own !== undefined) return { kind: 'void', code: own, detail: `${fault.message} (this host cannot reach out)` };
  const known = FAULTS[code];
  if (known !== undefined)
    return down(known[0], `${known[1]} by ${peer}`.replace(/^(name[^]*|host unreachable|connection timed out) by /, '$1: '));
  if (code.startsWith('HPE_')) return down('bad_answer', `${peer} did not answer in HTTP: ${fault.message}`);
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL')) return down('tls', `TLS with ${peer} failed: ${fault.message}`);
  return down('connection', `${peer}: ${fault.message}`);
}
