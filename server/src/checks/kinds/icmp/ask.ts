import { statSync } from 'node:fs';
import { type AttemptDeps, AttemptEnded, type AttemptRun } from '../../attempt.ts';
import { addressFor } from '../../connect.ts';
import type { Outcome, SpecOf } from '../../contract.ts';
import { down, judgeLength, notAsked } from '../../evaluate.ts';

/** Where `ping` may lie; nothing else is ever started. */
const PLACES = ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'];
/** What one ping prints is some hundred characters. */
const MAX_OUTPUT_BYTES = 4_096;

/**
 * Node has no raw sockets, and the system's `ping` has the rights that one needs. It gets an address that was resolved and judged here,
 * as an argument, without a shell.
 */
export async function askIcmp(spec: SpecOf<'icmp'>, run: AttemptRun, deps: AttemptDeps): Promise<Outcome> {
  const address = await addressFor(run, { spec, host: spec.host }, deps);
  run.enter('processing');
  // Its own timeout lies behind ours, which names the phase and ends it.
  const waitSeconds = Math.ceil(spec.timeoutMs / 1000) + 1;
  const ttl = spec.ttl === undefined ? [] : ['-t', String(spec.ttl)];
  const args = ['-n', '-c', '1', '-W', String(waitSeconds), '-s', String(spec.size), ...ttl, '--', address];
  const said = await ping(args, run, { deps, timeoutMs: 2 * spec.timeoutMs });
  run.leave();
  if (said === undefined) return notAsked('no_ping', 'the command ping is not installed here (Debian: iputils-ping)');
  const rttMs = Number(/\btime[=<]([\d.]+) ?ms/.exec(said)?.[1] ?? Number.NaN);
  if (Number.isNaN(rttMs)) return judgeSilence(said, run.peer);
  run.figures.push({ name: 'probe_icmp_duration_seconds', value: rttMs / 1000, labels: { phase: 'rtt' } });
  const hops = /\b(?:ttl|hlim)=(\d+)/.exec(said)?.[1];
  if (hops !== undefined) run.figures.push({ name: 'probe_icmp_reply_hop_limit', value: Number(hops) });
  return judgeLength(spec.degraded_after, rttMs);
}

/** Everything it printed; undefined when there is no such command. */
async function ping(args: readonly string[], run: AttemptRun, { deps, timeoutMs }: Pinging): Promise<string | undefined> {
  const program = pingProgram();
  if (program === undefined) return undefined;
  const end = await deps.run(
    {
      argv: [program, ...args],
      listed: [program],
      cause: { kind: 'check', id: 'icmp', isRoutine: true },
      inherits: [],
      env: { LC_ALL: 'C' },
    },
    { clock: deps.clock, signal: run.signal, timeoutMs, graceMs: 0, maxOutputBytes: MAX_OUTPUT_BYTES },
  );
  if (end.kind === 'refused') throw new AttemptEnded(notAsked('not_started', end.why));
  run.signal.throwIfAborted();
  return end.output;
}

type Pinging = { readonly deps: AttemptDeps; readonly timeoutMs: number };

const pingProgram = (): string | undefined =>
  PLACES.map((place) => `${place}/ping`).find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);

/** Names what the network or `ping` said instead of an answer. */
export function judgeSilence(said: string, peer: string): Outcome {
  const line =
    /^.*(?:unreachable|exceeded|permitted|denied|invalid|error|unknown).*$/im.exec(said)?.[0]?.trim() ??
    said.trim().split('\n').at(-1) ??
    '';
  const detail = line.slice(0, 200);
  if (/time to live exceeded|hop limit/i.test(said)) return down('ttl_exceeded', `${peer}: ${detail}`);
  if (/^from .*(unreachable|prohibited|filtered)/im.test(said)) return down('host_unreachable', `${peer}: ${detail}`);
  if (/network is unreachable/i.test(said)) return notAsked('probe_isolated', `${detail} (this host cannot reach out)`);
  if (/100% packet loss/.test(said)) return down('timeout', `no answer from ${peer}`);
  return notAsked('ping_failed', `ping: ${detail}`);
}
